"""The key store's database: SQLite in a folder, or PostgreSQL. One transaction at a time, behind one writer lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from twinops.errors import IntegrityError, ServiceError
from twinops.whole_files import OWNER_ALONE, beside

POSTGRESQL = ("postgresql://", "postgres://")
_LOCK = 7_478_693
"""PostgreSQL's advisory lock that stands for SQLite's one writer."""


class KeyRows(Protocol):
    """One open transaction. SQL is SQLite's: `?` for a value, `EACH(?)` for the values of a JSON list."""

    def all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement."""

    def has(self, table: str) -> bool:
        """Whether there is such a table."""

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for each row."""


class KeyDatabase(Protocol):
    """Where rows of the key store lie."""

    @property
    def where(self) -> str:
        """What it is, for people; no password and no path."""

    def writing(self) -> Any:
        """A transaction that holds the writer lock; committed at the end, undone by an exception."""

    def scrub(self) -> None:
        """Rewrite what is held, so that freed pages of the database's own files hold nothing of what was deleted."""


class SqliteDatabase:
    """`keys.db` in a folder for the owner's eyes."""

    where = "SQLite, with secure_delete"

    def __init__(self, folder: Path, tables: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path, self._tables = folder / "keys.db", tables

    @classmethod
    def at(cls, file: Path, tables: Sequence[str]) -> SqliteDatabase:
        """The same in a file of another name."""
        made = cls(file.parent, tables)
        made.path = file
        return made

    def replaced_by(self, file: Path) -> None:
        """A copy of that file in place of this one: the whole of it, or nothing."""
        with beside(self.path, mode=OWNER_ALONE) as half:
            copied(file, half)

    @contextmanager
    def writing(self) -> Iterator[KeyRows]:
        """One transaction."""
        with closing(_opened(self.path)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.DatabaseError as problem:
                raise _no_database(self.path, problem) from None
            try:
                for table in self._tables:
                    db.execute(table)
                yield _SqliteRows(db)
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def scrub(self) -> None:
        """VACUUM: pages are written anew; `secure_delete` has overwritten deleted rows before."""
        with closing(_opened(self.path)) as db:
            db.execute("VACUUM")


class PostgresDatabase:
    """A database of its own on a PostgreSQL server; the password comes from PGPASSWORD or ~/.pgpass, never the address.

    Deleted rows stay in its heap until VACUUM and in its WAL and base backups until those are recycled: they are
    wrapped, and die with the wrapping key.
    """

    where = "PostgreSQL"

    def __init__(self, address: str, tables: Sequence[str]) -> None:
        self._address, self._tables, self._made = address, tables, False

    @contextmanager
    def writing(self) -> Iterator[KeyRows]:
        """One transaction behind one advisory lock."""
        import psycopg

        try:
            with psycopg.connect(self._address, connect_timeout=10) as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                for table in () if self._made else self._tables:
                    connection.execute(_postgres(table))
                yield _PostgresRows(connection)
            self._made = True
        except psycopg.OperationalError as problem:
            raise _unreachable(problem) from None

    def scrub(self) -> None:
        """VACUUM FULL of our tables: the heap is rewritten. WAL and base backups keep what they have."""
        import psycopg

        try:
            with psycopg.connect(self._address, connect_timeout=10, autocommit=True) as connection:
                for name in ("state", "subject", "batch", "batch_since"):
                    connection.execute(f"VACUUM FULL {name}".encode())
        except psycopg.OperationalError as problem:
            raise _unreachable(problem) from None


def database_at(location: str, tables: Sequence[str]) -> KeyDatabase:
    """PostgreSQL where the location is such an address, else SQLite in that folder."""
    if location.startswith(POSTGRESQL):
        return PostgresDatabase(location, tables)
    return SqliteDatabase(Path(location), tables)


def copied(source: Path, into: Path) -> None:
    """A whole copy of a SQLite file, taken while others may write, for the owner's eyes only.

    Raises:
        IntegrityError: the source is no such file.
    """
    into.touch(mode=0o600)
    try:
        with closing(_opened(source)) as held, closing(sqlite3.connect(into)) as made:
            held.backup(made)
    except sqlite3.DatabaseError as problem:
        raise _no_database(source, problem) from None


class _SqliteRows:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._db.execute(sql.replace("EACH(?)", "(SELECT value FROM json_each(?))"), values).fetchall()

    def has(self, table: str) -> bool:
        return bool(self.all("SELECT 1 FROM sqlite_master WHERE name = ?", table))

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._db.executemany(sql, rows)


class _PostgresRows:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        done = self._connection.execute(_postgres(sql), values)
        return [] if done.description is None else [tuple(map(_value, row)) for row in done.fetchall()]

    def has(self, table: str) -> bool:
        return self.all("SELECT to_regclass(?)", table) != [(None,)]

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_postgres(sql), rows)


def _value(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _postgres(sql: str) -> str:
    """SQLite's words in PostgreSQL's."""
    each = "(SELECT value FROM json_array_elements_text(CAST(? AS json)) AS listed(value))"
    return sql.replace("EACH(?)", each).replace("?", "%s").replace(" BLOB", " BYTEA").replace(" WITHOUT ROWID", "")


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=60, isolation_level=None)
    db.execute("PRAGMA secure_delete = ON")
    return db


def _no_database(path: Path, problem: sqlite3.DatabaseError) -> IntegrityError | ServiceError:
    if isinstance(problem, sqlite3.OperationalError):
        return ServiceError(f"The key store does not answer: {problem}.", hint="Wait for whoever writes in it.")
    return IntegrityError(f"{path.name} is no database of keys.", hint="Restore a copy: `twinops keys restore FILE`.")


def _unreachable(problem: Exception) -> ServiceError:
    # libpq's own words may hold host and user, never the password
    return ServiceError(
        f"The key store's PostgreSQL does not answer: {str(problem).splitlines()[0][:160]}",
        hint="Check TWINOPS_KEYSTORE; the password stands in PGPASSWORD or ~/.pgpass.",
    )
