"""JSON values read as if an enemy had written them: exact fields, finite numbers, stated lengths."""

from __future__ import annotations

import math
from typing import Any

LARGEST = 1e9


def record(raw: Any, keys: set[str]) -> dict[str, Any]:
    """A record with exactly these fields.

    Raises:
        ValueError: it is something else; so do all functions here.
    """
    if not isinstance(raw, dict) or set(raw) != keys:
        raise ValueError(f"a record does not have exactly the fields {', '.join(sorted(keys))}")
    return raw


def entries(raw: Any, *, at_most: int) -> list[Any]:
    """A list of 1 to `at_most` entries."""
    if not isinstance(raw, list) or not 1 <= len(raw) <= at_most:
        raise ValueError(f"a list does not have 1 to {at_most} entries")
    return raw


def numbers(raw: Any, length: int) -> tuple[float, ...]:
    """Exactly so many finite numbers.

    >>> numbers([1, 2.5], 2)
    (1.0, 2.5)
    """
    if len(entries(raw, at_most=length)) != length:
        raise ValueError(f"a list does not have {length} entries")
    return tuple(number(v) for v in raw)


def number(raw: Any) -> float:
    """A finite number, at most a thousand million in size."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > LARGEST or not math.isfinite(raw):
        raise ValueError("a number is something else, not finite or out of range")
    return float(raw)


def whole(raw: Any) -> int:
    """A whole number from 0 to a thousand million."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= LARGEST:
        raise ValueError("a whole number is something else or out of range")
    return raw
