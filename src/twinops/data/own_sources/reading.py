"""One batch of a declared source: good rows in our schema, and everything else with its reason. Nothing is lost."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.days import local_day
from twinops.data.own_sources import known_by
from twinops.data.own_sources.consents import channels
from twinops.data.own_sources.consents.answers import lengthened
from twinops.data.own_sources.consents.proved_yes import proved
from twinops.data.own_sources.consents.undated import dated
from twinops.data.own_sources.declared import KINDS, DeclaredSource, shelf
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.files import archives, database, excel, opening, sqlite_file
from twinops.data.own_sources.files import csv as delimited
from twinops.data.own_sources.files import parquet as columnar
from twinops.data.own_sources.files.carried_down import CarriedDown
from twinops.data.own_sources.files.cells import TextCells, as_refusals
from twinops.data.own_sources.mapping import Mapped, mapped, months
from twinops.data.own_sources.reading_result import NAMED_AGAIN, OwnReading, first_of_each, folded
from twinops.data.own_sources.receipts import line_identity, netting, overlapping
from twinops.data.own_sources.receipts.counted_rows import counted
from twinops.data.own_sources.receipts.line_identity import Standing
from twinops.data.own_sources.receipts.netting import MonthNet
from twinops.data.own_sources.receipts.overlapping import Twice
from twinops.data.quality import part
from twinops.data.reading.reading import REFUSED_ROWS, UNSCORED, RefusedRow, as_table
from twinops.data.schema import Schema
from twinops.errors import DataError
from twinops.own_kinds import CHANNEL, RETURNS_OF, form

OTHER_MONTH = "time_in_another_month"
T = TypeVar("T")


@dataclass(frozen=True)
class PartedRecords:
    """Good rows with their `place`, and the refused; together all records of the cells that were judged."""

    good: pa.Table
    refused: list[RefusedRow]


def cells_of(source: DeclaredSource, batch: str) -> Iterator[TextCells]:
    """The cells of the file, the folder of parts or the query that a batch is in, some at a time.

    Where lines have numbers, without those that do not stand; a return has the customer of the receipt it names. Where
    it is declared, without those that stand in another file already.
    """
    found, asked = _raw_cells(source, batch), batch if source.said.reads == "folder" else WHOLE
    if overlapping.compares(source.said):
        before = twice_of(source)
        found = map(before.settle, found)
    if line_identity.settles(source.said):
        standing = standing_of(source)
        found = (standing.settle(cells, asked) for cells in found)
    yield from found


def twice_of(source: DeclaredSource) -> Twice:
    """Which lines of a source stand there before, in an earlier file; found once while its files are the same."""
    key = (source.where, str(source.root), repr(source.said), _state(source))
    if key not in _TWICE or not key[-1]:
        _TWICE.clear()
        _TWICE[key] = overlapping.twice(source.said, lambda among: _raw_cells(source, WHOLE, among))
    return _TWICE[key]


_TWICE: dict[tuple[object, ...], Twice] = {}


def standing_of(source: DeclaredSource) -> Standing:
    """Which lines of a source stand; all of it is read for that, once while its files are the same."""
    if not line_identity.settles(source.said):
        return Standing()
    batches = tuple(opening.batches(source)) if source.said.reads == "folder" else (WHOLE,)
    key = (source.where, str(source.root), repr(source.said), _state(source))
    if key not in _STOOD or not key[-1]:
        _STOOD.clear()
        _STOOD[key] = line_identity.standing(source, batches, lambda batch: _raw_cells(source, batch))
    return _STOOD[key]


_STOOD: dict[tuple[object, ...], Standing] = {}
"""Of the source that was read last: the months of a folder ask one after the other."""


def _state(source: DeclaredSource) -> tuple[tuple[str, int, int], ...]:
    """Tells the files of a source apart from what they were, without reading them; nothing of a query."""
    if source.said.reads in ("sql", "archives"):
        return ()
    every = (one for path in opening.batches(source).values() for one in opening.parts(source, path))
    return tuple((str(one), s.st_mtime_ns, s.st_size) for one in every if (s := one.stat()))


def _raw_cells(source: DeclaredSource, batch: str, among: Mapping[str, int] | None = None) -> Iterator[TextCells]:
    """As they lie in the files; `among`: of these alone, whose places begin behind so many."""
    if source.said.reads in ("sql", "archives"):
        found = database.read(source) if source.said.reads == "sql" else archives.read(source)
        yield from _counting(found, source)
        return
    path, before = opening.of_batch(source, batch), 0
    for one in opening.parts(source, path):
        if among is not None and opening.label(path, one) not in among:
            continue
        last = before = before if among is None else among[opening.label(path, one)]
        with opening.opened(source, one) as file, _told_of(path, one):
            for cells in _counting(_reader(source, one)(source, file), source):
                counted_on = cells.behind(before, opening.label(path, one))
                last = max(last, counted_on.last)
                yield counted_on
        before = last


@contextmanager
def _told_of(path: Path, one: Path) -> Iterator[None]:
    """Say which file of a folder it is that cannot be read."""
    try:
        yield
    except DataError as found:
        if path == one or one.name in found.what:
            raise
        raise DataError(f"{one.name}: {found.what} Other files of its folder were read.", hint=found.hint) from found


def _counting(found: Iterable[TextCells], source: DeclaredSource) -> Iterator[TextCells]:
    """The rows of one file that count, each whole and of a customer's number, and one an answer."""
    said, heads, whose = source.said, CarriedDown(source.said), known_to(source)
    for cells in found:
        yield proved(lengthened(known_by.named(counted(heads.onto(cells), said), said, whose), said), said)


def known_to(source: DeclaredSource) -> known_by.Known | None:
    """Whose the addresses are that a source knows its customers by; read once while the files are the same."""
    if not source.knows:
        return None
    key = tuple((one.where, repr(one.said), theirs, _state(one)) for one, theirs in source.knows)
    if key not in _KNOWN or not all(state for *_, state in key):
        _KNOWN.clear()
        _KNOWN[key] = known_by.known(source, lambda one: _raw_cells(one, WHOLE))
    return _KNOWN[key]


_KNOWN: dict[tuple[object, ...], known_by.Known | None] = {}


def digest_of(files: Mapping[str, str]) -> str:
    """The SHA-256 of a file, or of the names and digests of all of a folder's."""
    if len(files) == 1:
        return next(iter(files.values()))
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


def _reader(source: DeclaredSource, path: Path) -> Callable[[DeclaredSource, BinaryIO], Iterator[TextCells]]:
    if source.said.reads == "sqlite":
        return partial(sqlite_file.read, path=path)
    readers = {"excel": excel.read, "parquet": columnar.read, "csv": delimited.read}
    return readers[opening.written_as(source, path)]


def read(source: DeclaredSource, batch: str, *, net: MonthNet | None = None) -> OwnReading:
    """A month of transactions by the counted calendar, or everything: of another kind, or in one go.

    A record without a month (no readable time, torn) is read with the file's first one, to be quarantined there; in a
    folder of months, with the month its file is named after. Returns are set against purchases of the whole file, or of
    all files of a folder; what those did is `net` where it is known already (`netted`).
    """
    return entering(source, batch, net=net).reading()


def entering(source: DeclaredSource, batch: str, *, net: MonthNet | None = None) -> Entered:
    """The same, before anything is set against anything."""
    entered = Entered(source, batch, net)
    for cells in cells_of(source, batch):
        entered.add(cells)
    return entered


Heard = Callable[[int], None]
"""Is told how many records were judged so far."""


def unheard(_records: int) -> None:
    """Nobody asks."""


def of_everything(source: DeclaredSource, tell: Callable[[Entered], T], heard: Heard = unheard) -> list[T]:
    """What `tell` says of all of a source: of a folder of receipts of one month after the other, so that no more than
    one is in memory; of anything else at once.

    `heard` is told how many records were judged so far. Where something came back, what it does to each month is found
    out first, and every file read once more.
    """
    months_of = list(opening.batches(source)) if source.said.reads == "folder" else [WHOLE]
    if source.said.reads != "folder" or not _nets(source):
        entered = Entered(source, WHOLE)
        for n, month in enumerate(months_of):
            for cells in cells_of(source, month):
                entered.add(cells.behind(n * netting.APART, cells.file) if n else cells, month)
                heard(entered.records)
        return [tell(entered)]
    told = _month_by_month(source, dict.fromkeys(months_of, netting.NOTHING_BACK), tell, heard)
    return _month_by_month(source, netted(source), tell, heard) or [] if told is None else told


def _month_by_month(
    source: DeclaredSource, nets: Mapping[str, MonthNet], tell: Callable[[Entered], T], heard: Heard
) -> list[T] | None:
    """None: something came back that these do not know of."""
    told, before = [], 0
    for month, net in nets.items():
        entered = Entered(source, month, net)
        for cells in cells_of(source, month):
            entered.add(cells, month)
            heard(before + entered.records)
        if net is netting.NOTHING_BACK and entered.came_back:
            return None
        before += entered.records
        told.append(tell(entered))
    return told


def netted(source: DeclaredSource, *, among: Iterable[str] | None = None) -> dict[str, MonthNet]:
    """What returns do in each month of a folder, across all of them or `among` those that are bound with each other.

    Each file is read once. A source that is no folder of months has none.
    """
    if source.said.reads != "folder" or not _nets(source):
        return {}
    return netting.across({month: signed_rows(source, month) for month in among or opening.batches(source)})


def signed_rows(source: DeclaredSource, month: str) -> Iterator[pa.Table]:
    """The good rows of one file of a folder."""
    for cells in cells_of(source, month):
        _, foreign, _ = _mine(source, month, months(cells, source.said))
        found = mapped(cells, source.said)
        # nobody's line enters, and judging why takes longer than reading the file
        nobody = np.asarray(found.rows["household_id"].is_null())
        yield judge(cells, found, source, foreign | nobody, signs=True).good


@dataclass(frozen=True)
class Origin:
    """A file, and the places that earlier files took."""

    file: str
    before: int


@dataclass
class Entered:
    """What of a source was judged so far."""

    source: DeclaredSource
    batch: str
    net: MonthNet | None = None
    good: list[pa.Table] = field(default_factory=list)
    back: list[pa.Table] = field(default_factory=list)
    """Returns of other months."""
    refused: list[RefusedRow] = field(default_factory=list)
    without: list[RefusedRow] = field(default_factory=list)
    """Refused rows that have no month."""
    first: str | None = None
    records: int = 0
    last: int = 0
    """The highest place."""
    dropped: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    filled: tuple[str, ...] = ()
    origins: list[Origin] = field(default_factory=list)

    def add(self, cells: TextCells, month: str | None = None) -> None:
        """Judge some records; `month` is the one their file is named after, where months are read together."""
        self.records, self.dropped = self.records + cells.records, cells.dropped
        self.last = max(self.last, cells.last)
        self.files[cells.file] = cells.digest
        if not self.origins or self.origins[-1].file != cells.file:
            self.origins.append(Origin(cells.file, cells.before))
        self.left_out.update(cells.left_out)
        batch = month or self.batch
        when = self._months(cells, batch)
        mine, foreign, homeless = _mine(self.source, batch, when)
        found = mapped(cells, self.source.said)
        judged = judge(cells, found, self.source, foreign, signs=True)
        self.filled = found.filled
        self.lost.update(found.lost)
        self._place(judged, cells, mine, homeless)
        seen = pc.min(when).as_py()
        self.first = min(m for m in (self.first, seen) if m) if self.first or seen else None

    def up_to(self, last: date) -> Entered:
        """The good rows up to that day, as if later ones had not come; nothing is settled yet."""
        known = [rows.filter(pc.less_equal(local_day(rows["time"]), pa.scalar(last))) for rows in self.good]
        return Entered(self.source, self.batch, self.net, known)

    def _months(self, cells: TextCells, batch: str) -> pa.Array:
        """Months of the rows, where they part them."""
        whole = _whole(self.source, batch)
        return pa.nulls(cells.table.num_rows, pa.string()) if whole else months(cells, self.source.said)

    def _place(self, judged: PartedRecords, cells: TextCells, mine: np.ndarray, homeless: np.ndarray) -> None:
        """Rows of this batch, rows of none, and what others of the file sent back."""
        here = pa.array(cells.table["place"].filter(pa.array(mine)).combine_chunks())
        nowhere = set(cells.table["place"].filter(pa.array(homeless)).to_pylist())
        taken, theirs = _split(judged.good, here)
        self.good.append(taken)
        if _nets(self.source) and theirs.num_rows:
            back = theirs.filter(netting.takes_back(theirs))
            self.back += [back] if back.num_rows else []
        own = set(here.to_pylist())
        self.refused += [r for r in judged.refused if int(r.place) in own and int(r.place) not in nowhere]
        self.without += [r for r in judged.refused if int(r.place) in nowhere]
        self.without += cells.refused

    def rows(self) -> tuple[pa.Table, dict[str, int]]:
        """The good rows of the batch, with what came back taken off."""
        parts, self.good = self.good, []
        if not _nets(self.source):
            rows, again = self._once(pa.concat_tables(parts))
            found, closed = channels.settled(rows, self.source.said.offers_by)
            return found, again | closed
        if _whole(self.source, self.batch):
            left = netting.net(parts)
            return pa.concat_tables(parts), netting.counted(left)
        if self.source.said.reads == "folder":
            found = self.month_net.settlement
            kept = [p.filter(pc.invert(netting.takes_back(p))) for p in parts]
            return pa.concat_tables([netting.reduced(p, found.touched) for p in kept]), netting.counted(found.left_out)
        places = pa.chunked_array([p["place"].combine_chunks() for p in parts])
        people = pa.chunked_array([p["household_id"].combine_chunks() for p in parts]).unique()
        # whoever bought nothing here has nothing to send back here
        self.back = [b.filter(pc.is_in(b["household_id"], people)) for b in self.back]
        returns = pa.concat_tables([*self.back, *(p.filter(netting.takes_back(p)) for p in parts)])
        if returns.num_rows:
            parts += [*self.back, *(netting.concerned(rows, returns) for rows in self._bought_elsewhere())]
        left, mine = netting.net(parts), set(places.to_pylist())
        good = pa.concat_tables(parts)
        here = good.filter(pc.is_in(good["place"], places.combine_chunks()))
        return here, netting.counted({p: why for p, why in left.items() if p in mine})

    @property
    def came_back(self) -> bool:
        """Whether any row of the batch is a return."""
        return any(pc.any(netting.takes_back(part)).as_py() for part in self.good)

    @property
    def month_net(self) -> MonthNet:
        """What the months of the folder did to this one."""
        if self.net is None:
            self.net = netted(self.source)[self.batch]
        return self.net

    def _once(self, rows: pa.Table) -> tuple[pa.Table, dict[str, int]]:
        """The first row of each subject, where one is enough, and how many more there were."""
        form = self.source.said.form
        if not form.once or form.people is None:
            return rows, {}
        kept = first_of_each(rows, form.people)
        more = rows.num_rows - kept.num_rows
        return kept, {NAMED_AGAIN: more} if more else {}

    def _bought_elsewhere(self) -> Iterator[pa.Table]:
        """Purchases of other months of the same file."""
        for cells in cells_of(self.source, self.batch):
            mine, foreign, _ = _mine(self.source, self.batch, months(cells, self.source.said))
            judged = judge(cells, mapped(cells, self.source.said), self.source, foreign, signs=True)
            _, rows = _split(judged.good, cells.table["place"].filter(pa.array(mine)).combine_chunks())
            yield rows.filter(pc.invert(netting.takes_back(rows)))

    def reading(self) -> OwnReading:
        """Everything of the batch."""
        good, net = self.rows()
        good = dated(good, self.source.said)
        here = self.batch == WHOLE or self.source.said.reads == "folder" or self.first in (self.batch, None)
        refused = sorted([*self.refused, *(self.without if here else ())], key=lambda r: int(r.place))
        meta = {UNSCORED: json.dumps(dict(sorted(self.lost.items()))).encode()} if self.lost else None
        return OwnReading(
            without_place(good).replace_schema_metadata(meta),
            self.records,
            self.dropped,
            as_table(refused, REFUSED_ROWS),
            dict(sorted((self.left_out + Counter(net)).items())),
            digest_of(self.files),
            dict(sorted(self.lost.items())),
            next((r.reason for r in refused if int(r.place) == self.last), ""),
        )


def without_place(rows: pa.Table) -> pa.Table:
    """The rows of our schema, without what was needed to settle them."""
    settling = ("place", RETURNS_OF, *((CHANNEL,) if channels.of_answers(rows) else ()))
    return rows.drop_columns([c for c in settling if c in rows.column_names])


def together(readings: Sequence[tuple[str, OwnReading]]) -> OwnReading:
    """Sources that fill one table, each with its kind; each kind says how they are joined, and which needs no other."""
    by_kind: dict[str, list[OwnReading]] = {}
    for kind, one in readings:
        by_kind.setdefault(kind, []).append(one)
    told = {kind: folded(several, once=_once(kind)) for kind, several in by_kind.items()}
    kind, read = next(iter(told.items()))
    join = getattr(plugins.load(KINDS, kind), "joined", None)
    return read if join is None else join(told)


def _once(kind: str) -> str | None:
    """The column of whom one row is enough."""
    found = form(kind)
    return found.people if found.once else None


def _nets(source: DeclaredSource) -> bool:
    """Its rows have amounts, which may be taken back."""
    return "sales_value" in source.said.form.columns


def _split(rows: pa.Table, here: pa.Array) -> tuple[pa.Table, pa.Table]:
    mine = pc.is_in(rows["place"], here)
    return rows.filter(mine), rows.filter(pc.invert(mine))


def _mine(source: DeclaredSource, batch: str, found: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which rows belong to the batch, which are in the wrong file, and which have no month and belong to the first."""
    nothing = np.zeros(len(found), bool)
    if _whole(source, batch):
        return ~nothing, nothing, nothing
    other = np.asarray(pc.fill_null(pc.not_equal(found, batch), False))
    if source.said.reads == "folder":
        return ~nothing, other, nothing
    unknown = np.asarray(found.is_null())
    return ~other & ~unknown, nothing, unknown


def _whole(source: DeclaredSource, batch: str) -> bool:
    """All rows are the batch's."""
    return batch == WHOLE or not _nets(source)


def judge(
    cells: TextCells, found: Mapped, source: DeclaredSource, foreign: np.ndarray, *, signs: bool = False
) -> PartedRecords:
    """Part rows that may enter from those that may not; `foreign` ones are in the wrong file.

    With `signs`, quantities and amounts below zero are returns, which netting takes off.
    """
    reasons = np.array(found.unreadable.to_pylist(), dtype=object)
    fine = np.asarray(found.unreadable.is_null())
    reasons[foreign & fine] = OTHER_MONTH
    readable = fine & ~foreign
    schema = shelf(source.said).SCHEMA
    parted = part(found.rows.filter(pa.array(readable)), _signed(schema) if signs else schema)
    why = dict(zip((int(p) for p in parted.bad["place"].to_pylist()), parted.bad["reason"].to_pylist(), strict=True))
    places = found.rows["place"].filter(pa.array(~readable)).to_pylist()
    why |= dict(zip(places, reasons[~readable].tolist(), strict=True))
    bad = cells.table.filter(pc.is_in(cells.table["place"], pa.array(sorted(why), pa.int64())))
    return PartedRecords(parted.good, as_refusals(bad, cells.plain, why))


def _signed(schema: Schema) -> Schema:
    """The same with quantities and amounts that may be below zero, where there are any."""
    high = {c.name: c.high for c in schema.columns if c.name in ("quantity", "sales_value")}
    columns = (replace(c, low=-h) if isinstance(h := high.get(c.name), int | float) else c for c in schema.columns)
    return replace(schema, columns=tuple(columns))
