"""What an officer decides about one version, and exactly what the decision is bound to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from twinops.entities.canonical import digest


class Act(StrEnum):
    """What may be done on the review page. Approve, reject and revoke are the risk officer's."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    ASK = "ask"
    REVOKE = "revoke"


@dataclass(frozen=True)
class DigestSet:
    """SHA-256 of everything an approval rests on. No name and no number: those are given again after deletion."""

    model: str
    """Every file of the version, path and content."""
    data: str
    """The candidate's key: commands, inputs, parameters and outputs."""
    evidence: str
    documents: str
    """Card, impact assessment and verdicts, as their manifest lists them."""
    card: str
    dpia: str
    policy: str
    officers: str
    settled: str = ""
    """Which officers' rulings on single gates count with it; empty: none. Kept under the name it was stored with."""

    @property
    def digest(self) -> str:
        """One digest over all; the form of the review page carries it."""
        return digest({name: value for name, value in asdict(self).items() if value or name != "settled"})

    def changed(self, other: DigestSet) -> tuple[str, ...]:
        """Which parts differ, in words.

        >>> a = DigestSet(*"abcdefgh")
        >>> a.changed(DigestSet(*"abXdefgX"))
        ('evidence', 'officers')
        """
        mine, theirs = asdict(self), asdict(other)
        return tuple("rulings" if name == "settled" else name for name in mine if theirs[name] != mine[name])


@dataclass(frozen=True)
class Review:
    """One act on one version, as it is kept. `reason` is a person's text and stays out of the audit log."""

    id: int
    uid: str
    act: Act
    account: str
    at: datetime
    reason: str
    name: str
    version: int
    digests: DigestSet | None = None
    expires: datetime | None = None
    separated: bool = True
    """False: made on work that was adopted from a single user, whose roles were not separated."""


@dataclass(frozen=True)
class Ruling:
    """One officer's written answer to one gate that did not pass, on one version; or (`withdrawn`) its end.

    It holds for these digests and until the end of that day, UTC. `reason` stays out of the audit log.
    """

    id: int
    uid: str
    gate: str
    answer: str
    """What the gate said: inconclusive (this resolves it) or failed (this overrides it)."""
    evidence: str
    """The id of the measure or fact the gate cited."""
    account: str
    role: str
    """The office, in the policy's words."""
    at: datetime
    until: date
    reason: str
    digests: DigestSet
    withdrawn: bool = False


@dataclass(frozen=True)
class Actor:
    """Who acts: the account that logged in, its roles, and whether it administers the server."""

    account: str
    roles: frozenset[str] = frozenset()
    admin: bool = False


@dataclass(frozen=True)
class Case:
    """Everything that is known about one version when somebody acts on it."""

    uid: str
    name: str
    version: int
    contributors: frozenset[str]
    unknown: tuple[str, ...] = ()
    """Contributors nobody could name: a commit's e-mail without an account, an upload without a login."""
    digests: DigestSet | None = None
    blocking: tuple[str, ...] | None = None
    """Gates in the way under the server's own policy; None: nothing was judged."""
    problems: tuple[str, ...] = ()
    """What else stands in the way: bytes, evidence, files that could run code."""
    separated: bool = True
    rulings: tuple[int, ...] = ()
    """Those on single gates that count now."""
    reviews: tuple[Review, ...] = ()
    """Oldest first."""
    details: dict[str, Any] = field(default_factory=dict)
