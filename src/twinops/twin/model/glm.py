"""Generalised linear heads: one weight per term, so that the weights are the whole explanation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.newton import activity_sums, minimised, rate_sums, visit_sums
from twinops.twin.model.predictions import VISIT_SHAPE


@dataclass(frozen=True)
class Scaling:
    """Centre and spread of each term on the training rows; a term that never varied has spread 1."""

    centres: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def fit(cls, x: np.ndarray) -> Scaling:
        """Means and standard deviations, rounded to six digits before use."""
        around = x.mean(axis=0)
        apart = x - around
        centre = apart.sum(axis=0) / len(x)
        spreads = np.sqrt(np.maximum((apart**2).sum(axis=0) / len(x) - centre**2, 0))
        return cls(
            tuple(rounded(float(v)) for v in around + centre),
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


def fit_activity(z: np.ndarray, active: np.ndarray, *, c: float, near: Head | None = None) -> Head:
    """Logistic regression on whether the household buys at all; `c` is the inverse strength of the L2 penalty.

    The penalty is |w|^2 / (2c), against the sum over rows. `near`: the head of the first terms alone, to begin at.
    """
    share = _share(active)
    return _head(minimised(z, active, activity_sums, penalty=1 / c, start=_start(np.log(share / (1 - share)), near)))


def fit_visits(z: np.ndarray, active: np.ndarray, *, c: float) -> Head:
    """Whether the household comes at all, by the rate of its visits; penalised as `fit_activity`.

    Visits are gamma-Poisson, so the chance of none falls with a power of the rate (Fader, Hardie and Lee 2005 build
    on the same); log-odds would fit regular customers' small chances to stay away worse.
    """
    start = VISIT_SHAPE * ((1 - _share(active)) ** (-1 / VISIT_SHAPE) - 1)
    return _head(minimised(z, active, visit_sums, penalty=1 / c, start=_start(np.log(start))))


def fit_rate(z: np.ndarray, amount: np.ndarray, *, alpha: float, near: Head | None = None) -> Head:
    """Log-linear regression on a count or amount by Poisson quasi-likelihood, which only needs the mean to be right.

    Wooldridge, Quasi-likelihood methods for count data (1997). The penalty is alpha |w|^2 / 2, against the mean over
    rows. `near`: the head of the first terms alone, to begin at.

    Raises:
        DataError: every amount is nothing.
    """
    rows, total = float(len(amount)), float(amount.sum())
    if total <= 0:
        raise DataError("Nobody bought anything in any horizon: no rate can be learned.", hint="Collect more months.")
    return _head(minimised(z, amount, rate_sums, penalty=alpha * rows, start=_start(np.log(total / rows), near)))


def _start(intercept: float, near: Head | None = None) -> tuple[float, ...]:
    return (float(intercept),) if near is None else (near.intercept, *near.weights)


def _head(beta: np.ndarray) -> Head:
    return Head(rounded(float(beta[0])), tuple(rounded(float(w)) for w in beta[1:]))


def _share(active: np.ndarray) -> float:
    """Who came, of all; never quite nobody, never quite everybody."""
    rows, came = float(len(active)), float(active.sum())
    return min(max(came / rows, 1 / (rows + 1)), rows / (rows + 1))
