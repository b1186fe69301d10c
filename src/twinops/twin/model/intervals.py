"""How far off a prediction may be: ranges that hold what comes in 80 of 100 cases, by the last closed window.

Split-conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005) within three tiers
of expected activity (Mondrian), around the quantiles of `outcomes`. A count is covered when it lies between two whole
ends. Where one in ten or more alike bring nothing a range begins at 0, which nothing can fall below, so it is made
one-sided there instead of spending doubt on an end that cannot be missed. Nothing is drawn at random when a range is
asked for: the same prediction always has the same range, and its mean and its median lie in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.outcomes import Scatter, fit_scatter
from twinops.twin.model.predictions import Forecaster, Predictions
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import Count, NotNegative, declared

COVERAGE = 0.8
TAIL = (1 - COVERAGE) / 2
TIERS = ("low", "mid", "high")
"""Thirds of the calibration window by expected number of baskets."""

FEWEST = 4
"""Below it the finite-sample rank of 80 % is out of reach."""

LEAST_WIDENED, MOST_WIDENED = 0.5, 2.0
"""A window in which nearly nobody came says little of those who do."""

QUANTITIES = ("baskets", "spend")
_Factor = Annotated[float, Field(ge=LEAST_WIDENED, le=MOST_WIDENED)]


@dataclass(frozen=True)
class Seen:
    """What was predicted for some rows, and what was observed: baskets, and amounts."""

    predictions: Predictions
    baskets: np.ndarray
    spend: np.ndarray

    @classmethod
    def by(cls, model: Forecaster, rows: Examples) -> Seen:
        """Let the model predict rows whose horizon is over."""
        return cls(model.predict(rows.table), rows.baskets, rows.spend)

    def __len__(self) -> int:
        return len(self.baskets)


@dataclass(frozen=True)
class Ranges:
    """One range per row: whole baskets, and amounts to the cent. Both ends belong to it; none is below 0."""

    baskets_low: np.ndarray
    baskets_high: np.ndarray
    spend_low: np.ndarray
    spend_high: np.ndarray


@declared
@dataclass(frozen=True)
class Widening:
    """By how much each tier's ends move apart; `newcomer` is the range of someone of whom nothing is known."""

    tiers: tuple[_Factor, _Factor, _Factor]
    newcomer: tuple[NotNegative, NotNegative]

    def __post_init__(self) -> None:
        if self.newcomer[0] > self.newcomer[1]:
            raise ValueError("the newcomer's range is out of order")


@declared
@dataclass(frozen=True)
class Intervals:
    """What makes quantiles of `outcomes` the 80 % ranges of one model. Text and numbers only; nobody is in it."""

    baskets: Widening
    spend: Widening
    edges: tuple[NotNegative, NotNegative]
    calibrated_on: Count
    rows: Count

    def __post_init__(self) -> None:
        if self.edges[0] > self.edges[1]:
            raise ValueError("the edges of the tiers are out of order")

    def tier(self, p: Predictions) -> np.ndarray:
        """0 low, 1 mid, 2 high: which third of the calibration window is as active."""
        return np.searchsorted(np.array(self.edges), p.baskets)

    def of(self, p: Predictions, scatter: Scatter) -> Ranges:
        """The range of each row's baskets and spend; mean and median lie in it, and so does half a basket's whole."""
        ends = {q: self._widened(p, scatter, q) for q in QUANTITIES}
        (few, many), (least, most) = ends["baskets"], ends["spend"]
        few = np.minimum(np.ceil(np.round(few, 6)), np.floor(p.baskets))
        # rounded first: 2.0000001 is two baskets, not three
        many = np.maximum(np.floor(np.round(many, 6)), np.ceil(p.baskets))
        lowest, highest = np.minimum(p.spend, p.spend_median), np.maximum(p.spend, p.spend_median)
        return Ranges(
            few, many, _down(np.minimum(least, lowest)), np.maximum(np.round(most, 2), np.ceil(highest * 100) / 100)
        )

    def levels(self, p: Predictions, scatter: Scatter, shares: tuple[float, ...]) -> dict[str, np.ndarray]:
        """Per quantity rows x shares: with the share, no more than this comes. Rising, and at 10 and 90 % the range's.

        The widening grows with the distance from the middle, so that the ends move as the range's do.
        """
        factors = {q: np.array(getattr(self, q).tiers)[self.tier(p)] for q in QUANTITIES}
        found = {
            q: [
                least * factors[q] ** ((share - 0.5) / (0.5 - TAIL))
                for share, least in zip(shares, scatter.quantiles(p, q, shares), strict=True)
            ]
            for q in QUANTITIES
        }
        exact = zip(shares, (np.round(v, 6) for v in found["baskets"]), strict=True)
        whole = [np.ceil(v) if share < 0.5 else np.floor(v) for share, v in exact]
        made = {"baskets": np.column_stack(whole), "spend": np.round(np.column_stack(found["spend"]), 2)}
        return {q: np.maximum.accumulate(v, axis=1) for q, v in made.items()}

    def newcomer(self) -> Ranges:
        """One row: the range of someone of whom nothing is known, from how all households scatter."""
        (few, many), (least, most) = self.baskets.newcomer, self.spend.newcomer
        return Ranges(*(np.array([v]) for v in (math.ceil(few), max(math.floor(many), math.ceil(few)), least, most)))

    def _widened(self, p: Predictions, scatter: Scatter, quantity: str) -> tuple[np.ndarray, np.ndarray]:
        low, high = _ends(p, scatter, quantity)
        factor = np.array(getattr(self, quantity).tiers)[self.tier(p)]
        return low / factor, high * factor


def fit_intervals(known: Examples, fit: Callable[[Examples], Forecaster], *, horizon_days: int) -> Intervals:
    """Calibrate on the last closed window of `known`, with a model that `fit` makes of what was closed before it.

    `known` is what a model for some day may learn from (`Examples.known_at`, `all_closed`): no label of a later window
    is touched. The ranges then go around the predictions of a model fitted on all of `known`.

    Raises:
        DataError: there are not two windows one after the other, or too few households in the last.
    """
    last = int(known.cutoff.max())
    before = known.where(known.cutoff <= last - horizon_days)
    model = fit(before.checked(f" before day {last}, to calibrate intervals"))
    window = known.where(known.cutoff == last)
    return calibrated(Seen.by(model, before), Seen.by(model, window), day=last)


def calibrated(before: Seen, window: Seen, *, day: int) -> Intervals:
    """Learn from `before` how outcomes scatter, and from `window` how much wider ranges must be to hold 80 %."""
    _enough(window, day)
    low, high = np.quantile(window.predictions.baskets, [1 / 3, 2 / 3])
    edges = (rounded(float(low)), rounded(float(high)))
    tier = np.searchsorted(np.array(edges), window.predictions.baskets)
    scatter = fit_scatter(before.predictions, before.baskets, before.spend)
    made = {q: Widening(_widen(scatter, q, window, tier), _newcomer(before, window, q)) for q in QUANTITIES}
    return Intervals(**made, edges=edges, calibrated_on=day, rows=len(window))


def recalibrated(intervals: Intervals, scatter: Scatter, window: Seen, *, day: int) -> Intervals:
    """The same ranges, as wide as a window that was foretold and has closed since asks for; tiers stay.

    Raises:
        DataError: too few consumers were foretold.
    """
    _enough(window, day)
    tier = intervals.tier(window.predictions)
    made = {q: replace(getattr(intervals, q), tiers=_widen(scatter, q, window, tier)) for q in QUANTITIES}
    return replace(intervals, **made, calibrated_on=day, rows=len(window))


def conformal_rank(n: int) -> int:
    """Which of n sorted scores, from 1, bounds a new one with chance 80 %; n + 1 is out of reach.

    >>> conformal_rank(9), conformal_rank(4), conformal_rank(3)
    (8, 4, 4)
    """
    return math.ceil((n + 1) * COVERAGE)


def _enough(window: Seen, day: int) -> None:
    if len(window) < FEWEST:
        raise DataError(
            f"Day {day} has {len(window)} consumers to calibrate intervals on; {FEWEST} are the least.",
            hint="Collect more consumers or months.",
        )


def _ends(p: Predictions, scatter: Scatter, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """Both ends before they are moved; the lower one is 0 where nothing can fall below it."""
    one_sided = 1 - p.active_probability >= TAIL
    low, high = scatter.quantiles(p, quantity, (TAIL, np.where(one_sided, COVERAGE, 1 - TAIL)))
    return np.where(one_sided, 0.0, low), high


def _widen(scatter: Scatter, quantity: str, window: Seen, tier: np.ndarray) -> tuple[float, float, float]:
    """Per tier, the finite-sample 80 % rank of the factor by which a range must grow to hold what was observed."""
    observed = getattr(window, quantity)
    low, high = _ends(window.predictions, scatter, quantity)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(observed > 0, observed / high, 0.0)
        score = np.where(low > 0, np.maximum(above, low / observed), above)
    per_tier = [score[tier == k] for k in range(len(TIERS))]
    # a tier too small for its rank takes everyone's
    first, second, third = (_factor(s if len(s) >= FEWEST else score) for s in per_tier)
    return first, second, third


def _factor(scores: np.ndarray) -> float:
    return rounded(min(max(float(np.sort(scores)[conformal_rank(len(scores)) - 1]), LEAST_WIDENED), MOST_WIDENED))


def _newcomer(before: Seen, window: Seen, quantity: str) -> tuple[float, float]:
    """The middle 80 % of what all households did, moved until it holds 80 % of the last window (one-sided from 0)."""
    earlier, later = getattr(before, quantity), getattr(window, quantity)
    if float((earlier == 0).mean()) >= TAIL:
        return 0.0, rounded(float(np.sort(later)[conformal_rank(len(later)) - 1]))
    low, high = np.quantile(earlier, [TAIL, 1 - TAIL])
    more = float(np.sort(np.maximum(low - later, later - high))[conformal_rank(len(later)) - 1])
    return rounded(max(0.0, float(low) - more)), rounded(max(float(low), float(high) + more))


def _down(amount: np.ndarray) -> np.ndarray:
    """To the cent, and not above: what is rounded up could leave its own median outside."""
    return np.floor(np.round(amount * 100, 6)) / 100
