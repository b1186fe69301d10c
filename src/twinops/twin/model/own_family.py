"""A family of the project's own: whatever estimator its file makes, learned on the twin's terms and kept as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from twinops.entities.canonical import rounded
from twinops.errors import DataError, ParamsError
from twinops.twin.own_features._shelf import COLUMN
from twinops.twin.own_heads._shelf import own_head
from twinops.twin.own_heads.stored import StoredEstimator, store
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import Number, Positive, declared

TARGETS = {"activity": "active", "baskets": "baskets", "spend": "spend"}
MOST = 1e6
"""So many baskets, or so much money, is expected of nobody in a horizon."""
CLOSE = 1e-6
_FeatureName = Annotated[str, Field(pattern=rf"^{COLUMN}[a-z][a-z0-9_]{{0,40}}$")]


@declared
@dataclass(frozen=True)
class OwnColumn:
    """A feature of the project's own and its place on the scale: who is usual in it stands at zero."""

    name: _FeatureName
    centre: Number
    spread: Positive


@declared
@dataclass(frozen=True)
class OwnFamily:
    """What one file learned, a stored estimator a head; `columns` are read behind the terms."""

    name: Annotated[str, Field(pattern=r"^own_[a-z][a-z0-9_]{0,40}$")]
    columns: Annotated[tuple[OwnColumn, ...], Field(max_length=100)]
    heads: dict[Literal["activity", "baskets", "spend"], StoredEstimator]

    def rows(self, z: np.ndarray, table: pa.Table) -> np.ndarray:
        """Standardised terms, and behind them the project's own features on their scales."""
        return beside(z, table, self.columns)

    def answer(self, rows: np.ndarray, head: str) -> np.ndarray:
        """A chance between 0 and 1, or an amount that is not negative, per row."""
        said = self.heads[head].answer(rows)  # type: ignore[index]
        return np.asarray(np.clip(np.nan_to_num(said), 0, 1 if head == "activity" else MOST))


def beside(z: np.ndarray, table: pa.Table, columns: tuple[OwnColumn, ...]) -> np.ndarray:
    """Terms with further columns behind them.

    Raises:
        DataError: the table has not got one of them.
    """
    missing = [c.name for c in columns if c.name not in table.column_names]
    if missing:
        what = f"The model reads {', '.join(missing)}, which these rows have not got."
        raise DataError(
            what, hint="Ask with the rows of the panel, or with the value of that feature beside the state."
        )
    more = [(np.asarray(table[c.name].to_numpy(), dtype=float) - c.centre) / c.spread for c in columns]
    return np.column_stack([z, *more]) if more else z


def scaled_columns(table: pa.Table) -> tuple[OwnColumn, ...]:
    """The project's own features in a panel, each with its place on the scale."""
    names = sorted(n for n in table.column_names if n.startswith(COLUMN))
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


def by_name(families: tuple[OwnFamily, ...]) -> Mapping[str, OwnFamily]:
    """Each under its name."""
    return {family.name: family for family in families}
