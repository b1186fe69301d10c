"""Which lines of a folder's files stand in an earlier one already: exports that overlap in time hold some days twice.

Two files overlap where most lines of the days that both have are equal. Such a line is taken as often as the file
holds it that has it most often: what was scanned twice stays twice. Only days that several files have are compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.files.cells import TextCells
from twinops.data.own_sources.mapping import mapped, values_of
from twinops.own_params import OwnSource

ACROSS, DROP = "across_files", "drop"
IN_EARLIER, AGAIN = "stands_in_an_earlier_file", "stands_there_before"
MOSTLY, FEWEST = 0.5, 10
"""Of the days that two files have this share of the lines of one stands in the other, too, and so many at least where
no receipt has a number."""
Raw = Callable[[Mapping[str, int] | None], Iterable[TextCells]]
"""Cells as they lie in the files: of all, or of these, whose places begin behind so many."""
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Overlap:
    """Two files of which the later one has lines of these days (both included) that stand in the earlier one."""

    earlier: str
    later: str
    first: date
    last: date
    lines: int


@dataclass(frozen=True)
class Twice:
    """Places of lines that stand there before, in order, and between which files."""

    places: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    overlaps: tuple[Overlap, ...] = ()
    why: str = IN_EARLIER

    def settle(self, cells: TextCells) -> TextCells:
        """The cells without those lines, which are counted as left out."""
        place = cells.table["place"].to_numpy()
        gone = np.isin(place, self.places, assume_unique=True)
        if not gone.any():
            return cells
        left_out = Counter(cells.left_out) + Counter({self.why: int(gone.sum())})
        return replace(cells, table=cells.table.filter(pa.array(~gone)), left_out=dict(left_out))


def compares(said: OwnSource) -> bool:
    """Whether lines are compared with those of other files, or all with each other; numbers of lines tell it better."""
    return said.repeated in (ACROSS, DROP) and _may(said)


def may_overlap(said: OwnSource) -> bool:
    """Nobody said yet what holds of lines that stand in two files."""
    return said.repeated is None and _may(said)


def _may(said: OwnSource) -> bool:
    in_files = said.reads in ("csv", "excel", "parquet")
    return in_files and "sales_value" in said.form.columns and "line_id" not in said.entering


def twice(said: OwnSource, raw: Raw) -> Twice:
    """Read the days of all files, and then the lines of those days that several have."""
    days, before = defaultdict[str, Counter[int]](Counter), dict[str, int]()
    for cells in raw(None):
        numbers, counts = np.unique(_days(cells, said).drop_null().to_numpy(), return_counts=True)
        days[cells.file].update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
        before.setdefault(cells.file, cells.before)
    every = said.repeated == DROP
    held = Counter(day for of in days.values() for day in of)
    shared = {day for day, files in held.items() if files > 1 or every}
    asked = {name: before[name] for name, of in days.items() if not shared.isdisjoint(of)}
    if not asked:
        return Twice()
    # the file that begins earlier is the one that has a line already
    files = sorted(asked, key=lambda name: (min(days[name]), name))
    rank = {name: n for n, name in enumerate(files)}
    lines = _lines(said, raw(asked), rank, pa.array(sorted(shared), pa.int32()))
    if every:
        # what lies together is judged together, and told as duplicate_row
        again = lines[lines["part"] != lines.groupby("line")["part"].transform("first")]
        return Twice(np.sort(again["place"].to_numpy()), why=AGAIN)
    return _across(lines, days, files, said)


def _days(cells: TextCells, said: OwnSource) -> pa.Array:
    found = values_of(cells, said, "time").cast(pa.timestamp("s")).cast(pa.date32(), safe=False).cast(pa.int32())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _lines(said: OwnSource, found: Iterable[TextCells], rank: Mapping[str, int], shared: pa.Array) -> pd.DataFrame:
    """Of each line of those days what it says, as a number, with its file, day and place; in order of the files."""
    parts = []
    for n, cells in enumerate(found):
        days = _days(cells, said)
        mine = pc.is_in(days, shared)
        table = cells.table.filter(mine)
        rows = mapped(replace(cells, table=table, refused=()), said).rows
        lines = {
            "line": _as_numbers(rows.drop_columns(["place"])),
            "file": np.int32(rank[cells.file]),
            "part": np.int32(n),
        }
        lines |= {"day": days.filter(mine).to_numpy(), "place": table["place"].to_numpy()}
        parts.append(pd.DataFrame(lines))
    return pd.concat(parts, ignore_index=True).sort_values(["file", "place"], kind="stable", ignore_index=True)


def _as_numbers(rows: pa.Table) -> np.ndarray:
    """Equal rows are equal numbers of 64 bits."""
    found = np.zeros(rows.num_rows, np.uint64)
    for n, column in enumerate(rows.columns):
        texts = pc.fill_null(column.cast(pa.string()), "").to_pandas()
        found = found * np.uint64(0x9E3779B97F4A7C15) + pd.util.hash_array(texts.to_numpy(dtype=object)) + np.uint64(n)
    return found


def _across(lines: pd.DataFrame, days: Mapping[str, Mapping[int, int]], files: list[str], said: OwnSource) -> Twice:
    held = lines.groupby(["line", "file"], sort=False).agg(n=("place", "size"), day=("day", "first")).reset_index()
    several = held[held.duplicated("line", keep=False)]
    both = several.merge(several, on="line", suffixes=("", "_before"))
    both = both[both["file_before"] < both["file"]]
    both = both.assign(lines=np.minimum(both["n"], both["n_before"]))
    found = both.groupby(["file_before", "file"], as_index=False).agg(
        first=("day", "min"), last=("day", "max"), lines=("lines", "sum")
    )
    pairs = {
        (one, other): Overlap(files[one], files[other], _day(first), _day(last), n)
        for one, other, first, last, n in found.to_numpy(int).tolist()
        if _overlap(n, [days[files[one]], days[files[other]]], said)
    }
    kept = [pair in pairs for pair in zip(both["file_before"], both["file"], strict=True)]
    known = both[kept].groupby(["line", "file"])["lines"].max().rename("known").reset_index()
    lines = lines[lines["line"].isin(known["line"])].merge(known, on=["line", "file"])
    again = lines[lines.groupby(["line", "file"]).cumcount() < lines["known"]]
    return Twice(np.sort(again["place"].to_numpy()), tuple(pairs[p] for p in sorted(pairs)))


def _overlap(lines: int, days: list[Mapping[int, int]], said: OwnSource) -> bool:
    """So many lines in both are no chance: most of what one of them has of the days that both have."""
    common = days[0].keys() & days[1].keys()
    fewer = min(sum(of[day] for day in common) for of in days)
    return lines >= MOSTLY * fewer and ("basket_id" in said.entering or lines >= FEWEST)


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
