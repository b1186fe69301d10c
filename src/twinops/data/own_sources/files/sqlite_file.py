"""The rows of a query in an SQLite file, which is opened to be read, and of which nothing is trusted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import AT_ONCE, MAX_CELL, TextCells, asked_columns, known_as, too_many
from twinops.data.own_sources.files.typed_cells import as_declared
from twinops.errors import DataError

MAGIC = b"SQLite format 3\0"
_LONGEST = 2**20
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE))


def read(source: DeclaredSource, file: BinaryIO, path: Path) -> Iterator[TextCells]:
    """The rows of the declared query, in its order, some at a time.

    Raises:
        DataError: it is no whole SQLite database, or still written to; the query does not read it, or lacks a column.
    """
    digest, before = opening.digest(file), 0
    with opened(path, source.where) as database:
        rows = database.execute(source.said.query or "")
        there = known_as(source, [column[0] for column in rows.description or ()])
        wanted, dropped = asked_columns(source, there)
        at = [there.index(c) for c in wanted]
        while (some := [cells_of(row) for row in rows.fetchmany(AT_ONCE)]) or not before:
            columns, typed = as_declared(source, {c: [row[i] for row in some] for c, i in zip(wanted, at, strict=True)})
            places = pa.array(range(before + 1, before + len(some) + 1), pa.int64())
            before += len(some)
            if before > source.max_rows:
                raise too_many(source)
            yield TextCells(pa.table({"place": places, **columns}), typed, (), dropped, digest)
            if not some:
                return


@contextmanager
def opened(path: Path, where: str) -> Iterator[sqlite3.Connection]:
    """A database that is read alone: no other file is attached, nothing is written, no code of its schema is trusted.

    Raises:
        DataError: it is no whole SQLite database, or a program has it open and has not written all of it.
    """
    waiting = path.with_name(f"{path.name}-wal")
    if waiting.is_file() and waiting.stat().st_size:
        raise DataError(
            f"{where} is still written to: not all of it is in the file.",
            hint=f'End the program that has it open, or make a copy with: sqlite3 {path.name} ".backup copy.db".',
        )
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        for setting in ("query_only = ON", "trusted_schema = OFF", "temp_store = MEMORY", "cell_size_check = ON"):
            database.execute(f"PRAGMA {setting}")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 16 * _LONGEST)
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        database.text_factory = _text
        database.set_authorizer(_allowed)
        yield database
    except sqlite3.Error as problem:
        # its words may quote a row
        raise DataError(
            f"{where} cannot be read as SQLite, or not by this query ({type(problem).__name__}).",
            hint="Copy it again from where it came, and check the query.",
        ) from None
    finally:
        database.close()


def _allowed(action: int, name: str | None, _of: str | None, _in: str | None, _by: str | None) -> int:
    about = action == sqlite3.SQLITE_PRAGMA and name == "table_info"
    loads = action == sqlite3.SQLITE_FUNCTION and _of == "load_extension"
    return sqlite3.SQLITE_OK if about or (action in _ALLOWED and not loads) else sqlite3.SQLITE_DENY


def _text(cell: bytes) -> str:
    return cell.decode("utf-8", "replace")[: MAX_CELL + 1]


def cells_of(row: Sequence[Any]) -> list[Any]:
    """What a row holds; what is no text and no number is nothing that a column of ours takes."""
    return [None if isinstance(cell, bytes) else cell for cell in row]
