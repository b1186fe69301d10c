"""JSON from strangers: strict, bounded in size and depth, and split so that one broken item does not spoil the rest."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from twinops.data.reading.reading import Fault, Refused

MAX_BYTES = 1_000_000
"""One item; a social post or a customer's letter has a few thousand."""
MAX_DEPTH = 32
ACTIVITY = re.compile(r',\s*(?=\{[^{}\[\]]{0,400}"type"\s*:\s*"(?:Create|Announce)")')
LINK = re.compile(r',\s*(?="https?:)')
"""Where the next item of an outbox begins, and of a list of links."""

_BRACKETS = re.compile(rb'["\\{}\[\]]')
_SPACE = re.compile(r"[ \t\r\n]*")
_ESCAPED = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_SHAPE = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


def parse(raw: bytes) -> dict[str, Any]:
    """One JSON object (RFC 8259), without repeated names, NaN, infinities, NUL or lone surrogates.

    >>> parse(b'{"a": 1}')
    {'a': 1}

    Raises:
        Refused: it is anything else; the reason says what.
    """
    value = _loaded(raw)
    if not isinstance(value, dict):
        raise Refused(Fault.NOT_AN_OBJECT)
    return value


def parse_text(raw: bytes) -> str:
    """One JSON string, under the same rules."""
    value = _loaded(raw)
    if not isinstance(value, str):
        raise Refused(Fault.UNKNOWN_VALUE)
    return value


def parse_all(raw: bytes, *, most: int) -> Any:
    """Any JSON value under the same rules, of so many bytes."""
    return _loaded(raw, most)


def items(data: bytes, begins: re.Pattern[str]) -> Iterator[tuple[int, bytes, bool]]:
    """The items of the `orderedItems` array: offset, bytes, and whether the item is whole.

    `begins` matches a comma and the start of an item behind it (`ACTIVITY`, `LINK`), and nothing inside of one. No item
    is read beyond the next such place, so what is torn swallows no neighbour, and the file is read once or twice, never
    more.

    Raises:
        Refused: there is no such array.
    """
    text = data.decode("latin-1")  # one character a byte: offsets stay true whatever the bytes mean
    found = re.search(r'"orderedItems"\s*:\s*\[', text)
    if not found:
        raise Refused(Fault.NOT_JSON)
    at = _after_space(text, found.end())
    while at < len(text) and text[at] != "]":
        following = begins.search(text, at)
        limit = following.start() if following else len(text)
        end = _whole_until(text, at, limit)
        if (end or limit) > at:
            yield at, data[at : end or limit].rstrip(), end is not None
        at = _after_space(text, end or limit)
        if at < len(text) and text[at] == ",":
            at = _after_space(text, at + 1)


def _whole_until(text: str, at: int, limit: int) -> int | None:
    """Where the value that starts at `at` ends, if it does before `limit` and a comma or the array's end follows."""
    try:
        _, size = _SHAPE.raw_decode(text[at:limit])
    except (json.JSONDecodeError, RecursionError):
        return None
    place = _after_space(text, at + size)
    return at + size if text[place : place + 1] in ("", ",", "]") else None


def torn(raw: bytes) -> Refused:
    """Why an item that is not whole is refused: it is nested too deep to be read, or torn."""
    try:
        _check_depth(raw)
    except Refused as refusal:
        return refusal
    return Refused(Fault.TORN)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _loaded(raw: bytes, most: int = MAX_BYTES) -> Any:
    # cheapest first: size, then a byte, then the depth, and only then Python's own parser
    if len(raw) > most:
        raise Refused(Fault.OVERSIZED)
    if b"\0" in raw:
        raise Refused(Fault.NUL)
    _check_depth(raw)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unrepeated,
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_whole,
        )
    except UnicodeDecodeError:
        raise Refused(Fault.NOT_UTF8) from None
    except ValueError:
        raise Refused(Fault.NOT_JSON) from None
    # only an escape can smuggle in what UTF-8 cannot say
    if _ESCAPED.search(raw):
        _check_characters(value)
    return value


def _check_depth(raw: bytes) -> None:
    """Count open brackets outside strings; Python's own parser would run out of stack."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return
    depth, quoted, skip = 0, False, -1
    for token in _BRACKETS.finditer(raw):
        at, char = token.start(), token.group()
        if at == skip:
            continue
        if char == b"\\":
            skip = at + 1
        elif char == b'"':
            quoted = not quoted
        elif not quoted:
            depth += 1 if char in b"{[" else -1
            if depth > MAX_DEPTH:
                raise Refused(Fault.TOO_DEEP)


def _check_characters(value: Any) -> None:
    """Escapes can smuggle in what UTF-8 cannot say."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend((*one.keys(), *one.values()))
        elif isinstance(one, list):
            left.extend(one)
        elif isinstance(one, str):
            if "\0" in one:
                raise Refused(Fault.NUL)
            if re.search("[\ud800-\udfff]", one):
                raise Refused(Fault.SURROGATE)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise Refused(Fault.DUPLICATE_KEY)
    return names


def _not_finite(_: str) -> NoReturn:
    raise Refused(Fault.NOT_FINITE)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Refused(Fault.NOT_FINITE)
    return number


def _whole(digits: str) -> int:
    # longer numbers take quadratic time to read, and fit no column
    if len(digits) > 19:
        raise Refused(Fault.OUT_OF_RANGE)
    return int(digits)
