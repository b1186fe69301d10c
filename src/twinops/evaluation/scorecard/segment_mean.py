"""The plainest baseline that looks at a household at all: everyone gets the mean of the segment it is in.

Segments are the 27 cells of recency, frequency and monetary value, a third each (Hughes, Strategic Database Marketing,
1994). Markets are still planned this way; a twin that is not better than its segment's mean is no twin.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.twin.model.predictions import Predictions
from twinops.twin.state.examples import Examples
from twinops.twin.state.terms import columns

THIRDS = ("recency_days", "baskets_h3", "cents_h3")
CELLS = 27
PRIOR_ROWS = 5.0
"""A small cell is drawn to the mean of all by so many rows."""


@dataclass(frozen=True)
class SegmentMean:
    """Bounds of the thirds, and per cell the share that came back, mean baskets and mean USD."""

    bounds: tuple[tuple[float, float], ...]
    active: tuple[float, ...]
    baskets: tuple[float, ...]
    spend: tuple[float, ...]

    def predict(self, table: pa.Table) -> Predictions:
        """The mean of each row's cell."""
        cell = _cell(table, self.bounds)
        return Predictions.of(*(np.array(v)[cell] for v in (self.active, self.baskets, self.spend)))


def fit_segments(examples: Examples) -> SegmentMean:
    """Thirds and means of the rows to learn from."""
    seen = columns(examples.table, THIRDS)
    bounds = tuple((float(a), float(b)) for a, b in (np.quantile(seen[n], [1 / 3, 2 / 3]) for n in THIRDS))
    cell = _cell(examples.table, bounds)
    outcomes = (examples.active, examples.baskets, examples.spend)
    return SegmentMean(bounds, *(_means(cell, observed) for observed in outcomes))


def _cell(table: pa.Table, bounds: tuple[tuple[float, float], ...]) -> np.ndarray:
    """The number of each row's cell, 0 to 26."""
    seen = columns(table, THIRDS)
    thirds = [np.searchsorted(np.array(b), seen[n]) for n, b in zip(THIRDS, bounds, strict=True)]
    return np.asarray(thirds[0] * 9 + thirds[1] * 3 + thirds[2])


def _means(cell: np.ndarray, observed: np.ndarray) -> tuple[float, ...]:
    """The mean of every cell, drawn to the mean of all."""
    # a cell nobody was in still needs an answer: the mean of all
    rows = np.bincount(cell, minlength=CELLS)
    total = np.bincount(cell, weights=observed, minlength=CELLS)
    return tuple(float(v) for v in (total + PRIOR_ROWS * observed.mean()) / (rows + PRIOR_ROWS))
