"""Look at every declared source and say what is new, changed, late, corrected, doubled or gone. Nothing is written."""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import arrivals
from twinops.data.arrivals import REFUSED, TAKEN, Arrived, PeriodLines
from twinops.data.days import numbered
from twinops.data.door import asked_for
from twinops.data.own_sources.declared import DeclaredSource, declared, shelf
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.lock import Nets, digests, locked, netted_since
from twinops.data.own_sources.reading import entering, read, standing_of
from twinops.data.own_sources.reading_result import OwnReading
from twinops.data.own_sources.receipts.line_identity import Corrections
from twinops.data.quality import part
from twinops.data.sources import transactions
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.small_cells import shown
from twinops.errors import DataError, ParamsError
from twinops.own_kinds import staged_as
from twinops.params import Params
from twinops.ports import Engine, KeyStore
from twinops.whole_files import LIVING, told_in
from twinops.workflows.intake import BATCH, SUBJECT
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS, reached
from twinops.workflows.update.arrival import Arrival
from twinops.workflows.update.doubts import CUT_SHORT, UNREADABLE, Asked, Came, doubts, said_before

RECENT = 3
"""Beside so many of the newest months held a month is looked at."""
Digests = dict[str, dict[str, str]]
"""SHA-256 of each part of each source."""


@dataclass(frozen=True)
class Seen:
    """Every period that is not as it was, the months once all that can be is taken in, and up to which day it reaches.

    `nets`: what returns do in the months of folders, where they had to be read;
    `parts`: how many parts of each source were looked at; `since`: days of the newest rows, where parts have no month.
    """

    arrivals: tuple[Arrival, ...]
    months: tuple[str, ...]
    parts: Mapping[str, int]
    digests: Digests = field(repr=False)
    nets: Mapping[str, Nets] = field(repr=False)
    newest_day: int | None = None
    ignored: tuple[str, ...] = ()
    """Files that lie in a folder of months and are not read."""
    corrections: tuple[Corrections, ...] = ()
    """What files did to lines of months that are not as they were."""

    @property
    def taken(self) -> tuple[Arrival, ...]:
        """What an update takes in."""
        return tuple(a for a in self.arrivals if a.what in TAKEN)

    @property
    def refused(self) -> tuple[Arrival, ...]:
        """What must be mended first."""
        return tuple(a for a in self.arrivals if a.what in REFUSED)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; digests stay inside."""
        told: dict[str, Any] = {"months": list(self.months), "parts": dict(self.parts), "newest_day": self.newest_day}
        told |= {"ignored": list(self.ignored)} if self.ignored else {}
        told |= {"corrections": [_counted(c) for c in self.corrections]} if self.corrections else {}
        return {"arrivals": [a.to_dict() for a in self.arrivals], **told}


@dataclass(frozen=True)
class Shop:
    """A project whose sources are looked at, up to a month where one is named."""

    places: Places
    params: Params
    engine: Engine
    keys: KeyStore


def look(
    shop: Shop, *, until: str | None = None, today: date | None = None, accepted: Mapping[str, str] | None = None
) -> Seen:
    """Compare each source with what was taken in last; a part whose bytes are known is not read again.

    `today`: receipts of later days are doubted; `accepted`: periods of which somebody says they are right, by whom.

    Raises:
        DataError: a source cannot be read, or receipts of your own are not declared.
        ParamsError: `until` is no month of the data.
    """
    before = known(shop.places)
    sights = (
        [_Shipped(shop, before, until)]
        if _is_shipped(shop.params)
        else [*_own(shop, before, Asked(until, today, accepted or {}))]
    )
    if not any(isinstance(s, _Shipped) or s.lines for s in sights):
        raise DataError("No receipts of your own are declared.", hint="Declare a source of kind transactions.")
    rows = tuple(a for sight in sights for a in sight.arrivals())
    main = next(s for s in sights if isinstance(s, _Shipped) or s.lines)
    months = main.months
    if until is not None and (months == (WHOLE,) or until < shop.params.months[0]):
        raise ParamsError(f"No part of the receipts is {until!r:.20}.", hint="Say a month as YYYY-MM.")
    digests = {name: found for sight in sights for name, found in sight.digests.items()}
    gone = [Arrival(n, "all", Arrived.GONE) for n in before if n not in digests]
    # by now: looking at the rows found them
    nets = {s.source.name: s.nets for s in sights if isinstance(s, _Own) and "nets" in vars(s)}
    ignored = tuple(name for s in sights if isinstance(s, _Own) for name in opening.ignored(s.source))
    parts = {n: len(of) for n, of in digests.items()}
    corrections = tuple(c for s in sights if isinstance(s, _Own) for c in s.corrections(rows))
    return Seen((*rows, *gone), months, parts, digests, nets, main.newest_day, ignored, corrections)


def known(places: Places) -> Digests:
    """What each part was when it was last taken in; nothing before the first update."""
    if not places.arrivals.is_file():
        return {}
    with told_in(places.arrivals, hint=LIVING) as told:
        return {str(n): dict(of) for n, of in told.items()}


def _is_shipped(params: Params) -> bool:
    return not params.own.root or params.sources.folder is not None


def _own(shop: Shop, before: Digests, asked: Asked) -> Iterator[_Own]:
    for name in shop.params.own.root:
        source = declared(shop.params.own, name, root=shop.places.root, max_rows=shop.params.sources.max_rows)
        yield _Own(shop, source, before.get(name, {}), asked)


@dataclass(frozen=True)
class _Shipped:
    """The shipped tables, or a folder of such: receipts by the month, others whole."""

    shop: Shop
    before: Digests
    until: str | None

    @cached_property
    def digests(self) -> Digests:
        """Of each table's file."""
        asked = asked_for(BATCH, self.shop.places.root, self.shop.params.sources)
        names = (n for n in ("transactions", "demographics", "campaigns", "coupon_redemptions"))
        return {n: {"all": _sha(asked.file(n).read_bytes())} for n in names if asked.file(n).is_file()}

    @cached_property
    def _rows(self) -> dict[str, int]:
        """Visits of each month of the file."""
        asked = asked_for(BATCH, self.shop.places.root, self.shop.params.sources)
        days = transactions.days(self.shop.engine, asked)["day"]
        counted = pc.value_counts(pc.strftime(days, format="%Y-%m")).to_pylist()
        return {str(row["values"]): int(row["counts"]) for row in counted}

    @cached_property
    def _order(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        there = [m for m in self._rows if m >= self.shop.params.months[0] and m <= (self.until or "9999-12")]
        return arrivals.in_order(self.shop.params.months, there)

    @property
    def months(self) -> tuple[str, ...]:
        """Up to the first that is not there."""
        return self._order[0]

    @property
    def newest_day(self) -> None:
        """Months tell."""

    def arrivals(self) -> Iterator[Arrival]:
        """New months, and tables that are other ones."""
        for month in self.months:
            if month not in self.shop.params.months or not self.shop.places.raw(TRANSACTIONS, month).is_file():
                yield Arrival(TRANSACTIONS, month, Arrived.NEW, shown(self._rows.get(month, 0)))
        for name, found in self.digests.items():
            if name in self.before and self.before[name] != found:
                yield Arrival(name, "all", Arrived.CHANGED)


@dataclass(frozen=True)
class _Part:
    """The good rows of a part as they would be sealed, and why its last record was refused, if it was."""

    rows: pa.Table
    last: str
    records: int


@dataclass(frozen=True)
class _Own:
    """One source of your own, by its parts."""

    shop: Shop
    source: DeclaredSource
    before: Mapping[str, str]
    asked: Asked

    @property
    def lines(self) -> bool:
        """Whether it holds the receipt lines."""
        return staged_as(self.source.said.kind) == TRANSACTIONS

    @cached_property
    def digests(self) -> Digests:
        """Of each part, by bytes alone; a query has to be asked."""
        there = {n: str(facts["sha256"]) for n, facts in digests(self.source).items()}
        found = {n: sha for n, sha in there.items() if n <= (self.asked.until or "9999-12") or n == BATCH}
        return {self.source.name: found}

    @property
    def _parts(self) -> dict[str, str]:
        return self.digests[self.source.name]

    @cached_property
    def _by_month(self) -> bool:
        return self.source.said.reads == "folder"

    @cached_property
    def _order(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        months = self.shop.params.months
        return arrivals.in_order(months, [m for m in self._parts if m >= months[0]])

    @property
    def months(self) -> tuple[str, ...]:
        """Months once all that can be is taken in."""
        if self._by_month:
            return self._order[0]
        declared_months = self.shop.params.months
        if declared_months == (WHOLE,):
            return declared_months
        last = max((m for m in self._lines if m >= declared_months[0]), default=declared_months[-1])
        return arrivals.span(declared_months[0], max(last, declared_months[-1]))

    @cached_property
    def newest_day(self) -> int | None:
        """The newest day of receipts that have no months."""
        if self.shop.params.months != (WHOLE,) or not self.lines:
            return None
        if not self._changed(BATCH):
            return reached(self.shop.places, self.shop.params.features.days) - 1
        return int(pc.max(self._all.rows["day"]).as_py())

    def arrivals(self) -> Iterator[Arrival]:
        """Everything that is not as it was."""
        if not self.lines:
            found = self._whole()
        elif self._by_month:
            found = self._of_a_folder()
        else:
            found = self._of_one_file()
        yield from (arrival for arrival in found if arrival.what is not Arrived.SAME)

    def corrections(self, arrived: Iterable[Arrival]) -> Iterator[Corrections]:
        """What files did to lines of its months that are not as they were."""
        periods = {a.period for a in arrived if a.source == self.source.name}
        if periods and self.lines:
            yield from (c for c in standing_of(self.source).corrections if periods & {*c.months, WHOLE})

    def _whole(self) -> Iterator[Arrival]:
        """A source without periods."""
        # before the first update the lock tells from which bytes it was collected
        before = self.before or locked(self.shop.places.sources_lock, self.source)
        # by its counts: products lie in the open
        counts = self.shop.places.counts(staged_as(self.source.said.kind), BATCH)
        for name, digest in self._parts.items():
            if self.before or counts.is_file():
                if before and before.get(name) != digest:
                    yield self._counted(name, Arrived.CHANGED, counts)
            else:
                yield self._counted(name, Arrived.NEW, counts)

    def _counted(self, name: str, what: Arrived, counts: Path) -> Arrival:
        """How many rows it has, and how many more than were read of the table that it fills alone."""
        rows = read(self.source, name).in_file
        alone = len(self.shop.params.own.all_staged_as(staged_as(self.source.said.kind))) == 1
        held = rows
        if alone and counts.is_file():
            with told_in(counts) as told:
                held = int(told["in_file"])
        more = shown(max(rows - held, 0))
        return Arrival(self.source.name, name, what, shown(rows), more if what is Arrived.CHANGED and alone else None)

    def _of_a_folder(self) -> Iterator[Arrival]:
        name, (ready, missing, waiting) = self.source.name, self._order
        for month in ready:
            if month not in self._parts and month <= (self.asked.until or "9999-12"):
                yield Arrival(name, month, Arrived.GONE)
            elif month in self._parts and self._changed(month):
                twin = next((m for m in self._parts if m < month and self._parts[m] == self._parts[month]), None)
                yield Arrival(name, month, Arrived.DOUBLED) if twin else self._compared(month)
        yield from (Arrival(name, m, Arrived.GONE if m in self.before else Arrived.MISSING) for m in missing)
        yield from (Arrival(name, m, Arrived.WAITS) for m in waiting)

    @cached_property
    def _lines(self) -> dict[str, PeriodLines]:
        """Of one file or query: its months, compared with all that is held."""
        if not self._changed(BATCH):
            return {}
        return self._against(self._all.rows, self._held_all)

    @cached_property
    def _all(self) -> _Part:
        """The one file or query."""
        return self._part(WHOLE)

    @cached_property
    def _held_all(self) -> pa.Table:
        """Everything that is held."""
        return self._held(self._batches, like=self._all.rows)

    def _of_one_file(self) -> Iterator[Arrival]:
        days = self.shop.params.features.days
        moved = [month for month, lines in self._lines.items() if lines.arrived is not Arrived.SAME]
        for month, lines in self._lines.items():
            first = days.number(date.fromisoformat(f"{month}-01"))
            last = first + calendar.monthrange(*map(int, month.split("-")))[1] - 1
            rows = self._all.rows.filter(pc.is_in(self._all.rows["day"], pa.array(range(first, last + 1), pa.int64())))
            # the file's last line is one, and told with its newest month
            broken = self._broken_end(WHOLE, self._all) if month == max(moved, default="") else ""
            found = self._judged(month, Came(lines, rows, self._held_all, broken))
            other = found.what not in (Arrived.SAME, Arrived.NEW) and month != max(moved)
            follows = other and month in self._settled_by_newer
            yield replace(found, follows=max(moved)) if follows else found

    @cached_property
    def _settled_by_newer(self) -> frozenset[str]:
        """Months in which only that changed which rows of later days than any held took off."""
        if not self._batches:
            return frozenset()
        newest = int(pc.max(self._held_all["day"]).as_py())
        days, entered = self.shop.params.features.days, entering(self.source, WHOLE)
        alone = self._named(entered.up_to(days.date_of(newest)).reading())
        same = self._against(alone.rows, self._held_all)
        return frozenset(m for m in self._lines if same.get(m, PeriodLines()).arrived is Arrived.SAME)

    def _changed(self, batch: str) -> bool:
        held = self.shop.places.raw(TRANSACTIONS, batch).is_file() if self._by_month else True
        return self.before.get(batch) != self._parts[batch] or not held

    def _compared(self, month: str) -> Arrival:
        part = self._part(month)
        held = self._held([m for m in self._batches if m == month], like=part.rows)
        lines = self._against(part.rows, held).get(month, PeriodLines())
        if month not in self._batches and any(m > month for m in self._batches):
            lines = replace(lines, newer=False)
        newest = [m for m in self._batches if m != month][-RECENT:]
        # what is held of the month itself, too: an old one has what newer ones have no more
        beside = self._held([*newest, *(m for m in self._batches if m == month)], like=part.rows)
        return self._judged(month, Came(lines, part.rows, beside, self._broken_end(month, part), part.records))

    def _judged(self, month: str, came: Came) -> Arrival:
        """What it is, unless it looks broken and nobody said that it is right."""
        found = _told(self.source.name, month, came.lines)
        if found.what is Arrived.DOUBLED or (found.what is Arrived.SAME and not came.unread):
            return found
        doubted = [*doubts(came, said=self.source.said, params=self.shop.params, today=self.asked.today)]
        if not doubted:
            return found
        found = replace(found, why="; ".join(d.why for d in doubted))
        by = {**said_before(self.shop.places, self.source.name, self._parts), **self.asked.accepted}.get(month, "")
        return replace(found, accepted_by=by) if by else replace(found, what=doubted[0].what)

    def _broken_end(self, batch: str, part: _Part) -> str:
        """Why the file's last line could not be read, if that looks like a copy that broke off."""
        if part.last in CUT_SHORT and self._batches:
            # a shop whose files end in a line that is no receipt always did
            before = self.shop.places.counts(TRANSACTIONS, self._batches[-1])
            if not before.is_file():
                return part.last
            with told_in(before) as told:
                if part.last not in told["quarantined"]:
                    return part.last
        broken = part.last in CUT_SHORT or part.last.endswith(UNREADABLE)
        return part.last if broken and opening.ends_open(self.source, batch) else ""

    @cached_property
    def _batches(self) -> list[str]:
        """What is held of receipts."""
        return [p.stem for p in self.shop.places.raw_batches(TRANSACTIONS)]

    def _held(self, batches: Iterable[str], *, like: pa.Table) -> pa.Table:
        """Lines of these, as they were sealed."""
        tables = SealedTables(self.shop.places.raw_batches, self.shop.keys)
        paths = [self.shop.places.raw(TRANSACTIONS, batch) for batch in batches]
        rows = [tables.table(path, dataset=TRANSACTIONS).select(list(arrivals.LINE)) for path in paths]
        return pa.concat_tables(rows) if rows else like.slice(0, 0)

    def _against(self, came: pa.Table, before: pa.Table) -> dict[str, PeriodLines]:
        """Months of the rows that came, beside rows that are held."""
        newest = pc.max(before["day"]).as_py()
        days = self.shop.params.features.days
        return arrivals.compared(self.shop.engine, before, came, days=days, newest=newest)

    @cached_property
    def nets(self) -> Nets:
        """What returns do in each month of a folder."""
        return netted_since(self.shop.places.sources_lock, self.source)

    def _part(self, batch: str) -> _Part:
        """Read a part; where some are held, its rows are under the sids of who is known."""
        return self._named(read(self.source, batch, net=self.nets.get(batch)))

    def _named(self, came: OwnReading) -> _Part:
        """Good rows under sids; whoever was erased is left out, as collecting does."""
        made, known_to_us = shelf(self.source.said), bool(self._batches)
        rows = numbered(made.sealed(part(came.rows, made.SCHEMA).good), self.shop.params.features.days)
        gone = self.shop.keys.suppressed(rows[SUBJECT].unique().to_pylist())
        rows = rows.filter(pc.invert(pc.is_in(rows[SUBJECT], pa.array(sorted(gone), rows[SUBJECT].type))))
        named = rows[SUBJECT].combine_chunks().dictionary_encode()
        names = named.dictionary.to_pylist()
        known_sids = self.shop.keys.known_sids(names) if known_to_us else {}
        sids = [known_sids.get(n, f"new {i}") for i, n in enumerate(names)]
        told = pa.array(sids, pa.string()).take(named.indices)
        return _Part(rows.append_column("sid", told).select(list(arrivals.LINE)), came.last, came.in_file)


def _told(source: str, month: str, lines: PeriodLines) -> Arrival:
    came, added, again, gone = (shown(n) for n in (lines.came, lines.added, lines.again, lines.gone))
    return Arrival(source, month, lines.arrived, came, added, again, gone)


def _counted(found: Corrections) -> dict[str, Any]:
    """As JSON values; counts below ten are null."""
    counts = {name: shown(getattr(found, name)) for name in ("replaced", "cancelled", "new")}
    return {"file": found.file, **counts, "months": list(found.months)}


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
