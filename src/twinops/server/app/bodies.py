"""Bodies as bytes: opened within bounds, and JSON that every parser behind us can take."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from math import isfinite
from typing import NoReturn

from twinops.server.refusals import RequestError

MAX_DEPTH = 64
MAX_PARTS = 1_000_000
"""Values of one JSON text: a million small ones take about a hundred MB as Python objects."""
_INT64 = 2**63
_PIECE = 64 * 1024
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def opened(body: bytes, encoding: str, *, at_most: int) -> bytes:
    """A compressed body, opened piece by piece and no further than the bound.

    Raises:
        RequestError: an encoding we do not open, two of them, a damaged body (415, 400), or too much in it (413).
    """
    if encoding not in _WINDOWS:
        raise RequestError(415, "a body is sent plain or compressed once, with gzip or deflate.")
    made = bytearray()
    try:
        for piece in _inflated(body, _WINDOWS[encoding]):
            made += piece
            if len(made) > at_most:
                raise RequestError(413, f"the body is larger than {at_most >> 20} MiB when it is opened.")
    except zlib.error:
        raise RequestError(400, f"the body is not what its encoding {encoding!r} says.") from None
    return bytes(made)


def _inflated(body: bytes, window: int) -> Iterator[bytes]:
    while body:
        member = zlib.decompressobj(window)
        while body and not member.eof:
            yield member.decompress(body, _PIECE)
            body = member.unconsumed_tail
        yield member.flush()
        if not member.eof:
            raise zlib.error("it ends too early")
        body = member.unused_data  # gzip: several may follow each other (RFC 1952, 2.2)


_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""What is opened; Brotli and Zstandard are read by no route that is open here."""


def against_json(body: bytes) -> None:
    """Refuse what some parser behind us stumbles over.

    Raises:
        RequestError: it is no JSON, too deep or too much; it holds half a character, NaN or more than 64 bits.
    """
    bare = _STRING.sub(b"", body)
    if sum(bare.count(sign) for sign in (b",", b"[", b"{")) > MAX_PARTS:
        raise RequestError(413, f"the JSON holds more than {MAX_PARTS} values.")
    if _depth(bare) > MAX_DEPTH:
        raise RequestError(400, f"the JSON is nested more than {MAX_DEPTH} deep.")
    try:
        held = json.loads(body.decode("utf-8"), parse_int=_int, parse_float=_float, parse_constant=_no_constant)
        if b"\\u" in body:
            _against_halves(json.dumps(held, ensure_ascii=False))
    except (ValueError, RecursionError) as problem:
        why = str(problem) if isinstance(problem, UnfitJsonError) else "it is not JSON in UTF-8"
        raise RequestError(400, f"the body is not understood: {why}.") from None


class UnfitJsonError(ValueError):
    """JSON, but not for us."""


def _depth(bare: bytes) -> int:
    deepest = depth = 0
    for sign in re.findall(rb"[\[\]{}]", bare):
        depth += 1 if sign in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _int(digits: str) -> int:
    if len(digits) > 20 or not -_INT64 <= int(digits) < _INT64:
        raise UnfitJsonError("a whole number has more than 64 bits")
    return int(digits)


def _float(written: str) -> float:
    number = float(written)
    return number if isfinite(number) else _no_constant("infinity")


def _no_constant(name: str) -> NoReturn:
    raise UnfitJsonError(f"{name} is no number")


def _against_halves(text: str) -> None:
    """Half a surrogate pair is no character, and databases end a text at a zero."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UnfitJsonError("a text holds half a surrogate pair") from None
    if "\\u0000" in text:
        raise UnfitJsonError("a text holds a zero character")
