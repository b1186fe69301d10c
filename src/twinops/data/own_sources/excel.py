"""One sheet of a spreadsheet (.xlsx, .xls, .ods), read by calamine; typed cells become text, as of Parquet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

import pyarrow as pa

from twinops.data.own_sources import opening
from twinops.data.own_sources.cells import AT_ONCE, MAX_CELL, TextCells, asked_columns, too_many
from twinops.data.own_sources.declared import DeclaredSource
from twinops.errors import DataError

MAX_UNPACKED = 2 * 2**30
_EXACT = 2**53


def read(source: DeclaredSource, file: BinaryIO) -> Iterator[TextCells]:
    """The rows below the first line of the sheet, some at a time.

    Raises:
        DataError: it is no spreadsheet, there is no such sheet, it is too large once unpacked, or a column is missing.
    """
    digest, rows = opening.digest(file), sheet_rows(source, file)
    head = next(rows, [])
    names = [as_text(c) or "" for c in head] if source.said.header else [str(i) for i in range(1, len(head) + 1)]
    wanted, dropped = asked_columns(source, [n.strip() for n in names])
    kept = [[n.strip() for n in names].index(c) for c in wanted]
    taken: list[tuple[int, list[Any]]] = [] if source.said.header else [(1, head)]
    typed: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if number > source.max_rows + 1:
            raise too_many(source)
        if any(c not in ("", None) for c in row):
            taken.append((number, row))
    # a column with numbers and texts is plain as a whole, whichever part holds the first number
    typed = {c for c, i in zip(wanted, kept, strict=True) if any(_typed(row, i) for _, row in taken)}
    for theirs in set(source.said.identities) & typed:
        _refuse_floating(source, theirs, [row[names.index(theirs)] for _, row in taken])
    for start in range(0, max(len(taken), 1), AT_ONCE):
        some = taken[start : start + AT_ONCE]
        columns = {
            c: pa.array([as_text(_cell(row, i)) for _, row in some], pa.string())
            for c, i in zip(wanted, kept, strict=True)
        }
        table = pa.table({"place": pa.array([n for n, _ in some], pa.int64()), **columns})
        yield TextCells(table, frozenset(typed), (), dropped, digest)


def sheet_rows(source: DeclaredSource, file: BinaryIO) -> Iterator[list[Any]]:
    """All rows of the declared sheet, or of the first one."""
    from python_calamine import CalamineWorkbook

    try:
        _bounded(source, file)
        book = CalamineWorkbook.from_object(file)
        name = source.said.sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            raise DataError(f"{source.where}: there is no sheet {name}.", hint="Check sheet in params.yaml.")
        yield from book.get_sheet_by_name(name).iter_rows()
    except DataError:
        raise
    except Exception as problem:  # calamine has errors of its own for every format, and a panic for broken ones
        raise DataError(
            f"{source.where} is no spreadsheet that can be read ({type(problem).__name__}).",
            hint="Save it as .xlsx or .csv.",
        ) from None


def as_text(value: Any) -> str | None:
    """A cell as text: whole numbers without a point, moments in ISO 8601; cut to show that it is too long.

    >>> as_text(17850.0), as_text(2.5), as_text(True), as_text("")
    ('17850', '2.5', 'true', None)
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)[: MAX_CELL + 1]


def _cell(row: list[Any], i: int) -> Any:
    return row[i] if i < len(row) else None


def _typed(row: list[Any], i: int) -> bool:
    value = _cell(row, i)
    return value is not None and not isinstance(value, str)


def _refuse_floating(source: DeclaredSource, theirs: str, values: list[Any]) -> None:
    """A spreadsheet keeps fifteen digits: longer ids of several people became one."""
    if any(isinstance(v, int | float) and abs(v) >= 10**15 for v in values):
        raise DataError(
            f"{source.where}: column {theirs} holds numbers of more than fifteen digits, which a spreadsheet rounds.",
            hint="Export the column as text.",
        )


def _bounded(source: DeclaredSource, file: BinaryIO) -> None:
    """A few kilobytes can unpack to gigabytes; older formats are not packed."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_UNPACKED:
                raise opening.too_large(source, MAX_UNPACKED)
    file.seek(0)
