"""Whether what is predicted happens as often as predicted: bins of predictions against what came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.evaluation.accuracy import TWIN, ScoredDay
from twinops.evaluation.bootstrap import Resampled
from twinops.evaluation.weighted import mean

FEWEST_IN_BIN = 10
"""A bin of fewer households is not shown."""


@dataclass(frozen=True)
class Bin:
    """Rows with similar predictions: mean predicted, mean that came with its interval, rows and households."""

    predicted: float
    came: float
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
    household = np.concatenate([d.household for d in days])
    return Calibration(
        active=_bins(
            np.concatenate([d.predictions[TWIN].active_probability for d in days]),
            np.concatenate([d.active for d in days]),
            (household, draws, bins),
        ),
        spend=_bins(
            np.concatenate([d.predictions[TWIN].spend for d in days]),
            np.concatenate([d.spend for d in days]),
            (household, draws, bins),
        ),
    )


def _bins(predicted: np.ndarray, came: np.ndarray, resampling: tuple[np.ndarray, np.ndarray, int]) -> tuple[Bin, ...]:
    household, draws, bins = resampling
    order = np.argsort(predicted, kind="stable")
    made = [
        _bin(predicted[rows], came[rows], household[rows], draws) for rows in np.array_split(order, bins) if len(rows)
    ]
    return tuple(b for b in made if b.households >= FEWEST_IN_BIN)


def _bin(predicted: np.ndarray, came: np.ndarray, household: np.ndarray, draws: np.ndarray) -> Bin:
    observed = Resampled(mean(came, draws[:, household].astype(float)))
    low, high = observed.interval("A bin's mean")
    return Bin(float(predicted.mean()), observed.value, low, high, len(predicted), len(np.unique(household)))
