"""A CSV file of your own: which encoding, which separator, which columns; `_records` cuts it."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import MAX_CELL, Gathering, TextCells, asked_columns, known_as
from twinops.data.own_sources.files.csv_blocks import Blocks
from twinops.data.reading import csv_records
from twinops.data.reading.csv_records import MAX_RECORD, CsvRecord, Lookahead, Shape, record_at
from twinops.data.reading.reading import Fault
from twinops.errors import DataError

MAX_COLUMNS = 1_000
HEAD_WITHIN = 20
"""So many lines of titles may stand above the head."""

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


def read(source: DeclaredSource, file: BinaryIO) -> Iterator[TextCells]:
    """The records of an open file, some at a time.

    Raises:
        DataError: the encoding cannot be told, there is no usable header, or a mapped column is missing.
    """
    digest, unpacked = opening.digest(file), opening.unpacked(file)
    with opening.whole(source):
        encoding = _encoding(source, unpacked)
    lines_of = partial(_lines, source)
    with closing(Blocks(source, unpacked, encoding, lines_of)) as blocks:
        header = _header(source, blocks)
        wanted, dropped = asked_columns(source, header.names)
        gathering = Gathering(source, wanted, dropped, digest)
        shape = header.shape(tuple(header.names.index(c) for c in wanted))
        yield from _gathered(gathering, blocks, header, shape)
    _refuse_foreign(gathering, encoding)


@dataclass(frozen=True)
class Header:
    """Names of the columns, the separator, so many lines above the first record, and a first line that is one."""

    names: list[str]
    separator: str
    lines: int
    back: tuple[str, ...] = ()

    def shape(self, read: tuple[int, ...]) -> Shape:
        """How records look of which these columns are read. Columns at the end need no cells if they have no name."""
        named = max(i for i, name in enumerate(self.names) if name) + 1
        return Shape(len(self.names), self.separator, least=named, read=read)


def header_of(head: str, separator: str) -> list[str]:
    """Names in a line, with blanks taken off; none where it is no record. One that nobody asks for may stand twice."""
    cells = csv_records.cells_of(head, separator, text=False)
    return [] if isinstance(cells, Fault) else [name.strip() for name in cells]


def _gathered(gathering: Gathering, blocks: Blocks, header: Header, shape: Shape) -> Iterator[TextCells]:
    """All records below the header, some at a time."""
    ahead = Lookahead(blocks, header.lines + len(header.back))
    ahead.give_back(list(header.back))
    while True:
        cut = blocks.cut(shape, ahead.line) if ahead.between else None
        if cut:
            table, lines = cut
            ahead.skipped(lines)
            yield from gathering.take_table(table)
            continue
        line = next(ahead, None)
        if line is None:
            break
        record = record_at(line, ahead, shape)
        if record is not None:
            _gather(gathering, record, shape.read)
        if gathering.full:
            yield gathering.part()
    yield gathering.part()


def _gather(gathering: Gathering, record: CsvRecord, kept: tuple[int, ...]) -> None:
    """Take the cells that may enter, or the record with why it has none."""
    if record.refused:
        gathering.refuse(record.line, record.raw, record.refused.value)
        return
    cells = [record.cells[i] for i in kept]
    if max(map(len, cells)) > MAX_CELL:
        gathering.refuse(record.line, record.raw, Fault.OVERSIZED.value)
    else:
        gathering.take(record.line, cells)


def _lines(source: DeclaredSource, file: BinaryIO, encoding: str, size: int) -> Generator[str]:
    """Lines without their ends (CR, LF or both); one that is too long comes as its beginning, marked by its length."""
    errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(file, encoding, errors=errors, newline="")
    try:
        while line := _more(source, text, MAX_RECORD + 2):
            size += len(line)
            if size > source.said.max_bytes:
                raise opening.too_large(source, size)
            whole = line.endswith(("\n", "\r")) or len(line) < MAX_RECORD + 2
            # the rest of a line that is too long is read and dropped, never held
            while not whole:
                rest = _more(source, text, MAX_RECORD)
                size += len(rest)
                whole = rest.endswith(("\n", "\r")) or len(rest) < MAX_RECORD
            yield line.rstrip("\r\n") if len(line) <= MAX_RECORD else line
    except UnicodeError:
        raise DataError("A file is not in the encoding it says.", hint="Save it as UTF-8.") from None
    finally:
        text.detach()  # the file is its opener's to close


def _more(source: DeclaredSource, text: io.TextIOWrapper, most: int) -> str:
    with opening.whole(source):
        return text.readline(most)


def _encoding(source: DeclaredSource, file: BinaryIO) -> str:
    """What a byte order mark says, or the declared one, or UTF-8.

    Files of one folder may be written in two ways: one that is UTF-8 is read so beside others that are not.
    """
    head = file.read(_LOOK)
    file.seek(0)
    mark = next((e for m, e in _MARKS if head.startswith(m)), None)
    said = source.said.encoding
    if said != "detect":
        eight_bits = said.startswith(("windows-", "iso-"))
        return mark or ("utf-8" if eight_bits and is_utf8(head) else _PYTHON.get(said, said))
    # text without a mark that is a quarter NULs is UTF-16, and which one nobody said
    if mark == "" or (mark is None and head.count(b"\0") * 4 > len(head)):
        raise DataError(
            f"{source.where} is UTF-32, or UTF-16 without its mark, or no text at all.",
            hint="Save it as UTF-8; or for UTF-16 set encoding: utf-16-le.",
        )
    return mark or "utf-8"


def is_utf8(head: bytes) -> bool:
    """The begin of a text has letters outside ASCII, and they are UTF-8: in other encodings they never are by chance.

    >>> is_utf8("Größe".encode()), is_utf8("Größe".encode("cp1252")), is_utf8(b"size")
    (True, False, False)
    """
    if head.isascii():
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_foreign(gathering: Gathering, encoding: str) -> None:
    """Nothing but ASCII was UTF-8, and much was not: another encoding, and which one nobody can tell for sure."""
    source, foreign = gathering.source, gathering.foreign
    few = foreign < _FOREIGN or foreign * 100 < gathering.total
    if source.said.encoding != "detect" or encoding != "utf-8" or few:
        return
    if gathering.ascii:
        raise DataError(
            f"{source.where} is not UTF-8: {foreign:,} records have other bytes.",
            hint="Say which encoding it is, for example encoding: windows-1252; or utf-8, to quarantine those records.",
        )


def separator_of(head: str, wanted: tuple[str, ...] = ()) -> str:
    """The sign that stands most often in the header; blanks where there is none, and the wanted names have none."""
    bare = "".join(head.split('"')[::2])
    found = max((",", ";", "\t", "|"), key=bare.count)
    blanks = not bare.count(found) and len(bare.split()) > 1 and set(wanted) <= set(bare.split())
    return " " if blanks else found


def told_separator(line: str) -> str | None:
    """What a first line says that tells nothing else, as spreadsheets write it.

    >>> told_separator("sep=;"), told_separator("separate;me")
    (';', None)
    """
    found = re.fullmatch(r'"?sep=(.)"?', line.strip("\r\n"), re.IGNORECASE)
    return found[1] if found else None


def _below_titles(
    source: DeclaredSource, lines: Iterator[str], before: int, names: list[str], separator: str
) -> tuple[int, list[str]]:
    """The first line with all columns, where titles stand above it; else the one that has most of them."""
    best, wanted = (before, names), {*source.said.read}
    for n, line in enumerate(islice(lines, HEAD_WITHIN), before + 1):
        cells = known_as(source, header_of(line, separator))
        if len(wanted & {*cells}) > len(wanted & {*best[1]}):
            best = (n, cells)
        if wanted <= {*cells}:
            break
    return best


def _header(source: DeclaredSource, lines: Iterator[str]) -> Header:
    """The column names; by number where the declaration says that the file has none."""
    said, first, before = source.said, next(lines, ""), 1
    told = told_separator(first)
    if told:
        first, before = next(lines, ""), 2
    wanted = said.read if said.header else ()
    separator = said.separator if said.separator != "detect" else told or separator_of(first, wanted)
    names = known_as(source, header_of(first, separator)) if said.header else header_of(first, separator)
    if not set(wanted) <= set(names):
        before, names = _below_titles(source, lines, before, names, separator)
    if not any(names) or len(names) > MAX_COLUMNS:
        raise DataError(
            f"{source.where}: the first line is no header.",
            hint="Write the column names in line 1; set separator or encoding if they are not what was detected, or "
            "header: false where there are none (columns are called 1, 2, 3 then).",
        )
    if said.header:
        return Header(names, separator, before)
    return Header([str(i) for i in range(1, len(names) + 1)], separator, before - 1, (first,))
