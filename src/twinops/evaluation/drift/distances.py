"""How far two samples of one feature lie apart, under many weightings of the households at once."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

NORM_FLOOR = 0.001
"""The reference's standard deviation counts at least this much, as in Evidently."""


@dataclass(frozen=True)
class Sample:
    """One feature in one window: a finite value per household, and which household (place in the draws) it is."""

    values: np.ndarray
    household: np.ndarray


@dataclass(frozen=True)
class Apart:
    """Distance, the furthest that the two distributions lie apart, and the windows' sizes: one place per draw."""

    distance: np.ndarray
    furthest: np.ndarray
    sizes: tuple[np.ndarray, np.ndarray]

    def p(self, draws: np.ndarray) -> np.ndarray:
        """Kolmogorov-Smirnov's, of the draws that this mask of them says: it takes longer than all else."""
        return _p(self.furthest[draws], *(size[draws] for size in self.sizes))


def apart(reference: Sample, current: Sample, draws: np.ndarray) -> Apart:
    """Compare the two windows once per draw; `draws` says how often each household counts (`bootstrap.counts`).

    The distance is the first Wasserstein distance over the reference's standard deviation (Villani 2009,
    doi:10.1007/978-3-540-71050-9); p is two-sided, by the distribution of the one-sample statistic at the effective
    size (Hodges 1958, doi:10.1007/BF02589501). A draw that leaves a window empty is not a number.
    """
    pooled = np.concatenate([reference.values, current.values])
    order = np.argsort(pooled, kind="stable")
    place = np.argsort(order, kind="stable")
    size = len(reference.values)
    gap = np.zeros((len(draws), len(pooled)))
    totals = []
    for sample, at, sign in ((reference, place[:size], 1.0), (current, place[size:], -1.0)):
        weights = draws[:, sample.household].astype(float)
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            gap[:, at] = sign * weights / total[:, None]
        totals.append(total)
    steps = np.diff(pooled[order])
    between = np.abs(np.cumsum(gap, axis=1))[:, :-1]
    norm = np.maximum(_spread(reference, draws), NORM_FLOOR)
    furthest = np.max(between[:, steps > 0], axis=1, initial=0.0)
    return Apart((between * steps).sum(axis=1) / norm, furthest, (totals[0], totals[1]))


def _spread(sample: Sample, draws: np.ndarray) -> np.ndarray:
    """Weighted standard deviation per draw."""
    weights = draws[:, sample.household].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weights * sample.values).sum(axis=1) / weights.sum(axis=1)
        squares = (weights * (sample.values - mean[:, None]) ** 2).sum(axis=1) / weights.sum(axis=1)
    return np.asarray(np.sqrt(squares))


def _p(statistic: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Two-sided p of the statistic at the effective size of two samples."""
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = np.round(n * m / (n + m))
    return np.asarray(np.clip(stats.kstwo.sf(statistic, np.maximum(effective, 1)), 0, 1))
