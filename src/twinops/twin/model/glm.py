"""Generalised linear heads: one weight per term, so that the weights are the whole explanation.

They are fitted from sums (`newton.py`), so the rows may lie in any number of parts, on any number of machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.newton import Parts, activity_sums, minimised, rate_sums, visit_sums
from twinops.twin.model.predictions import VISIT_SHAPE


@dataclass(frozen=True)
class Moments:
    """Number of rows, and the sums of their terms and of their squares, around a point that all parts share."""

    rows: float
    sums: np.ndarray
    squares: np.ndarray
    around: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, around: np.ndarray) -> Self:
        """The sums of one part."""
        apart = x - around
        return cls(float(len(x)), apart.sum(axis=0), (apart**2).sum(axis=0), around)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.rows + other.rows, self.sums + other.sums, self.squares + other.squares, self.around)


@dataclass(frozen=True)
class Scaling:
    """Centre and spread of each term on the training rows; a term that never varied has spread 1."""

    centres: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def fit(cls, x: np.ndarray) -> Scaling:
        """Means and standard deviations, rounded to six digits before use."""
        return cls.of(Moments.of(x, x.mean(axis=0)))

    @classmethod
    def of(cls, moments: Moments) -> Scaling:
        """From sums."""
        apart = moments.sums / moments.rows
        spreads = np.sqrt(np.maximum(moments.squares / moments.rows - apart**2, 0))
        return cls(
            tuple(rounded(float(v)) for v in moments.around + apart),
            tuple(rounded(float(v)) if v > 1e-9 else 1.0 for v in spreads),
        )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Standardised terms."""
        return np.asarray((x - np.array(self.centres)) / np.array(self.spreads))


@dataclass(frozen=True)
class Head:
    """Intercept and one weight per standardised term; `predictor` is a log-rate, of a logistic regression log-odds."""

    intercept: float
    weights: tuple[float, ...]

    def predictor(self, z: np.ndarray) -> np.ndarray:
        """Intercept plus the sum of weight times term, per row."""
        return self.intercept + np.asarray(z @ np.array(self.weights))


def fit_activity(z: np.ndarray, active: np.ndarray, *, c: float) -> Head:
    """Logistic regression on whether the household buys at all; `c` is the inverse strength of the L2 penalty."""
    return fit_activity_in_parts([(z, active)], c=c)


def fit_visits(z: np.ndarray, active: np.ndarray, *, c: float) -> Head:
    """Whether the household comes at all, by the rate of its visits; `c` is the inverse strength of the L2 penalty.

    Visits are gamma-Poisson, so the chance of none falls with a power of the rate (Fader, Hardie and Lee 2005 build
    on the same); log-odds would fit regular customers' small chances to stay away worse.
    """
    return fit_visits_in_parts([(z, active)], c=c)


def fit_rate(z: np.ndarray, amount: np.ndarray, *, alpha: float) -> Head:
    """Log-linear regression on a count or amount by Poisson quasi-likelihood, which only needs the mean to be right.

    Wooldridge, Quasi-likelihood methods for count data (1997); `alpha` is the strength of the L2 penalty.
    """
    return fit_rate_in_parts([(z, amount)], alpha=alpha)


def fit_activity_in_parts(parts: Parts, *, c: float) -> Head:
    """The same head from any number of parts. The penalty is |w|^2 / (2c), against the sum over rows."""
    share = _share(parts)
    return _head(minimised(parts, activity_sums, penalty=1 / c, start=float(np.log(share / (1 - share)))))


def fit_visits_in_parts(parts: Parts, *, c: float) -> Head:
    """The same head from any number of parts; penalised as `fit_activity_in_parts`."""
    start = VISIT_SHAPE * ((1 - _share(parts)) ** (-1 / VISIT_SHAPE) - 1)
    return _head(minimised(parts, visit_sums, penalty=1 / c, start=float(np.log(start))))


def fit_rate_in_parts(parts: Parts, *, alpha: float) -> Head:
    """The same head from any number of parts. The penalty is alpha |w|^2 / 2, against the mean over rows.

    Raises:
        DataError: every amount is nothing.
    """
    rows, total = _totals(parts)
    if total <= 0:
        raise DataError("Nobody bought anything in any horizon: no rate can be learned.", hint="Collect more months.")
    return _head(minimised(parts, rate_sums, penalty=alpha * rows, start=float(np.log(total / rows))))


def _head(beta: np.ndarray) -> Head:
    return Head(rounded(float(beta[0])), tuple(rounded(float(w)) for w in beta[1:]))


def _share(parts: Parts) -> float:
    """Who came, of all; never quite nobody, never quite everybody."""
    rows, came = _totals(parts)
    return min(max(came / rows, 1 / (rows + 1)), rows / (rows + 1))


def _totals(parts: Parts) -> tuple[float, float]:
    return float(sum(len(z) for z, _ in parts)), float(sum(target.sum() for _, target in parts))
