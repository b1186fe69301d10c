"""What is said of many twins at once, on columns: the forecast, and what moves it most. The core of every batch.

Pure: states in, answers out, no file, no clock. A row says what `forecast` and `reasons` say of that twin alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.twin.answers.explain import title
from twinops.twin.answers.forecast import NEWCOMER, NOTHING, Forecast, Forecasts, foretold
from twinops.twin.answers.theme_facts import KEPT_DIGITS
from twinops.twin.answers.told_themes import Answered, told_themes
from twinops.twin.model.model import TwinModel
from twinops.twin.model.predictions import Predictions
from twinops.twin.support.support import Support
from twinops.twin.tastes.categories import Tastes
from twinops.twin.tastes.rows import TasteRows

REASONS = 3
"""So many themes are told of each twin, strongest first."""
FIGURES = (
    "active_probability", "baskets", "baskets_low", "baskets_high", "spend", "spend_median", "spend_low", "spend_high"
)  # fmt: skip
"""Columns of figures, as `Forecasts` has them; money in the shop's own. Ranges hold 80 of 100 like cases."""


@dataclass(frozen=True)
class Scores:
    """What the model says of each row, before it is made to fit like cases, and the table of answers."""

    said: Predictions
    table: pa.Table


def scores(states: pa.Table, *, model: TwinModel, support: Support | None, reasons: int = REASONS) -> Scores:
    """One row per row of states, in order: `basis`, `FIGURES`, `like_cases` and, per reason, its theme and factor.

    A factor multiplies the spend that is expected of whoever is average in everything.

    Raises:
        DataError: nothing tells how far off they may be.
    """
    said = model.predict(states)
    found = foretold(states, said, model=model, support=support)
    table = told(found)
    for name, values in _reasons(states, found, said.spend, model, reasons).items() if reasons else ():
        table = table.append_column(name, values)
    return Scores(said, table)


def figures(states: pa.Table, *, model: TwinModel, support: Support | None) -> dict[str, np.ndarray]:
    """`basis` and `FIGURES` of each row; of a model without ranges, only what it says itself."""
    said = model.predict(states)
    if model.intervals is None:
        return dict(vars(said))
    found = foretold(states, said, model=model, support=support)
    return {name: getattr(found, name) for name in ("basis", *FIGURES)}


def told(found: Forecasts) -> pa.Table:
    """Forecasts as a table; where no chance is told it is null."""
    figures = {name: pa.array(getattr(found, name), pa.float64()) for name in FIGURES}
    figures["active_probability"] = pa.array(found.active_probability, pa.float64(), from_pandas=True)
    basis = pa.array(found.basis.tolist(), pa.string())
    return pa.table({"basis": basis, **figures, "like_cases": pa.array(found.households, pa.int64())})


def unknown(found: Forecast, rows: int, *, reasons: int = REASONS) -> pa.Table:
    """The same columns for twins of whom nothing is known: each is told what newcomers do."""
    ends = {"baskets_low": found.baskets_range[0], "baskets_high": found.baskets_range[1],
            "spend_low": found.spend_range[0], "spend_high": found.spend_range[1]}  # fmt: skip
    figures = {name: [ends.get(name, getattr(found, name, None))] * rows for name in FIGURES}
    columns = {name: pa.array(values, pa.float64()) for name, values in figures.items()}
    told_of = {"basis": pa.array([NOTHING] * rows, pa.string()), **columns}
    made = pa.table({**told_of, "like_cases": pa.array([found.households] * rows, pa.int64())})
    for k in range(1, reasons + 1):
        made = made.append_column(f"reason_{k}", pa.nulls(rows, pa.string()))
        made = made.append_column(f"reason_{k}_factor", pa.nulls(rows, pa.float64()))
    return made


def liked(tastes: Tastes, rows: TasteRows, *, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest categories of each row and their chances, the likeliest first: both rows x top."""
    chance = tastes.predict(rows)
    order = np.argsort(-chance, axis=1, kind="stable")[:, :top]
    return np.array(tastes.names, dtype=object)[order], np.take_along_axis(chance, order, axis=1)


def _reasons(
    states: pa.Table, found: Forecasts, expected: np.ndarray, model: TwinModel, most: int
) -> dict[str, pa.Array]:
    """Themes by how far they move the spend, as `theme_facts.reasons` orders them; null where there are no more."""
    told = told_themes(model, states, Answered(found.spend, expected, found.basis == NEWCOMER))
    themes = pa.array([title(name) for name in told.names], pa.string())
    size = np.nan_to_num(np.abs(np.log(told.factors)), nan=-1.0)
    order = np.argsort(-size, axis=1, kind="stable")[:, :most]
    strongest = np.take_along_axis(told.factors, order, axis=1)
    out: dict[str, pa.Array] = {}
    for k in range(order.shape[1]):
        kept = [None if math.isnan(f) else float(f"{f:.{KEPT_DIGITS}g}") for f in strongest[:, k].tolist()]
        there = np.array([f is not None for f in kept], dtype=bool)
        out[f"reason_{k + 1}"] = themes.take(pa.array(order[:, k], mask=~there))
        out[f"reason_{k + 1}_factor"] = pa.array(kept, pa.float64())
    return out
