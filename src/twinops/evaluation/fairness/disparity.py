"""Compare how often a decision reaches a group with how often it reaches the rest, with the doubt that belongs to it.

Fixed thresholds mislead at our size: with 801 households in 13 groups the four-fifths rule alone is broken 97 times in
100 by a perfectly even decision. So a ratio comes with a test, an interval and the smallest disparity it could show.

The ratio that is judged is the lower of the two selection rates over the higher, group or rest: a group that is reached
half as often as the rest, and one that is reached twice as often, are the same unevenness told from two sides.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from twinops.evaluation.statistics.estimate import Estimate

POWER = 0.8


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


class Reach(NamedTuple):
    """Selected and all households of groups and of their rests; arrays of whole numbers, one place per group."""

    selected: np.ndarray
    n: np.ndarray
    selected_rest: np.ndarray
    n_rest: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """Selection rate of the group over that of its rest; infinite when nobody of the rest was selected."""
        with np.errstate(divide="ignore"):
            return np.asarray((self.selected / self.n) / (self.selected_rest / self.n_rest))

    @property
    def log_ratio(self) -> np.ndarray:
        """Logarithm of the ratio with half a household added to each side, so that none selected stays finite."""
        group, rest = (self.selected + 0.5) / (self.n + 1), (self.selected_rest + 0.5) / (self.n_rest + 1)
        return np.asarray(np.log(group / rest))

    @property
    def log_ratio_error(self) -> np.ndarray:
        """Standard error of `log_ratio` by the delta method (Katz et al. 1978, doi:10.2307/2530610)."""
        group = 1 / (self.selected + 0.5) - 1 / (self.n + 1)
        rest = 1 / (self.selected_rest + 0.5) - 1 / (self.n_rest + 1)
        return np.asarray(np.sqrt(group + rest))


def reach(cells: GroupMatrix, selected: np.ndarray, draws: np.ndarray) -> tuple[Reach, Reach]:
    """The counts of a decision (one boolean per household), and the same counts once per draw.

    `draws` says how often each household is drawn (`bootstrap.counts`); its first row counts everyone once. Households
    keep their decision when they are drawn.
    """
    weights, columns = draws.astype(float), np.hstack([cells.inside, cells.rest]).astype(float)
    n, n_rest = np.hsplit(weights @ columns, 2)  # whole numbers, so exact in any order
    of, of_rest = np.hsplit(weights[:, selected] @ columns[selected], 2)
    sums = (of, n, of_rest, n_rest)
    return Reach(*(s[0] for s in sums)), Reach(*(s[1:] for s in sums))


def permutation_p(counts: Reach) -> np.ndarray:
    """Two-sided p per group: how often a random relabelling of the households gives a gap at least this wide.

    Counted in full instead of drawn: when labels are permuted and the decisions stay, the number selected in a group
    is hypergeometric.
    """
    total = counts.n + counts.n_rest
    chosen = counts.selected + counts.selected_rest
    expected = counts.n * chosen / total
    gap = np.abs(counts.selected - expected) - 1e-9  # so that what is exactly as wide on the other side counts
    below = stats.hypergeom.cdf(np.floor(expected - gap), total, chosen, counts.n)
    above = stats.hypergeom.sf(np.ceil(expected + gap) - 1, total, chosen, counts.n)
    return np.asarray(np.minimum(1.0, below + above))


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for having asked many questions (Holm 1979, www.jstor.org/stable/4615733).

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(len(p), 0, -1)))
    adjusted = np.empty(len(p))
    adjusted[order] = stepped
    return adjusted


@dataclass(frozen=True)
class Bounds:
    """Intervals that hold for all groups together at `level`."""

    low: np.ndarray
    high: np.ndarray
    level: float


def simultaneous(counts: Reach, drawn: Reach, *, level: float) -> Bounds:
    """Intervals of all ratios at once: the widest studentised deviation over all groups decides (max-t bootstrap).

    `drawn` holds the same counts among resampled households, one row per draw. Hothorn, Bretz, Westfall 2008,
    doi:10.1002/bimj.200810425; Efron and Tibshirani 1993, chapter 12.
    """
    deviation = np.abs(drawn.log_ratio - counts.log_ratio) / drawn.log_ratio_error
    critical = np.quantile(deviation.max(axis=1), level, method="higher")
    half = critical * counts.log_ratio_error
    low, high, ratio = np.exp(counts.log_ratio - half), np.exp(counts.log_ratio + half), counts.ratio
    return Bounds(np.minimum(low, ratio), np.maximum(high, np.where(np.isfinite(ratio), ratio, high)), level)


def detectable_ratio(counts: Reach, *, alpha: float, limit: float) -> np.ndarray:
    """The largest true ratio below `limit` that would be found with a chance of .8, per group; NaN: none would.

    Found means p < `alpha` (divide it by the number of tests first: the first step of Holm, so this is cautious) and a
    measured ratio below `limit`. Both by the normal approximation, at these sizes and this overall selection rate, and
    whichever side is reached less often.
    """
    overall = (counts.selected + counts.selected_rest) / (counts.n + counts.n_rest)
    sides = [(counts.n, counts.n_rest), (counts.n_rest, counts.n)]
    cases = [[Sizes(*case) for case in zip(*side, overall, strict=True)] for side in sides]
    each = [[_detectable(case, alpha=alpha, limit=limit) for case in side] for side in cases]
    return np.asarray(np.min(np.array(each), axis=0))


class Sizes(NamedTuple):
    """How many households a group and its rest have, and which share of both together is selected."""

    n: int
    n_rest: int
    overall: float


def _detectable(sizes: Sizes, *, alpha: float, limit: float) -> float:
    """By halving: the chance falls as the ratio rises to the limit."""
    low, high = 0.0, limit
    if chance_to_find(low, sizes, alpha=alpha, limit=limit) < POWER:
        return float("nan")
    for _ in range(40):
        middle = (low + high) / 2
        found = chance_to_find(middle, sizes, alpha=alpha, limit=limit) >= POWER
        low, high = (middle, high) if found else (low, middle)
    return low


def chance_to_find(ratio: float, sizes: Sizes, *, alpha: float, limit: float) -> float:
    """Chance to find that the group is reached `ratio` times as often as its rest."""
    n, n_rest, overall = sizes
    rest = overall * (n + n_rest) / (n * ratio + n_rest)
    group = ratio * rest
    if rest >= 1:
        return 1.0
    even = np.sqrt(overall * (1 - overall) * (1 / n + 1 / n_rest))
    spread = np.sqrt(group * (1 - group) / n + rest * (1 - rest) / n_rest)
    significant = special.ndtr((rest - group - special.ndtri(1 - alpha / 2) * even) / spread)
    margin_spread = np.sqrt(group * (1 - group) / n + limit**2 * rest * (1 - rest) / n_rest)
    below_limit = special.ndtr((limit * rest - group) / margin_spread)
    return float(min(significant, below_limit))
