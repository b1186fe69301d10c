"""One way to write a record as bytes, so that the same record always has the same digest; one strict way to read it."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Sorted keys, no NaN or infinity, UTF-8 kept readable.

    >>> to_json({"b": 1, "a": [0.5]})
    '{"a":[0.5],"b":1}'
    """
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)


def from_json(text: str | bytes) -> Any:
    """Read JSON that means one thing to every reader: no key twice, no NaN, not too deep.

    >>> from_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the key 'a' stands twice

    Raises:
        ValueError: it is no such JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(to_json(value).encode()).hexdigest()


def rounded(value: float, digits: int = 6) -> float:
    """Round to significant digits, so that another processor's last bits do not show.

    >>> rounded(1234.56789, 6), rounded(0.0)
    (1234.57, 0.0)
    """
    if value == 0 or not math.isfinite(value):
        return float(value)
    out = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    return out + 0.0


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice")
    return made


def _finite(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")
