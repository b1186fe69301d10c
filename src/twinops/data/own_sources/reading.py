"""One batch of a declared source: good rows in our schema, and everything else with its reason. Nothing is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources import csv as delimited
from twinops.data.own_sources import database, opening
from twinops.data.own_sources import parquet as columnar
from twinops.data.own_sources.cells import TextCells, as_refusals
from twinops.data.own_sources.declared import WHOLE, DeclaredSource, shelf
from twinops.data.own_sources.mapping import Mapped, mapped, months
from twinops.data.quality import part
from twinops.data.reading.reading import REFUSED_ROWS, Reading, RefusedRow, as_table

OTHER_MONTH = "time_in_another_month"


@dataclass(frozen=True)
class PartedRecords:
    """Good rows with their `place`, and the refused; together all records of the cells that were judged."""

    good: pa.Table
    refused: list[RefusedRow]


def cells_of(source: DeclaredSource, batch: str) -> TextCells:
    """The cells of the file (or query) a batch is in."""
    if source.said.reads == "sql":
        return database.read(source)
    path = opening.of_batch(source, batch)
    with opening.opened(source, path) as file:
        if path.suffix == ".parquet" or source.said.reads == "parquet":
            return columnar.read(source, file)
        return delimited.read(source, file)


def read(source: DeclaredSource, batch: str, cells: TextCells) -> Reading:
    """A month of transactions by the counted calendar, or everything: of another kind, or in one go.

    A record without a month (no readable time, torn) is read with the file's first one, to be quarantined there; in a
    folder, with the month its file is named after.
    """
    here, without, foreign = _mine(source, batch, months(cells, source.said))
    mine = replace(cells, table=cells.table.filter(pa.array(here)))
    judged = judge(mine, mapped(mine, source.said), source, foreign[here])
    refused = judged.refused + (list(cells.refused) if without else [])
    refused.sort(key=lambda r: int(r.place))
    return Reading(judged.good.drop_columns(["place"]), cells.records, cells.dropped, as_table(refused, REFUSED_ROWS))


def _mine(source: DeclaredSource, batch: str, found: pa.Array) -> tuple[np.ndarray, bool, np.ndarray]:
    """Which rows belong to the batch, whether records without a month do, and which rows are in the wrong file."""
    nothing = np.zeros(len(found), bool)
    if source.said.kind != "transactions" or batch == WHOLE:
        return ~nothing, True, nothing
    other = np.asarray(pc.fill_null(pc.not_equal(found, batch), False))
    if source.said.reads == "folder":
        return ~nothing, True, other
    without = pc.min(found).as_py() in (batch, None)
    return ~other & (np.asarray(found.is_valid()) | without), without, nothing


def judge(cells: TextCells, found: Mapped, source: DeclaredSource, foreign: np.ndarray) -> PartedRecords:
    """Part rows that may enter from those that may not; `foreign` ones are in the wrong file."""
    reasons = np.array(found.unreadable.to_pylist(), dtype=object)
    fine = np.asarray(found.unreadable.is_null())
    reasons[foreign & fine] = OTHER_MONTH
    readable = fine & ~foreign
    parted = part(found.rows.filter(pa.array(readable)), shelf(source.said).SCHEMA)
    why = dict(zip((int(p) for p in parted.bad["place"].to_pylist()), parted.bad["reason"].to_pylist(), strict=True))
    places = found.rows["place"].filter(pa.array(~readable)).to_pylist()
    why |= dict(zip(places, reasons[~readable].tolist(), strict=True))
    bad = cells.table.filter(pc.is_in(cells.table["place"], pa.array(sorted(why), pa.int64())))
    return PartedRecords(parted.good, as_refusals(bad, cells.plain, why))


@dataclass(frozen=True)
class SourceLook:
    """What would become of a source, before anything is stored. Aggregates only.

    `months` counts good rows per month of transactions, `filled` names columns the files do not have, `errors` says of
    files that cannot be read why. A reason that holds for fewer than ten rows is null.
    """

    name: str
    kind: str
    files: int
    records: int
    taken: int
    quarantined: dict[str, int]
    dropped_columns: tuple[str, ...]
    filled_columns: tuple[str, ...]
    months: dict[str, int]
    households: int


def look(source: DeclaredSource) -> SourceLook:
    """Read and judge everything; store nothing.

    Raises:
        DataError, ParamsError, ServiceError: as reading does.
    """
    names = list(opening.batches(source)) if source.said.reads == "folder" else [WHOLE]
    reasons, by_month, people = Counter[str](), Counter[str](), set[str]()
    records, taken = 0, 0
    dropped: dict[str, None] = {}
    filled: tuple[str, ...] = ()
    for batch in names:
        cells = cells_of(source, batch)
        found = mapped(cells, source.said)
        _, _, foreign = _mine(source, batch, months(cells, source.said))
        judged = judge(cells, found, source, foreign)
        records, taken, filled = records + cells.records, taken + judged.good.num_rows, found.filled
        reasons.update(r.reason for r in (*judged.refused, *cells.refused))
        dropped |= dict.fromkeys(cells.dropped)
        people |= set(pc.unique(judged.good["household_id"]).to_pylist())
        if source.said.kind == "transactions":
            counted = pc.value_counts(pc.strftime(judged.good["time"], format="%Y-%m")).to_pylist()
            by_month.update({c["values"]: c["counts"] for c in counted})
    return SourceLook(
        source.name, source.said.kind, len(names), records, taken, dict(sorted(reasons.items())),
        tuple(dropped), filled, dict(sorted(by_month.items())), len(people),
    )  # fmt: skip
