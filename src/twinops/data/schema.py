"""What a row of a source must be. Said once, here; pandera judges rows by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandera.pandas as pandera

_KINDS = {
    "whole": pa.types.is_integer,
    "text": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
    "number": lambda t: pa.types.is_floating(t) or pa.types.is_integer(t),
    "time": lambda t: pa.types.is_timestamp(t) and t.tz is None,
}


@dataclass(frozen=True)
class Column:
    """One column: its kind (whole, number, text, time), its bounds (both inclusive) or its closed list of values."""

    name: str
    kind: str
    low: float | datetime | None = None
    high: float | datetime | None = None
    allowed: tuple[str, ...] | None = None
    nullable: bool = False

    def fits(self, type_: pa.DataType) -> bool:
        """Can a file's column of this Arrow type be this column at all?"""
        return _KINDS[self.kind](type_) or (self.nullable and pa.types.is_null(type_))

    def holds(self, values: pa.ChunkedArray) -> bool:
        """Does every value keep to it? Two aggregates, no row looked at twice."""
        if values.null_count and not self.nullable:
            return False
        if pa.types.is_floating(values.type) and pc.any(pc.is_nan(values)).as_py():
            return False
        if (
            self.allowed is not None
            and not pc.all(pc.is_in(values.drop_null(), pa.array(self.allowed)), min_count=0).as_py()
        ):
            return False
        if self.low is None or values.null_count == len(values):
            return True
        span = pc.min_max(values).as_py()
        return bool(self.low <= span["min"] and span["max"] <= self.high)


@dataclass(frozen=True)
class Schema:
    """All columns of a source's rows, and the `key` that tells rows apart (all columns unless said).

    Where it `repeats`, equal rows are rows of their own.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    repeats: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(c.name for c in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """How a reader hands over text and whole numbers that it read out of text."""
        return pa.schema([(c.name, {"text": pa.string(), "whole": pa.int64()}[c.kind]) for c in self.columns])

    def holds(self, rows: pa.Table) -> bool:
        """Is every row fine? Pandera's answer, without importing it: that costs more than judging a month."""
        return self._told_apart(rows) and all(c.holds(rows[c.name]) for c in self.columns)

    def _told_apart(self, rows: pa.Table) -> bool:
        if self.repeats:
            return True
        distinct = rows.group_by(list(self.key or self.names), use_threads=False).aggregate([])
        return bool(distinct.num_rows == rows.num_rows)

    def pandera(self) -> pandera.DataFrameSchema:
        """The same as a pandera schema, for a data frame with these columns."""
        import pandera.pandas as pandera

        def checks(column: Column) -> list[pandera.Check]:
            bounds = (
                [pandera.Check.in_range(column.low, column.high, error="out_of_range")]
                if column.low is not None
                else []
            )
            values = [pandera.Check.isin(column.allowed, error="unknown")] if column.allowed is not None else []
            return bounds + values

        columns = {c.name: pandera.Column(None, checks(c), nullable=c.nullable) for c in self.columns}
        key = None if self.repeats else list(self.key or self.names)
        return pandera.DataFrameSchema(columns, unique=key, report_duplicates="exclude_first")
