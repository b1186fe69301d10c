"""Generalised linear heads: one weight per term, so that the weights are the whole explanation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from twinops.entities.canonical import rounded
from twinops.errors import DataError


@dataclass(frozen=True)
class Scaling:
    """Centre and spread of each term on the training rows; a term that never varied has spread 1."""

    centres: tuple[float, ...]
    spreads: tuple[float, ...]

    @classmethod
    def fit(cls, x: np.ndarray) -> Scaling:
        """Means and standard deviations, rounded to six digits before use."""
        spreads = x.std(axis=0)
        return cls(
            tuple(rounded(float(v)) for v in x.mean(axis=0)),
            tuple(rounded(float(v)) if v > 1e-9 else 1.0 for v in spreads),
        )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Standardised terms."""
        return np.asarray((x - np.array(self.centres)) / np.array(self.spreads))


@dataclass(frozen=True)
class Head:
    """Intercept and one weight per standardised term; `predictor` is log-odds or log-rate."""

    intercept: float
    weights: tuple[float, ...]

    def predictor(self, z: np.ndarray) -> np.ndarray:
        """Intercept plus the sum of weight times term, per row."""
        return self.intercept + np.asarray(z @ np.array(self.weights))


def fit_activity(z: np.ndarray, active: np.ndarray, *, c: float) -> Head:
    """Logistic regression on whether the household buys at all; `c` is the inverse strength of the L2 penalty."""
    from sklearn.linear_model import LogisticRegression

    return _fit(lambda: LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=200), z, active)


def fit_rate(z: np.ndarray, amount: np.ndarray, *, alpha: float) -> Head:
    """Log-linear regression on a count or amount by Poisson quasi-likelihood, which only needs the mean to be right.

    Wooldridge, Quasi-likelihood methods for count data (1997); `alpha` is the strength of the L2 penalty.
    """
    from sklearn.linear_model import PoissonRegressor

    if not (amount > 0).any():
        raise DataError("Nobody bought anything in any horizon: no rate can be learned.", hint="Collect more months.")
    return _fit(lambda: PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-9, max_iter=300), z, amount)


def _fit(make: Callable[[], Any], z: np.ndarray, target: np.ndarray) -> Head:
    """Fit on one thread and keep six digits, so that every machine ships the same head.

    Raises:
        DataError: the fit did not converge.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = make().fit(z, target)
        except Warning as doubt:
            raise DataError(
                f"A head could not be fitted: {type(doubt).__name__}.",
                hint="Collect more households, or lower train.activity_c and raise train.spend_alpha.",
            ) from None
    intercept = float(np.ravel(model.intercept_)[0])
    return Head(rounded(intercept), tuple(rounded(float(w)) for w in np.ravel(model.coef_)))
