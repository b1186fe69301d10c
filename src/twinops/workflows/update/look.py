"""Look at every declared source and say what is new, changed, late, corrected, doubled or gone. Nothing is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import arrivals
from twinops.data.arrivals import REFUSED, TAKEN, Arrived, PeriodLines
from twinops.data.days import numbered
from twinops.data.door import asked_for
from twinops.data.own_sources.declared import DeclaredSource, declared, shelf
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.lock import Nets, digests, netted_since
from twinops.data.own_sources.reading import read
from twinops.data.quality import part
from twinops.data.sources import transactions
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.small_cells import shown
from twinops.errors import DataError, ParamsError
from twinops.own_params import staged_as
from twinops.params import Params
from twinops.ports import Engine, KeyStore
from twinops.workflows.intake import BATCH, SUBJECT
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS, reached

NOTES = {
    Arrived.LATE: "taken in with its own month",
    Arrived.CORRECTED: "what was held is replaced; states lose the old rows by subtraction",
    Arrived.DOUBLED: "not taken in: sales would count twice. Take one copy away, or declare `repeated: drop`",
    Arrived.GONE: "nothing is taken in: put it back, or take it out of `months` in params.yaml",
    Arrived.MISSING: "nothing behind it is taken in: put it there, an empty one with its header if nothing was sold",
    Arrived.WAITS: "taken in once the missing month is there",
}
"""What becomes of a period that needs a word."""
Digests = dict[str, dict[str, str]]
"""SHA-256 of each part of each source."""


@dataclass(frozen=True)
class Arrival:
    """One period of one source. Counts of rows below ten are null; `rows` is null where nothing had to be read."""

    source: str
    period: str
    what: Arrived
    rows: int | None = None
    added: int | None = None
    again: int | None = None
    gone: int | None = None

    @property
    def note(self) -> str:
        """What becomes of it."""
        return NOTES.get(self.what, "")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**vars(self), "what": self.what.value, "note": self.note}


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
        told = {"months": list(self.months), "parts": dict(self.parts), "newest_day": self.newest_day}
        return {"arrivals": [a.to_dict() for a in self.arrivals], **told}


@dataclass(frozen=True)
class Shop:
    """A project whose sources are looked at, up to a month where one is named."""

    places: Places
    params: Params
    engine: Engine
    keys: KeyStore


def look(shop: Shop, *, until: str | None = None) -> Seen:
    """Compare each source with what was taken in last; a part whose bytes are known is not read again.

    Raises:
        DataError: a source cannot be read, or receipts of your own are not declared.
        ParamsError: `until` is no month of the data.
    """
    before = known(shop.places)
    sights = [_Shipped(shop, before, until)] if _is_shipped(shop.params) else [*_own(shop, before, until)]
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
    return Seen((*rows, *gone), months, {n: len(of) for n, of in digests.items()}, digests, nets, main.newest_day)


def known(places: Places) -> Digests:
    """What each part was when it was last taken in; nothing before the first update."""
    if not places.arrivals.is_file():
        return {}
    return {str(n): dict(of) for n, of in json.loads(places.arrivals.read_text(encoding="utf-8")).items()}


def _is_shipped(params: Params) -> bool:
    return not params.own.root or params.sources.folder is not None


def _own(shop: Shop, before: Digests, until: str | None) -> Iterator[_Own]:
    for name in shop.params.own.root:
        source = declared(shop.params.own, name, root=shop.places.root, max_rows=shop.params.sources.max_rows)
        yield _Own(shop, source, before.get(name, {}), until)


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
class _Own:
    """One source of your own, by its parts."""

    shop: Shop
    source: DeclaredSource
    before: Mapping[str, str]
    until: str | None

    @property
    def lines(self) -> bool:
        """Whether it holds the receipt lines."""
        return staged_as(self.source.said.kind) == TRANSACTIONS

    @cached_property
    def digests(self) -> Digests:
        """Of each part, by bytes alone; a query has to be asked."""
        there = {n: str(facts["sha256"]) for n, facts in digests(self.source).items()}
        found = {n: sha for n, sha in there.items() if n <= (self.until or "9999-12") or n == BATCH}
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
        return int(pc.max(self._read(WHOLE, known_to_us=False)["day"]).as_py())

    def arrivals(self) -> Iterator[Arrival]:
        """Everything that is not as it was."""
        if not self.lines:
            found = self._whole()
        elif self._by_month:
            found = self._of_a_folder()
        else:
            found = (_told(self.source.name, month, lines) for month, lines in self._lines.items())
        yield from (arrival for arrival in found if arrival.what is not Arrived.SAME)

    def _whole(self) -> Iterator[Arrival]:
        """A source without periods."""
        for name, digest in self._parts.items():
            if self.before.get(name) != digest:
                # by its counts: products lie in the open
                held = self.shop.places.counts(staged_as(self.source.said.kind), BATCH).is_file()
                if self.before or not held:
                    yield Arrival(self.source.name, name, Arrived.CHANGED if self.before else Arrived.NEW)

    def _of_a_folder(self) -> Iterator[Arrival]:
        name, (ready, missing, waiting) = self.source.name, self._order
        for month in ready:
            if month not in self._parts and month <= (self.until or "9999-12"):
                yield Arrival(name, month, Arrived.GONE)
            elif month in self._parts and self._changed(month):
                twin = next((m for m in self._parts if m < month and self._parts[m] == self._parts[month]), None)
                lines = self._compared(month)
                yield Arrival(name, month, Arrived.DOUBLED) if twin else _told(name, month, lines)
        yield from (Arrival(name, m, Arrived.GONE if m in self.before else Arrived.MISSING) for m in missing)
        yield from (Arrival(name, m, Arrived.WAITS) for m in waiting)

    @cached_property
    def _lines(self) -> dict[str, PeriodLines]:
        """Of one file or query: its months, compared with all that is held."""
        if not self._changed(BATCH):
            return {}
        held = [p.stem for p in self.shop.places.raw_batches(TRANSACTIONS)]
        return self._against(self._read(WHOLE, known_to_us=bool(held)), held)

    def _changed(self, batch: str) -> bool:
        held = self.shop.places.raw(TRANSACTIONS, batch).is_file() if self._by_month else True
        return self.before.get(batch) != self._parts[batch] or not held

    def _compared(self, month: str) -> PeriodLines:
        held = [month] if self.shop.places.raw(TRANSACTIONS, month).is_file() else []
        found = self._against(self._read(month, known_to_us=bool(held)), held).get(month, PeriodLines())
        behind = not held and any(p.stem > month for p in self.shop.places.raw_batches(TRANSACTIONS))
        return replace(found, newer=False) if behind else found

    def _against(self, came: pa.Table, held: Iterable[str]) -> dict[str, PeriodLines]:
        """Months of the rows that came, beside the batches of the same that are held."""
        there = [self.shop.places.raw(TRANSACTIONS, batch) for batch in held]
        tables = SealedTables(self.shop.places.raw_batches, self.shop.keys)
        rows = [tables.table(path, dataset=TRANSACTIONS).select(list(arrivals.LINE)) for path in there]
        before = pa.concat_tables(rows) if rows else came.slice(0, 0)
        newest = pc.max(before["day"]).as_py()
        days = self.shop.params.features.days
        return arrivals.compared(self.shop.engine, before, came, days=days, newest=newest)

    @cached_property
    def nets(self) -> Nets:
        """What returns do in each month of a folder."""
        return netted_since(self.shop.places.sources_lock, self.source)

    def _read(self, batch: str, *, known_to_us: bool) -> pa.Table:
        """The good rows of a part as they would be sealed; where some are held, under the sids of who is known."""
        made, came = shelf(self.source.said), read(self.source, batch, net=self.nets.get(batch))
        rows = numbered(made.sealed(part(came.rows, made.SCHEMA).good), self.shop.params.features.days)
        named = rows[SUBJECT].combine_chunks().dictionary_encode()
        names = named.dictionary.to_pylist()
        sids = [(known_to_us and self.shop.keys.known_sid(n)) or f"new {i}" for i, n in enumerate(names)]
        told = pa.array(sids, pa.string()).take(named.indices)
        return rows.append_column("sid", told).select(list(arrivals.LINE))


def _told(source: str, month: str, lines: PeriodLines) -> Arrival:
    counts = (shown(n) for n in (lines.came, lines.added, lines.again, lines.gone))
    return Arrival(source, month, lines.arrived, *counts)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
