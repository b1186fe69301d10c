"""The median beside the mean of spend: among rows expected to spend alike, half spent less than this.

Spend is skewed, so no one number answers both questions: the mean is right for totals, the median is nearest to what
one household does. Each is judged by its own loss (Gneiting, Making and evaluating point forecasts, JASA 106, 2011).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from twinops.entities.canonical import rounded
from twinops.twin.model.predictions import Forecaster, Predictions
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import NotNegative, Number, declared

KNOTS = 20
FEWEST_ALIKE = 25
"""So many rows at least are laid together, as for ranges."""

SMALLEST_USD = 0.01


@declared
@dataclass(frozen=True)
class Median:
    """A knot is the logarithm of an expected spend in USD, and the median over the mean among rows like it."""

    knots: Annotated[tuple[tuple[Number, NotNegative], ...], Field(min_length=1, max_length=100)]

    def __post_init__(self) -> None:
        at = [knot[0] for knot in self.knots]
        if at != sorted(set(at)):
            raise ValueError("the knots of the median are out of order")

    def beside(self, p: Predictions) -> Predictions:
        """The same predictions, their median told."""
        at, ratio = np.array(self.knots).T
        share = np.interp(np.log(np.maximum(p.spend, SMALLEST_USD)), at, ratio)
        return replace(p, spend_median=np.round(share * p.spend, 4))


@dataclass(frozen=True)
class WithMedian:
    """A baseline that says a mean only, given a median by the same rule as the twin's."""

    model: Forecaster
    median: Median

    def predict(self, table: pa.Table) -> Predictions:
        """One prediction per row, in order."""
        return self.median.beside(self.model.predict(table))


def with_median(model: Forecaster, past: Examples) -> WithMedian:
    """The rule learned from the rows the model learned from."""
    return WithMedian(model, fit_median(model.predict(past.table).spend, past.spend))


def fit_median(expected: np.ndarray, observed: np.ndarray) -> Median:
    """Rows in order of what was expected, cut into as many parts as are large enough, a knot each."""
    order = np.argsort(expected, kind="stable")
    knots: dict[float, float] = {}
    for rows in np.array_split(order, max(1, min(KNOTS, len(order) // FEWEST_ALIKE))):
        mean = max(float(np.median(expected[rows])), SMALLEST_USD)
        knots[rounded(float(np.log(mean)))] = rounded(float(np.median(observed[rows])) / mean)
    return Median(tuple(sorted(knots.items())))
