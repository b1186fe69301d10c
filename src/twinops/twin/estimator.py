"""The twin's heads in scikit-learn's manners: `fit`, `predict`, `get_params`, `clone`, grids and cross-validation.

Rows are households on as-of days, with the columns `features.STATE`; the target is what they did in the horizon. One
head each, so that scikit-learn's own tools can be pointed at it. The pipeline itself uses `fit.fit_twin`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from twinops.twin.features import STATE
from twinops.twin.heads import Head, Scaling, fit_activity, fit_rate
from twinops.twin.predictions import exponential, logistic
from twinops.twin.priors import Priors, fit_priors
from twinops.twin.state import TERMS, USED_BY, terms

Rows = Any
"""An Arrow table or a pandas frame with the columns `features.STATE`."""


class _TwinHead(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Priors, scaling and terms, which both kinds share."""

    _head = ""
    horizon_days: int
    decay_days: tuple[int, int, int]
    priors_: Priors
    scaling_: Scaling
    head_: Head

    def _learn_terms(self, X: Rows) -> np.ndarray:  # noqa: N803  (scikit-learn's own name)
        table = _table(X)
        self.priors_ = fit_priors(table, decay_days=self.decay_days)
        raw = self._raw(table)
        self.scaling_ = Scaling.fit(raw)
        self.n_features_in_ = len(STATE)
        return self.scaling_(raw)

    def _raw(self, table: pa.Table) -> np.ndarray:
        used = [TERMS.index(t) for t in USED_BY[self._head]]
        return terms(table, self.priors_, horizon_days=self.horizon_days)[:, used]

    def decision_function(self, X: Rows) -> np.ndarray:  # noqa: N803
        """Log-odds or log-rate of each row."""
        check_is_fitted(self, "head_")
        return self.head_.predictor(self.scaling_(self._raw(_table(X))))


class TwinClassifier(ClassifierMixin, _TwinHead):  # type: ignore[misc]
    """Whether a household buys at all in the horizon: logistic regression on the twin's terms."""

    _head = "activity"

    def __init__(
        self, c: float = 0.2, *, horizon_days: int = 28, decay_days: tuple[int, int, int] = (10, 30, 90)
    ) -> None:
        self.c = c
        self.horizon_days = horizon_days
        self.decay_days = decay_days

    def fit(self, X: Rows, y: Any) -> Self:  # noqa: N803
        """Learn from rows whose horizon is closed; `y` is whether each came back."""
        self.classes_ = np.array([0, 1])
        self.head_ = fit_activity(self._learn_terms(X), np.asarray(y, dtype=float), c=self.c)
        return self

    def predict_proba(self, X: Rows) -> np.ndarray:  # noqa: N803
        """Chance to stay away, and to come back."""
        chance = logistic(self.decision_function(X))
        return np.column_stack([1 - chance, chance])

    def predict(self, X: Rows) -> np.ndarray:  # noqa: N803
        """1 where coming back is likelier than not."""
        return (self.predict_proba(X)[:, 1] > 1 / 2).astype(int)


class TwinRegressor(RegressorMixin, _TwinHead):  # type: ignore[misc]
    """How many baskets, or how many USD, in the horizon: Poisson quasi-likelihood on the twin's terms."""

    _head = "spend"

    def __init__(
        self, alpha: float = 0.01, *, horizon_days: int = 28, decay_days: tuple[int, int, int] = (10, 30, 90)
    ) -> None:
        self.alpha = alpha
        self.horizon_days = horizon_days
        self.decay_days = decay_days

    def fit(self, X: Rows, y: Any) -> Self:  # noqa: N803
        """Learn from rows whose horizon is closed; `y` is the amount, never below 0."""
        self.head_ = fit_rate(self._learn_terms(X), np.asarray(y, dtype=float), alpha=self.alpha)
        return self

    def predict(self, X: Rows) -> np.ndarray:  # noqa: N803
        """The amount expected of each row."""
        return exponential(self.decision_function(X))


def _table(rows: Rows) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    return pa.Table.from_pandas(rows[list(STATE)], preserve_index=False)
