"""Which registered versions learned from whom: kept with the keys, apart from everything that is published."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from twinops.adapters.key_database import POSTGRESQL, KeyDatabase, database_at
from twinops.entities.rights import LearnedVersion


@dataclass(frozen=True)
class LineageIndex:
    """A table in the key store's database: a version, and the sids it was trained on."""

    place: Path | str

    def remember(self, version: LearnedVersion, sids: Iterable[str]) -> None:
        """Keep who a version learned from; the same version again replaces its list."""
        row = (version.model, version.version, version.key)
        with self._database.writing() as db:
            db.many("DELETE FROM learned WHERE model = ? AND version = ?", [row[:2]])
            insert = "INSERT INTO learned (model, version, made_from, sid) VALUES (?, ?, ?, ?)"
            db.many(insert, [(*row, sid) for sid in sorted(set(sids))])

    def of(self, sids: Iterable[str]) -> tuple[LearnedVersion, ...]:
        """Every version that learned from one of these, in order."""
        if not str(self.place).startswith(POSTGRESQL) and not (Path(self.place) / "keys.db").is_file():
            return ()
        with self._database.writing() as db:
            found = db.all(_OF, json.dumps(sorted(set(sids))))
        return tuple(
            sorted((LearnedVersion(*row) for row in found), key=lambda v: (v.model, len(v.version), v.version))
        )

    @property
    def _database(self) -> KeyDatabase:
        return database_at(str(self.place), [_TABLE])


_OF = "SELECT DISTINCT model, version, made_from FROM learned WHERE sid IN EACH(?)"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS learned (model TEXT NOT NULL, version TEXT NOT NULL, made_from TEXT NOT NULL, "
    "sid TEXT NOT NULL, PRIMARY KEY (sid, model, version)) WITHOUT ROWID"
)
