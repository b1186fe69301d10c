"""A family of the project's own: whatever estimator its file makes, learned on the twin's terms and kept as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from twinops.twin.own_features._shelf import COLUMN
from twinops.twin.own_heads.stored import StoredEstimator
from twinops.twin.strict_json import Number, Positive, declared

MOST = 1e6
"""So many baskets, or so much money, is expected of nobody in a horizon."""
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
    """Terms with further columns behind them; of a state without receipt lines, as one imagined, the usual is taken."""
    held = {c.name: table[c.name].to_numpy() for c in columns if c.name in table.column_names}
    usual = {c.name: np.full(table.num_rows, c.centre) for c in columns}
    more = [(np.asarray((usual | held)[c.name], dtype=float) - c.centre) / c.spread for c in columns]
    return np.column_stack([z, *more]) if more else z


def by_name(families: tuple[OwnFamily, ...]) -> Mapping[str, OwnFamily]:
    """Each under its name."""
    return {family.name: family for family in families}
