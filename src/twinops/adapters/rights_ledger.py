"""The ledger of rights, in the key store's database: appended to, never changed, each entry bound to all before it.

`rights.json` and its like in the project tell how far it had grown: DVC and git see a change and no person.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.adapters.key_database import POSTGRESQL, KeyDatabase, KeyRows, database_at
from twinops.entities.canonical import to_json
from twinops.entities.event import stamp
from twinops.entities.rights import (
    FOLLOWED,
    MOST_TEXT,
    USES,
    Right,
    RightsAct,
    RightsEntry,
    RightsHead,
    body_of,
    is_code,
    tells,
)
from twinops.errors import IntegrityError, ParamsError
from twinops.ports import KeyStore
from twinops.whole_files import NO_LOCKS, beside

MEND = "`twinops subject sync` writes %s as the ledger is; then run `dvc repro` and commit."
NOTHING_WRITTEN = (errno.EROFS, errno.EACCES, errno.EPERM)
"""What a file system says in a folder where nothing may be written."""
REQUESTS = ("rights", "requests")
"""The batch key for words of whoever was not recognised."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RightsLedger:
    """The ledger in the key store's database; `place` is its folder or address, `root` the project, `now` the clock."""

    place: Path | str
    keys: KeyStore
    root: Path
    now: Callable[[], datetime] = field(default=_now)

    def entries(self) -> tuple[RightsEntry, ...]:
        """Every entry, in order.

        Raises:
            IntegrityError: an entry was changed, or one is missing in between.
        """
        if not self._exists:
            return ()
        with self._database.writing() as db:
            return tuple(_entries(db))

    def length(self) -> int:
        """How many entries there are; none is read."""
        if not self._exists:
            return 0
        with self._database.writing() as db:
            return int(db.all("SELECT COUNT(*) FROM rights")[0][0])

    def told(self, entry: RightsEntry) -> Mapping[str, Any]:
        """The sealed words of an entry; nothing where the key is gone."""
        key = self._key(entry.sid) if entry.sealed is not None else None
        if entry.sealed is None or key is None:
            return {}
        try:
            found: Mapping[str, Any] = json.loads(AESSIV(key).decrypt(entry.sealed, _bound(entry.act, entry.at)))
        except (InvalidTag, ValueError):
            raise IntegrityError(
                f"The words of entry {entry.seq} of the rights ledger do not open.", hint="Restore the key store."
            ) from None
        return found

    def append(self, *acts: RightsAct) -> tuple[RightsEntry, ...]:
        """Write acts and the followed files: all of them, or none.

        Killed between the two, a file is behind: the next `append` or `sync` writes it, everybody else is refused.

        Raises:
            ParamsError: a text that is too long, or a sentence where a code should stand.
            IntegrityError: ledger and file do not belong together.
        """
        for act in acts:
            _check(act)
        # the keys before the transaction: they lie in the same database, behind the same writer lock
        keyed = [(act, self._key(act.sid) if act.told else None) for act in acts]
        with self._files(), ExitStack() as files, self._database.writing() as db:
            before = tuple(_entries(db))
            self._against_foreign_files(before)
            moment = _to_the_millisecond(self.now())
            made = tuple(_chained(before, [(act, moment, key) for act, key in keyed]))
            rows = [(e.seq, body_of(e.act, e.at), e.sealed, e.digest) for e in made]
            db.many("INSERT INTO rights (seq, body, sealed, digest) VALUES (?, ?, ?, ?)", rows)
            # a job of every night must not pass for somebody who took in what was asked
            if any(act.right not in USES for act in acts):
                _keep(db, "seen", stamp(moment))
            self._stage((*before, *made), files)
        return made

    def sync(self) -> tuple[RightsHead, ...]:
        """Write the followed files as the ledger is, and note that the ledger was looked at now.

        Raises:
            IntegrityError: a file tells of entries that this ledger does not have.
        """
        with self._files(), ExitStack() as files:
            found = self.entries()
            self._against_foreign_files(found)
            with self._database.writing() as db:
                found = tuple(_entries(db))
                _keep(db, "seen", stamp(_to_the_millisecond(self.now())))
                self._stage(found, files)
        return tuple(head_of(found, file) for file in FOLLOWED)

    def check(self, file: str = "rights.json", *, max_age_days: int | None = None) -> None:
        """Refuse to serve anybody by a ledger that is not the project's, or that nobody has looked at for too long.

        Raises:
            IntegrityError: the followed file and the ledger disagree, or the ledger is older than declared.
        """
        with self._files(fcntl.LOCK_SH):
            found, told = self.entries(), self._told(file)
        here = head_of(found, file)
        if told != here:
            self._against_foreign_files(found)
            raise IntegrityError(
                f"{file} tells of {told.entries} entries, the ledger of rights has {here.entries}.", hint=MEND % file
            )
        if max_age_days is None:
            return
        seen = self.state("seen")
        age = None if seen is None else (self.now() - datetime.fromisoformat(seen)).days
        if age is None or age > max_age_days:
            when = "never" if age is None else f"{age} days ago"
            raise IntegrityError(
                f"The ledger of rights was last brought up to date {when}; rights.max_age_days says {max_age_days}.",
                hint="Take in what was asked meanwhile (`twinops subject requests`), or say that nothing was: `twinops "
                "subject sync`.",
            )

    def state(self, name: str) -> str | None:
        """A note beside the ledger: `seen` (when it was last up to date), `logged` (entries in the audit log)."""
        if not self._exists:
            return None
        with self._database.writing() as db:
            found = db.all("SELECT value FROM rights_state WHERE name = ?", name)
        return str(found[0][0]) if found else None

    def note(self, name: str, value: str) -> None:
        """Keep such a note."""
        with self._database.writing() as db:
            _keep(db, name, value)

    def _key(self, sid: str) -> bytes | None:
        if not sid:
            return self.keys.batch_key(*REQUESTS)
        return self.keys.subject_keys([sid]).get(sid)

    def _against_foreign_files(self, entries: Sequence[RightsEntry]) -> None:
        """A file may be behind (somebody was killed, or another clone wrote); never ahead, never of another past."""
        for file, kinds in FOLLOWED.items():
            told = self._told(file)
            # a project from before open requests counted tells of acts alone, and is behind
            ways = ([e for e in entries if tells(file, e)], [e for e in entries if e.right in kinds])
            if told == RightsHead() or any(
                0 < told.entries <= len(ours) and ours[told.entries - 1].digest == told.head for ours in ways
            ):
                continue
            raise IntegrityError(
                f"{file} tells of {told.entries} entries that this ledger of rights does not have.",
                hint=f"Restore the newest key store (TWINOPS_KEYSTORE names its folder), or {file} from git.",
            )

    def _told(self, file: str) -> RightsHead:
        """What a file says; a project from before there was one had no entry."""
        try:
            raw = json.loads((self.root / file).read_bytes())
            return RightsHead(int(raw["entries"]), str(raw["head"]))
        except FileNotFoundError:
            return RightsHead()
        except (ValueError, KeyError, TypeError):
            raise IntegrityError(f"{file} cannot be read.", hint="Restore it from git.") from None

    @contextmanager
    def _files(self, how: int = fcntl.LOCK_EX) -> Iterator[None]:
        """Nobody sees a ledger that has grown beside files that have not, and of two writers the later one writes last.

        In a folder where nothing may be written nobody writes, and a file system without locks gives none.

        Raises:
            OSError: it cannot be locked for another reason, such as a full disk.
        """
        with ExitStack() as held:
            try:
                (self.root / "live").mkdir(exist_ok=True)
                lock = held.enter_context((self.root / "live" / "rights.lock").open("a", encoding="utf-8"))
                fcntl.flock(lock, how)
            except OSError as problem:
                if problem.errno not in (*NOTHING_WRITTEN, *NO_LOCKS):
                    raise
            yield

    def _stage(self, entries: Sequence[RightsEntry], files: ExitStack) -> None:
        """The files as they will be, beside those that are; in their places when `files` ends well."""
        for file in FOLLOWED:
            half = files.enter_context(beside(self.root / file))
            with half.open("w", encoding="utf-8") as opened:
                opened.write(head_of(entries, file).to_text())
                opened.flush()
                os.fsync(opened.fileno())  # a full disk is told before the ledger grows

    @property
    def _exists(self) -> bool:
        """Reading makes no database where there is none."""
        return str(self.place).startswith(POSTGRESQL) or (Path(self.place) / "keys.db").is_file()

    @property
    def _database(self) -> KeyDatabase:
        place = str(self.place)
        return database_at(place, [*_TABLES, *(_GUARDS[place.startswith(POSTGRESQL)])])


def head_of(entries: Sequence[RightsEntry], file: str) -> RightsHead:
    """What a followed file must say of these entries."""
    told = [e for e in entries if tells(file, e)]
    return RightsHead(len(told), told[-1].digest) if told else RightsHead()


@dataclass(frozen=True)
class FollowedRights:
    """The ledger for whoever goes by it: each time it is read, it must be the one the project follows, and fresh."""

    ledger: RightsLedger
    max_age_days: int | None = None

    def entries(self) -> tuple[RightsEntry, ...]:
        """Every entry.

        Raises:
            IntegrityError: see `RightsLedger.check`.
        """
        self.ledger.check(max_age_days=self.max_age_days)
        return self._as_now(self.ledger.entries())

    def corrections(self) -> tuple[RightsEntry, ...]:
        """Entries that put a field right.

        Raises:
            IntegrityError: `corrections.json` and the ledger disagree.
        """
        self.ledger.check("corrections.json")
        return self._as_now(e for e in self.ledger.entries() if e.right is Right.CORRECTED)

    def holds(self) -> tuple[RightsEntry, ...]:
        """Entries that keep records for legal claims, or let them go.

        Raises:
            IntegrityError: `holds.json` and the ledger disagree.
        """
        self.ledger.check("holds.json")
        return self._as_now(e for e in self.ledger.entries() if e.right in FOLLOWED["holds.json"])

    def told(self, entry: RightsEntry) -> Mapping[str, Any]:
        """The sealed words of an entry, which open under the subject that they were said for."""
        if entry.sealed is not None and self.ledger.keys.moved():
            entry = next(e for e in self.ledger.entries() if e.seq == entry.seq)
        return self.ledger.told(entry)

    def _as_now(self, entries: Iterable[RightsEntry]) -> tuple[RightsEntry, ...]:
        """What was said under a number that another has replaced since is said by whoever has that one."""
        now = self.ledger.keys.moved()
        return tuple(replace(e, act=replace(e.act, sid=now[e.sid])) if e.sid in now else e for e in entries)


_TABLES = (
    "CREATE TABLE IF NOT EXISTS rights "
    "(seq INTEGER PRIMARY KEY, body TEXT NOT NULL, sealed BLOB, digest TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS rights_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
_SAID = "the ledger of rights is appended to, never changed"
_IN_SQLITE = (
    *(
        f"CREATE TRIGGER IF NOT EXISTS rights_no_{verb} BEFORE {verb} ON rights "
        f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        for verb in ("update", "delete")
    ),
    # REPLACE deletes without asking the trigger above
    "CREATE TRIGGER IF NOT EXISTS rights_in_order BEFORE INSERT ON rights "
    "WHEN NEW.seq <> (SELECT COUNT(*) + 1 FROM rights) "
    "BEGIN SELECT RAISE(ABORT, 'the ledger of rights is appended to, never changed'); END",
)
_IN_POSTGRESQL = (
    f"CREATE OR REPLACE FUNCTION rights_unchanged() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION '{_SAID}'; END $$ "
    "LANGUAGE plpgsql",
    "CREATE OR REPLACE TRIGGER rights_no_change BEFORE UPDATE OR DELETE ON rights "
    "FOR EACH ROW EXECUTE FUNCTION rights_unchanged()",
    "CREATE OR REPLACE TRIGGER rights_no_truncate BEFORE TRUNCATE ON rights EXECUTE FUNCTION rights_unchanged()",
)
_GUARDS = {False: _IN_SQLITE, True: _IN_POSTGRESQL}


def _entries(db: KeyRows) -> Iterator[RightsEntry]:
    before = ""
    for place, (seq, body, sealed, digest) in enumerate(
        db.all("SELECT seq, body, sealed, digest FROM rights ORDER BY seq"), start=1
    ):
        if seq != place or digest != _digest(before, body, sealed):
            raise IntegrityError(
                f"Entry {place} of the ledger of rights was changed, or is missing.", hint="Restore the key store."
            )
        raw = json.loads(body)
        at = datetime.fromisoformat(raw.pop("at"))
        act = RightsAct(Right(raw.pop("right")), **raw)
        yield RightsEntry(seq, at, act, digest, sealed)
        before = digest


def _chained(
    before: Sequence[RightsEntry], acts: Sequence[tuple[RightsAct, datetime, bytes | None]]
) -> Iterator[RightsEntry]:
    last = before[-1].digest if before else ""
    for seq, (act, at, key) in enumerate(acts, start=len(before) + 1):
        # without a key nobody could ever open the words: they are not kept
        sealed = None if key is None else AESSIV(key).encrypt(to_json(dict(act.told)).encode(), _bound(act, at))
        last = _digest(last, body_of(act, at), sealed)
        yield RightsEntry(seq, at, replace(act, told={}), last, sealed)


def _bound(act: RightsAct, at: datetime) -> list[bytes]:
    return [b"rights", body_of(act, at).encode()]


def _digest(before: str, body: str, sealed: bytes | None) -> str:
    inner = hashlib.sha256(sealed or b"").hexdigest()
    return hashlib.sha256(f"{before}\0{body}\0{inner}".encode()).hexdigest()


def _check(act: RightsAct) -> None:
    wrong = [name for name, value in act.about.items() if not is_code(value)]
    if wrong:
        raise ParamsError(f"{wrong[0]} of a rights entry is no short code.", hint="Say it as the reason.")
    for name, value in act.told.items():
        if len(str(value)) > MOST_TEXT:
            raise ParamsError(f"{name} has more than {MOST_TEXT:,} signs.", hint="Say it shorter.")
    if len(act.person) > 200 or not act.person.isprintable():
        raise ParamsError(
            "Who does this is not named as people are.", hint="Name them as compliance/offices.yaml does."
        )


def _keep(db: KeyRows, name: str, value: str) -> None:
    told = (
        "INSERT INTO rights_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
    db.many(told, [(name, value)])


def _to_the_millisecond(moment: datetime) -> datetime:
    return datetime.fromisoformat(stamp(moment))
