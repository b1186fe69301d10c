"""What may come of one prediction: nothing, with the chance that nobody comes; else an amount that scatters.

A hurdle (Cragg, Econometrica 39, 1971): who comes is one question, how much then another. So the median of somebody who
rarely comes is 0, ranges begin with what is likeliest, and every figure of one twin follows from one distribution:
a higher level is never below a lower one. How amounts scatter is learned from rows alike, not assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from twinops.entities.canonical import rounded
from twinops.twin.model.predictions import Forecaster, Predictions
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import LARGEST, NotNegative, Number, Positive, declared

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Of those who come, so many bring no more than the ratio beside it, times what is expected of who comes."""

KNOTS = 8
FEWEST_ALIKE = 200
"""So many rows of those who came are laid together at least: ten of them lie beyond each end."""

SMALLEST = {"baskets": 1.0, "spend": 0.01}
"""Who comes brings a basket at least, and spends a cent."""

BEYOND = 10.0
"""So many times what is expected of the highest hundredth of those who come is expected of nobody."""

LEAST = {"baskets": 1e-3, "spend": 1e-2}
"""What is expected below it scatters alike."""

GOLDEN = (math.sqrt(5) - 1) / 2
AtLeastOne = Annotated[float, Field(ge=1, le=LARGEST)]
_Ratios = Annotated[tuple[NotNegative, ...], Field(min_length=len(SHARES), max_length=len(SHARES))]


@declared
@dataclass(frozen=True)
class ScatterKnot:
    """At this logarithm of what is expected: the ratios of what came to what was expected of who comes, by `SHARES`."""

    at: Number
    ratios: _Ratios


@declared
@dataclass(frozen=True)
class Scatter:
    """How baskets and spend of those who come scatter. No household is in it.

    `most` baskets and spend are expected of nobody who comes, however far a state lies from all that were seen.
    """

    baskets: Annotated[tuple[ScatterKnot, ...], Field(min_length=1, max_length=100)]
    spend: Annotated[tuple[ScatterKnot, ...], Field(min_length=1, max_length=100)]
    most: tuple[AtLeastOne, Positive]

    def __post_init__(self) -> None:
        for knots in (self.baskets, self.spend):
            at = [knot.at for knot in knots]
            if at != sorted(set(at)) or any(list(k.ratios) != sorted(k.ratios) for k in knots):
                raise ValueError("the knots of outcomes are out of order")

    def quantile(self, p: Predictions, quantity: str, share: float | np.ndarray) -> np.ndarray:
        """Of like cases the share brings no more than this: baskets before rounding, or USD; `share` may be per row."""
        return self.quantiles(p, quantity, (share,))[0]

    def quantiles(self, p: Predictions, quantity: str, shares: Sequence[float | np.ndarray]) -> list[np.ndarray]:
        """The same of several shares, for which is worked out once how each row scatters."""
        quiet, ratios, expected = (
            1 - p.active_probability,
            self._ratios(p, quantity),
            expected_of_who_comes(p, quantity),
        )
        found = []
        for share in shares:
            comes = share > quiet
            of_those = np.where(comes, (share - quiet) / np.maximum(p.active_probability, 1e-9), 0.0)
            amount = _between(ratios, of_those) * expected
            found.append(np.where(comes, np.maximum(amount, SMALLEST[quantity] / 2), 0.0))
        return found

    def beside(self, p: Predictions) -> Predictions:
        """The same predictions, their median of spend told, and nothing expected beyond what can be of who comes.

        Families may disagree about a strange state: a chance of nearly nothing bounds what the others say.
        """
        bounds = (p.active_probability * most for most in self.most)
        baskets, spend = (np.minimum(v, bound) for v, bound in zip((p.baskets, p.spend), bounds, strict=True))
        told = Predictions.of(p.active_probability, baskets, spend)
        return replace(told, spend_median=np.round(self.quantile(told, "spend", 0.5), 4))

    def _ratios(self, p: Predictions, quantity: str) -> np.ndarray:
        """Rows x shares, from nothing at the share 0: between knots by what is expected."""
        knots: tuple[ScatterKnot, ...] = getattr(self, quantity)
        at, place = [k.at for k in knots], _place(p, quantity)
        told = (np.interp(place, at, ratios) for ratios in zip(*(k.ratios for k in knots), strict=True))
        return np.column_stack([np.zeros(len(place)), *told])


@dataclass(frozen=True)
class WithScatter:
    """A baseline that says means only, given a median by the same rule as the twin's."""

    model: Forecaster
    scatter: Scatter

    def predict(self, table: pa.Table) -> Predictions:
        """One prediction per row, in order."""
        return self.scatter.beside(self.model.predict(table))


def with_scatter(model: Forecaster, past: Examples) -> WithScatter:
    """The rule learned from the rows the model learned from."""
    return WithScatter(model, fit_scatter(model.predict(past.table), past.baskets, past.spend))


def fit_scatter(p: Predictions, baskets: np.ndarray, spend: np.ndarray) -> Scatter:
    """Learn it from what was predicted for rows whose horizon is over, and what came."""
    came = baskets > 0
    some = Predictions(*(v[came] for v in (p.active_probability, p.baskets, p.spend, p.spend_median)))
    few, little = (expected_of_who_comes(some, quantity) for quantity in SMALLEST)
    most = tuple(rounded(BEYOND * float(np.quantile(v, 0.99))) for v in (few, little))
    return Scatter(
        _knots(_place(some, "baskets"), spread_out(baskets[came]) / few),
        _knots(_place(some, "spend"), spend[came] / little),
        (most[0], most[1]),
    )


def expected_of_who_comes(p: Predictions, quantity: str) -> np.ndarray:
    """What is expected of a household that comes at all."""
    amount = getattr(p, quantity) / np.maximum(p.active_probability, 1e-6)
    return np.asarray(np.maximum(amount, SMALLEST[quantity]))


def _between(ratios: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Each row's ratio at its share, between those of `SHARES`."""
    shares, rows = np.array([0.0, *SHARES]), np.arange(len(ratios))
    left = np.clip(np.searchsorted(shares, share, side="right") - 1, 0, len(SHARES) - 1)
    part = np.clip((share - shares[left]) / (shares[left + 1] - shares[left]), 0, 1)
    return np.asarray(ratios[rows, left] * (1 - part) + ratios[rows, left + 1] * part)


def _place(p: Predictions, quantity: str) -> np.ndarray:
    """Where among the knots each row lies."""
    return np.asarray(np.log(np.maximum(getattr(p, quantity), LEAST[quantity])))


def _knots(place: np.ndarray, ratio: np.ndarray) -> tuple[ScatterKnot, ...]:
    """Rows in order of what was expected, cut into parts that are large enough; the busiest are parts of their own."""
    order, n = np.argsort(place, kind="stable"), len(place)
    bins = max(1, min(KNOTS, n // FEWEST_ALIKE))
    # the busiest tenth scatters otherwise than the rest
    top = bins > 2 and n >= 25 * FEWEST_ALIKE
    cuts = np.array([*np.linspace(0, 0.9, bins + 1), 0.96, 1.0]) if top else np.linspace(0, 1, bins + 1)
    found: dict[float, tuple[float, ...]] = {}
    for start, end in pairwise(np.unique((cuts * n).astype(int))):
        rows = order[start:end]
        ratios = np.quantile(ratio[rows], SHARES)
        found[rounded(float(np.median(place[rows])))] = tuple(rounded(float(r)) for r in ratios)
    return tuple(ScatterKnot(at, ratios) for at, ratios in sorted(found.items()))


def spread_out(counts: np.ndarray) -> np.ndarray:
    """Counts above 0 spread evenly over the unit around them, so that ends move smoothly with the prediction.

    By the golden ratio's sequence, not by chance: the same rows always give the same ends.
    """
    offset = np.modf(GOLDEN * np.arange(1, len(counts) + 1))[0] - 0.5
    return np.asarray(counts + np.where(counts > 0, offset, 0))
