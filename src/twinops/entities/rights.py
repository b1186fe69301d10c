"""What consumers ask and tell under the GDPR, as entries of a ledger: which right, when, taken down by whom."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.consent import Purpose
from twinops.entities.event import stamp

MOST_TEXT = 2_000
"""Signs of one free text; a longer one is refused, never cut."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Right(StrEnum):
    """What may be written in the ledger of rights."""

    CONSENTED = "consent"
    WITHDRAWN = "withdraw"
    OBJECTED = "object"
    RESTRICTED = "restrict"
    UNRESTRICTED = "unrestrict"
    CORRECTED = "correct"
    HELD = "hold"
    RELEASED = "release"
    ERASURE_ASKED = "erasure_requested"
    ERASED = "erase"
    EXPORTED = "export"
    CASE = "case"
    CONTESTED = "contest"
    SAID_BY_ANOTHER = "said_by_another"
    SAME = "same_person"
    NOT_SAME = "not_same_person"
    REOPENED = "pair_reopened"
    SETTLED = "persons_settled"
    SCORED = "scored"


GOVERNING = frozenset(
    {
        Right.CONSENTED,
        Right.WITHDRAWN,
        Right.OBJECTED,
        Right.RESTRICTED,
        Right.UNRESTRICTED,
        Right.SAID_BY_ANOTHER,
    }
)
"""Entries that change what may be done with somebody's data: the stages that ask for leave follow."""
IDENTITY = frozenset({Right.SAME, Right.NOT_SAME, Right.REOPENED, Right.SETTLED})
"""Entries that say which records are one person's: the linkage follows."""
USES = frozenset({Right.SCORED})
"""Entries that tell of a use of many, by nobody's word: the ledger was not looked through for them."""
FOLLOWED: Mapping[str, frozenset[Right]] = MappingProxyType(
    {
        "rights.json": GOVERNING,
        "corrections.json": frozenset({Right.CORRECTED}),
        "holds.json": frozenset({Right.HELD, Right.RELEASED}),
        "persons.json": IDENTITY,
    }
)
"""Committed file -> of which entries it tells. Apart, so that an objection collects nothing anew."""


@dataclass(frozen=True)
class RightsAct:
    """One act before it is written.

    `about` holds short codes alone and stands in the open; `told` (reason, proof, values) is sealed under the subject's
    own key, so that erasing the key takes the words with it. `sid` is empty where nobody was recognised.
    """

    right: Right
    sid: str
    office: str
    person: str
    purpose: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RightsEntry:
    """One act as it stands in the ledger: number, moment (UTC), and the digest of it and all before it."""

    seq: int
    at: datetime
    act: RightsAct
    digest: str
    sealed: bytes | None = field(default=None, repr=False)

    @property
    def right(self) -> Right:
        """Which right."""
        return self.act.right

    @property
    def sid(self) -> str:
        """Whose."""
        return self.act.sid


@dataclass(frozen=True)
class LearnedVersion:
    """A registered version of a model, and the key of the candidate it was made from."""

    model: str
    version: str
    key: str


@dataclass(frozen=True)
class RightsHead:
    """What a followed file holds: of how many entries it tells, and the digest of the last."""

    entries: int = 0
    head: str = ""

    def to_text(self) -> str:
        """The file's text."""
        return to_json({"entries": self.entries, "head": self.head}) + "\n"


EVERY = tuple(p.value for p in Purpose)
HOLDS_UP = ("objection", "withdrawal", "erasure", "restriction")
"""Kinds of request that stop a use of data while they are open; who asks for a copy is held up in nothing."""
BESIDE = "beside"
"""Of an entry that says the same of another record of the person whose request it is."""
BEGINS, ENDS = "received", ("answered", "refused")
"""Steps of a case with which that begins and ends."""


def held_up(act: RightsAct) -> tuple[str, ...]:
    """Purposes that may not go on while the request of this step is open: the one it names, else every one.

    What a message objects to is not read from it, so an objection without a purpose holds up all (GDPR art. 18(1)(d)).
    """
    if act.right is not Right.CASE or act.about.get("kind") not in HOLDS_UP or not act.sid:
        return ()
    narrow = act.purpose if act.about["kind"] in ("objection", "withdrawal") else None
    return (narrow,) if narrow else EVERY


def tells(file: str, entry: RightsEntry) -> bool:
    """Whether a followed file counts an entry: `rights.json` also begin and end of what holds up a use."""
    if entry.right in FOLLOWED[file]:
        return True
    turns = (BEGINS, *ENDS)
    return file == "rights.json" and bool(held_up(entry.act)) and entry.act.about.get("step") in turns


_CODE = re.compile(r"[\w.:/()+ -]{0,80}", re.ASCII)


def is_code(text: str) -> bool:
    """Whether it may stand in the open: a short code, no sentence in any script, no address.

    >>> is_code("17(3)(b)"), is_code("ann@example.org")
    (True, False)
    """
    return _CODE.fullmatch(text) is not None


def body_of(act: RightsAct, at: datetime) -> str:
    """The open part of an entry, as it is hashed."""
    open_part = {
        "about": dict(act.about), "at": stamp(at), "office": act.office, "person": act.person,
        "purpose": act.purpose, "right": act.right.value, "sid": act.sid,
    }  # fmt: skip
    return to_json(open_part)


def pseudonym(sid: str) -> str:
    """Under which a consumer appears in the audit log.

    >>> pseudonym("0" * 32)[:2]
    's-'
    """
    return f"s-{hashlib.sha256(b'twinops audit log' + sid.encode()).hexdigest()[:16]}"
