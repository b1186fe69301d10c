"""A CSV file of your own: which encoding, which separator, which columns; `_records` cuts it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Generator
from contextlib import closing
from typing import BinaryIO

from twinops.data.own_sources import opening
from twinops.data.own_sources.cells import MAX_CELL, Gathering, TextCells, asked_columns
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.reading import csv_records
from twinops.data.reading.csv_records import MAX_RECORD, CsvRecord, Shape
from twinops.data.reading.reading import Fault
from twinops.errors import DataError

MAX_COLUMNS = 1_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PYTHON = {"windows-1250": "cp1250", "windows-1252": "cp1252"}
_LOOK = 2**16
_FOREIGN = 10
"""Fewer records with foreign bytes, or fewer than one in a hundred, are mistakes and no encoding."""


def read(source: DeclaredSource, file: BinaryIO) -> TextCells:
    """The records of an open file.

    Raises:
        DataError: the encoding cannot be told, there is no usable header, or a mapped column is missing.
    """
    found = opening.digest(file)
    encoding = _encoding(source, file)
    with closing(_lines(file, encoding)) as lines:
        head = next(lines, "")
        separator = _separator(source, head)
        header = _header(source, head, separator)
        wanted, dropped = asked_columns(source, header)
        gathering = Gathering(source, wanted)
        kept = tuple(header.index(c) for c in wanted)
        for place, record in enumerate(csv_records.records(lines, Shape(len(header), separator)), start=1):
            _gather(gathering, place, record, kept)
    table = gathering.cells()
    _refuse_foreign(source, gathering, encoding)
    return TextCells(table, frozenset(), tuple(gathering.refused), dropped, found)


def _gather(gathering: Gathering, place: int, record: CsvRecord, kept: tuple[int, ...]) -> None:
    """Take the cells that may enter, or the record with why it has none."""
    if record.refused:
        gathering.refuse(place, record.raw, record.refused.value)
        return
    cells = [record.cells[i] for i in kept]
    if max(map(len, cells)) > MAX_CELL:
        gathering.refuse(place, record.raw, Fault.OVERSIZED.value)
    else:
        gathering.take(place, cells)


def _lines(file: BinaryIO, encoding: str) -> Generator[str]:
    """Lines without their ends (CR, LF or both); one that is too long comes as its beginning, marked by its length."""
    errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(file, encoding, errors=errors, newline="")
    try:
        while line := text.readline(MAX_RECORD + 2):
            whole = line.endswith(("\n", "\r")) or len(line) < MAX_RECORD + 2
            # the rest of a line that is too long is read and dropped, never held
            while not whole:
                rest = text.readline(MAX_RECORD)
                whole = rest.endswith(("\n", "\r")) or len(rest) < MAX_RECORD
            yield line.rstrip("\r\n") if len(line) <= MAX_RECORD else line
    except UnicodeError:
        raise DataError("A file is not in the encoding it says.", hint="Save it as UTF-8.") from None
    finally:
        text.detach()  # the file is its opener's to close


def _encoding(source: DeclaredSource, file: BinaryIO) -> str:
    """The declared one, or what a byte order mark says, or UTF-8."""
    head = file.read(_LOOK)
    file.seek(0)
    mark = next((e for m, e in _MARKS if head.startswith(m)), None)
    said = source.said.encoding
    if said != "detect":
        return mark if mark and mark[:5] == said[:5] else _PYTHON.get(said, said)
    # text without a mark that is a quarter NULs is UTF-16, and which one nobody said
    if mark == "" or (mark is None and head.count(b"\0") * 4 > len(head)):
        raise DataError(
            f"{source.where} is UTF-32, or UTF-16 without its mark, or no text at all.",
            hint="Save it as UTF-8; or for UTF-16 set encoding: utf-16-le.",
        )
    return mark or "utf-8"


def _refuse_foreign(source: DeclaredSource, gathering: Gathering, encoding: str) -> None:
    """Nothing but ASCII was UTF-8, and much was not: another encoding, and which one nobody can tell for sure."""
    foreign = sum(r.reason == Fault.NOT_UTF8.value for r in gathering.refused)
    few = foreign < _FOREIGN or foreign * 100 < gathering.taken + foreign
    if source.said.encoding != "detect" or encoding != "utf-8" or few:
        return
    if gathering.ascii:
        raise DataError(
            f"{source.where} is not UTF-8: {foreign:,} records have other bytes.",
            hint="Say which encoding it is, for example encoding: windows-1252; or utf-8, to quarantine those records.",
        )


def _separator(source: DeclaredSource, head: str) -> str:
    """The declared one, or the one that stands most often in the header."""
    if source.said.separator != "detect":
        return source.said.separator
    bare = "".join(head.split('"')[::2])
    return max((",", ";", "\t", "|"), key=bare.count)


def _header(source: DeclaredSource, head: str, separator: str) -> list[str]:
    """The column names."""
    names = csv_records.names(head, separator)
    if not names or len(names) > MAX_COLUMNS:
        raise DataError(
            f"{source.where}: the first line is no header with each column once.",
            hint="Write the column names in line 1; set separator or encoding if they are not what was detected.",
        )
    return names
