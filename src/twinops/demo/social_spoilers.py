"""Ways in which synthetic activities and comments are broken: each must be refused, none may crash a reader."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence


def csv_line(cells: Sequence[str]) -> bytes:
    """One CSV record (RFC 4180) in UTF-8."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()


def _with(place: int, value: str) -> Callable[[list[str]], bytes]:
    return lambda cells: csv_line([*cells[:place], value, *cells[place + 1 :]])


COMMENT_SPOILERS: tuple[Callable[[list[str]], bytes], ...] = (
    _with(7, '=HYPERLINK("https://evil.example","free")'),
    _with(3, "2027-05-05T10:00:00Z"),
    _with(3, "yesterday"),
    _with(1, "no account"),
    _with(7, ""),
    _with(7, "bad\0cell"),
    _with(7, "x" * 200_000),
    lambda cells: csv_line([*cells[:7], "Größe café naïve", *cells[8:]]).decode().encode("latin-1"),
    lambda cells: csv_line(cells[:6]),
    lambda cells: (",".join(cells[:7]) + ',"never closed\r\n').encode(),
)


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new, 1)


SPOILERS: tuple[Callable[[bytes], bytes], ...] = (
    _replaced(b'"published":"20', b'"published":"22'),
    _replaced(b'"published":', b'"when":'),
    _replaced(b'"type":"Create"', b'"type":"Create","type":"Delete"'),
    _replaced(b'"sensitive":false', b'"sensitive":NaN'),
    _replaced(b'"summary":null', b'"weight":1e999'),
    _replaced(b'"content":"', b'"content":"\\ud83d broken '),
    _replaced(b'"content":"', b'"content":"\\u0000'),
    _replaced(b'"content":"', b'"content":"\xc3\x28'),
    _replaced(b'"attachment":[]', b'"attachment":' + b"[" * 60 + b"]" * 60),
    _replaced(b'"content":"<p>', b'"content":"=cmd|calc'),
    _replaced(b'"content":"', b'"content":"' + b"y" * 1_100_000),
    _replaced(b'"actor":"', b'"actor":"https://other.example/'),
)
"""Ways in which an activity is broken."""
