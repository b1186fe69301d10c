"""What would become of a declared source, before anything is stored: aggregates, lines, and shapes of failing cells."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import local_day
from twinops.data.own_sources.cell_values import shape
from twinops.data.own_sources.consents.answers import fold
from twinops.data.own_sources.declared import DeclaredSource, shelf
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import AS_CELLS
from twinops.data.own_sources.reading import Entered, Heard, Origin, of_everything, twice_of, unheard, without_place
from twinops.data.own_sources.receipts.netting import APART
from twinops.data.own_sources.receipts.overlapping import Overlap, compares, may_overlap
from twinops.data.own_sources.recognising import date_format
from twinops.data.reading.reading import RefusedRow
from twinops.data.windows import ReceiptDays, counted, visits
from twinops.own_params import OwnSource

SHOWN = 3
"""So many lines are named of each mistake."""
LOOKED_AT = 1_000
"""The cells of so many are."""
AT_ONCE = 1_000_000
"""So many lines are compared at one time, or about so many."""
_MIXES = np.uint64(0x9E3779B97F4A7C15)
_LEAST_ROWS, _OUTSIZE, _LARGE_SHARE = 100, 20, 0.3


@dataclass(frozen=True)
class Mistake:
    """Why some rows would be quarantined: the column of theirs, the first lines, and how their cells look."""

    reason: str
    column: str | None
    lines: tuple[str, ...]
    shapes: tuple[str, ...]
    taken: str
    """What is taken, where that can be said."""
    mend: str = ""
    """What would read the cells, where it is declared."""


@dataclass(frozen=True)
class Crowd:
    """The id with the most rows, if it has far more than others: nobody buys like that, or many share it."""

    rows: int
    share: float
    shape: str
    lines: tuple[str, ...] = ()
    """Where it stands first, so that whoever has the file finds it."""


@dataclass(frozen=True)
class SourceLook:
    """What would become of a source, before anything is stored. Aggregates and shapes only.

    `months` counts good rows per month of transactions, `filled` names columns the files do not have, `left_out` are
    rows that are understood and not kept, `lost` answers that could not be read, `repeated` lines that stand there
    before.
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
    left_out: dict[str, int]
    lost: dict[str, int]
    repeated: int
    mistakes: tuple[Mistake, ...]
    crowd: Crowd | None
    days: ReceiptDays | None
    """On how many visits receipts lie by day, where it holds receipts."""
    ignored: tuple[str, ...] = ()
    """Files that lie in its folder and are not read."""
    overlaps: tuple[Overlap, ...] = ()
    """Files that hold lines of an earlier one."""
    people: frozenset[str] = frozenset()
    """Whose good rows there are, to compare sources by; never told."""


@dataclass
class _Tally:
    """What is counted of a batch, and of those before it once they are added."""

    records: int = 0
    taken: int = 0
    repeated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    dropped: dict[str, None] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    files: int = 0
    mistaken: dict[str, list[RefusedRow]] = field(default_factory=dict)
    origins: list[Origin] = field(default_factory=list)
    visits: list[pa.Table] = field(default_factory=list)
    shared: bool = False
    """Some day stands in several files."""
    first: dict[str, list[int]] = field(default_factory=dict)
    """Of the ids with the most rows of each batch the first places."""

    def add(self, more: _Tally, *, apart: int) -> None:
        """The next batch, whose places begin so far behind."""
        self.records, self.taken = self.records + more.records, self.taken + more.taken
        self.files, self.repeated = self.files + more.files, self.repeated + more.repeated
        for counted_so_far, counts in zip(self._counters, more._counters, strict=True):
            counted_so_far.update(counts)
        self.dropped, self.filled = more.dropped, more.filled
        self.visits += more.visits
        self.shared = self.shared or more.shared
        for who, places in more.first.items():
            self.first.setdefault(who, [place + apart for place in places])
        self.origins += [Origin(one.file, one.before + apart) for one in more.origins]
        for reason, rows in more.mistaken.items():
            kept = self.mistaken.setdefault(reason, [])
            kept += [row._replace(place=str(int(row.place) + apart)) for row in rows[: LOOKED_AT - len(kept)]]

    @property
    def _counters(self) -> tuple[Counter[str], ...]:
        return self.reasons, self.months, self.people, self.left_out, self.lost


def look(source: DeclaredSource, heard: Heard = unheard) -> SourceLook:
    """Read and judge everything; store nothing. `heard` is told how many records were judged so far.

    Raises:
        DataError, ParamsError, ServiceError: as reading does.
    """
    tally = _Tally()
    for n, batch in enumerate(of_everything(source, _counted, heard)):
        tally.add(batch, apart=n * APART)
    mistakes = (_mistake(source, rows, tally.origins) for _, rows in sorted(tally.mistaken.items()))
    return SourceLook(
        source.name, source.said.kind, tally.files, tally.records, tally.taken, dict(sorted(tally.reasons.items())),
        tuple(tally.dropped), tally.filled, dict(sorted(tally.months.items())), len(tally.people),
        dict(sorted(tally.left_out.items())), dict(sorted(tally.lost.items())), tally.repeated,
        tuple(mistakes), _crowd(source, tally), counted(tally.visits), opening.ignored(source),
        _overlaps(source, tally), frozenset(tally.people),
    )  # fmt: skip


def _counted(entered: Entered) -> _Tally:
    source = entered.source
    good, net = entered.rows()
    tally = _Tally(
        entered.records, good.num_rows, left_out=entered.left_out + Counter(net), lost=entered.lost,
        dropped=dict.fromkeys(entered.dropped), filled=entered.filled, files=len(entered.files),
        origins=entered.origins,
    )  # fmt: skip
    for row in (*entered.refused, *entered.without):
        tally.reasons[row.reason] += 1
        tally.mistaken.setdefault(row.reason, []).append(row)
    if source.said.form.people is not None:
        tally.people.update(_counts(good[source.said.form.people]))
        for who, _ in tally.people.most_common(SHOWN):
            theirs = good["place"].filter(pc.equal(good[source.said.form.people], who))
            tally.first[who] = sorted(theirs.take(pc.bottom_k_unstable(theirs, SHOWN)).to_pylist())
    if "sales_value" in source.said.form.columns:
        tally.months.update(_counts(pc.strftime(good["time"].cast(pa.date32(), safe=False), format="%Y-%m")))
        # equal lines have one time, so they are in one month; with numbers of lines they are told apart
        tally.repeated = 0 if "line_id" in source.said.entering else _repeated(without_place(good))
        tally.shared = _shares_days(good, entered.origins)
        tally.visits.append(visits(pa.table({"household_id": good["household_id"], "day": local_day(good["time"])})))
    tally.mistaken = {reason: rows[:LOOKED_AT] for reason, rows in tally.mistaken.items()}
    return tally


def _shares_days(rows: pa.Table, origins: list[Origin]) -> bool:
    """Lines of one day stand in several files."""
    file = np.searchsorted([o.before for o in origins], rows["place"].to_numpy())
    days = pa.table({"file": file, "day": local_day(rows["time"])}).group_by(["file", "day"]).aggregate([])
    return bool(len(days["day"].unique()) < days.num_rows)


def _overlaps(source: DeclaredSource, tally: _Tally) -> tuple[Overlap, ...]:
    """Between which files lines stand twice: as it is settled, or would be."""
    found = compares(source.said) or (tally.shared and may_overlap(source.said))
    return twice_of(source).overlaps if found else ()


def _repeated(rows: pa.Table) -> int:
    """Lines that stand there before. Equal ones have one time: told apart by it, some are compared after the other."""
    parts = rows.num_rows // AT_ONCE + 1
    mixed = rows["time"].cast(pa.int64()).to_numpy().astype(np.uint64) * _MIXES >> np.uint64(32)
    which = pa.array(mixed % np.uint64(parts))
    some = (rows.filter(pc.equal(which, pa.scalar(n, pa.uint64()))) for n in range(parts))
    return sum(s.num_rows - s.group_by(s.column_names).aggregate([]).num_rows for s in some)


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    return {c["values"]: c["counts"] for c in pc.value_counts(values).to_pylist()}


def _mistake(source: DeclaredSource, rows: list[RefusedRow], origins: list[Origin]) -> Mistake:
    """Where it stands first, and how it looks."""
    said, reason = source.said, rows[0].reason
    ours = next((c for c in said.ours if reason.startswith(f"{c}_")), None)
    ours = "unit_price" if ours == "sales_value" and "unit_price" in said.entering else ours
    theirs = said.theirs(ours) if ours and said.fills(ours) else None
    shapes = dict.fromkeys(s for r in rows if (s := _shape_of(r, theirs)))
    lines = tuple(_line(int(r.place), origins, said) for r in rows[:SHOWN])
    mend = _other_way(source, [c for r in rows if (c := _cell_of(r, theirs))]) if reason == "time_unreadable" else ""
    return Mistake(reason, theirs, lines, tuple(shapes)[:SHOWN], _taken(source, reason, ours), mend)


def _other_way(source: DeclaredSource, cells: list[str]) -> str:
    """The field that would read days that are written in a way of their own; nothing where no way reads them."""
    found = date_format(cells)
    if found is None or source.said.time is None:
        return ""
    also = [*source.said.time.also, found.format, *found.also]
    return f"`also: {json.dumps(also)}` under {source.where}.time reads most of them"


def _cell_of(row: RefusedRow, theirs: str | None) -> str | None:
    if theirs is None or row.encoding != AS_CELLS:
        return None
    cell = json.loads(row.raw)["cells"].get(theirs)
    return None if cell is None else str(cell)


def _shape_of(row: RefusedRow, theirs: str | None) -> str | None:
    cell = _cell_of(row, theirs)
    return None if cell is None else shape(cell)


def _line(place: int, origins: list[Origin], said: OwnSource) -> str:
    """`line 7`, with the file's name where there are several."""
    of = max((o for o in origins if o.before < max(place, 1)), key=lambda o: o.before, default=origins[0])
    line = (place - of.before) // fold(said)
    return f"{of.file} line {line}" if len(origins) > 1 else f"line {line}"


def _taken(source: DeclaredSource, reason: str, ours: str | None) -> str:
    column = next((c for c in shelf(source.said).SCHEMA.columns if c.name == ours), None)
    if column is None:
        return ""
    if reason.endswith("_out_of_range") and column.low is not None:
        return f"{column.low} to {column.high}"
    return ", ".join(column.allowed) if reason.endswith("_unknown") and column.allowed else ""


def _crowd(source: DeclaredSource, tally: _Tally) -> Crowd | None:
    """The most frequent id, where it has twenty times the rows of the middle one, or nearly a third of all."""
    people = tally.people
    rows = people.total()
    if rows < _LEAST_ROWS or max(people.values()) == 1:
        return None
    who, most = people.most_common(1)[0]
    outsize = most >= _OUTSIZE * float(np.median(list(people.values()))) and most * 100 >= rows
    if outsize or most >= _LARGE_SHARE * rows:
        lines = tuple(_line(place, tally.origins, source.said) for place in tally.first.get(who, ()))
        return Crowd(most, round(most / rows, 3), shape(who), lines)
    return None
