"""Quarantined rows judged anew: which are good now, batch by batch, and which stay. Together they are all of them."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import local_day, numbered
from twinops.data.own_sources.consents import channels
from twinops.data.own_sources.consents.answers import long_columns
from twinops.data.own_sources.consents.proved_yes import proved
from twinops.data.own_sources.consents.undated import dated
from twinops.data.own_sources.declared import DeclaredSource, shelf
from twinops.data.own_sources.files.cells import AS_CELLS, as_refusals, from_refusals
from twinops.data.own_sources.mapping import mapped, months
from twinops.data.own_sources.reading import judge
from twinops.data.quality import part
from twinops.data.reading.reading import REFUSED_ROWS, RefusedRow, as_table
from twinops.data.schema import Schema
from twinops.entities.day_count import DayCount
from twinops.errors import DataError

TWICE = "duplicate_row"
"""These were good; what was wrong with them no mapping mends."""

_TYPES = {"whole": pa.int64(), "text": pa.string(), "number": pa.float64(), "time": pa.timestamp("us")}

Known = Callable[[pa.Table, Schema], list[bool]]
"""Says of rows whether the batch holds one of the same key already."""


@dataclass(frozen=True)
class Revived:
    """Rows that are good now, as they are sealed, per batch; and the quarantine that is left."""

    good: dict[str, pa.Table]
    left: pa.Table


def revive_own(source: DeclaredSource, batch: str, aside: pa.Table, *, batches: Set[str], known: Known) -> Revived:
    """Map the kept cells by what `params.yaml` says now. A row of another of the `batches` goes there."""
    columns = long_columns(source.said)
    again = pc.and_(pc.equal(aside["encoding"], AS_CELLS), pc.not_equal(aside["reason"], TWICE))
    cells = proved(from_refusals(aside.filter(again), columns), source.said)
    found = mapped(cells, source.said)
    nowhere = _nowhere(source, batch, months(cells, source.said), batches)
    judged = judge(cells, found, source, nowhere)
    shelved = shelf(source.said)
    twice = pa.array(known(judged.good, shelved.SCHEMA), pa.bool_())
    good = channels.refusals(dated(judged.good.filter(pc.invert(twice)), source.said))
    places = judged.good["place"].filter(twice).to_pylist()
    repeated = cells.table.filter(pc.is_in(cells.table["place"], pa.array(places, pa.int64())))
    left = judged.refused + as_refusals(repeated, cells.plain, dict.fromkeys(places, TWICE))
    gone = {str(p) for p in good["place"].to_pylist()} | {r.place for r in left}
    left += [RefusedRow(**r) for r in aside.select(REFUSED_ROWS.names).to_pylist() if r["place"] not in gone]
    left.sort(key=lambda r: int(r.place))
    sealed = {b: shelved.sealed(rows.drop_columns(["place"])) for b, rows in _by_batch(source, batch, good).items()}
    return Revived(sealed, as_table(left, REFUSED_ROWS))


def revive_shipped(module: ModuleType, batch: str, aside: pa.Table, *, known: Known) -> Revived:
    """Judge rows of a source module by the schema it has now; they were kept as text.

    Raises:
        DataError: the source keeps records as they came, from which no rows can be made.
    """
    if set(aside.column_names) == set(REFUSED_ROWS.names):
        raise DataError("Records of this source are kept as they came.", hint="Collect the batch again after the fix.")
    again = aside.filter(pc.not_equal(aside["reason"], TWICE))
    rows = _typed(again, module.SCHEMA)
    numbered = rows.append_column("place", pa.array(range(rows.num_rows), pa.int64()))
    parted = part(numbered, module.SCHEMA)
    twice = pa.array(known(parted.good, module.SCHEMA), pa.bool_())
    good = parted.good.filter(pc.invert(twice))
    stays = pc.invert(pc.is_in(numbered["place"], good["place"].combine_chunks()))
    left = pa.concat_tables([aside.filter(pc.equal(aside["reason"], TWICE)), again.filter(stays)])
    return Revived({batch: module.sealed(good.drop_columns(["place"]))}, left)


def known_in(taken: pa.Table, sids: Callable[[list[str]], list[str]], days: DayCount) -> Known:
    """Compare by the schema's key with what was taken; a source whose whole row is its key has none to compare."""

    def known(rows: pa.Table, schema: Schema) -> list[bool]:
        if not schema.key or not rows.num_rows:
            return [False] * rows.num_rows
        whose = next(c for c in ("household_id", *schema.key) if c in rows.column_names)
        others = [c for c in schema.key if c != whose]
        kept = (taken["day" if c == "time" else c].to_pylist() for c in others)
        there = set(zip(taken["sid"].to_pylist(), *kept, strict=True))
        who = sids(rows[whose].cast(pa.string()).to_pylist())
        return [key in there for key in zip(who, *(_values(rows, c, days) for c in others), strict=True)]

    return known


def _values(rows: pa.Table, column: str, days: DayCount) -> list[Any]:
    if column != "time":
        return list(rows[column].to_pylist())
    return list(numbered(pa.table({"day": local_day(rows["time"])}), days)["day"].to_pylist())


def _nowhere(source: DeclaredSource, batch: str, found: Any, batches: Set[str]) -> np.ndarray:
    """Rows that have no batch to go to."""
    if source.said.kind != "transactions":
        return np.zeros(len(found), bool)
    mine = {batch} if source.said.reads == "folder" else {*batches, batch}
    return np.array([m is not None and m not in mine for m in found.to_pylist()], bool)


def _by_batch(source: DeclaredSource, batch: str, good: pa.Table) -> dict[str, pa.Table]:
    if source.said.kind != "transactions":
        return {batch: good}
    month = pc.strftime(good["time"], format="%Y-%m")
    return {m: good.filter(pc.equal(month, m)) for m in sorted(set(month.to_pylist()))}


def _typed(rows: pa.Table, schema: Schema) -> pa.Table:
    """Text as the kinds the schema asks for; a column beside the schema is a local time."""
    kinds = {c.name: c.kind for c in schema.columns}
    names = [n for n in rows.column_names if n != "reason"]
    return pa.table({n: rows[n].cast(_TYPES[kinds.get(n, "time")]) for n in names})
