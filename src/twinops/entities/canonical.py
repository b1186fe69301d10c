"""One way to write a record as bytes, so that the same record always has the same digest."""

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
