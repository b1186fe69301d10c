"""Part the rows that keep to their schema from those that do not, and say of each of those why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.schema import Schema


@dataclass(frozen=True)
class Parted:
    """Rows that may enter, and rows that may not with their `reason`. Together they are all rows that were read."""

    good: pa.Table
    bad: pa.Table

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were kept out, by the first reason that applies."""
        return dict(sorted(Counter(self.bad["reason"].to_pylist()).items()))


def part(rows: pa.Table, schema: Schema) -> Parted:
    """Judge every row. Bad rows become text, as whatever is wrong with them must be kept as it came."""
    # two cheap aggregates first: pandera is loaded only where something is wrong
    why = {} if schema.holds(rows) else _reasons(rows, schema)
    bad = pa.array(sorted(why), pa.int64())
    kept_out = pa.table({c: rows[c].take(bad).cast(pa.string()) for c in rows.column_names})
    good = rows.filter(pc.invert(pc.is_in(pa.array(range(rows.num_rows), pa.int64()), bad))) if why else rows
    return Parted(good, kept_out.append_column("reason", pa.array([why[i] for i in bad.to_pylist()], pa.string())))


def _reasons(rows: pa.Table, schema: Schema) -> dict[int, str]:
    """Row number -> first reason in column order; pandera looks at all rows and collects every failure."""
    from pandera.errors import SchemaErrors

    frame = rows.select(schema.names).to_pandas()
    try:
        schema.pandera().validate(frame, lazy=True)
    except SchemaErrors as failures:
        cases = failures.failure_cases
    else:
        return {}
    place = {name: i for i, name in enumerate(schema.names)}
    found: dict[int, tuple[int, str]] = {}
    for column, check, index in zip(cases["column"], cases["check"], cases["index"], strict=True):
        if check != _REPEATED:
            row, fault = int(index), (place.get(str(column), len(place)), _reason(str(column), str(check)))
            found[row] = min(found.get(row, fault), fault)
    if schema.repeats:
        return {row: reason for row, (_, reason) in found.items()}
    fine = frame.drop(index=list(found))  # a good row is no duplicate of a broken one
    repeated = fine.index[fine.duplicated(list(schema.key or schema.names))]
    return {row: reason for row, (_, reason) in found.items()} | dict.fromkeys(map(int, repeated), "duplicate_row")


_REPEATED = "multiple_fields_uniqueness"


def _reason(column: str, check: str) -> str:
    return f"{column}_missing" if check == "not_nullable" else f"{column}_{check}"
