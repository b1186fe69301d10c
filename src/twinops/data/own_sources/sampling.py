"""Look at a file that nobody has described: how it is packed, encoded and cut, and some of its cells."""

from __future__ import annotations

import codecs
import gzip
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.data.own_sources import csv as delimited
from twinops.data.own_sources import excel
from twinops.data.own_sources.cell_values import shape
from twinops.data.own_sources.cells import printable
from twinops.data.own_sources.opening import unpacked
from twinops.data.own_sources.parquet import is_text
from twinops.data.own_sources.recognising import date_format, is_number
from twinops.data.reading.csv_records import Shape, records
from twinops.errors import DataError

MOST_LINES = 3_000_000
FIRST, KEPT = 3_000, 30_000
"""So many records from the beginning, and about so many in all, evenly spread."""
_LOOK = 64 * 2**20
_PAIRED = 0.7


@dataclass(frozen=True)
class Sampled:
    """How a file is to be read, and cells of it by column; `typed` columns hold numbers or moments, no text."""

    path: Path
    reads: str
    names: tuple[str, ...]
    cells: dict[str, list[str]]
    typed: frozenset[str] = frozenset()
    encoding: str = "detect"
    separator: str = "detect"
    header: bool = True
    why: tuple[str, ...] = ()

    def told(self, name: str) -> list[str]:
        """The column's cells that hold anything."""
        return [c for c in self.cells[name] if c.strip()]

    def shapes(self, name: str) -> tuple[str, ...]:
        """How its first cells look; never a cell."""
        return tuple(dict.fromkeys(shape(c.strip()) for c in self.told(name)[:200]))[:2]


def sampled(path: Path) -> Sampled:
    """Look at one file, or at the first part of a folder.

    Raises:
        DataError: it is not there, or is nothing that can be read.
    """
    first = _first_part(path)
    try:
        with first.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            if head == b"PAR1":
                return _of_parquet(path, first)
            if zipfile.is_zipfile(file) or first.suffix in (".xlsx", ".xls", ".ods"):
                return _of_sheet(path, first)
            file.seek(0)
            return _of_text(path, unpacked(file))
    except OSError:
        raise DataError(f"There is no readable file {path.name}.", hint="Check its name.") from None


def likely_encoding(data: bytes) -> str:
    """The encoding that bytes are most likely in; `detect` where UTF-8 or a mark says it by itself.

    >>> [likely_encoding("Größe".encode(e)) for e in ("cp1252", "utf-8", "utf-16")]
    ['windows-1252', 'detect', 'detect']
    >>> [likely_encoding("きょうと".encode("shift_jis")), likely_encoding("北京市大学".encode("gb18030"))]
    ['shift_jis', 'gb18030']
    """
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "detect"
    if data.count(b"\0") * 4 > len(data):
        return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return _eight_bits(data)
    return "detect"


def _eight_bits(data: bytes) -> str:
    """By the bytes: East Asian letters are pairs that mostly begin with few of them; Central Europe has letters where
    the West has signs.
    """
    high = [i for i, b in enumerate(data[: 2**20]) if b >= 0x80]
    for name, leads in (("shift_jis", range(0x81, 0x98)), ("gb18030", range(0xB0, 0xD8))):
        if _paired(data[: 2**20], leads) > _PAIRED and _decodes(data, name):
            return name
    central = sum(data[i] in b"\xb3\xb9\x9f\xbf\xa3\xa5" and data[i - 1 : i].isalpha() for i in high)
    if central * 4 > len(high):
        return "windows-1250"
    return "iso-8859-1" if any(data[i] in b"\x81\x8d\x8f\x90\x9d" for i in high) else "windows-1252"


def _paired(data: bytes, leads: range) -> float:
    """Share of high bytes, each taken with the one behind it, that are among these."""
    at, seen, among = 0, 0, 0
    while at < len(data):
        if data[at] >= 0x80:
            seen, among, at = seen + 1, among + (data[at] in leads), at + 1
        at += 1
    return among / max(seen, 1)


def _decodes(data: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _first_part(path: Path) -> Path:
    if not path.is_dir():
        return path
    inside = (p for p in path.rglob("*") if p.is_file() and not p.name.startswith(("_", ".")))
    found = next(iter(sorted(inside)), None)
    if found is None:
        raise DataError(f"The folder {path.name} is empty.", hint="Name a file, or a folder of parts.")
    return found


def _of_text(path: Path, file: BinaryIO) -> Sampled:
    try:
        encoding = likely_encoding(file.read(_LOOK))
    except (gzip.BadGzipFile, EOFError):
        raise DataError(f"{path.name} is no whole gzip file.", hint="Pack it again, or copy it again.") from None
    file.seek(0)
    lines = _decoded(file, encoding)
    first = next(lines, "")
    told = delimited.told_separator(first)
    first = next(lines, "") if told else first
    separator = told or delimited.separator_of(first)
    # a name of one column may hold blanks: blanks set columns apart where all lines agree on how many
    ahead = list(islice(lines, 50))
    if separator == " " and len({len(line.split()) for line in (first, *ahead) if line.strip()}) > 1:
        separator = ","
    cells = delimited.header_of(first, separator)
    if not any(cells):
        raise DataError(f"{path.name} is empty, or no table.", hint="Name a file with a line a purchase.")
    header = not _is_record(cells, ahead, separator)
    names = tuple(cells if header else [str(i) for i in range(1, len(cells) + 1)])
    below = [*([] if header else [first]), *ahead]
    columns = _spread([*below], lines, Shape(len(names), separator, least=1, read=()), names)
    why = (_told_encoding(encoding), f"Columns are set apart by {_SIGNS.get(separator, separator)}.")
    gone = () if header else ("The first line is a record: columns have no names and are called 1, 2, 3.",)
    return Sampled(path, "csv", names, columns, frozenset(), encoding, separator, header, (*why, *gone))


_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}


def _told_encoding(encoding: str) -> str:
    return "The encoding is UTF-8, or says itself." if encoding == "detect" else f"The encoding looks like {encoding}."


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    head = file.read(4)
    file.seek(0)
    marked = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    name = marked if encoding == "detect" else encoding.replace("windows-", "cp")
    for line in codecs.getreader(name)(file, "replace"):
        yield line.rstrip("\r\n")


def _is_record(cells: list[str], below: list[str], separator: str) -> bool:
    """The first line looks like those below it: it has a number or a day where they have one, or an id like theirs."""
    rows = [delimited.header_of(line, separator) for line in below[:20]]
    for i, cell in enumerate(cells):
        alike = [shape(row[i]) == shape(cell) for row in rows if i < len(row)]
        if any(c.isdigit() for c in cell) and len(alike) > 2 and sum(alike) > 0.8 * len(alike):
            return True
    return any(
        (is_number(cell) or date_format([cell]) is not None) and any(i < len(r) and r[i] for r in rows)
        for i, cell in enumerate(cells)
        if cell
    ) or (not rows and any(map(is_number, cells)))


def _spread(first: list[str], rest: Iterator[str], like: Shape, names: tuple[str, ...]) -> dict[str, list[str]]:
    """Cells of the first records and of every so-manyth behind them."""
    kept, step = list(first), 1
    for n, line in enumerate(islice(rest, MOST_LINES)):
        if n < FIRST or n % step == 0:
            kept.append(line)
        if len(kept) > 2 * KEPT:
            kept, step = kept[:FIRST] + kept[FIRST::2], step * 2
    columns: dict[str, list[str]] = {name: [] for name in names if name}
    for record in records(iter(kept), like):
        if record.refused is None:
            _add(columns, names, record.cells)
    return columns


def _add(columns: dict[str, list[str]], names: Iterable[str], cells: list[Any]) -> None:
    seen = set()
    for name, cell in zip(names, cells, strict=False):
        if name and name not in seen:
            columns[name].append(cell or "")
            seen.add(name)


def _of_parquet(path: Path, first: Path) -> Sampled:
    try:
        table = next(pq.ParquetFile(first).iter_batches(batch_size=KEPT), None)
        schema = pq.read_schema(first)
    except (pa.ArrowException, OSError):
        raise DataError(f"{path.name} is not a readable Parquet file.", hint="Copy it again.") from None
    flat = [f for f in schema if not pa.types.is_nested(f.type) and not pa.types.is_binary(f.type)]
    cells = {f.name: [excel.as_text(v) or "" for v in table[f.name].to_pylist()] if table else [] for f in flat}
    typed = frozenset(f.name for f in flat if not is_text(f.type))
    return Sampled(path, "parquet", tuple(cells), cells, typed, why=("It is Parquet.",))


def _of_sheet(path: Path, first: Path) -> Sampled:
    from python_calamine import CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(first))
        rows = islice(book.get_sheet_by_name(book.sheet_names[0]).iter_rows(), KEPT)
        names = tuple((excel.as_text(c) or "").strip() for c in next(rows, []))
    except Exception as problem:  # calamine has errors of its own for every format
        raise DataError(
            f"{path.name} is no spreadsheet that can be read ({type(problem).__name__}).", hint="Save it as .csv."
        ) from None
    columns: dict[str, list[str]] = {name: [] for name in names if name}
    typed: set[str] = set()
    for row in rows:
        _add(columns, names, [excel.as_text(c) for c in row])
        typed |= {n for n, c in zip(names, row, strict=False) if n and c not in (None, "") and not isinstance(c, str)}
    why = (f"It is a spreadsheet; the first sheet is read ({printable(book.sheet_names[0])}).",)
    return Sampled(path, "excel", names, columns, frozenset(typed), why=why)
