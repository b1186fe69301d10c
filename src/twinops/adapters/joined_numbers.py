"""Customer numbers that stand for one subject: an old number is found under whoever has the one that replaced it.

They lie beside the subjects' keys, as keyed hashes. Taken away again, a number has its former subject back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from twinops.adapters.key_database import KeyRows

TABLE = "CREATE TABLE IF NOT EXISTS joined (lookup TEXT PRIMARY KEY, sid TEXT NOT NULL) WITHOUT ROWID"


def found(db: KeyRows, lookups: Sequence[str]) -> dict[str, str]:
    """Of these keyed hashes those of replaced numbers, with the subject they stand for; nobody who was erased."""
    rows = db.all(
        "SELECT lookup, sid FROM joined WHERE lookup IN EACH(?) AND lookup NOT IN (SELECT lookup FROM suppressed)",
        json.dumps(list(lookups)),
    )
    return {str(lookup): str(sid) for lookup, sid in rows}


def put(db: KeyRows, told: Mapping[str, str]) -> None:
    """Make these the replaced numbers, and no other."""
    if dict(db.all("SELECT lookup, sid FROM joined")) != told:
        db.all("DELETE FROM joined")
        db.many("INSERT INTO joined (lookup, sid) VALUES (?, ?)", sorted(told.items()))


def taken_out(db: KeyRows, sids: Sequence[str]) -> list[str]:
    """The keyed hashes of all numbers that stood for these subjects; they do no more."""
    rows = db.all("DELETE FROM joined WHERE sid IN EACH(?) RETURNING lookup", json.dumps(list(sids)))
    return [str(lookup) for (lookup,) in rows]


def moved(db: KeyRows) -> dict[str, str]:
    """Subjects that numbers had before they were replaced -> the subject they stand for now."""
    rows = db.all("SELECT s.sid, j.sid FROM joined j JOIN subject s ON s.lookup = j.lookup WHERE s.sid <> j.sid")
    return {str(before): str(now) for before, now in rows}
