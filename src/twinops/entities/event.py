"""One thing that happened to a model, a rule or an account: what the audit log holds. Never a person's name or text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from twinops.entities.canonical import to_json


class Kind(StrEnum):
    """What may happen. A refusal is an event like any other."""

    STARTED = "server.started"
    RESTORED = "log.restored"
    RULES = "rules.activated"
    ACCOUNT = "account.changed"
    REGISTERED = "version.registered"
    ADOPTED = "version.adopted"
    RENAMED = "model.renamed"
    DELETED = "version.deleted"
    EVIDENCE = "evidence.recorded"
    REQUESTED = "review.requested"
    APPROVED = "review.approved"
    REJECTED = "review.rejected"
    ASKED = "review.changes_asked"
    REVOKED = "review.revoked"
    RULED = "gate.settled"  # a log keeps the words it began with
    RULING_WITHDRAWN = "gate.unsettled"
    PROMOTED = "alias.set"
    TAKEN_DOWN = "alias.removed"
    RIGHTS = "subject.right"
    REFUSED = "refused"


@dataclass(frozen=True)
class Event:
    """`actor` is a pseudonym, `at` UTC to the millisecond, `about` JSON values that fit the kind.

    >>> Event(Kind.STARTED, "p-1", "2026-11-23T18:00:00.000Z").body(0)
    '{"about":{},"actor":"p-1","at":"2026-11-23T18:00:00.000Z","kind":"server.started","seq":0}'
    """

    kind: Kind
    actor: str
    at: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def body(self, seq: int) -> str:
        """The line that is hashed and kept. Sorted keys put the sequence number last."""
        return to_json(
            {"about": dict(self.about), "actor": self.actor, "at": self.at, "kind": self.kind.value, "seq": seq}
        )


def stamp(moment: datetime) -> str:
    """UTC to the millisecond, as events carry it.

    >>> stamp(datetime(2026, 11, 23, 18, 0, tzinfo=UTC))
    '2026-11-23T18:00:00.000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
