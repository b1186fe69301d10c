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
from twinops.twin.heads import Head, Scaling, fit_rate, fit_visits
from twinops.twin.predictions import exponential, visiting
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
        self.feature_names_in_ = np.array(STATE, dtype=object)
        self.priors_ = fit_priors(table, decay_days=self.decay_days)
        raw = self._raw(table)
        self.scaling_ = Scaling.fit(raw)
        self.n_features_in_ = len(STATE)
        return self.scaling_(raw)

    def _raw(self, table: pa.Table) -> np.ndarray:
        used = [TERMS.index(t) for t in USED_BY[self._head]]
        return terms(table, self.priors_, horizon_days=self.horizon_days)[:, used]

    def _log_rate(self, X: Rows) -> np.ndarray:  # noqa: N803
        """The predictor of each row."""
        check_is_fitted(self, "head_")
        return self.head_.predictor(self.scaling_(self._raw(_table(X))))


class TwinClassifier(ClassifierMixin, _TwinHead):  # type: ignore[misc]
    """Whether a household buys at all in the horizon: by the rate of its visits, from the twin's terms."""

    _head = "activity"

    def __init__(
        self, c: float = 0.2, *, horizon_days: int = 28, decay_days: tuple[int, int, int] = (10, 30, 90)
    ) -> None:
        self.c = c
        self.horizon_days = horizon_days
        self.decay_days = decay_days

    def fit(self, X: Rows, y: Any) -> Self:  # noqa: N803
        """Learn from rows whose horizon is closed; `y` is whether each came back, the later of its two values says yes.

        Raises:
            ValueError: `y` is not one of two values a row.
        """
        self.classes_, came = np.unique(_target(X, y), return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"A classifier learns from two classes, y holds {len(self.classes_)}.")
        self.head_ = fit_visits(self._learn_terms(X), came.astype(float), c=self.c)
        return self

    def decision_function(self, X: Rows) -> np.ndarray:  # noqa: N803
        """Log-odds of each row: above 0 where coming back is likelier than not."""
        stays, comes = np.maximum(self.predict_proba(X), 1e-300).T
        return np.asarray(np.log(comes) - np.log(stays))

    def predict_proba(self, X: Rows) -> np.ndarray:  # noqa: N803
        """Chance to stay away, and to come back."""
        chance = visiting(self._log_rate(X))
        return np.column_stack([1 - chance, chance])

    def predict(self, X: Rows) -> np.ndarray:  # noqa: N803
        """The later class where coming back is likelier than not."""
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] > 1 / 2).astype(int)])


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
        """Learn from rows whose horizon is closed; `y` is the amount, never below 0.

        Raises:
            ValueError: `y` is not one finite amount of 0 or more a row.
        """
        amount = np.asarray(_target(X, y), dtype=float)
        if not (np.isfinite(amount).all() and (amount >= 0).all()):
            raise ValueError("A rate is learned from finite amounts of 0 or more, y holds others.")
        self.head_ = fit_rate(self._learn_terms(X), amount, alpha=self.alpha)
        return self

    def predict(self, X: Rows) -> np.ndarray:  # noqa: N803
        """The amount expected of each row."""
        return exponential(self._log_rate(X))


def _table(rows: Rows) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    names = list(getattr(rows, "columns", ()))
    if not set(STATE) <= set(names):
        lacking = [name for name in STATE if name not in names]
        raise ValueError(f"X is a table with the columns of a state; it lacks {', '.join(lacking)}.")
    return pa.Table.from_pandas(rows[list(STATE)], preserve_index=False)


def _target(rows: Rows, y: Any) -> np.ndarray:
    """One value a row."""
    told, n = np.asarray(y), rows.num_rows if isinstance(rows, pa.Table) else len(rows)
    if told.shape != (n,):
        raise ValueError(f"y has the shape {told.shape}, X has {n} rows.")
    return told
