"""How outcomes scatter around a prediction, and how much wider a range must be to hold 80 of 100 of them.

Conformalized quantiles (Romano, Patterson and Candès, NeurIPS 2019) of errors in units of a predicted size of error,
one finite-sample rank per tier. Where one in ten or more alike bought nothing a range begins at 0, which nothing can
fall below, so it is made one-sided there instead of spending doubt on an end that cannot be missed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from twinops.entities.canonical import rounded
from twinops.twin.model.glm import Head, Scaling, fit_rate
from twinops.twin.model.predictions import Forecaster, Predictions, exponential
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import NotNegative, Number, Positive, declared

COVERAGE = 0.8
TIERS = ("low", "mid", "high")
"""Thirds of the calibration window by expected number of baskets."""

TAIL = (1 - COVERAGE) / 2
KNOTS = 8
FEWEST_ALIKE = 25
"""So many rows at least are laid together to see how outcomes scatter around one prediction."""

FEWEST = 4
"""Below it the finite-sample rank of 80 % is out of reach."""

SCALE_ALPHA = 0.001
SMALLEST = {"baskets": 1e-3, "spend": 1e-2}
"""Predictions below are taken as this: a range around exactly nothing has no logarithm."""

SHAPE = 5
"""How many numbers `shape` makes of a prediction."""

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Seen:
    """What was predicted for some rows, and what was observed: baskets, and USD."""

    predictions: Predictions
    baskets: np.ndarray
    spend: np.ndarray

    @classmethod
    def by(cls, model: Forecaster, rows: Examples) -> Seen:
        """Let the model predict rows whose horizon is over."""
        return cls(model.predict(rows.table), rows.baskets, rows.spend)

    def __len__(self) -> int:
        return len(self.baskets)


_Shape = Annotated[tuple[Number, ...], Field(min_length=SHAPE, max_length=SHAPE)]
_Knot = tuple[Number, Number, Number]


@declared
@dataclass(frozen=True)
class ConformalBand:
    """How outcomes of one quantity scatter around their prediction, and how much the last window asks to widen that.

    A linear model (`centres`, `spreads`, `intercept`, `weights`) predicts the size of an error from the predictions
    alone; a knot is the logarithm of a prediction, and the lower and upper error there in that unit; `widen` is what
    each tier adds to both ends, in that unit. `newcomer` is the range of someone of whom nothing is known.
    """

    centres: _Shape
    spreads: Annotated[tuple[Positive, ...], Field(min_length=SHAPE, max_length=SHAPE)]
    intercept: Number
    weights: _Shape
    knots: Annotated[tuple[_Knot, ...], Field(min_length=1, max_length=100)]
    widen: tuple[Number, Number, Number]
    newcomer: tuple[NotNegative, NotNegative]

    def __post_init__(self) -> None:
        at = [knot[0] for knot in self.knots]
        if at != sorted(set(at)) or any(k[1] > k[2] for k in self.knots) or self.newcomer[0] > self.newcomer[1]:
            raise ValueError("an interval's numbers are out of order")

    def unit(self, p: Predictions) -> np.ndarray:
        """The size of an error to expect, per row."""
        z = Scaling(self.centres, self.spreads)(shape(p))
        return exponential(Head(self.intercept, self.weights).predictor(z))

    def around(self, p: Predictions, quantity: str) -> tuple[np.ndarray, np.ndarray]:
        """Both ends before they are widened; the lower one is 0 where nothing can fall below it."""
        mean, unit = _mean(p, quantity), self.unit(p)
        at, lower, upper = np.array(self.knots).T
        low, high = (mean + np.interp(np.log(mean), at, error) * unit for error in (lower, upper))
        return np.maximum(low, 0), np.maximum(high, 0)

    def ends(self, p: Predictions, quantity: str, tier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both ends as they are given out, before rounding."""
        low, high = self.around(p, quantity)
        more = np.array(self.widen)[tier] * self.unit(p)
        low = np.where(low > 0, np.maximum(low - more, 0), 0)
        return low, np.maximum(high + more, low)


def fit_conformal_band(quantity: str, before: Seen, window: Seen, tier: np.ndarray) -> ConformalBand:
    """Learn the scatter from `before`, and how much to widen each tier (0, 1, 2 per row of `window`) from `window`."""
    observed, mean = getattr(before, quantity), _mean(before.predictions, quantity)
    x = shape(before.predictions)
    scaling = Scaling.fit(x)
    scale = fit_rate(scaling(x), np.abs(observed - mean) + SMALLEST[quantity], alpha=SCALE_ALPHA)
    unit = exponential(scale.predictor(scaling(x)))
    knots = _scatter(mean, unit, _spread_out(observed) if quantity == "baskets" else observed)
    newcomer = _newcomer(observed, getattr(window, quantity))
    band = ConformalBand(
        scaling.centres, scaling.spreads, scale.intercept, scale.weights, knots, (0.0, 0.0, 0.0), newcomer
    )
    return replace(band, widen=_widen(band, quantity, window, tier))


def conformal_rank(n: int) -> int:
    """Which of n sorted scores, from 1, bounds a new one with chance 80 %; n + 1 is out of reach.

    >>> conformal_rank(9), conformal_rank(4), conformal_rank(3)
    (8, 4, 4)
    """
    return math.ceil((n + 1) * COVERAGE)


def _scatter(mean: np.ndarray, unit: np.ndarray, observed: np.ndarray) -> tuple[_Knot, ...]:
    """Errors in units, the 10th and 90th of a hundred, among rows predicted about alike; finer bins at the top."""
    order = np.argsort(mean, kind="stable")
    mean, error, nothing = mean[order], ((observed - mean) / unit)[order], (-mean / unit)[order]
    n = len(mean)
    bins = max(1, min(KNOTS, n // FEWEST_ALIKE))
    # the busiest tenth scatters otherwise than the rest
    cuts = np.concatenate([np.linspace(0, 0.9, bins + 1), [0.96, 1.0]] if bins > 2 else [np.linspace(0, 1, bins + 1)])
    edges = np.unique((cuts * n).astype(int))
    knots: dict[float, tuple[float, float]] = {}
    for start, end in pairwise(edges):
        e, z = error[start:end], nothing[start:end]
        one_sided = float((e <= z + 1e-9).mean()) >= TAIL
        # nothing bought lies at z exactly: from there no outcome can be below the range
        low = float(z.min()) if one_sided else float(np.quantile(e, TAIL))
        high = float(np.quantile(e, COVERAGE if one_sided else 1 - TAIL))
        knots[rounded(math.log(float(np.median(mean[start:end]))))] = (rounded(low), rounded(high))
    return tuple((at, *errors) for at, errors in sorted(knots.items()))


def _widen(band: ConformalBand, quantity: str, window: Seen, tier: np.ndarray) -> tuple[float, float, float]:
    """Per tier, the finite-sample 80 % rank of how far outside, in units, what was observed lies (negative: inside)."""
    observed = getattr(window, quantity)
    low, high = band.around(window.predictions, quantity)
    unit = band.unit(window.predictions)
    above = (observed - high) / unit
    score = np.where(low > 0, np.maximum((low - observed) / unit, above), above)
    per_tier = [score[tier == k] for k in range(len(TIERS))]
    # a tier too small for its rank takes everyone's
    first, second, third = (_ranked(s if len(s) >= FEWEST else score) for s in per_tier)
    return first, second, third


def _ranked(scores: np.ndarray) -> float:
    return rounded(float(np.sort(scores)[conformal_rank(len(scores)) - 1]))


def _newcomer(before: np.ndarray, window: np.ndarray) -> tuple[float, float]:
    """The middle 80 % of what all households did, moved until it holds 80 % of the last window (one-sided from 0)."""
    one_sided = float((before == 0).mean()) >= TAIL
    low, high = np.quantile(before, [0, COVERAGE] if one_sided else [TAIL, 1 - TAIL])
    if one_sided:
        return 0.0, rounded(max(0.0, float(np.sort(window)[conformal_rank(len(window)) - 1])))
    more = _ranked(np.maximum(low - window, window - high))
    return rounded(max(0.0, float(low) - more)), rounded(max(float(low), float(high) + more))


def _mean(p: Predictions, quantity: str) -> np.ndarray:
    return np.asarray(np.maximum(getattr(p, quantity), SMALLEST[quantity]))


def shape(p: Predictions) -> np.ndarray:
    """What the size of an error is predicted from: logarithms of the predictions, and their squares."""
    baskets, spend = np.log(_mean(p, "baskets")), np.log(_mean(p, "spend"))
    chance = np.clip(p.active_probability, 1e-6, 1 - 1e-6)
    value = spend - baskets
    return np.column_stack([baskets, value, np.log(chance / (1 - chance)), baskets**2, value**2])


def _spread_out(counts: np.ndarray) -> np.ndarray:
    """Counts above 0 spread evenly over the unit around them, so that ends move smoothly with the prediction.

    By the golden ratio's sequence, not by chance: the same rows always give the same ends.
    """
    offset = np.modf(GOLDEN * np.arange(1, len(counts) + 1))[0] - 0.5
    return np.asarray(counts + np.where(counts > 0, offset, 0))
