"""Let an estimator of the project's own learn, and keep what it learned as numbers that say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from twinops.entities.canonical import rounded
from twinops.errors import ParamsError
from twinops.twin.model.own_family import OwnColumn, OwnFamily, beside
from twinops.twin.own_features._shelf import own_columns
from twinops.twin.own_heads._shelf import own_head
from twinops.twin.own_heads.stored import StoredEstimator, store
from twinops.twin.state.examples import Examples

TARGETS = {"activity": "active", "baskets": "baskets", "spend": "spend"}
CLOSE = 1e-6


def scaled_columns(table: pa.Table) -> tuple[OwnColumn, ...]:
    """The project's own features in a panel, each with its place on the scale."""
    names = own_columns(table.column_names)
    values = {n: np.asarray(table[n].to_numpy(), dtype=float) for n in names}
    return tuple(OwnColumn(n, rounded(float(v.mean())), rounded(float(v.std())) or 1.0) for n, v in values.items())


def learned(family: str, known: Examples, z: np.ndarray, heads: tuple[str, ...]) -> OwnFamily:
    """Let the file's estimators learn the heads for which it speaks, from closed rows.

    Raises:
        ParamsError: one is no estimator, cannot learn these rows, or cannot be kept as numbers that say the same.
    """
    columns = scaled_columns(known.table)
    x = beside(z, known.table, columns)
    made = {head: _learned(family, head, x, getattr(known, TARGETS[head])) for head in heads}
    return OwnFamily(family, columns, made)  # type: ignore[arg-type]


def _learned(family: str, head: str, x: np.ndarray, target: np.ndarray) -> StoredEstimator:
    own = own_head(family)
    where = f"ideas/heads/{own.name}.py, {head}"
    try:
        fitted = own.make(head).fit(x, target)
        said = answered(fitted, x, head)
    except Exception as problem:
        what = f"{where}: the estimator cannot learn: {type(problem).__name__}: {str(problem)[:200]}"
        raise ParamsError(what, hint="`twinops ideas check` lets it learn made-up rows.") from None
    try:
        kept = store(fitted)
    except (ParamsError, ValueError) as problem:
        raise ParamsError(f"{where}: {str(problem).splitlines()[0]}") from None
    if not np.allclose(kept.answer(x), said, rtol=CLOSE, atol=CLOSE):
        raise ParamsError(f"{where}: what is kept says something else than what was learned.", hint="Report it.")
    return kept


def answered(fitted: Any, x: np.ndarray, head: str) -> np.ndarray:
    """What the estimator itself says: of a classifier the chance that somebody comes."""
    if head == "activity" and hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(x)[:, 1])
    return np.asarray(fitted.predict(x), dtype=float)
