"""Entries of the ledger of rights, told to the audit log under pseudonyms; what was told once is not told again."""

from __future__ import annotations

import json
from typing import Any

from twinops.entities.event import Kind
from twinops.entities.rights import USES, RightsEntry, pseudonym
from twinops.ports import Rights
from twinops.server.registry import audit_log as ledger
from twinops.server.registry.store import GovernedStore

LOGGED = "logged"
A_TURN = 500


def catch_up(store: GovernedStore, rights: Rights) -> int:
    """Log every entry that is not there yet, and return how many. Whoever dies in between leaves the rest to the next.

    The note of how far it came is written after the log: what the log has already is found there and skipped.
    """
    before = int(rights.state(LOGGED) or 0)
    left = [e for e in rights.entries() if e.seq > before]
    for start in range(0, len(left), A_TURN):
        turn = left[start : start + A_TURN]
        with store.writing() as log:
            known = _told(log, turn)
            for entry in turn:
                if entry.digest not in known:
                    log.append(Kind.RIGHTS, entry.act.person, about(entry))
        rights.note(LOGGED, str(turn[-1].seq))
    return len(left)


def about(entry: RightsEntry) -> dict[str, Any]:
    """What the log holds of an entry: no id, no word of anybody."""
    told = {
        "right": entry.right.value,
        "subject": pseudonym(entry.sid) if entry.sid else entry.act.about.get("erased"),
        "erasure": entry.act.about.get("erasure"),
        "purpose": entry.act.purpose,
        "office": entry.act.office,
        "case": entry.act.about.get("case"),
        "step": entry.act.about.get("step"),
        "use": dict(entry.act.about) if entry.right in USES else None,
        "entry": entry.seq,
        "digest": entry.digest,
    }
    return {name: value for name, value in told.items() if value is not None}


def _told(log: ledger.AuditLog, turn: list[RightsEntry]) -> set[str]:
    """Of these entries those that somebody logged and died before noting it: the newest of the log alone can be."""
    start = max(0, log.frontier.size - 2 * A_TURN)
    bodies = (json.loads(body) for body in ledger.bodies(log.session, start=start))
    wanted = {entry.digest for entry in turn}
    return {b["about"]["digest"] for b in bodies if b["kind"] == Kind.RIGHTS} & wanted
