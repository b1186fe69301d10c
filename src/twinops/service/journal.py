"""What came by events: written ahead and synced before anybody is thanked, then applied; one file for all instances.

SQLite in WAL mode, one sync a commit, many events a commit. An event's words are sealed under its consumer's own key,
so erasing the key takes them; the rows go too. Sequence numbers are given behind the one writer lock, so whoever reads
on from the last number it saw misses nothing that another instance wrote.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
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
PUT_AT_ONCE = 500
"""Rows of one statement."""
_Put = tuple[str, str, str, int, bytes]


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
        # who reads does not wait for whoever syncs
        self._lock, self._db = Lock(), _opened(file)
        self._reading, self._read = Lock(), _opened(file)

    def write(self, entries: Sequence[tuple[Entry, bytes]]) -> list[Written]:
        """Write them, each under its consumer's key, in one commit; synced to the disk when this returns."""
        # without a nonce: the same event gives the same bytes, and one that differs under the same id shows
        rows = [(e.client, e.event_id, e.sid, int(e.right), _sealed(e, key)) for e, key in entries]
        with self._committed() as cursor:
            before = cursor.execute("SELECT ifnull(max(seq), 0) FROM event").fetchone()[0]
            put = sum(_put(cursor, rows[n : n + PUT_AT_ONCE]) for n in range(0, len(rows), PUT_AT_ONCE))
            if put == len(rows):
                return [Written.ACCEPTED] * put
            return list(_became(cursor, rows, before))

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
        with self._committed() as cursor:
            cursor.executemany("UPDATE event SET done = 1 WHERE seq = ?", [(s,) for s in seqs])

    def forget(self, sids: Iterable[str]) -> None:
        """Every row of whoever was erased."""
        with self._committed() as cursor:
            cursor.executemany("DELETE FROM event WHERE sid = ?", [(s,) for s in sids])

    def drop(self, seqs: Iterable[int]) -> None:
        """Rows that collected batches have taken the place of."""
        with self._committed() as cursor:
            cursor.executemany("DELETE FROM event WHERE seq = ?", [(s,) for s in seqs])

    def close(self) -> None:
        """Close the file."""
        for lock, file in ((self._lock, self._db), (self._reading, self._read)):
            with lock:
                file.close()

    @contextmanager
    def _committed(self) -> Iterator[sqlite3.Cursor]:
        """One transaction, one sync."""
        with self._lock, closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    cursor.execute("ROLLBACK")
                raise

    def _rows(self, where: str, *values: Any) -> list[Row]:
        with self._reading:
            # one row for all: each row gives other threads the turn, and waits for its own
            (found,) = self._read.execute(f"{_ROWS} {where})", values).fetchone()
        return [Row(seq, client, event, sid, bool(right), bool(done), bytes.fromhex(sealed))
                for seq, client, event, sid, right, done, sealed in json.loads(found)]  # fmt: skip


_TABLES = (
    "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, client TEXT NOT NULL, "
    "event_id TEXT NOT NULL, sid TEXT NOT NULL, rights INTEGER NOT NULL, sealed BLOB NOT NULL, "
    "done INTEGER NOT NULL DEFAULT 0, UNIQUE (client, event_id))",
    "CREATE INDEX IF NOT EXISTS event_of ON event (sid)",
    "CREATE INDEX IF NOT EXISTS event_owed ON event (seq) WHERE rights = 1 AND done = 0",
)
_ROWS = (
    "SELECT json_group_array(json_array(seq, client, event_id, sid, rights, done, hex(sealed))) "
    "FROM (SELECT seq, client, event_id, sid, rights, done, sealed FROM event"
)


def _opened(file: Path) -> sqlite3.Connection:
    found = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    for word in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        found.execute(f"PRAGMA {word}")
    for statement in _TABLES:
        found.execute(statement)
    return found


def _put(cursor: sqlite3.Cursor, rows: Sequence[_Put]) -> int:
    """How many were new. One statement for all: each statement gives other threads the turn, and waits for its own."""
    places = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
    many = f"INSERT INTO event (client, event_id, sid, rights, sealed) VALUES {places} ON CONFLICT DO NOTHING"  # noqa: S608  # question marks alone
    return cursor.execute(many, [value for row in rows for value in row]).rowcount


def _became(cursor: sqlite3.Cursor, rows: Sequence[_Put], before: int) -> Iterator[Written]:
    """What became of each, where some were known: the first of an id that was not there before is the one that is."""
    taken: set[tuple[str, str]] = set()
    for client, event_id, sid, _, sealed in rows:
        seq, *held = cursor.execute(
            "SELECT seq, sid, sealed FROM event WHERE client = ? AND event_id = ?", (client, event_id)
        ).fetchone()
        if seq > before and (client, event_id) not in taken:
            taken.add((client, event_id))
            yield Written.ACCEPTED
        else:
            yield Written.DUPLICATE if held == [sid, sealed] else Written.OTHER


def _sealed(entry: Entry, key: bytes) -> bytes:
    return AESSIV(key).encrypt(to_json(dict(entry.told)).encode(), _bound(entry))


def _bound(of: Entry | Row) -> list[bytes]:
    return [b"event", of.sid.encode(), of.client.encode(), of.event_id.encode()]
