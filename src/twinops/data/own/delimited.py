"""CSV (RFC 4180 and its cousins) cut into records, so that a torn one takes no neighbour with it."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, cast

from twinops.data.own import opening
from twinops.data.own.cells import MAX_CELL, Cells, Gathering, asked_columns
from twinops.data.own.declared import Declared
from twinops.data.sources._reading import Reason, Refused
from twinops.errors import DataError

MAX_RECORD = 131_072
"""Characters; also the limit of Python's csv module."""
MAX_LINES = 50
"""A quoted cell may run over so many lines; a longer one is taken for a forgotten quote."""
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


def read(source: Declared, file: BinaryIO) -> Cells:
    """The records of an open file.

    Raises:
        DataError: the encoding cannot be told, there is no usable header, or a mapped column is missing.
    """
    found = opening.digest(file)
    encoding = _encoding(source, file)
    lines = _Lines(file, encoding)
    head = next(lines, "")
    separator = _separator(source, head)
    header = _header(source, head, separator)
    wanted, dropped = asked_columns(source, header)
    gathering = Gathering(source, wanted)
    places = tuple(header.index(c) for c in wanted)
    _gather(gathering, lines, (separator, len(header)), places)
    table = gathering.cells()
    _refuse_foreign(source, gathering, encoding)
    return Cells(table, frozenset(), tuple(gathering.refused), dropped, found)


def _gather(gathering: Gathering, lines: _Lines, shape: tuple[str, int], places: tuple[int, ...]) -> None:
    for place, raw, record in _records(lines, *shape):
        try:
            cells = record if isinstance(record, list) else _refused(record)
            kept = [cells[i] for i in places]
            if max(map(len, kept)) > MAX_CELL:
                raise Refused(Reason.OVERSIZED)
            gathering.take(place, kept)
        except Refused as refusal:
            gathering.refuse(place, raw, refusal.reason.value)


def _refused(reason: Reason) -> list[str]:
    raise Refused(reason)


class _Lines:
    """Lines without their ends (CR, LF or both); one that is too long comes as its beginning, marked by its length."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
        self._text = io.TextIOWrapper(
            io.BufferedReader(cast("io.RawIOBase", _Unclosed(file))), encoding, errors=errors, newline=""
        )
        self._back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._back:
            return self._back.popleft()
        try:
            line = self._text.readline(MAX_RECORD + 2)
            whole = line.endswith(("\n", "\r")) or len(line) < MAX_RECORD + 2
            while not whole:
                rest = self._text.readline(MAX_RECORD)
                whole = rest.endswith(("\n", "\r")) or len(rest) < MAX_RECORD
        except UnicodeError:
            raise DataError("A file is not in the encoding it says.", hint="Save it as UTF-8.") from None
        if not line:
            raise StopIteration
        return line.rstrip("\r\n") if len(line) <= MAX_RECORD else line

    def give_back(self, lines: list[str]) -> None:
        """They will come again, next."""
        self._back.extendleft(reversed(lines))


class _Unclosed(io.RawIOBase):
    """Keeps a text reader from closing what it did not open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill the buffer from the file."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _records(lines: _Lines, separator: str, width: int) -> Iterator[tuple[int, str, list[str] | Reason]]:
    """Number, text, and cells or why there are none. Lines without anything are no records."""
    place = 0
    for line in lines:
        if not line.strip():
            continue
        place += 1
        reason = _by_text(line)
        if reason is not None:
            yield place, line, reason
        elif '"' not in line:
            cells = line.split(separator)
            yield place, line, cells if len(cells) == width else Reason.FIELD_COUNT
        else:
            raw = _whole(line, lines, separator, width)
            yield (place, line, Reason.TORN) if raw is None else (place, raw, _cells(raw, separator, width))


def _whole(line: str, lines: _Lines, separator: str, width: int) -> str | None:
    """The record that begins with this line; None: its quotes do not close before a whole record stands in between."""
    if line.count('"') % 2 == 0:
        return line
    parts, quotes = [line], line.count('"')
    for following in lines:
        parts.append(following)
        quotes += following.count('"')
        if quotes % 2 == 0:
            raw = "\n".join(parts)
            if len(raw) <= MAX_RECORD and isinstance(_cells(raw, separator, width), list):
                return raw
            break
        if len(parts) > MAX_LINES or _stands_alone(following, separator, width):
            break
    lines.give_back(parts[1:])
    return None


def _stands_alone(line: str, separator: str, width: int) -> bool:
    return line.count('"') % 2 == 0 and isinstance(_cells(line, separator, width), list)


def _cells(raw: str, separator: str, width: int) -> list[str] | Reason:
    reason = _by_text(raw)
    if reason is not None:
        return reason
    try:
        rows = list(csv.reader(io.StringIO(raw, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        return Reason.TORN
    if len(rows) != 1:
        return Reason.TORN
    return rows[0] if len(rows[0]) == width else Reason.FIELD_COUNT


def _by_text(line: str) -> Reason | None:
    """What tells before cutting: too long, a NUL, or bytes that the encoding does not have."""
    if len(line) > MAX_RECORD:
        return Reason.OVERSIZED
    if "\0" in line:
        return Reason.NUL
    return None if line.isascii() or not _has_surrogate(line) else Reason.NOT_UTF8


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _encoding(source: Declared, file: BinaryIO) -> str:
    """The declared one, or what a byte order mark says, or UTF-8."""
    head = file.read(_LOOK)
    file.seek(0)
    mark = next((e for m, e in _MARKS if head.startswith(m)), None)
    said = source.said.encoding
    if said != "detect":
        return mark if mark and mark[:5] == said[:5] else _PYTHON.get(said, said)
    if mark == "" or (mark is None and head.count(b"\0") * 4 > len(head)):
        raise DataError(
            f"{source.where} is UTF-32, or UTF-16 without its mark, or no text at all.",
            hint="Save it as UTF-8; or for UTF-16 set encoding: utf-16-le.",
        )
    return mark or "utf-8"


def _refuse_foreign(source: Declared, gathering: Gathering, encoding: str) -> None:
    """Nothing but ASCII was UTF-8, and much was not: another encoding, and which one nobody can tell for sure."""
    foreign = sum(r[1] == Reason.NOT_UTF8.value for r in gathering.refused)
    few = foreign < _FOREIGN or foreign * 100 < gathering.taken + foreign
    if source.said.encoding != "detect" or encoding != "utf-8" or few:
        return
    if gathering.ascii:
        raise DataError(
            f"{source.where} is not UTF-8: {foreign:,} records have other bytes.",
            hint="Say which encoding it is, for example encoding: windows-1252; or utf-8, to quarantine those records.",
        )


def _separator(source: Declared, head: str) -> str:
    """The declared one, or the one that stands most often in the header."""
    if source.said.separator != "detect":
        return source.said.separator
    bare = "".join(head.split('"')[::2])
    return max((",", ";", "\t", "|"), key=bare.count)


def _header(source: Declared, head: str, separator: str) -> list[str]:
    reason = _by_text(head)
    try:
        names = (
            [n.strip() for n in next(csv.reader([head], delimiter=separator, strict=True), [])] if not reason else []
        )
    except csv.Error:
        names = []
    if not names or len(set(names)) != len(names) or len(names) > MAX_COLUMNS:
        raise DataError(
            f"{source.where}: the first line is no header with each column once.",
            hint="Write the column names in line 1; set separator or encoding if they are not what was detected.",
        )
    return names
