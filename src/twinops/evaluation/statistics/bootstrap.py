"""Intervals by drawing households, not rows, with replacement: a household's months are not independent.

Field and Welsh, Bootstrapping clustered data, JRSS B 69 (2007). The same draws serve every model and every as-of
day, so differences between models are paired. What was measured on several days carries how days differ as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.entities.wording import MANY
from twinops.errors import DataError
from twinops.evaluation.statistics.between import ends_of_mean
from twinops.evaluation.statistics.bounds import ANY_NUMBER, Bounds
from twinops.evaluation.statistics.estimate import Estimate

LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
KNOWN_SHARE = 0.9


@dataclass(frozen=True)
class Resampled:
    """One quantity: first as it is, then once per draw; the mean of `days`, each as that, where it is over days.

    `within` is what it can be: draws never leave it, what is made of several days may.
    """

    draws: np.ndarray
    days: np.ndarray | None = None
    within: Bounds = ANY_NUMBER

    @property
    def value(self) -> float:
        """The quantity on the households as they are."""
        return float(self.draws[0])

    @property
    def known(self) -> bool:
        """Whether the quantity itself and at least nine in ten of its draws could be computed."""
        return bool(np.isfinite(self.value) and np.isfinite(self.draws[1:]).mean() >= KNOWN_SHARE)

    def interval(self, what: str) -> tuple[float, float]:
        """The middle 95 % of the draws; over two days or more, with how days differ (`between.ends_of_mean`),
        without what lies outside of what the quantity can be.

        Raises:
            DataError: the quantity, or most of its draws, could not be computed.
        """
        if not self.known:
            raise DataError(
                f"{what} cannot be measured: in too many draws of consumers everybody did the same.",
                hint="Collect more consumers, or choose other evaluate.cutoffs.",
            )
        if self.days is not None and len(self.days) > 1:
            return self.within.ends(*ends_of_mean(self.days))
        low, high = np.nanquantile(self.draws[1:], TAILS)
        return float(low), float(high)

    def estimate(self, what: str) -> Estimate:
        """The quantity and its interval, which always holds it.

        Raises:
            DataError: the quantity, or most of its draws, could not be computed.
        """
        return Estimate.around(self.value, *self.interval(what))

    def __sub__(self, other: Resampled) -> Resampled:
        return self._with(other, np.subtract, ANY_NUMBER)

    def __add__(self, other: Resampled) -> Resampled:
        return self._with(other, np.add, self.within.plus(other.within))

    def times(self, factor: float) -> Resampled:
        """So many times the quantity."""
        days = None if self.days is None else factor * self.days
        return Resampled(factor * self.draws, days, self.within.times(factor))

    @property
    def how(self) -> str:
        """How its interval comes about."""
        drawn = f"{len(self.draws) - 1} bootstrap draws of whole {MANY}"
        if self.days is None or len(self.days) == 1:
            return f"percentile interval of {drawn}"
        return f"interval of how {len(self.days)} as-of days differ (Student) and of {drawn}"

    def _with(self, other: Resampled, joined: np.ufunc, within: Bounds) -> Resampled:
        days = None if self.days is None or other.days is None else joined(self.days, other.days)
        return Resampled(joined(self.draws, other.draws), days, within)


_AT_ONCE = 50_000
"""So many households are drawn in one step, of however many draws; a step costs as much as drawing some hundreds."""


def counts(households: int, *, draws: int, seed: int) -> np.ndarray:
    """How often each household is drawn: (1 + draws) x households; the first row counts everyone once.

    >>> counts(3, draws=2, seed=0).sum(axis=1).tolist()
    [3, 3, 3]
    """
    rng = np.random.default_rng(seed)
    # whole numbers: sums of them are exact in any order
    out = np.ones((1 + draws, households), dtype=np.int32)
    at_once = max(1, _AT_ONCE // max(1, households))
    for begin in range(1, 1 + draws, at_once):
        some = out[begin : begin + at_once]
        drawn = rng.integers(households, size=some.shape) + households * np.arange(len(some))[:, None]
        some[:] = np.bincount(drawn.ravel(), minlength=some.size).reshape(some.shape)
    return out


def percentiles(drawn: np.ndarray) -> Estimate:
    """The first as it is, and the middle 95 % of the rest; for quantities that every draw has.

    >>> percentiles(np.array([0.5, *np.linspace(0, 1, 41)])).listed()
    [0.5, 0.025, 0.975]
    """
    low, high = np.quantile(drawn[1:], TAILS)
    return Estimate(float(drawn[0]), float(low), float(high))


def mean_of(quantities: list[np.ndarray], *, within: Bounds) -> Resampled:
    """The plain mean over as-of days, draw by draw; a day that is not a number in a draw makes the draw so.

    `within`: what the quantity can be.
    """
    days = np.asarray(quantities)
    return Resampled(days.mean(axis=0), days, within)
