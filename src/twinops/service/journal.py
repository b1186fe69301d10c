"""What came by events: written ahead and synced before anybody is thanked, then applied; one file for all instances.

SQLite in WAL mode, one sync a commit, many events a commit. An event's words are sealed under its consumer's own key,
so erasing the key takes them; the rows go too. Sequence numbers are given behind the one writer lock, so whoever reads
on from the last number it saw misses nothing that another instance wrote.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.entities.canonical import to_json

AT_ONCE = 5_000
"""Rows that are read on at once."""


class Written(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    OTHER = "other"
    """Its id was used for another event."""


@dataclass(frozen=True)
class Entry:
    """One event before it is written: `told` is what is sealed."""

    client: str
    event_id: str
    sid: str
    right: bool
    told: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Row:
    """One event as it lies in the file."""

    seq: int
    client: str
    event_id: str
    sid: str
    right: bool
    done: bool
    """The ledger of rights has it."""
    sealed: bytes = field(repr=False)

    def told(self, keys: Mapping[str, bytes]) -> dict[str, Any] | None:
        """What was said; None where the consumer's key is gone."""
        key = keys.get(self.sid)
        if key is None:
            return None
        try:
            found: dict[str, Any] = json.loads(AESSIV(key).decrypt(self.sealed, _bound(self)))
        except (InvalidTag, ValueError):
            return None
        return found


class Journal:
    """The file of events of a project."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        self._lock, self._db = Lock(), sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
        for word in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._db.execute(f"PRAGMA {word}")
        for statement in _TABLES:
            self._db.execute(statement)

    def write(self, entries: Sequence[tuple[Entry, bytes]]) -> list[Written]:
        """Write them, each under its consumer's key, in one commit; synced to the disk when this returns."""
        with self._lock, closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                done = [_written(cursor, entry, key) for entry, key in entries]
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
        return done

    def after(self, seq: int) -> list[Row]:
        """The next rows after this one, in order."""
        return self._rows("WHERE seq > ? ORDER BY seq LIMIT ?", seq, AT_ONCE)

    def of(self, sid: str) -> list[Row]:
        """All rows of one consumer."""
        return self._rows("WHERE sid = ? ORDER BY seq", sid)

    def take_over(self, most: int = 200) -> list[Row]:
        """Rows of rights that the ledger does not have yet, oldest first."""
        return self._rows("WHERE rights = 1 AND done = 0 ORDER BY seq LIMIT ?", most)

    def taken_over(self, seqs: Iterable[int]) -> None:
        """The ledger has them."""
        with self._lock:
            self._db.executemany("UPDATE event SET done = 1 WHERE seq = ?", [(s,) for s in seqs])

    def forget(self, sids: Iterable[str]) -> None:
        """Every row of whoever was erased."""
        with self._lock:
            self._db.executemany("DELETE FROM event WHERE sid = ?", [(s,) for s in sids])

    def drop(self, seqs: Iterable[int]) -> None:
        """Rows that collected batches have taken the place of."""
        with self._lock, closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany("DELETE FROM event WHERE seq = ?", [(s,) for s in seqs])
            cursor.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _rows(self, where: str, *values: Any) -> list[Row]:
        with self._lock:
            found = self._db.execute(_ROWS + where, values).fetchall()
        return [Row(r[0], r[1], r[2], r[3], bool(r[4]), bool(r[5]), r[6]) for r in found]


_TABLES = (
    "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, client TEXT NOT NULL, "
    "event_id TEXT NOT NULL, sid TEXT NOT NULL, rights INTEGER NOT NULL, sealed BLOB NOT NULL, "
    "done INTEGER NOT NULL DEFAULT 0, UNIQUE (client, event_id))",
    "CREATE INDEX IF NOT EXISTS event_of ON event (sid)",
    "CREATE INDEX IF NOT EXISTS event_owed ON event (seq) WHERE rights = 1 AND done = 0",
)
_ROWS = "SELECT seq, client, event_id, sid, rights, done, sealed FROM event "


def _written(cursor: sqlite3.Cursor, entry: Entry, key: bytes) -> Written:
    # without a nonce: the same event gives the same bytes, and one that differs under the same id shows
    sealed = AESSIV(key).encrypt(to_json(dict(entry.told)).encode(), _bound(entry))
    row = (entry.client, entry.event_id, entry.sid, int(entry.right), sealed)
    put = cursor.execute(
        "INSERT INTO event (client, event_id, sid, rights, sealed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
    )
    if put.rowcount:
        return Written.ACCEPTED
    held = cursor.execute(
        "SELECT sid, sealed FROM event WHERE client = ? AND event_id = ?", (entry.client, entry.event_id)
    ).fetchone()
    return Written.DUPLICATE if held == (entry.sid, sealed) else Written.OTHER


def _bound(of: Entry | Row) -> list[bytes]:
    return [b"event", of.sid.encode(), of.client.encode(), of.event_id.encode()]
