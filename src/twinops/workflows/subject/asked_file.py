"""Read a file of requests, CSV or JSON, that people made: bounded, and every mistake in its shape told at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twinops.errors import DataError, ParamsError

MOST_BYTES, MOST_ROWS = 32 * 2**20, 100_000


def rows_of(path: Path, columns: Sequence[str], *, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells of every request; a column that is not there is empty.

    Raises:
        ParamsError: no such file.
        DataError: it is too large, neither CSV nor JSON, or has other columns.
    """
    return _checked(_json(text) if _looks_like_json(text := _text(path)) else _csv(text), columns, needed)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        raise ParamsError(f"There is no file {path.name} that can be read.", hint="Name a CSV or JSON file.") from None
    if len(content) > MOST_BYTES:
        raise DataError(f"{path.name} is larger than {MOST_BYTES:,} bytes.", hint="Take it in parts.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is no UTF-8 text.", hint="Save it as UTF-8.") from None


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("[", "{")


def _json(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError("The file begins like JSON and is none.", hint="Write a list of objects.") from None
    listed = raw if isinstance(raw, list) else raw.get("requests") if isinstance(raw, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise DataError("The file holds no list of requests.", hint="Write a list of objects.")
    return enumerate(listed, start=1)


def _csv(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        names = [n.strip() for n in next(reader, [])]
        for cells in reader:
            if any(c.strip() for c in cells):
                if len(cells) > len(names):
                    raise DataError(f"Line {reader.line_num} has more cells than the head has columns.")
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error:
        raise DataError(f"Line {reader.line_num} is no line of CSV.", hint="A quote may be open.") from None


def _checked(
    rows: Iterator[tuple[int, dict[str, Any]]], columns: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    for number, (line, row) in enumerate(rows):
        if number >= MOST_ROWS:
            raise DataError(f"The file holds more than {MOST_ROWS:,} requests.", hint="Take it in parts.")
        strange = sorted({str(name) for name in row} - {*columns})
        lacking = [name for name in needed if name not in row]
        if strange or lacking:
            what = f"has columns nobody knows: {', '.join(strange)!r:.80}" if strange else f"lacks {', '.join(lacking)}"
            raise DataError(f"Line {line} {what}.", hint=f"Columns are {', '.join(columns)}.")
        if any(isinstance(value, dict | list) for value in row.values()):
            raise DataError(f"Line {line} holds something else than texts.", hint="One text a cell.")
        yield line, {name: "" if row.get(name) is None else str(row[name]) for name in columns}
