"""Where keys live, outside git, DVC and MLflow: a published demo key for shipped data, a database for your own."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.adapters import joined_numbers
from twinops.adapters.key_database import POSTGRESQL, KeyDatabase, KeyRows, SqliteDatabase, copied, database_at
from twinops.adapters.wrapping_key import WrappingKeys, wrapping_keys
from twinops.entities.canonical import to_json
from twinops.entities.erasure import Erasing, ErasureMarks, KeyBackup, KeyStanding
from twinops.entities.rights import pseudonym
from twinops.errors import IntegrityError, ParamsError
from twinops.ports import KeyStore
from twinops.whole_files import OWNER_ALONE, beside

# PUBLISHED ON PURPOSE, so that every clone seals the shipped public data to the same bytes. It protects nobody: whoever
# reads this file can open what it sealed. `open_store` refuses it as soon as a source is not shipped demo data.
DEMO_MASTER_KEY = b"twinops demo master key: PUBLISHED, protects nothing, shipped public and synthetic data only"


def open_store(kind: str, *, own_data: bool, location: str, wrapped_in: Path | None = None) -> KeyStore:
    """The key store that `vault.keys` asks for; `location` is its folder, or the address of a PostgreSQL database.

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
    return stored(location, wrapped_in=wrapped_in)


def stored(location: str, *, wrapped_in: Path | None = None) -> StoredKeys:
    """The store of one's own; `wrapped_in` is the folder of the wrapping keys where the store itself has none."""
    folder = Path(location) if wrapped_in is None or not location.startswith(POSTGRESQL) else wrapped_in
    return StoredKeys(database_at(location, _TABLES), wrapping_keys(folder, os.environ))


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

    def known_sids(self, natural_ids: Iterable[str]) -> dict[str, str]:
        """All of them, for the same reason."""
        asked = list(natural_ids)
        return dict(zip(asked, self.subject_ids(asked), strict=True))

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

    def suppressed(self, contacts: Iterable[str]) -> frozenset[str]:  # noqa: ARG002  (the port's)
        """Nobody was erased."""
        return frozenset()

    def keep_away(self, natural_ids: Iterable[str]) -> None:
        """Nobody was erased, so nobody is kept away."""

    def one_subject(self, numbers: Mapping[str, str]) -> None:
        """Refused: shipped data say of nobody that two numbers are theirs."""
        if numbers:
            raise IntegrityError("Derived ids cannot be joined.", hint="Set vault.keys to `store`.")

    def moved(self) -> dict[str, str]:
        """Nobody's."""
        return {}

    def _derived(self, use: bytes, info: bytes) -> bytes:
        """HKDF-Expand to 64 bytes, which with SHA-512 is one block."""
        return hmac.digest(self._prk, use + b"\0" + info + b"\x01", hashlib.sha512)


class StoredKeys:
    """Random sids and keys in a database, wrapped by a numbered key-encryption key (KEK) that lies elsewhere.

    A natural id is found by a keyed hash in the subject's own row, so that it goes when the row goes. Every write takes
    the database's one writer lock first: two processes may collect at once.
    """

    def __init__(self, database: KeyDatabase, keks: WrappingKeys, *, today: Callable[[], date] = date.today) -> None:
        self._database, self._keks, self._today = database, keks, today
        self._barred: frozenset[str] = frozenset()
        with database.writing() as db:
            if not db.all("SELECT 1 FROM state WHERE name = 'pepper'"):
                pepper = _first(keks).encrypt(secrets.token_bytes(64), [b"pepper"])
                _keep(db, epoch=0, kek=0, kek_since=today().isoformat(), pepper=pepper)

    def barring(self, erased: Iterable[str]) -> StoredKeys:
        """The same store, in which these pseudonyms have no key whatever the database says: it may be an old copy."""
        self._barred = frozenset(erased)
        return self

    def epoch(self) -> int:
        """How many acts of erasure there were."""
        with self._database.writing() as db:
            return _number(db, "epoch")

    def begin_at(self, epoch: int) -> None:
        """A store that holds nobody yet joins a project in which people were erased before."""
        with self._database.writing() as db:
            if not db.all("SELECT 1 FROM subject LIMIT 1") and not db.all("SELECT 1 FROM suppressed LIMIT 1"):
                _keep(db, epoch=max(epoch, _number(db, "epoch")))

    def subject_ids(self, natural_ids: Sequence[str]) -> list[str]:
        """A random sid per natural id; unknown ones are enrolled, all or none. A suppressed one has no key."""
        with self._database.writing() as db:
            pepper = _pepper(db, kek := self._kek(db))
            lookups = [_lookup(pepper, natural) for natural in natural_ids]
            known = dict(db.all(_SIDS, *[json.dumps(lookups)] * 2)) | joined_numbers.found(db, lookups)
            new = {lookup: secrets.token_hex(16) for lookup in dict.fromkeys(lookups) if lookup not in known}
            rows = [(sid, lookup, kek.encrypt(secrets.token_bytes(64), [sid.encode()])) for lookup, sid in new.items()]
            db.many("INSERT INTO subject (sid, lookup, wrapped) VALUES (?, ?, ?)", rows)
        return [known.get(lookup) or new[lookup] for lookup in lookups]

    def known_sid(self, natural_id: str) -> str | None:
        """The sid of a natural id that is enrolled and not erased; asking enrols nobody."""
        return self.known_sids([natural_id]).get(natural_id)

    def known_sids(self, natural_ids: Iterable[str]) -> dict[str, str]:
        """Of these natural ids those that are enrolled and not erased."""
        asked = list(natural_ids)
        with self._database.writing() as db:
            pepper = _pepper(db, self._kek(db))
            lookups = {_lookup(pepper, natural): natural for natural in asked}
            held = db.all("SELECT lookup, sid FROM subject WHERE lookup IN EACH(?)", json.dumps(list(lookups)))
            known = dict(held) | joined_numbers.found(db, list(lookups))
        return {lookups[lookup]: sid for lookup, sid in known.items() if not self._bars(sid)}

    def one_subject(self, numbers: Mapping[str, str]) -> None:
        """From now on each of these natural ids means the subject of the other, and no id but these another's.

        Who was erased under one stays away under it.
        """
        sids = self.subject_ids(list(numbers.values()))
        with self._database.writing() as db:
            pepper = _pepper(db, self._kek(db))
            pairs = zip(numbers, sids, strict=True)
            joined_numbers.put(db, {_lookup(pepper, old): sid for old, sid in pairs})

    def moved(self) -> dict[str, str]:
        """Sids that such natural ids had before -> the sid they mean now."""
        with self._database.writing() as db:
            return joined_numbers.moved(db)

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of all subjects that still have one."""
        asked = json.dumps(list(sids))  # before the lock: who makes them may ask the store as well
        with self._database.writing() as db:
            kek = self._kek(db)
            held = db.all(_KEYS, asked)
            return {sid: _unwrapped(kek, wrapped, sid) for sid, wrapped in held if not self._bars(sid)}

    def suppressed(self, contacts: Iterable[str]) -> frozenset[str]:
        """Those of these natural ids and contacts that belong to somebody who was erased."""
        asked = set(contacts)
        with self._database.writing() as db:
            if not db.all("SELECT 1 FROM suppressed LIMIT 1"):
                return frozenset()
            pepper = _pepper(db, self._kek(db))
            lookups = {lookup: c for c in asked for lookup in (_lookup(pepper, c), _of_contact(pepper, c))}
            found = db.all("SELECT lookup FROM suppressed WHERE lookup IN EACH(?)", json.dumps(list(lookups)))
        return frozenset(lookups[lookup] for (lookup,) in found)

    def keep_away(self, natural_ids: Iterable[str]) -> None:
        """From now on nobody is taken in under these natural ids; who is held under one already stays."""
        told = list(natural_ids)
        asked = {*told} - self.known_sids(told).keys()
        if asked:
            with self._database.writing() as db:
                pepper = _pepper(db, self._kek(db))
                db.many(_SUPPRESS, [(lookup,) for lookup in sorted(_lookup(pepper, n) for n in asked)])

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The key of a batch's quarantine, made when first asked for."""
        name = f"{dataset}/{batch}"
        with self._database.writing() as db:
            kek = self._kek(db)
            held = db.all("SELECT wrapped FROM batch WHERE name = ?", name)
            if held:
                return _unwrapped(kek, held[0][0], name)
            key = secrets.token_bytes(64)
            db.all("INSERT INTO batch (name, wrapped) VALUES (?, ?)", name, kek.encrypt(key, [name.encode()]))
            db.all("DELETE FROM batch_since WHERE name = ?", name)
            db.all("INSERT INTO batch_since (name, day) VALUES (?, ?)", name, self._today().isoformat())
            return key

    def batch_since(self, dataset: str, batch: str) -> date | None:
        """The day the key was made."""
        with self._database.writing() as db:
            rows = db.all("SELECT day FROM batch_since WHERE name = ?", f"{dataset}/{batch}")
        return date.fromisoformat(rows[0][0]) if rows else None

    def forget_batch(self, dataset: str, batch: str) -> None:
        """Destroy a batch's key.

        The KEK stays, so that nobody has to build anew: a copy of the old database opens the batch until the next
        rotation. Keep no copy of the store for longer than quarantined rows are kept.
        """
        with self._database.writing() as db:
            _forget_batch(db, f"{dataset}/{batch}")

    def forget(self, sid: str) -> None:
        """Erase one subject; see `erase`.

        Raises:
            IntegrityError: there is no such subject.
        """
        self.erase(Erasing((sid,)))

    def erase(self, what: Erasing) -> Mapping[str, Any]:
        """Destroy keys, keep the persons away, raise the epoch and, if we can, rotate the KEK: all of it, or nothing.

        Answers what was recorded for the certificate. Keyed hashes of natural ids and contacts stay on the suppression
        list: collecting again does not bring the person back.

        Raises:
            IntegrityError: none of these subjects has a key.
        """
        with self._database.writing() as db:
            kek, pepper = self._kek(db), _pepper(db, self._kek(db))
            rows = db.all("DELETE FROM subject WHERE sid IN EACH(?) RETURNING lookup", json.dumps(list(what.sids)))
            if not rows:
                raise IntegrityError("The key store has no such subject.", hint="Was it erased before?")
            gone = {*(str(lookup) for (lookup,) in rows), *joined_numbers.taken_out(db, what.sids)}
            kept_away = {*gone, *(_of_contact(pepper, c) for c in what.contacts)}
            db.many(_SUPPRESS, [(lookup,) for lookup in sorted(kept_away)])
            for dataset, batch in what.batches:
                _forget_batch(db, f"{dataset}/{batch}")
            number = _kek_number(db)
            rotated = self._rotated(db, kek)
            _keep(db, epoch=_number(db, "epoch") + 1)
            name = f"er-{hmac.digest(pepper, to_json(sorted(what.sids)).encode(), hashlib.sha256).hex()[:12]}"
            told = {**what.told, "name": name, "epoch": _number(db, "epoch"), "kept_away": len(kept_away),
                    "keys": self._keys_told(db, number, rotated)}  # fmt: skip
            # what tells no moment owes no certificate: a copy that was restored, or a test
            done = "" if "at" in told else "none"
            db.all("INSERT INTO erasure (name, body, done) VALUES (?, ?, ?)", name, to_json(told), done)
            known_by = [*sorted(gone), *(_lookup(pepper, sid) for sid in what.sids)]
            db.many(_ERASED, [(lookup, name) for lookup in known_by])
        if rotated:
            self._keks.destroyed_below(number + 1)
        return told

    def erased_as(self, who: Iterable[str]) -> dict[str, str]:
        """Of these natural ids or sids those that were erased, with the name of the act."""
        asked = list(who)
        with self._database.writing() as db:
            pepper = _pepper(db, self._kek(db))
            lookups = {_lookup(pepper, one): one for one in asked}
            rows = db.all("SELECT lookup, name FROM erased WHERE lookup IN EACH(?)", json.dumps(list(lookups)))
        return {lookups[lookup]: str(name) for lookup, name in rows}

    def erasures(self, *, unfinished: bool = False) -> list[Mapping[str, Any]]:
        """What was recorded of each act, or of those whose last steps were not taken yet."""
        told = "SELECT body FROM erasure"
        with self._database.writing() as db:
            rows = db.all(f"{told} WHERE done = ''" if unfinished else told)
        return sorted((json.loads(body) for (body,) in rows), key=lambda act: (act["epoch"], act["name"]))

    def finished(self, name: str, certificate: str) -> None:
        """Note that an act is done, and the digest of its certificate."""
        with self._database.writing() as db:
            db.all("UPDATE erasure SET done = ? WHERE name = ?", certificate, name)
            number = _kek_number(db)
        self._keks.destroyed_below(number)  # what a killed command left

    def rotate(self) -> KeyStanding:
        """Wrap everything under the next KEK and destroy the one before: copies of the old database open nothing.

        No data are touched, and no epoch is raised: nothing has to be built anew.

        Raises:
            ParamsError: nobody has made the next KEK yet.
        """
        with self._database.writing() as db:
            number = _kek_number(db)
            if not self._rotated(db, self._kek(db)):
                raise ParamsError(
                    f"There is no wrapping key {number + 1} that differs from {number}.",
                    hint=f"Make it first: TWINOPS_KEK_{number + 1}, or the next version in your key service.",
                )
        self._keks.destroyed_below(number + 1)
        self._database.scrub()
        return self.standing()

    def standing(self) -> KeyStanding:
        """How the store stands."""
        with self._database.writing() as db:
            since = date.fromisoformat(_text(db, "kek_since") or self._today().isoformat())
            subjects, suppressed = (int(db.all(sql)[0][0]) for sql in _COUNTS)
            return KeyStanding(
                self._database.where, self._keks.place, _number(db, "epoch"), _kek_number(db),
                (self._today() - since).days, subjects, suppressed, _backups(db),
            )  # fmt: skip

    def back_up(self, into: Path) -> KeyStanding:
        """Copy the store into a new file, wrapped as it is: without the KEK, which is kept elsewhere, it opens nothing.

        Raises:
            ParamsError: the file is there already.
        """
        if into.exists():
            raise ParamsError(f"{into.name} is there already.", hint="Name a new file.")
        with self._database.writing() as db:
            db.all("INSERT INTO backup (place, day, kek) VALUES (?, ?, ?)", into.resolve().as_posix(),
                   self._today().isoformat(), _kek_number(db))  # fmt: skip
        with beside(into, mode=OWNER_ALONE) as half:
            if isinstance(self._database, SqliteDatabase):
                copied(self._database.path, half)
            else:
                _carried(self._database, SqliteDatabase.at(half, _TABLES))
        return self.standing()

    def restore(self, file: Path, marks: ErasureMarks) -> KeyStanding:
        """Put a copy in place of what is here, then forget again whoever the project says was erased since.

        Raises:
            IntegrityError: it is no copy of a key store, or its KEK was destroyed, which is what a rotation is for.
        """
        scratch = SqliteDatabase.at(file, ())
        with scratch.writing() as old:
            _pepper(old, self._keks.key(_kek_number(old)))
            held = {str(sid) for (sid,) in old.all("SELECT sid FROM subject")}
        if isinstance(self._database, SqliteDatabase):
            self._database.replaced_by(file)
        else:
            _carried(scratch, self._database)
        again = tuple(sorted(sid for sid in held if pseudonym(sid) in marks.erased))
        if again:
            self.erase(Erasing(again, told={"again": len(again)}))
        with self._database.writing() as db:
            _keep(db, epoch=max(marks.epoch, _number(db, "epoch")))
        return self.standing()

    def _bars(self, sid: str) -> bool:
        return bool(self._barred) and pseudonym(sid) in self._barred

    def _kek(self, db: KeyRows) -> AESSIV:
        return self._keks.key(_kek_number(db))

    def _rotated(self, db: KeyRows, before: AESSIV) -> bool:
        """Wrap everything anew under the next KEK, if there is one."""
        number = _kek_number(db) + 1
        pepper, after = _pepper(db, before), self._keks.fresh(number)
        if after is None:
            return False
        for read, write in ((_ALL_SUBJECTS, _WRAP_SUBJECT), (_ALL_BATCHES, _WRAP_BATCH)):
            rows = [
                (after.encrypt(_unwrapped(before, wrapped, name), [name.encode()]), name)
                for name, wrapped in db.all(read)
            ]
            db.many(write, rows)
        _keep(db, pepper=after.encrypt(pepper, [b"pepper"]), kek=number, kek_since=self._today().isoformat())
        return True

    def _keys_told(self, db: KeyRows, number: int, rotated: bool) -> dict[str, Any]:
        """For the certificate: where keys lay, and which copies of the store still open."""
        return {
            "database": self._database.where, "wrapping": self._keks.place, "wrapping_key": number,
            "rotated": rotated, "destroyed_by_us": rotated and self._keks.ours,
            "backups": [vars(b) for b in _backups(db)],
        }  # fmt: skip


class SqliteKeyStore(StoredKeys):
    """The store in a folder: `keys.db`, and the wrapping key beside it or where the environment says."""

    def __init__(self, folder: Path, *, today: Callable[[], date] = date.today) -> None:
        super().__init__(SqliteDatabase(folder, _TABLES), wrapping_keys(folder, os.environ), today=today)


def checked(store: StoredKeys, *, here: ErasureMarks | None, ahead: ErasureMarks) -> StoredKeys:
    """The store, if it is as far as the project is; whoever was erased has no key in it.

    `here` None: it may be ahead of what lies here, as it is for whoever brings that up to date.

    Raises:
        IntegrityError: somebody was erased that this revision does not know of, or the store is an older copy.
    """
    if ahead.epoch:
        store.begin_at(ahead.epoch)
    epoch = store.epoch()
    if here is not None and epoch > here.epoch:
        raise IntegrityError(
            f"The key store is at erasure epoch {epoch}, the project at {here.epoch}: someone was erased.",
            hint="Commit the newer epoch.json (`twinops subject erase --resume` writes it) and run the pipeline again.",
        )
    if epoch < ahead.epoch:
        raise IntegrityError(
            f"The key store is at erasure epoch {epoch}, the project at {ahead.epoch}: it is an older copy.",
            hint="`twinops keys restore FILE` takes a copy and forgets the erased again; or name the newest store.",
        )
    return store.barring(ahead.erased)


_TABLES = (
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS subject "
    "(sid TEXT PRIMARY KEY, lookup TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL) WITHOUT ROWID",
    joined_numbers.TABLE,
    "CREATE TABLE IF NOT EXISTS batch (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batch_since (name TEXT PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS suppressed (lookup TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS erased (lookup TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS erasure (name TEXT PRIMARY KEY, body TEXT NOT NULL, done TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS backup (place TEXT NOT NULL, day TEXT NOT NULL, kek INTEGER NOT NULL)",
)
_COLUMNS = {
    "state": 2, "subject": 3, "batch": 2, "batch_since": 2, "suppressed": 1, "erased": 2, "erasure": 3, "backup": 3,
    "joined": 2,
}  # fmt: skip
_COUNTS = ("SELECT COUNT(*) FROM subject", "SELECT COUNT(*) FROM suppressed")
_SIDS = """
SELECT lookup, sid FROM subject WHERE lookup IN EACH(?)
UNION ALL SELECT lookup, substr(lookup, 1, 32) FROM suppressed WHERE lookup IN EACH(?)
"""
_KEYS = "SELECT sid, wrapped FROM subject WHERE sid IN EACH(?)"
_ALL_SUBJECTS, _WRAP_SUBJECT = "SELECT sid, wrapped FROM subject", "UPDATE subject SET wrapped = ? WHERE sid = ?"
_ALL_BATCHES, _WRAP_BATCH = "SELECT name, wrapped FROM batch", "UPDATE batch SET wrapped = ? WHERE name = ?"
_SUPPRESS = "INSERT INTO suppressed (lookup) VALUES (?) ON CONFLICT DO NOTHING"
_ERASED = "INSERT INTO erased (lookup, name) VALUES (?, ?) ON CONFLICT DO NOTHING"


def _carried(source: KeyDatabase, into: KeyDatabase) -> None:
    """Every row of one database in place of every row of another."""
    with source.writing() as held, into.writing() as made:
        for table, columns in _COLUMNS.items():
            made.all(f"DELETE FROM {table}")  # noqa: S608
            rows = held.all(f"SELECT * FROM {table}") if held.has(table) else []  # noqa: S608 (an older copy has fewer)
            made.many(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)  # noqa: S608


def _first(keks: WrappingKeys) -> AESSIV:
    """The first wrapping key; one that is there already is kept, for copies of a lost database are wrapped by it."""
    try:
        return keks.key(0)
    except IntegrityError:
        return keks.fresh(0) or keks.key(0)


def _keep(db: KeyRows, **values: Any) -> None:
    for name, value in values.items():
        told = value if isinstance(value, bytes) else str(value).encode()
        db.all("INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
               name, told)  # fmt: skip


def _number(db: KeyRows, name: str) -> int:
    return int(_state(db, name) or 0)


def _text(db: KeyRows, name: str) -> str | None:
    found = _state(db, name)
    return None if found is None else bytes(found).decode()


def _state(db: KeyRows, name: str) -> Any:
    found = db.all("SELECT value FROM state WHERE name = ?", name)
    return found[0][0] if found else None


def _kek_number(db: KeyRows) -> int:
    """A store from before rotations of their own has the number of its epoch."""
    return _number(db, "kek" if _state(db, "kek") is not None else "epoch")


def _pepper(db: KeyRows, kek: AESSIV) -> bytes:
    found = _state(db, "pepper")
    if found is None:
        raise IntegrityError("This is no key store.", hint="Name a file of `twinops keys backup`.")
    return _unwrapped(kek, found, "pepper")


def _backups(db: KeyRows) -> tuple[KeyBackup, ...]:
    found = db.all("SELECT place, day, kek FROM backup ORDER BY day, place")
    return tuple(KeyBackup(str(place), str(day), int(kek)) for place, day, kek in found)


def _forget_batch(db: KeyRows, name: str) -> None:
    db.all("DELETE FROM batch WHERE name = ?", name)
    db.all("DELETE FROM batch_since WHERE name = ?", name)


def _lookup(pepper: bytes, natural: str) -> str:
    return hmac.digest(pepper, natural.encode(), hashlib.sha256).hex()


def _of_contact(pepper: bytes, contact: str) -> str:
    return _lookup(pepper, f"\0contact\0{contact}")


def _unwrapped(kek: AESSIV, wrapped: bytes, name: str) -> bytes:
    try:
        return kek.decrypt(wrapped, [name.encode()])
    except (InvalidTag, ValueError):
        raise IntegrityError(
            "A key in the key store does not open under its key-encryption key.",
            hint="Restore keys.db and the kek file from the same backup.",
        ) from None
