"""Lines from strangers, CSV (RFC 4180) or JSON: cut into records so that a torn one takes no neighbour with it."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinops.data.sources._reading import Reason, Refused
from twinops.errors import DataError

MAX_FILE = 512 * 2**20
MAX_RECORD = 131_072
"""Also the limit of Python's csv module for one cell."""
MAX_LINES = 50
"""A quoted cell may run over so many lines; a longer one is taken for a forgotten quote."""

_FORMULA = re.compile(r"\s*(?:=|[+@-]\s*[A-Za-z_.]+\w*\s*[(|!]|@SUM\b)")


@dataclass(frozen=True)
class Record:
    """One record: its first line (from 1), its bytes, and its cells, or why it has none."""

    line: int
    raw: bytes
    cells: tuple[str, ...] = ()
    refused: Reason | None = None


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


def csv_records(found: list[bytes], *, begins: re.Pattern[bytes]) -> tuple[tuple[str, ...], Iterator[Record]]:
    """The header's names and the records below it. `begins` is how the first cell of a record looks.

    Raises:
        DataError: the header is no CSV, or names a column twice.
    """
    try:
        header = tuple(name.strip() for name in _cells(found[0] if found else b""))
    except Refused:
        header = ()
    if len(set(header)) != len(header) or len(header) < 2:
        raise DataError(
            "The first line is no CSV header with each column once.",
            hint="Write the column names, comma-separated, in line 1.",
        )
    return header, _csv_records(found, len(header), begins)


def csv_below(found: list[bytes], *, begins: re.Pattern[bytes]) -> Iterator[Record]:
    """The records below a header that need not be well; each has one cell at least."""
    try:
        width = len(_cells(found[0]))
    except Refused:
        width = 0
    return _csv_records(found, width, begins)


def _csv_records(found: list[bytes], width: int, begins: re.Pattern[bytes]) -> Iterator[Record]:
    at = 1
    while at < len(found):
        if not found[at].strip():
            at += 1
            continue
        end = _record_end(found, at, begins)
        raw = b"\n".join(found[at : end or at + 1])
        yield _record(at + 1, raw, width) if end else Record(at + 1, raw, refused=_reason(raw, Reason.TORN))
        at = end or at + 1


def _record_end(found: list[bytes], at: int, begins: re.Pattern[bytes]) -> int | None:
    """The line behind the record that begins here; None: its quotes never close before another record begins."""
    quotes, size, end = found[at].count(b'"'), len(found[at]), at + 1
    while quotes % 2:
        if end >= len(found) or end - at >= MAX_LINES or size > MAX_RECORD or begins.match(found[end]):
            return None
        quotes, size, end = quotes + found[end].count(b'"'), size + len(found[end]), end + 1
    return end


def _record(line: int, raw: bytes, width: int) -> Record:
    try:
        cells = _cells(raw)
    except Refused as refusal:
        return Record(line, raw, refused=refusal.reason)
    return Record(line, raw, tuple(cells), None if len(cells) == width else Reason.FIELD_COUNT)


def _cells(raw: bytes) -> list[str]:
    """Cells of one record.

    Raises:
        Refused: too large, a NUL, no UTF-8, or quotes that do not close.
    """
    reason = _reason(raw, None)
    if reason:
        raise Refused(reason)
    try:
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))
    except csv.Error:
        raise Refused(Reason.TORN) from None
    if len(rows) != 1:
        raise Refused(Reason.TORN)
    return rows[0]


def _reason(raw: bytes, otherwise: Reason | None) -> Reason | None:
    """What the bytes alone tell."""
    if len(raw) > MAX_RECORD:
        return Reason.OVERSIZED
    if b"\0" in raw:
        return Reason.NUL
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return Reason.NOT_UTF8
    return otherwise


def is_formula(cell: str) -> bool:
    """A spreadsheet would run it (CWE-1236). A minus before a number or a word is text.

    >>> is_formula("=HYPERLINK(A1)"), is_formula("@SUM(A1)"), is_formula("- twenty percent"), is_formula("-20% off")
    (True, True, False, False)
    """
    return bool(_FORMULA.match(cell))
