"""Which registered versions learned from whom: kept with the keys, apart from everything that is published."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from twinops.entities.rights import LearnedVersion


@dataclass(frozen=True)
class LineageIndex:
    """A table in the key store's database: a version, and the sids it was trained on."""

    folder: Path

    def remember(self, version: LearnedVersion, sids: Iterable[str]) -> None:
        """Keep who a version learned from; the same version again replaces its list."""
        with self._connection() as db:
            row = (version.model, version.version, version.key)
            db.execute("DELETE FROM learned WHERE model = ? AND version = ?", row[:2])
            listed = ((*row, sid) for sid in sorted(set(sids)))
            db.executemany("INSERT INTO learned (model, version, key, sid) VALUES (?, ?, ?, ?)", listed)

    def of(self, sids: Iterable[str]) -> tuple[LearnedVersion, ...]:
        """Every version that learned from one of these, in order."""
        if not (self.folder / "keys.db").is_file():
            return ()
        asked = sorted(set(sids))
        with self._connection() as db:
            found = db.execute(_OF, (json.dumps(asked),)).fetchall()
        return tuple(
            sorted((LearnedVersion(*row) for row in found), key=lambda v: (v.model, len(v.version), v.version))
        )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(self.folder / "keys.db", timeout=60, isolation_level=None)) as db:
            db.execute("PRAGMA secure_delete = ON")
            db.execute("BEGIN IMMEDIATE")
            try:
                db.execute(_TABLE)
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


_OF = "SELECT DISTINCT model, version, l.key FROM json_each(?) j JOIN learned l ON l.sid = j.value"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS learned (model TEXT, version TEXT, key TEXT NOT NULL, sid TEXT, "
    "PRIMARY KEY (sid, model, version)) WITHOUT ROWID"
)
