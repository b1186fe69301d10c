"""Counts for people to see: those of fewer than ten are hidden, and none can be had by subtraction."""

from __future__ import annotations

from collections.abc import Mapping

SMALLEST_CELL = 10
"""Fewer than this are not counted in the open."""
HIDDEN = "not told"
"""What stands for a count that `hidden` hides: it is small, or would give a small one away by subtraction."""


def shown(count: int) -> int | None:
    """One count, null where it is small; nobody at all is no secret.

    >>> shown(0), shown(9), shown(10)
    (0, None, 10)
    """
    return count if count == 0 or count >= SMALLEST_CELL else None


def hidden(counts: Mapping[str, int]) -> dict[str, int | None]:
    """The same counts, null where small; if one alone would be, the next smallest goes with it.

    >>> hidden({"a": 100, "b": 3, "c": 40}), hidden({"a": 100, "b": 3, "c": 4})
    ({'a': 100, 'b': None, 'c': None}, {'a': 100, 'b': None, 'c': None})
    """
    small = {name for name, n in counts.items() if n < SMALLEST_CELL}
    if len(small) == 1 and len(counts) > 1:
        small.add(min(counts.keys() - small, key=lambda name: (counts[name], name)))
    return {name: None if name in small else n for name, n in counts.items()}
