"""What a quantity can be at all; an interval that symmetric arithmetic drew beyond it ends there."""

from __future__ import annotations

from math import inf
from typing import NamedTuple


class Bounds(NamedTuple):
    """The smallest and the largest value that a quantity can have."""

    least: float
    most: float

    def ends(self, low: float, high: float) -> tuple[float, float]:
        """An interval without what cannot be; it holds the truth as often as before, for the truth is never there.

        >>> SHARE.ends(0.609, 1.15), AMOUNT.ends(-0.31, 5.25), ANY_NUMBER.ends(-0.31, 5.25)
        ((0.609, 1.0), (0.0, 5.25), (-0.31, 5.25))
        """
        return min(max(low, self.least), self.most), max(min(high, self.most), self.least)

    def plus(self, other: Bounds) -> Bounds:
        """Of the sum of two quantities."""
        return Bounds(self.least + other.least, self.most + other.most)

    def times(self, factor: float) -> Bounds:
        """Of so many times the quantity; below zero the ends change places.

        >>> SHARE.plus(SHARE).times(0.5) == SHARE
        True
        """
        ends = [end * factor if factor else 0.0 for end in self]
        return Bounds(min(ends), max(ends))


SHARE = Bounds(0.0, 1.0)
"""Shares, chances, their squared errors, and areas under curves."""
AMOUNT = Bounds(0.0, inf)
"""Widths, errors, deviances, and ratios of two amounts."""
ANY_NUMBER = Bounds(-inf, inf)
"""Gains, differences, slopes, logarithms."""
AT_MOST_ONE = Bounds(-inf, 1.0)
"""What a prediction explains of a variance: less than nothing where it does harm."""
