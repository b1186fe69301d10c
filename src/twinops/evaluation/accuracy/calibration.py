"""Whether what is predicted happens as often as predicted: bins of predictions against what was observed."""

from dataclasses import dataclass

import numpy as np

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.accuracy.measures import TWIN, ScoredDay
from twinops.evaluation.statistics.bootstrap import Resampled
from twinops.evaluation.statistics.weighted import mean


@dataclass(frozen=True)
class Bin:
    """Rows with similar predictions: mean predicted, mean observed with its interval, rows and households."""

    predicted: float
    observed: float
    low: float
    high: float
    rows: int
    households: int


@dataclass(frozen=True)
class Calibration:
    """Bins of the chance to buy, and of expected spend in USD."""

    active: tuple[Bin, ...]
    spend: tuple[Bin, ...]


def measure_calibration(days: list[ScoredDay], draws: np.ndarray, *, bins: int = 10) -> Calibration:
    """Equally filled bins over all held-out days together; intervals from draws of whole households."""
    said, household = [d.predictions[TWIN] for d in days], _all([d.household for d in days])
    active = _Pooled(_all([p.active_probability for p in said]), _all([d.active for d in days]), household)
    spend = _Pooled(_all([p.spend for p in said]), _all([d.spend for d in days]), household)
    return Calibration(_bins(active, draws, bins), _bins(spend, draws, bins))


@dataclass(frozen=True)
class _Pooled:
    """One quantity over all days: a prediction and an outcome per row, and whose it is."""

    predicted: np.ndarray
    observed: np.ndarray
    household: np.ndarray

    def bin(self, rows: np.ndarray, draws: np.ndarray) -> Bin:
        predicted, household = self.predicted[rows], self.household[rows]
        observed = Resampled(mean(self.observed[rows], draws[:, household].astype(float)))
        low, high = observed.interval("A bin's mean")
        return Bin(float(predicted.mean()), observed.value, low, high, len(rows), len(np.unique(household)))


def _bins(pooled: _Pooled, draws: np.ndarray, bins: int) -> tuple[Bin, ...]:
    order = np.argsort(pooled.predicted, kind="stable")
    made = [pooled.bin(rows, draws) for rows in np.array_split(order, bins) if len(rows)]
    # a bin of fewer households is not shown
    return tuple(b for b in made if b.households >= SMALLEST_CELL)


def _all(by_day: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(by_day)
