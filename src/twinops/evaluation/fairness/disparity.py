"""Compare how often a decision reaches a group with how often it reaches the rest, with the doubt that belongs to it.

The ratio that is judged is the lower of the two selection rates over the higher, group or rest: a group that is reached
half as often as the rest, and one that is reached twice as often, are the same unevenness told from two sides.

Bounds of a ratio come from the score test (Miettinen and Nurminen 1985, doi:10.1002/sim.4780040211), which keeps its
level with few households and with nobody selected, and needs no drawing.
"""

from dataclasses import dataclass
from math import ceil, inf, log
from typing import NamedTuple

import numpy as np
from scipy import special

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.statistics.estimate import Estimate

POWER = 0.8
KEPT = 0.85
"""Part of the declared level at which *passed* is tested. The score bound exceeds its own level by up to a 25th, being
skew; and what is to be shown to stay below a level lies a little below it (docs/gates.md)."""
_ENDS = 18.0
"""Ratios are looked for between exp(-18) and exp(18)."""


def evenness(ratio: Estimate) -> Estimate:
    """A ratio of two rates, as the lower over the higher; its interval reaches 1 where the ratio's crosses it.

    >>> evenness(Estimate(2.0, 1.25, 4.0))
    Estimate(value=0.5, low=0.25, high=0.8)
    """
    turned = Estimate(*(1 / end if end else float("inf") for end in (ratio.value, ratio.high, ratio.low)))
    high = 1.0 if ratio.low <= 1 <= ratio.high else min(ratio.high, turned.high)
    return Estimate(min(ratio.value, turned.value), min(ratio.low, turned.low), high)


@dataclass(frozen=True)
class GroupMatrix:
    """Who is in which group and in whose rest: two boolean matrices, households by groups.

    A household may be in neither: then the two are not compared on it.
    """

    inside: np.ndarray
    rest: np.ndarray

    def among(self, who: np.ndarray) -> "GroupMatrix":
        """The same groups, of these households only."""
        return GroupMatrix(self.inside & who[:, None], self.rest & who[:, None])


class Reach(NamedTuple):
    """Selected and all households of groups and of their rests; arrays of numbers, one place per group."""

    selected: np.ndarray
    n: np.ndarray
    selected_rest: np.ndarray
    n_rest: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """Selection rate of the group over that of its rest; NaN when nobody at all was selected."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.selected / self.n) / (self.selected_rest / self.n_rest))

    @property
    def overall(self) -> np.ndarray:
        """Selection rate of both together."""
        return np.asarray((self.selected + self.selected_rest) / (self.n + self.n_rest))

    @property
    def turned(self) -> "Reach":
        """The rest beside the group."""
        return Reach(self.selected_rest, self.n_rest, self.selected, self.n)


def reach(cells: GroupMatrix, selected: np.ndarray) -> Reach:
    """The counts of a decision; `selected` has one boolean per household."""
    n, n_rest = (side.sum(axis=0) for side in (cells.inside, cells.rest))
    of, of_rest = (side[selected].sum(axis=0) for side in (cells.inside, cells.rest))
    return Reach(*(np.asarray(x, dtype=float) for x in (of, n, of_rest, n_rest)))


class Bounds(NamedTuple):
    """The ends of the ratios of groups to their rests, each end at one level."""

    low: np.ndarray
    high: np.ndarray


def bounds(counts: Reach, *, alpha: float) -> Bounds:
    """Where the score test stops to exclude a ratio: each end is exceeded with a chance of about `alpha`."""
    critical = float(-special.ndtri(alpha))
    low, high = (np.exp(_crossing(counts, end)) for end in (critical, -critical))
    low, high = np.where(counts.selected == 0, 0.0, low), np.where(counts.selected_rest == 0, np.inf, high)
    ratio = counts.ratio
    # an end never lies on the wrong side of the ratio itself
    return Bounds(np.fmin(low, ratio), np.fmax(high, ratio))


def _crossing(counts: Reach, height: float) -> np.ndarray:
    """The logarithm of the ratio at which the falling score passes a height, by halving."""
    low, high = (np.full(counts.n.shape, end) for end in (-_ENDS, _ENDS))
    for _ in range(45):
        middle = (low + high) / 2
        above = score(counts, np.exp(middle)) > height
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low + high) / 2)


def score(counts: Reach, ratio: np.ndarray | float) -> np.ndarray:
    """How many standard errors the group's rate lies above `ratio` times that of its rest."""
    distance = counts.selected / counts.n - ratio * counts.selected_rest / counts.n_rest
    spread = _spread(counts, ratio)
    return np.asarray(np.divide(distance, spread, out=np.zeros_like(distance), where=spread > 0))


def _spread(counts: Reach, ratio: np.ndarray | float) -> np.ndarray:
    """Standard error of that distance if `ratio` were the true one: rates most likely under it, in closed form."""
    x, n, x_rest, n_rest = counts
    total = n + n_rest
    a, b, c = total * ratio, -(n * ratio + x + n_rest + x_rest * ratio), x + x_rest
    rest = np.clip((-b - np.sqrt(np.maximum(b * b - 4 * a * c, 0))) / (2 * a), 0, 1)
    group = np.clip(ratio * rest, 0, 1)
    variance = group * (1 - group) / n + np.square(ratio) * rest * (1 - rest) / n_rest
    return np.asarray(np.sqrt(variance * total / (total - 1)))


def expected(counts: Reach, rate: np.ndarray) -> Reach:
    """The same groups, reached exactly evenly."""
    return Reach(rate * counts.n, counts.n, rate * counts.n_rest, counts.n_rest)


def chance_to_show(counts: Reach, *, alpha: float, limit: float) -> np.ndarray:
    """The chance that groups with these rates are shown above the limit from both sides (normal approximation)."""
    sides = [special.ndtr(_distance(c, limit) - _bar(c, alpha, limit)) for c in (counts, counts.turned)]
    return np.asarray(np.maximum(sides[0] + sides[1] - 1, 0.0))


def _distance(counts: Reach, limit: float) -> np.ndarray:
    """How far the true rates lie above the limit, in standard errors."""
    return np.asarray((counts.selected / counts.n - limit * counts.selected_rest / counts.n_rest) / _own(counts, limit))


def _own(counts: Reach, limit: float) -> np.ndarray:
    """Standard error of the distance at the true rates."""
    group, rest = counts.selected / counts.n, counts.selected_rest / counts.n_rest
    spread = np.sqrt(group * (1 - group) / counts.n + limit**2 * rest * (1 - rest) / counts.n_rest)
    return np.asarray(np.maximum(spread, 1e-12))


def _bar(counts: Reach, alpha: float, limit: float) -> np.ndarray:
    """What the distance must exceed, in the same standard errors."""
    return np.asarray(-special.ndtri(alpha) * _spread(counts, limit) / _own(counts, limit))


def to_settle(counts: Reach, *, alpha: float, together: float, limit: float) -> np.ndarray:
    """So many times as many households, reached as now, would settle each group with a chance of .8; inf: none would.

    `alpha` is the level at which a group is shown above the limit, `together` the one at which it is shown below.
    """
    sides = (counts, counts.turned)
    above = np.fmax(*(_times(side, alpha, limit, above=True) for side in sides))
    below = np.fmin(*(_times(side, together, limit, above=False) for side in sides))
    return np.asarray(np.fmin(above, below))


def _times(counts: Reach, level: float, limit: float, *, above: bool) -> np.ndarray:
    """How many times the households it takes to show one side above or below the limit."""
    distance = _distance(counts, limit) if above else -_distance(counts, limit)
    with np.errstate(divide="ignore"):
        needed = (_bar(counts, level, limit) + special.ndtri(1 - (1 - POWER) / 2)) / np.maximum(distance, 0)
    return np.asarray(np.square(needed))


def least_found(households: int, *, rate: float, alpha: float, limit: float) -> float:
    """How many of the households a group needs so that one reached half as often as the limit allows is found.

    Found with a chance of .8. Where no group can be so large, the size from which on an offer to nobody of a group
    would be found; a smaller one can never be, whatever is done to it (Tarone 1990, doi:10.2307/2531456).

    >>> least_found(10_000, rate=0.2, alpha=0.05, limit=0.8), least_found(100, rate=0.2, alpha=0.05, limit=0.8)
    (109, 18)
    """
    if rate <= 0 or households < 2:  # one household has nobody beside it
        return inf
    n = np.arange(1.0, max(households // 2, 1) + 1)
    found = np.flatnonzero(_chance_to_find(n, households - n, rate, Bar(alpha, limit)) >= POWER)
    testable = ceil(log(alpha) / log(1 - limit * min(rate, 1.0)))
    return max(SMALLEST_CELL, int(n[found[0]]) if len(found) else testable)


class Bar(NamedTuple):
    """The level of a test, and the limit it is about."""

    alpha: float
    limit: float


def _chance_to_find(n: np.ndarray, n_rest: np.ndarray, rate: float, bar: Bar) -> np.ndarray:
    """The chance that a group reached half as often as the limit allows is shown to be below it."""
    less = bar.limit / 2
    rest = np.minimum(rate * (n + n_rest) / (n * less + n_rest), 1.0)
    true = Reach(less * rest * n, n, rest * n_rest, n_rest)
    return np.asarray(special.ndtr(-_distance(true, bar.limit) - _bar(true, bar.alpha, bar.limit)))
