"""Lines from strangers cut into CSV records (RFC 4180 and its cousins), so that a torn one takes no neighbour with it.

A quoted cell may run over several lines, and a forgotten quote would swallow the rest of the file. So a record is
joined only so far: at most `MAX_LINES` lines, at most `MAX_RECORD` bytes, and never across a line where another one
begins. If its quotes have not closed by then, its first line alone is torn, and the lines behind it are read again.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from twinops.data.reading.reading import Fault
from twinops.errors import DataError

MAX_FILE = 512 * 2**20
MAX_RECORD = 131_072
"""Bytes as UTF-8; also the limit of Python's csv module for one cell."""
MAX_LINES = 50
"""A quoted cell may run over so many lines; a longer one is taken for a forgotten quote."""

_BLANK = " \t\r\n\v\f"
_FORMULA = re.compile(r"\s*(?:=|[+@-]\s*[A-Za-z_.]+\w*\s*[(|!]|@SUM\b)")
_ESCAPED = re.compile("[\udc80-\udcff]")
"""How a byte that is no text in its encoding looks, decoded with `surrogateescape`."""


class CsvRecord(NamedTuple):
    """One record: the line it begins in (from 1, the header's), its text, and its cells, or why it has none.

    Bytes that are no text stand in `raw` as `surrogateescape` has them, so that they can be had back.
    """

    line: int
    raw: str
    cells: list[str]
    refused: Fault | None


@dataclass(frozen=True)
class Shape:
    """How the records of a file look: how many cells, what separates them, and how their first cell looks.

    Where nobody knows the last (`begins` is None), any line that is a whole record by itself is one, and lines that
    together are no whole record were none. `least`: so many cells will do, as the columns behind them have no name;
    empty cells beyond the width do no harm then, and only the cells at `read` must be text.
    """

    width: int
    separator: str = ","
    begins: re.Pattern[str] | None = None
    least: int | None = None
    read: tuple[int, ...] = ()

    def whole(self, text: str) -> bool:
        """It is one record with all its cells."""
        cells = self.cut(text)
        return not isinstance(cells, Fault) and self.fits(cells)

    def fits(self, cells: list[str]) -> bool:
        """It has as many cells as it should."""
        if self.least is None:
            return len(cells) == self.width
        return len(cells) >= self.least and not any(c.strip() for c in cells[self.width :])

    def cut(self, raw: str) -> list[str] | Fault:
        """The record's cells, or why it has none."""
        cells = cells_of(raw, self.separator, text=self.least is None)
        if isinstance(cells, Fault) or self.least is None:
            return cells
        # what is not read cannot be wrong
        unfit = (_foreign(cells[i]) for i in self.read if i < len(cells))
        return next((fault for fault in unfit if fault), cells)

    def begins_another(self, line: str) -> bool:
        """A record begins in this line, whatever quotes are open before it."""
        if self.begins is not None:
            return bool(self.begins.match(line))
        return line.count('"') % 2 == 0 and self.whole(line)


def lines(path: Path) -> list[bytes]:
    """The file's lines without their ends, without a UTF-8 byte order mark.

    Raises:
        DataError: there is no such file, or it is larger than `MAX_FILE`.
    """
    try:
        size = path.stat().st_size
    except OSError:
        raise DataError(f"There is no readable file {path.name}.", hint="Check the folder in params.yaml.") from None
    if size > MAX_FILE:
        raise DataError(
            f"{path.name} has {size:,} bytes; at most {MAX_FILE:,} are read.", hint="Split it into monthly files."
        )
    data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{path.name} is UTF-16; UTF-8 is read.", hint="Save it as UTF-8.")
    return [line.removesuffix(b"\r") for line in data.split(b"\n")]


def in_text(found: Iterable[bytes]) -> Iterator[str]:
    """Lines as text, whatever bytes they hold; the inverse of `in_bytes`."""
    return (line.decode("utf-8", "surrogateescape") for line in found)


def in_bytes(text: str) -> bytes:
    """The bytes a record came as."""
    return text.encode("utf-8", "surrogateescape")


def names(head: str, separator: str = ",") -> list[str]:
    """The column names of a header; none where it is no CSV or names a column twice."""
    cells = cells_of(head, separator)
    found = [] if isinstance(cells, Fault) else [name.strip() for name in cells]
    return found if len(set(found)) == len(found) else []


def csv_records(found: list[bytes], *, begins: re.Pattern[str]) -> tuple[list[str], Iterator[CsvRecord]]:
    """The header's names and the records below it. `begins` is how the first cell of a record looks.

    Raises:
        DataError: the header is no CSV, has one column, or names one twice.
    """
    header = names(next(in_text(found)))
    if len(header) < 2:
        raise DataError(
            "The first line is no CSV header with each column once.",
            hint="Write the column names, comma-separated, in line 1.",
        )
    return header, records(in_text(found[1:]), Shape(len(header), begins=begins))


def records(below: Iterable[str], shape: Shape, *, before: int = 1) -> Iterator[CsvRecord]:
    """The records in the lines below a header of `before` lines. Lines without anything are no records."""
    ahead = Lookahead(below, before)
    for line in ahead:
        record = record_at(line, ahead, shape)
        if record is not None:
            yield record


def record_at(line: str, ahead: Lookahead, shape: Shape) -> CsvRecord | None:
    """The record that begins in a line just taken; None: there is nothing in it."""
    if not line.strip(_BLANK):
        return None
    number = ahead.line
    raw = _joined(line, ahead, shape) if line.count('"') % 2 else line
    if raw is None:
        why = _oversized(line) or (shape.least is None and _foreign(line)) or Fault.TORN
        return CsvRecord(number, line, [], why)
    cells = shape.cut(raw)
    if isinstance(cells, Fault):
        return CsvRecord(number, raw, [], cells)
    return CsvRecord(number, raw, cells, None if shape.fits(cells) else Fault.FIELD_COUNT)


class Lookahead:
    """Lines of which some can be given back; `line` is the number of the last."""

    def __init__(self, below: Iterable[str], before: int) -> None:
        self._below, self._back, self.line = iter(below), deque[str](), before

    def __iter__(self) -> Lookahead:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._below)
        self.line += 1
        return line

    @property
    def between(self) -> bool:
        """Nothing was given back."""
        return not self._back

    def skipped(self, lines: int) -> None:
        """So many were taken by somebody else."""
        self.line += lines

    def give_back(self, taken: list[str]) -> None:
        """They will come again, next."""
        self._back.extendleft(reversed(taken))
        self.line -= len(taken)


def _joined(first: str, ahead: Lookahead, shape: Shape) -> str | None:
    """The record that begins with this line of open quotes; None: it is torn, and only this line was taken."""
    if shape.begins is None and (_oversized(first) or (shape.least is None and _foreign(first))):
        return first
    parts, open_, size = [first], True, len(in_bytes(first))
    while open_ and len(parts) < MAX_LINES and size <= MAX_RECORD:
        following = next(ahead, None)
        if following is None:
            break
        if shape.begins_another(following):
            ahead.give_back([following])
            break
        parts.append(following)
        open_, size = open_ != bool(following.count('"') % 2), size + len(in_bytes(following))
    raw = "\n".join(parts)
    if open_ or (shape.begins is None and not shape.whole(raw)):
        ahead.give_back(parts[1:])
        return None
    return raw


def cells_of(raw: str, separator: str, *, text: bool = True) -> list[str] | Fault:
    """Cells of one record, or why it has none: too large, a NUL, bytes that are no text, or quotes that do not close.

    A blank as separator is any run of them. Without `text`, bytes that are none are left to who reads the cells.

    >>> cells_of('7,"a ""b"", c"', ","), cells_of('7,"a', ",")
    (['7', 'a "b", c'], <Fault.TORN: 'torn_record'>)
    """
    unfit = _unfit(raw) if text else _oversized(raw)
    if unfit or not raw:
        return unfit or Fault.TORN
    blanks = separator == " "
    if blanks:
        raw = raw.replace("\t", " ").strip(" ")
    if '"' not in raw and "\r" not in raw:
        return [c for c in raw.split(" ") if c] if blanks else raw.split(separator)
    try:
        found = csv.reader(io.StringIO(raw, newline=""), delimiter=separator, strict=True, skipinitialspace=blanks)
        rows = list(found)
    except csv.Error:
        return Fault.TORN
    return rows[0] if len(rows) == 1 else Fault.TORN


def _unfit(text: str) -> Fault | None:
    """What tells before cutting."""
    return _oversized(text) or _foreign(text)


def _oversized(text: str) -> Fault | None:
    """A character has four bytes at most."""
    return Fault.OVERSIZED if 4 * len(text) > MAX_RECORD and len(in_bytes(text)) > MAX_RECORD else None


def _foreign(text: str) -> Fault | None:
    """A NUL, or bytes that are no text."""
    if "\0" in text:
        return Fault.NUL
    return Fault.NOT_UTF8 if not text.isascii() and _ESCAPED.search(text) else None


def is_formula(cell: str) -> bool:
    """A spreadsheet would run it (CWE-1236). A minus before a number or a word is text.

    >>> is_formula("=HYPERLINK(A1)"), is_formula("@SUM(A1)"), is_formula("- twenty percent"), is_formula("-20% off")
    (True, True, False, False)
    """
    return bool(_FORMULA.match(cell))
