"""Look at a file that nobody has described: how it is packed, encoded and cut, and some of its cells."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.data.own_sources.cell_values import shape
from twinops.data.own_sources.declared import MONTH
from twinops.data.own_sources.files import csv as delimited
from twinops.data.own_sources.files import databases, excel, typed_cells
from twinops.data.own_sources.files.blended import Cells, blended, comma_or_point
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.files.encodings import likely_encoding, says_itself
from twinops.data.own_sources.files.opening import SHEETS, TABLES, months_named, unpacked, within, written
from twinops.data.own_sources.files.parquet import is_text
from twinops.data.own_sources.files.renamed_columns import renamed
from twinops.data.own_sources.recognising import date_format, is_number
from twinops.data.reading.csv_records import Shape, records
from twinops.errors import DataError

MOST_LINES = 3_000_000
FIRST, KEPT = 3_000, 30_000
"""So many records from the beginning, and about so many in all, evenly spread."""
_DIGITS = re.compile(r"[\d .\-/]*\d[\d .\-/]*")
_LOOK = 64 * 2**20
_BEGINS = 2**17
MOST_PARTS = 7
"""So many files of a folder are looked at."""


@dataclass(frozen=True)
class Sampled:
    """How a file is to be read, and cells of it by column; `typed` columns hold numbers or moments, no text."""

    path: Path
    reads: str
    names: tuple[str, ...]
    cells: dict[str, list[str]]
    typed: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()
    """Columns that hold such in some cells, and text in others."""
    encoding: str = "detect"
    separator: str = "detect"
    header: bool = True
    why: tuple[str, ...] = ()
    sheet: str | None = None
    """Which sheet of a spreadsheet, where it is not the first alone."""
    renamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What its columns are called in other files of its folder."""
    query: str | None = None
    """Of a database, what is read of it."""

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
    file, table = databases.file_and_table(path)
    parts = _some_parts(file)
    try:
        about = tuple((part, part.stat().st_mtime_ns, part.stat().st_size) for part in parts)
    except OSError:
        raise DataError(f"There is no readable file {path.name}.", hint="Check its name.") from None
    return _sampled(file, table, about)


@lru_cache(maxsize=16)
def _sampled(path: Path, table: str | None, about: tuple[tuple[Path, int, int], ...]) -> Sampled:
    """Of the parts as they are now: a file is tried for many kinds, and looked at once."""
    parts = [part for part, _, _ in about]
    if path == parts[0] and databases.is_database(path):
        return _of_database(path, table)
    found = _read_as_it_is(path, parts)
    return found if not path.is_dir() or not found.header else _with_others(found, path, parts)


def _with_others(found: Sampled, path: Path, parts: Sequence[Path]) -> Sampled:
    """With cells of the folder's other files, however they are written, and what columns are called there."""
    every = [p for p in _every_table(path) if p != parts[0]]
    kept, there = KEPT // (len(every) + 1), list[tuple[Path, Sampled]]()
    for part in every:
        if (one := _beginning(part)) is not None:
            few = _cells_of(one).thinned(kept)
            there.append((part, replace(one, cells=few.columns)))
    if other := renamed(_named_cells(found), [_named_cells(one) for _, one in there]):
        found = replace(_read_as_it_is(path, parts, other), renamed=other)
    names = {n: theirs for theirs, called in other.items() for n in called}
    seen = set(parts) if found.reads == "csv" else {parts[0]}
    unseen = [_cells_of(one).called(names) for part, one in there if part not in seen]
    cells = blended(_cells_of(found), unseen, as_text=found.reads == "csv")
    other_sheet = next((one.sheet for _, one in there if one.sheet), None)
    why = (*found.why, *_told_formats([parts[0], *(part for part, _ in there)]))
    signs = {one.separator for part, one in there if _written(part) == "text"}
    separator = found.separator if signs <= {found.separator} else "detect"
    return replace(
        found, cells=cells.columns, typed=cells.typed, mixed=cells.mixed, sheet=found.sheet or other_sheet,
        separator=separator, why=why,
    )  # fmt: skip


def _told_formats(parts: Sequence[Path]) -> Iterator[str]:
    """That files of a folder are written in several ways."""
    found = Counter(map(_written, parts))
    if len(found) > 1:
        told = (f"{n} {_CALLED[how][n > 1]}" for how, n in sorted(found.items(), key=lambda f: (-f[1], f[0])))
        yield f"Its files are {', '.join(told)}: each is read as what it is."


_CALLED = {"sheet": ("spreadsheet", "spreadsheets"), "parquet": ("Parquet", "Parquet"), "text": ("text", "texts")}


def _cells_of(file: Sampled) -> Cells:
    return Cells(_named_cells(file), file.typed, file.mixed)


def _named_cells(file: Sampled) -> dict[str, list[str]]:
    return {name: file.cells[name] for name in file.names if name in file.cells}


def _beginning(part: Path) -> Sampled | None:
    """One file of a folder, of a text its beginning; None: it is nothing that can be read, which is told when it is."""
    try:
        if _written(part) != "text":
            return sampled(part)
        with part.open("rb") as file:
            head = unpacked(file).read(_BEGINS)
        return _of_text(part, io.BytesIO(head[: head.rfind(b"\n") + 1] or head), ())
    except (DataError, OSError, EOFError):
        return None


def _read_as_it_is(path: Path, parts: Sequence[Path], other: Mapping[str, tuple[str, ...]] | None = None) -> Sampled:
    first = parts[0]
    try:
        with first.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            if head == b"PAR1":
                return _of_parquet(path, first)
            if zipfile.is_zipfile(file) or first.suffix.casefold() in SHEETS:
                return _of_sheet(path, first)
            file.seek(0)
            return _of_text(path, unpacked(file), parts[1:], other)
    except OSError:
        raise DataError(f"There is no readable file {path.name}.", hint="Check its name.") from None


def headless(file: Sampled) -> Sampled:
    """The same text with its first line a record: its columns have no names."""
    names = tuple(str(n) for n in range(1, len(file.names) + 1))
    cells = {n: [was, *file.cells.get(was, [])] for n, was in zip(names, file.names, strict=True)}
    return replace(file, names=names, cells=cells, header=False, why=(*file.why, _HEADLESS))


_HEADLESS = "The first line is a record: columns have no names and are called 1, 2, 3."


def every_cell(file: Sampled, name: str) -> Iterator[str]:
    """All cells of one column of a file but its name; of a spreadsheet or a folder those that `cells` has."""
    return (cell for _, cell in numbered_cells(file, name) if cell is not None)


def numbered_cells(file: Sampled, name: str) -> Iterator[tuple[int | None, str | None]]:
    """The same with the line that each stands in, of a text; no cell of a line that cannot be cut."""
    if file.path.is_dir() or file.reads not in ("csv", "parquet"):
        return ((None, cell) for cell in file.cells[name])
    if file.reads == "parquet":
        return ((None, cell) for cell in _every_value(file.path, name))
    return _every_text(file, name)


def _every_value(path: Path, name: str) -> Iterator[str]:
    with pq.ParquetFile(path) as parquet:
        for batch in parquet.iter_batches(batch_size=KEPT, columns=[name]):
            yield from (typed_cells.as_text(v) or "" for v in batch[name].to_pylist())


def _every_text(file: Sampled, name: str) -> Iterator[tuple[int, str | None]]:
    at = file.names.index(name)
    like = Shape(len(file.names), file.separator, least=1, read=())
    with file.path.open("rb") as opened:
        lines = _decoded(unpacked(opened), file.encoding)
        for record in records(islice(lines, MOST_LINES), like, before=0):
            cut = record.refused is None and at < len(record.cells)
            cell = (record.cells[at] or "") if cut else None
            if cell is None or cell.strip() != name:
                yield record.line, cell


def _some_parts(path: Path) -> list[Path]:
    """The file; or of a folder some of its parts, the first and the last among them."""
    if not path.is_dir():
        return [path]
    tables = _tables(path)
    at = {round(i * (len(tables) - 1) / (MOST_PARTS - 1)) for i in range(MOST_PARTS)}
    return [tables[i] for i in sorted(at)]


def _tables(path: Path) -> list[Path]:
    """Of a folder the parts that tell how it is written: texts, if they have the columns of the others, or most."""
    tables = _every_table(path)
    ways = {way: [p for p in tables if _written(p) == way] for way, _ in Counter(map(_written, tables)).most_common()}
    most = next(iter(ways.values()))
    # a typed cell says itself what it is; of a text the notation must be known
    texts = ways.get("text", most)
    return texts if texts is most or _are_alike(most[0], texts[0]) else most


def _every_table(path: Path) -> list[Path]:
    """Of a folder the months, or all files that can be read."""
    files = months_in(path)
    inside = list(months_named(path, files).values()) if files else within(path)
    tables = [p for p in inside if p.name.casefold().endswith(TABLES)] or inside
    if not tables:
        raise DataError(f"The folder {path.name} is empty.", hint="Name a file, or a folder of parts.")
    return tables


def _are_alike(one: Path, other: Path) -> bool:
    """Two files have most of their columns in common."""
    both = [{*found.names} for found in map(_beginning, (one, other)) if found is not None]
    return len(both) > 1 and len(both[0] & both[1]) * 2 > max(map(len, both))


def months_in(folder: Path) -> str | None:
    """How files named after their months are called: `{month}` for it, `.*` where some are written otherwise.

    None: there are none, or another file lies there that may be one of them. What has other columns is none.
    """
    inside = [p for p in within(folder) if p.parent == folder]
    named: dict[str, list[Path]] = {}
    for p in inside:
        if p.name.casefold().endswith(TABLES):
            named.setdefault(f"{_stem(MONTH.sub('{month}', p.name))}.*", []).append(p)
    monthly = {name: found for name, found in named.items() if name.count("{month}") == 1}
    if not monthly:
        return None
    files = max(monthly, key=lambda name: len(monthly[name]))
    months = monthly[files]
    others = [p for p in within(folder) if p not in months]
    if others and (len(months) < _MONTHS_BESIDE or any(_may_be_one(p, months, files) for p in others)):
        return None
    endings = {MONTH.sub("{month}", p.name) for p in months}
    only = next(iter(endings))
    return only if len(endings) == 1 and only.endswith((".csv", ".csv.gz", ".parquet")) else files


def beside_months(folder: Path, files: str) -> list[Path]:
    """What lies in a folder of months and is none."""
    months = set(months_named(folder, files).values())
    return [p for p in within(folder) if p not in months]


_MONTHS_BESIDE = 3
"""So many files of months there must be, to tell them from others in one folder."""


def _may_be_one(other: Path, months: Sequence[Path], files: str) -> bool:
    """It is called nearly as they are, or has their columns; a folder in the folder is not looked into."""
    before = files.split("{month}", maxsplit=1)[0].strip(" _-.").casefold()
    if other.parent != months[0].parent:
        return False
    if before and before in other.name.casefold():
        return True
    try:
        return set(sampled(other).names) == set(sampled(months[0]).names)
    except DataError:
        return False


def _stem(name: str) -> str:
    """A name without what says how the file is written."""
    ending = max((e for e in TABLES if name.casefold().endswith(e)), key=len)
    return name[: len(name) - len(ending)]


def _written(part: Path) -> str:
    return {"excel": "sheet", "csv": "text"}.get(how := written(part.name), how)


def _of_text(
    path: Path, file: BinaryIO, more: Sequence[Path], other: Mapping[str, tuple[str, ...]] | None = None
) -> Sampled:
    try:
        heads = file.read(_LOOK if not more else _LOOK // 16)
        file.seek(0)
        every = [heads, *map(_head, more)]
        # what is UTF-8 is read as it by itself; the others have one encoding
        encoding = likely_encoding(b"".join([h for h in every if not says_itself(h)] or every))
    except (gzip.BadGzipFile, EOFError):
        raise DataError(f"{path.name} is no whole gzip file.", hint="Pack it again, or copy it again.") from None
    lines = _decoded(file, encoding)
    first = next(lines, "")
    if first.lstrip().startswith(("{", "[{")) or path.name.casefold().endswith((".json", ".jsonl", ".ndjson")):
        raise DataError(f"{path.name} is JSON, which is not read.", hint="Save it as a table: CSV, Excel or Parquet.")
    told = delimited.told_separator(first)
    first = next(lines, "") if told else first
    separator = told or delimited.separator_of(first)
    first, above, separator, back = _below_titles(first, lines, separator)
    lines = chain(back, lines)
    # a name of one column may hold blanks: blanks set columns apart where all lines agree on how many
    ahead = list(islice(lines, 50))
    if separator == " " and len({len(line.split()) for line in (first, *ahead) if line.strip()}) > 1:
        separator = ","
    below = [line for line in ahead if line.strip()]
    if not told and below and separator in first and not any(separator in line for line in below):
        # what stands in a title alone sets no columns apart
        separator = next((s for s in _SIGNS if s != " " and s not in first), separator)
    cells = delimited.header_of(first, separator)
    if not any(cells):
        raise DataError(f"{path.name} is empty, or no table.", hint="Name a file with a line a purchase.")
    header = not _is_record(cells, ahead, separator)
    names = tuple(cells if header else [str(i) for i in range(1, len(cells) + 1)])
    below = [*([] if header else [first]), *ahead]
    like = Shape(len(names), separator, least=1, read=())
    columns = _spread([*below], lines, like, names)
    for part in more:
        with part.open("rb") as one:
            of_part = islice(_decoded(unpacked(one), encoding), KEPT // len(more))
            # by its own names: a part may have others, or the same in another order
            mine, sign = _names_in(of_part, separator, names, other or {}) if header else (names, separator)
            shape_of = Shape(max(len(mine), 1), sign, least=1, read=())
            cells_of = _spread([], of_part, shape_of, mine)
            rows = max(map(len, cells_of.values()), default=0)
            for name in columns:
                found = cells_of.get(name, [])
                columns[name] += [*found, *[""] * (rows - len(found))]
    why = (_told_encoding(encoding), f"Columns are set apart by {_SIGNS.get(separator, separator)}.")
    titles = (f"Above its head stand {above} line(s), which are no records.",) if above else ()
    gone = titles if header else (_HEADLESS,)
    return Sampled(path, "csv", names, columns, frozenset(), frozenset(), encoding, separator, header, (*why, *gone))


def _below_titles(first: str, lines: Iterator[str], separator: str) -> tuple[str, int, str, list[str]]:
    """The line that names the columns, how many stand above it, the separator, and lines that were read ahead.

    A title has one cell, and below it come wide lines: the first of those that is all words is the head.
    """
    filled = [c for c in delimited.header_of(first, separator) if c]
    if len(filled) != 1 or any(map(is_number, filled)):
        return first, 0, separator, []
    ahead = list(islice(lines, delimited.HEAD_WITHIN))
    sign = delimited.separator_of(max(ahead, key=lambda line: max(map(line.count, ",;\t|")), default=first))
    rows = [[c for c in delimited.header_of(line, sign) if c] for line in ahead]
    widest = max(map(len, rows), default=0)
    at = next((n for n, row in enumerate(rows) if len(row) > 2 and 2 * len(row) > widest), None)
    if at is None or sign == " " or any(is_number(c) or date_format([c]) for c in rows[at]):
        return first, 0, separator, ahead
    return ahead[at], at + 1, sign, ahead[at + 1 :]


def _names_in(
    lines: Iterator[str], separator: str, names: Sequence[str], other: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """The columns of a part, whose head may stand below titles, too, as they are called in the first; its separator."""
    here = {n: one for one, called in other.items() for n in called}
    heads = islice(lines, delimited.HEAD_WITHIN)
    line = next(heads, "")
    # a part may have a sign of its own; a title tells none
    signs = (separator, delimited.separator_of(line, tuple(names)))
    first, sign = max(((delimited.header_of(line, s), s) for s in signs), key=lambda f: len({*f[0]} & {*names}))
    title = sum(map(bool, first)) < 2
    rows = (delimited.header_of(line, sign) for line in heads)
    alike = (row for row in (first, *(rows if title else [])) if len({*row} & {*names}) * 2 > len({*names}))
    return tuple(here.get(n, n) for n in next(alike, first)), sign


def _head(part: Path) -> bytes:
    with part.open("rb") as file:
        return unpacked(file).read(_LOOK // 16)


_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}


def _told_encoding(encoding: str) -> str:
    return "The encoding is UTF-8, or says itself." if encoding == "detect" else f"The encoding looks like {encoding}."


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    head = file.read(_LOOK)
    file.seek(0)
    marked = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    name = marked if encoding == "detect" or says_itself(head) else encoding.replace("windows-", "cp")
    for line in codecs.getreader(name)(file, "replace"):
        yield line.rstrip("\r\n")


def _is_record(cells: list[str], below: list[str], separator: str) -> bool:
    """The first line looks like those below it: it has a number or a day where they have one, or an id like theirs."""
    rows = [delimited.header_of(line, separator) for line in below[:20]]
    if any(_DIGITS.fullmatch(cell) for cell in cells) and len(cells) == 1:
        return True  # a number by itself is somebody's, and no name of a column
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


def _add(columns: dict[str, list[Any]], names: Iterable[str], cells: list[Any]) -> None:
    seen = set()
    for name, cell in zip(names, cells, strict=False):
        if name in columns and name not in seen:
            columns[name].append("" if cell is None else cell)
            seen.add(name)


def _of_parquet(path: Path, first: Path) -> Sampled:
    try:
        table = next(pq.ParquetFile(first).iter_batches(batch_size=KEPT), None)
        schema = pq.read_schema(first)
    except (pa.ArrowException, OSError):
        raise DataError(f"{path.name} is not a readable Parquet file.", hint="Copy it again.") from None
    flat = [f for f in schema if not pa.types.is_nested(f.type) and not pa.types.is_binary(f.type)]
    cells = {f.name: [typed_cells.as_text(v) or "" for v in table[f.name].to_pylist()] if table else [] for f in flat}
    typed = frozenset(f.name for f in flat if not is_text(f.type))
    return Sampled(path, "parquet", tuple(cells), cells, typed, why=("It is Parquet.",))


def _of_sheet(path: Path, first: Path) -> Sampled:
    from python_calamine import CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(first))
        sheets = {n: list(islice(book.get_sheet_by_name(n).iter_rows(), KEPT)) for n in book.sheet_names}
    except Exception as problem:  # calamine has errors of its own for every format
        raise DataError(
            f"{path.name} is no spreadsheet that can be read ({type(problem).__name__}).", hint="Save it as .csv."
        ) from None
    first_sheet, *others = sheets
    at = excel.head_at(sheets[first_sheet])
    names = tuple(excel.called(sheets[first_sheet][at])) if sheets[first_sheet] else ()
    columns: dict[str, list[Any]] = {name: [] for name in names if name}
    alike = [n for n in others if excel.has_columns(sheets[n], [name for name in names if name])]
    for sheet in (first_sheet, *alike):
        top = excel.head_at(sheets[sheet], tuple(columns))
        called = excel.called(sheets[sheet][top]) if sheets[sheet] else []
        for row in sheets[sheet][top + 1 :]:
            if any(c not in ("", None) for c in row):
                _add(columns, called, [*row, *[None] * (len(called) - len(row))])
    cells, typed, mixed = _as_text(path, columns)
    why = tuple(_told_sheets(first_sheet, alike, [n for n in others if n not in alike and sheets[n]], at))
    told = excel.EVERY if alike else None
    return Sampled(path, "excel", names, cells, typed, mixed, why=why, sheet=told)


def _of_database(path: Path, table: str | None) -> Sampled:
    rows = databases.looked_at(path, table, first=FIRST, kept=KEPT)
    cells, typed, mixed = _as_text(path, rows.columns)
    return Sampled(path, "sqlite", tuple(cells), cells, typed, mixed, why=(rows.why,), query=rows.query)


def _as_text(
    path: Path, columns: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, list[str]], frozenset[str], frozenset[str]]:
    """Typed cells as text; which columns hold no other, and which hold both."""
    mixed = {n: comma_or_point(of) for n, of in columns.items() if typed_cells.is_mixed(of)}
    for theirs in mixed:
        if typed_cells.is_turned(columns[theirs]):
            raise typed_cells.turned(path.name, printable(theirs))
    typed = {n for n, of in columns.items() if n not in mixed and any(map(typed_cells.is_typed, of))}
    cells = {n: [typed_cells.with_sign(c, mixed.get(n, ".")) or "" for c in of] for n, of in columns.items()}
    return cells, frozenset(typed), frozenset(mixed)


def _told_sheets(first: str, alike: list[str], other: list[str], at: int) -> Iterator[str]:
    if alike:
        yield f"It is a spreadsheet; all sheets of the same columns are read: {_quoted([first, *alike])}."
    else:
        yield f"It is a spreadsheet; the first sheet is read ({printable(first)})."
    if other:
        yield f"NOT read, as the columns are others: {_quoted(other)}; `sheet` in params.yaml says which is read."
    if at:
        yield f"Above its head stand {at} row(s), which are no records."


def _quoted(names: list[str]) -> str:
    return ", ".join(map(printable, names))
