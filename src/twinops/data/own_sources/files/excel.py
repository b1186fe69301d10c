"""The sheets of a spreadsheet (.xlsx, .xls, .ods), read by calamine; typed cells become text, as of Parquet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import AT_ONCE, TextCells, asked_columns, known_as, too_many
from twinops.data.own_sources.files.typed_cells import as_declared, as_text
from twinops.errors import DataError

MAX_UNPACKED = 2 * 2**30
_HEAD_WITHIN = 20
EVERY = "*"
"""Stands for every sheet that has the columns."""
ABOVE = "above_the_head_of_the_table"


def read(source: DeclaredSource, file: BinaryIO) -> Iterator[TextCells]:
    """The rows below the first line of the sheet, some at a time.

    Raises:
        DataError: it is no spreadsheet, there is no such sheet, it is too large once unpacked, or a column is missing.
    """
    digest, before = opening.digest(file), 0
    for rows in sheets_of(source, file):
        yield from _of_sheet(source, rows, digest, before)
        before += len(rows)


def _of_sheet(source: DeclaredSource, rows: list[list[Any]], digest: str, before: int) -> Iterator[TextCells]:
    """The rows of one sheet; those above its head are counted as left out."""
    at = head_at(rows, source.said.read) if source.said.header else 0
    head = rows[at] if rows else []
    names = known_as(source, called(head)) if source.said.header else [str(i) for i in range(1, len(head) + 1)]
    wanted, dropped = asked_columns(source, names)
    kept = [names.index(c) for c in wanted]
    if before + len(rows) > source.max_rows + 1:
        raise too_many(source)
    first = at + 1 if source.said.header else 0
    numbered = enumerate(rows[first:], start=before + first + 1)
    taken = [(n, row) for n, row in numbered if any(c not in ("", None) for c in row)]
    titles = sum(any(c not in ("", None) for c in row) for row in rows[:at])
    # which a column is goes for all its parts
    values = {c: [_cell(row, i) for _, row in taken] for c, i in zip(wanted, kept, strict=True)}
    columns, typed = as_declared(source, values)
    for theirs in {*source.said.identities} & {*values}:
        _refuse_floating(source, theirs, values[theirs])
    table = pa.table({"place": pa.array([n for n, _ in taken], pa.int64()), **columns})
    for start in range(0, max(len(taken), 1), AT_ONCE):
        left = {ABOVE: titles} if titles and not start else {}
        yield TextCells(table.slice(start, AT_ONCE), typed, (), dropped, digest, left_out=left)


def called(head: list[Any]) -> list[str]:
    """The names of columns."""
    return [(as_text(c) or "").strip() for c in head]


def head_at(rows: Sequence[list[Any]], wanted: Sequence[str] = ()) -> int:
    """Which row names the columns: the first that holds all `wanted`, or is all text and as wide as the rows are.

    What stands above is a title; tables of accountants often have one.
    """
    first = rows[:_HEAD_WITHIN]
    if wanted:
        found = next((n for n, row in enumerate(first) if set(wanted) <= set(called(row))), None)
        if found is not None:
            return found
    filled = [[c for c in row if c not in ("", None)] for row in first]
    widest = max(map(len, filled), default=0)
    heads = (n for n, row in enumerate(filled) if len(row) > 1 and 2 * len(row) > widest and all(map(_worded, row)))
    return next(heads, 0) if filled and len(filled[0]) <= 1 else 0


def _worded(cell: Any) -> bool:
    return isinstance(cell, str)


def sheets_of(source: DeclaredSource, file: BinaryIO) -> Iterator[list[list[Any]]]:
    """All rows of the declared sheet, of the first one, or with `*` of each one that has the columns.

    Raises:
        DataError: it is no spreadsheet, or has no such sheet.
    """
    from python_calamine import CalamineWorkbook

    try:
        _bounded(source, file)
        book = CalamineWorkbook.from_object(file)
        told = source.said.sheet or book.sheet_names[0]
        if told not in (EVERY, *book.sheet_names):
            raise DataError(f"{source.where}: there is no sheet {told}.", hint="Check sheet in params.yaml.")
        names = list(book.sheet_names) if told == EVERY else [told]
        every = [list(islice(book.get_sheet_by_name(n).iter_rows(), source.max_rows + 2)) for n in names]
    except DataError:
        raise
    except Exception as problem:  # calamine has errors of its own for every format, and a panic for broken ones
        raise DataError(
            f"{source.where} is no spreadsheet that can be read ({type(problem).__name__}).",
            hint="Save it as .xlsx or .csv.",
        ) from None
    holding = [rows for rows in every if has_columns(rows, source.said.read)]
    yield from (holding or every[:1]) if told == EVERY else every


def has_columns(rows: Sequence[list[Any]], wanted: Sequence[str]) -> bool:
    """A sheet has columns of these names, in whatever order."""
    return bool(rows) and set(wanted) <= set(called(rows[head_at(rows, wanted)]))


def _cell(row: list[Any], i: int) -> Any:
    return row[i] if i < len(row) else None


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
