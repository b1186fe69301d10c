"""Rows to learn from and to be measured on, cut so that nothing after the as-of day is ever learned from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.seal import read_sealed, with_text_sid
from twinops.errors import DataError
from twinops.plugins import text_beside
from twinops.ports import Engine, KeyStore

FEWEST_HOUSEHOLDS = 30
"""Below this nothing is fitted: the heads have up to 20 terms."""


@dataclass(frozen=True)
class Examples:
    """One row per household and as-of day: the panel's columns, `closed`, and labels (nothing unless closed)."""

    table: pa.Table

    @cached_property
    def cutoff(self) -> np.ndarray:
        """The as-of day of each row."""
        return self._column("cutoff")

    @cached_property
    def closed(self) -> np.ndarray:
        """Whether the row's horizon is over."""
        return self._column("closed")

    @cached_property
    def household(self) -> np.ndarray:
        """A running number per household, the same in every part cut from these rows."""
        return self._column("household")

    @cached_property
    def active(self) -> np.ndarray:
        """1.0 where the household bought anything in the horizon."""
        return self._column("active").astype(float)

    @cached_property
    def baskets(self) -> np.ndarray:
        """How many baskets it bought in the horizon."""
        return self._column("baskets").astype(float)

    @cached_property
    def spend(self) -> np.ndarray:
        """What it spent in the horizon, in USD."""
        return self._column("spend_cents").astype(float) / 100

    @property
    def households(self) -> int:
        """How many different households there are."""
        return len(np.unique(self.household))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def where(self, mask: np.ndarray) -> Examples:
        """Some of the rows."""
        return Examples(self.table.filter(pa.array(mask)))

    def all_closed(self) -> Examples:
        """Every row whose horizon is over: what the shipped model learns from."""
        return self.where(self.closed).checked()

    def known_at(self, day: int, *, horizon_days: int) -> Examples:
        """What a model for `day` may learn from: rows closed by then, of households that allow training on that day."""
        # allowed on that day, not only on the row's own: consent withdrawn by then stops learning (GDPR art. 7(3))
        allowed = np.unique(self.household[(self.cutoff == day) & self._column("may_train")])
        known = self.closed & (self.cutoff <= day - horizon_days) & np.isin(self.household, allowed)
        return self.where(known).checked(f" for day {day}")

    def seen_by(self, day: int, *, horizon_days: int) -> Examples:
        """Everything known on the evening before `day`: rows as of that day or earlier, labels closed by then only.

        Whoever chooses a model on these rows cannot have looked at what it will be measured on after `day`.
        """
        rows = self.where(self.cutoff <= day)
        open_still = pa.array(rows.cutoff > day - horizon_days)
        table = rows.table
        for name, nothing in (("closed", False), ("active", False), ("baskets", 0), ("spend_cents", 0)):
            place = table.schema.get_field_index(name)
            blank = pa.scalar(nothing, table.schema.field(name).type)
            table = table.set_column(place, name, pc.if_else(open_still, blank, table[name]))
        return Examples(table)

    def history_at(self, day: int) -> pa.Table:
        """One row per household that allows training on that day: its past, without a label."""
        rows = (self.cutoff == day) & self._column("may_train")
        return self.table.filter(pa.array(rows)).drop_columns(["closed", "active", "baskets", "spend_cents"])

    def scored_at(self, day: int) -> Examples:
        """The rows a model is measured on: as of `day`, horizon over, of households that allow scoring on that day.

        Raises:
            DataError: there are none.
        """
        rows = self.where((self.cutoff == day) & self.closed & self._column("may_score"))
        if len(rows) == 0:
            raise DataError(
                f"Nothing can be measured for as-of day {day}: its horizon is not closed, or nobody may be scored.",
                hint="Choose earlier evaluate.cutoffs, or collect more months.",
            )
        return rows

    def checked(self, where: str = "") -> Examples:
        """The same rows, if something can be learned from them.

        Raises:
            DataError: too few households, or everybody did the same.
        """
        if len(self) == 0 or self.households < FEWEST_HOUSEHOLDS:
            raise DataError(
                f"There are {self.households if len(self) else 0} consumers to learn from{where}; "
                f"at least {FEWEST_HOUSEHOLDS} are needed.",
                hint="Collect more consumers or months, or choose later as-of days.",
            )
        if len(np.unique(self.active)) < 2:
            did = "came back" if self.active[0] else "stayed away"
            raise DataError(
                f"Every consumer to learn from{where} {did}: there is nothing to tell apart.",
                hint="Collect more consumers or months.",
            )
        return self

    def _column(self, name: str) -> np.ndarray:
        return np.asarray(self.table[name].to_numpy())


def open_examples(engine: Engine, keys: KeyStore, *, panel: Path, labels: Path) -> Examples:
    """Features and labels from their sealed files; subjects whose key is gone are absent."""
    opened = [read_sealed(path, dataset=path.stem, keys=keys) for path in (panel, labels)]
    return examples(engine, *opened)


def examples(engine: Engine, panel: pa.Table, labels: pa.Table) -> Examples:
    """Join features and labels, in order of household and as-of day."""
    engine.register("panel", with_text_sid(panel))
    engine.register("labels", with_text_sid(labels))
    return Examples(engine.query(text_beside(__package__, "examples.sql")))
