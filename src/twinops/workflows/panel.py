"""The panel as of a day, for whoever tries an idea: no ids, nobody without consent, nothing of the held-out days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from twinops.errors import ParamsError
from twinops.params import EvaluateParams
from twinops.twin.model.fit import TARGETS
from twinops.twin.state.examples import Examples
from twinops.twin.state.terms import TERMS, fit_priors, terms
from twinops.workflows.learning import Learning

HIDDEN = ("sid", "household", "may_train", "may_score", "may_offer", "may_assess_bias")
"""Columns that tell who somebody is, or what somebody allows."""


@dataclass(frozen=True)
class Panel:
    """Rows of one as-of day to foretell, and those that a model for that day may learn from.

    `past` is what was closed by the day, of those who allowed training then; `group` is one number per subject, the
    same in both, so that a subject's rows can be kept together.
    """

    as_of: int
    horizon_days: int
    decay_days: tuple[int, int, int]
    table: pa.Table = field(repr=False)
    past: pa.Table = field(repr=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """What the shipped regressions read."""
        return TERMS

    def x(self, names: Sequence[str] = TERMS, *, of: str = "table") -> np.ndarray:
        """Terms of each row, one column a name; `of="past"` of the rows to learn from."""
        priors = fit_priors(self.past, decay_days=self.decay_days)
        whole = terms(getattr(self, of), priors, horizon_days=self.horizon_days)
        return whole[:, [TERMS.index(name) for name in names]]

    def y(self, head: str, *, of: str = "table") -> np.ndarray:
        """What came of each row: `activity`, `baskets` or `spend`."""
        return np.asarray(getattr(Examples(getattr(self, of)), TARGETS[head]))

    def __repr__(self) -> str:
        subjects = len(set(self.past["group"].to_pylist()))
        return (
            f"Panel as of day {self.as_of}: {self.table.num_rows:,} rows to foretell, {self.past.num_rows:,} rows of "
            f"{subjects:,} to learn from, {len(self.table.column_names)} columns"
        )


@dataclass(frozen=True)
class PanelSteps:
    """What every notebook may open."""

    learning: Learning
    held_out: EvaluateParams

    def panel(self, as_of: int | None = None) -> Panel:
        """Rows as of one day before the held-out ones; without a day, of the last whose labels may be looked at.

        Raises:
            ParamsError: the day is held out, its labels are not in before the held-out days, or it is no as-of day.
        """
        grid, last = self.learning.plain.grid, self._last
        day = last if as_of is None else as_of
        if day not in grid.cutoffs:
            hint = f"Those are {', '.join(map(str, grid.cutoffs))}."
            raise ParamsError(f"Day {day!r:.40} is no as-of day of the panel.", hint=hint)
        if day > last:
            raise ParamsError(
                f"Day {day} is held out, or its labels reach into the held-out days: nothing is tried on it.",
                hint=f"Open day {last} or an earlier one; `evaluate` opens held-out days, and counts the look.",
            )
        seen = self.learning.examples().seen_by(min(self.held_out.cutoffs), horizon_days=grid.horizon_days)
        rows = seen.scored_at(day)
        rows = rows.where(np.asarray(rows.table["may_train"]))
        past = seen.known_at(day, horizon_days=grid.horizon_days)
        return Panel(day, grid.horizon_days, grid.decay_days, *(without_ids(e.table) for e in (rows, past)))

    @cached_property
    def _last(self) -> int:
        grid = self.learning.plain.grid
        return max((d for d in grid.cutoffs if d + grid.horizon_days <= min(self.held_out.cutoffs)), default=0)


def without_ids(table: pa.Table) -> pa.Table:
    """The same rows, their subjects told apart by a number that stands for nobody elsewhere."""
    said = table.drop_columns([name for name in HIDDEN if name in table.column_names])
    return said.append_column("group", table["household"])
