"""Where keys live, outside git, DVC and MLflow: a published demo key for shipped public data, SQLite for your own."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.errors import IntegrityError, ParamsError
from twinops.ports import KeyStore

# PUBLISHED ON PURPOSE, so that every clone seals the shipped public data to the same bytes. It protects nobody: whoever
# reads this file can open what it sealed. `open_store` refuses it as soon as a source is not shipped demo data.
DEMO_MASTER_KEY = b"twinops demo master key: PUBLISHED, protects nothing, shipped public and synthetic data only"


def open_store(kind: str, *, own_data: bool, location: str) -> KeyStore:
    """The key store that `vault.keys` asks for; `location` is its folder.

    Raises:
        ParamsError: the demo key for data that are not shipped demo data.
    """
    if kind == "demo":
        if own_data:
            raise ParamsError(
                "sources.folder or own names your data; vault.keys is `demo`, a published key that protects nobody.",
                hint="Set vault.keys to `store`; keys then lie in keystore/, or where TWINOPS_KEYSTORE says.",
            )
        return DemoKeys()
    return SqliteKeyStore(Path(location))


class DemoKeys:
    """Ids and keys derived from the published master key (HKDF, RFC 5869): nothing is stored, nobody can be erased."""

    def __init__(self) -> None:
        self._prk = hmac.digest(b"twinops demo", DEMO_MASTER_KEY, hashlib.sha512)

    def epoch(self) -> int:
        """Always 0."""
        return 0

    def subject_ids(self, natural_ids: Sequence[str]) -> list[str]:
        """The first 16 bytes of a keyed hash of the natural id."""
        return [hmac.digest(DEMO_MASTER_KEY, b"sid" + n.encode(), hashlib.sha256)[:16].hex() for n in natural_ids]

    def known_sid(self, natural_id: str) -> str | None:
        """Derived like any other: whether anything is held under it, the sealed files tell."""
        return self.subject_ids([natural_id])[0]

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """A key for every sid."""
        return {sid: self._derived(b"subject", bytes.fromhex(sid)) for sid in sids}

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The key of a batch's quarantine."""
        return self._derived(b"batch", f"{dataset}\0{batch}".encode())

    def batch_since(self, dataset: str, batch: str) -> date | None:  # noqa: ARG002  (the port's)
        """A derived key never ages."""
        return date.max

    def forget_batch(self, dataset: str, batch: str) -> None:  # noqa: ARG002  (the port's)
        """Refused: what anybody can derive cannot be destroyed."""
        raise IntegrityError("The published demo key cannot be destroyed.", hint="Set vault.keys to `store`.")

    def _derived(self, use: bytes, info: bytes) -> bytes:
        """HKDF-Expand to 64 bytes, which with SHA-512 is one block."""
        return hmac.digest(self._prk, use + b"\0" + info + b"\x01", hashlib.sha512)


class SqliteKeyStore:
    """Random sids and keys in `keys.db`, wrapped by a key-encryption key (KEK) in a file beside it.

    A natural id is found by a keyed hash in the subject's own row, so that it goes when the row goes. Every write takes
    the database's one writer lock first: two processes may collect at once.
    """

    def __init__(self, folder: Path, *, today: Callable[[], date] = date.today) -> None:
        self._folder, self._today = folder, today
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._connection() as db:
            if db.execute("SELECT 1 FROM state").fetchone() is None:
                pepper = self._new_kek(0).encrypt(secrets.token_bytes(64), [b"pepper"])
                db.executemany("INSERT INTO state (name, value) VALUES (?, ?)", [("epoch", 0), ("pepper", pepper)])

    def epoch(self) -> int:
        """How often the KEK was rotated."""
        with self._connection() as db:
            return _epoch(db)

    def subject_ids(self, natural_ids: Sequence[str]) -> list[str]:
        """A random sid per natural id; unknown ones are enrolled, all or none. A suppressed one has no key."""
        with self._connection() as db:
            kek = self._kek(_epoch(db))
            pepper = self._pepper(db, kek)
            lookups = [hmac.digest(pepper, natural.encode(), hashlib.sha256).hex() for natural in natural_ids]
            known = dict(db.execute(_SIDS, (json.dumps(lookups),)))
            new = {lookup: secrets.token_hex(16) for lookup in dict.fromkeys(lookups) if lookup not in known}
            rows = [(sid, lookup, kek.encrypt(secrets.token_bytes(64), [sid.encode()])) for lookup, sid in new.items()]
            db.executemany("INSERT INTO subject (sid, lookup, wrapped) VALUES (?, ?, ?)", rows)
        return [known.get(lookup) or new[lookup] for lookup in lookups]

    def known_sid(self, natural_id: str) -> str | None:
        """The sid of a natural id that is enrolled and not erased; asking enrols nobody."""
        with self._connection() as db:
            lookup = hmac.digest(self._pepper(db, self._kek(_epoch(db))), natural_id.encode(), hashlib.sha256).hex()
            row = db.execute("SELECT sid FROM subject WHERE lookup = ?", (lookup,)).fetchone()
        return None if row is None else str(row[0])

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of all subjects that still have one."""
        with self._connection() as db:
            kek = self._kek(_epoch(db))
            return {sid: _unwrapped(kek, wrapped, sid) for sid, wrapped in db.execute(_KEYS, (json.dumps(list(sids)),))}

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The key of a batch's quarantine, made when first asked for."""
        name = f"{dataset}/{batch}"
        with self._connection() as db:
            kek = self._kek(_epoch(db))
            fresh = kek.encrypt(secrets.token_bytes(64), [name.encode()])
            if db.execute("INSERT OR IGNORE INTO batch (name, wrapped) VALUES (?, ?)", (name, fresh)).rowcount:
                db.execute(
                    "INSERT OR REPLACE INTO batch_since (name, day) VALUES (?, ?)", (name, self._today().isoformat())
                )
            return _unwrapped(kek, db.execute("SELECT wrapped FROM batch WHERE name = ?", (name,)).fetchone()[0], name)

    def batch_since(self, dataset: str, batch: str) -> date | None:
        """The day the key was made."""
        with self._connection() as db:
            row = db.execute("SELECT day FROM batch_since WHERE name = ?", (f"{dataset}/{batch}",)).fetchone()
        return date.fromisoformat(row[0]) if row else None

    def forget_batch(self, dataset: str, batch: str) -> None:
        """Destroy a batch's key.

        The KEK stays, so that nobody has to build anew: a copy of the old `keys.db` opens the batch until the next
        erasure rotates it. Keep no copy of the store for longer than quarantined rows are kept.
        """
        with self._connection() as db:
            db.execute("DELETE FROM batch WHERE name = ?", (f"{dataset}/{batch}",))
            db.execute("DELETE FROM batch_since WHERE name = ?", (f"{dataset}/{batch}",))

    def forget(self, sid: str) -> None:
        """Destroy a subject's key and rotate the KEK, so that copies of the old database open nothing.

        The natural id's keyed hash stays on the suppression list: collecting again does not bring the person back.
        """
        with self._connection() as db:
            old = _epoch(db)
            row = db.execute("DELETE FROM subject WHERE sid = ? RETURNING lookup", (sid,)).fetchone()
            if row is None:
                raise IntegrityError("The key store has no such subject.", hint="Was it erased before?")
            db.execute("INSERT INTO suppressed (lookup) VALUES (?)", row)
            self._rotate(db, old)
        self._kek_file(old).unlink()

    def _rotate(self, db: sqlite3.Connection, old: int) -> None:
        """Wrap everything anew under a fresh KEK of the next epoch."""
        before, after = self._kek(old), self._new_kek(old + 1)
        pepper = self._pepper(db, before)
        for read, write in ((_ALL_SUBJECTS, _WRAP_SUBJECT), (_ALL_BATCHES, _WRAP_BATCH)):
            rows = [
                (after.encrypt(_unwrapped(before, wrapped, name), [name.encode()]), name)
                for name, wrapped in db.execute(read)
            ]
            db.executemany(write, rows)
        state = [(after.encrypt(pepper, [b"pepper"]), "pepper"), (old + 1, "epoch")]
        db.executemany("UPDATE state SET value = ? WHERE name = ?", state)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the writer lock; committed at the end, undone by an exception."""
        with closing(sqlite3.connect(self._folder / "keys.db", timeout=60, isolation_level=None)) as db:
            db.execute("PRAGMA secure_delete = ON")
            db.execute("BEGIN IMMEDIATE")
            try:
                for table in _TABLES:
                    db.execute(table)
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _pepper(self, db: sqlite3.Connection, kek: AESSIV) -> bytes:
        return _unwrapped(kek, db.execute("SELECT value FROM state WHERE name = 'pepper'").fetchone()[0], "pepper")

    def _kek_file(self, epoch: int) -> Path:
        return self._folder / f"kek-{epoch}"

    def _kek(self, epoch: int) -> AESSIV:
        try:
            return AESSIV(self._kek_file(epoch).read_bytes())
        except (FileNotFoundError, ValueError):
            raise IntegrityError(
                f"The key store has no usable key-encryption key of epoch {epoch}.",
                hint="Restore the whole folder of keys (TWINOPS_KEYSTORE, or keystore/), or the data stay closed.",
            ) from None

    def _new_kek(self, epoch: int) -> AESSIV:
        """A fresh KEK in a file for the owner's eyes only; it appears whole or not at all."""
        half = self._folder / f"kek-{epoch}.half"
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        with half.open("wb") as file:
            file.write(secrets.token_bytes(64))
            file.flush()
            os.fsync(file.fileno())
        half.replace(self._kek_file(epoch))
        return self._kek(epoch)


_TABLES = (
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS subject "
    "(sid TEXT PRIMARY KEY, lookup TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batch (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batch_since (name TEXT PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS suppressed (lookup TEXT PRIMARY KEY) WITHOUT ROWID",
)
_SIDS = """
SELECT s.lookup, s.sid FROM json_each(?1) j JOIN subject s ON s.lookup = j.value
UNION ALL SELECT s.lookup, substr(s.lookup, 1, 32) FROM json_each(?1) j JOIN suppressed s ON s.lookup = j.value
"""
_KEYS = "SELECT s.sid, s.wrapped FROM json_each(?) j JOIN subject s ON s.sid = j.value"
_ALL_SUBJECTS, _WRAP_SUBJECT = "SELECT sid, wrapped FROM subject", "UPDATE subject SET wrapped = ? WHERE sid = ?"
_ALL_BATCHES, _WRAP_BATCH = "SELECT name, wrapped FROM batch", "UPDATE batch SET wrapped = ? WHERE name = ?"


def _epoch(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT value FROM state WHERE name = 'epoch'").fetchone()[0])


def _unwrapped(kek: AESSIV, wrapped: bytes, name: str) -> bytes:
    try:
        return kek.decrypt(wrapped, [name.encode()])
    except (InvalidTag, ValueError):
        raise IntegrityError(
            "A key in the key store does not open under its key-encryption key.",
            hint="Restore keys.db and the kek file from the same backup.",
        ) from None
