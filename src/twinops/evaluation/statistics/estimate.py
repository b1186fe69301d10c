"""A value with the ends of its interval, before it has a name, a source and a method."""

from __future__ import annotations

from typing import Any, NamedTuple

from twinops.entities.canonical import rounded
from twinops.entities.measure import Measure


class Estimate(NamedTuple):
    """A value and its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def around(cls, value: float, low: float, high: float) -> Estimate:
        """The ends of the middle of some draws, moved out to the value where it lies beyond them.

        >>> Estimate.around(0.5, 0.6, 0.9)
        Estimate(value=0.5, low=0.5, high=0.9)
        """
        return cls(value, min(low, value), max(high, value))

    @classmethod
    def of(cls, measure: Measure) -> Estimate:
        """What a measure says; one that was counted in full has no doubt."""
        value, low, high = measure.value, measure.low, measure.high
        return cls(value, value if low is None else low, value if high is None else high)

    def measure(self, name: str, n: int, source: str, method: str, **about: Any) -> Measure:
        """The same under a name, with what it rests on; `about` are further fields of a `Measure`."""
        return Measure(name, self.value, n, source, method, self.low, self.high, **about)

    def listed(self) -> list[float]:
        """As facts hold it: value, low, high."""
        return [rounded(v) for v in self]
