"""Take rows of a source in: good ones sealed by subject, broken ones to quarantine, all of them counted."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import retained
from twinops.data.consent.rights import NOTHING_ASKED, corrected, corrections, under_hold
from twinops.data.days import numbered
from twinops.data.door import BatchRead, BatchRequest, asked_for
from twinops.data.households import households
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.files.cells import as_refusals
from twinops.data.own_sources.lock import check_replaced
from twinops.data.own_sources.people.replaced import Replaced, replaced
from twinops.data.quality import Parted, part
from twinops.data.reading.reading import REFUSED_ROWS, UNSCORED, Reading
from twinops.data.retained import OUTLIVED
from twinops.data.schema import Schema
from twinops.data.vault.seal import write_quarantine, write_sealed
from twinops.entities.canonical import to_json
from twinops.entities.day_count import DayCount
from twinops.entities.erasure import contact
from twinops.entities.small_cells import HIDDEN, hidden
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import SourcesParams
from twinops.ports import KeyStore, RightsRead
from twinops.whole_files import write
from twinops.workflows.data_plane import DataPlane

BATCH = "all"
"""The one batch of a source that is not collected by the month."""
SUBJECT = "household_id"
"""The natural id in every source; no other file of the pipeline holds it."""


class SourceShelf(Protocol):
    """What is needed of a source: its module, or a declared one (`data.own.declared.Shelf`)."""

    @property
    def __name__(self) -> str:
        """Its name; the part behind the last point is the source's."""

    @property
    def SCHEMA(self) -> Schema:  # noqa: N802  (a module's constant)
        """Which rows are good."""

    @property
    def DAY(self) -> str | None:  # noqa: N802
        """The sealed column that tells the day."""

    @property
    def sealed(self) -> Callable[[pa.Table], pa.Table]:
        """Good rows as they are sealed."""


CONTACTS = ("email",)
"""Columns that name a person in any source; erased addresses stay away under whatever number they come."""
_WORD = re.compile(r"[\w.+@-]+")
MOST_LOOKED_AT = 4_096
"""Signs of a row kept aside in which names of the erased are looked for."""


@dataclass(frozen=True)
class Collected:
    """How many rows of a batch came and what became of them: `read == taken + suppressed + sum(quarantined.values())`.

    `in_file` counts the rows of the whole file the batch was taken from, so that batches can be summed up against it;
    `suppressed` the rows of subjects who were erased before. Days are the project's numbers. `left_out` were left
    at the door on purpose and not kept; `unscored` entered without the signal of their text; `off`: it is switched off;
    `undeclared`: the data are your own, and none of this kind is declared.
    """

    source: str
    batch: str
    in_file: int
    read: int
    taken: int
    subjects: int
    suppressed: int
    quarantined: dict[str, int]
    dropped_columns: tuple[str, ...]
    oldest_day: int | None
    newest_day: int | None
    left_out: dict[str, int] = field(default_factory=dict)
    unscored: dict[str, int] = field(default_factory=dict)
    off: bool = False
    undeclared: bool = False


@dataclass(frozen=True)
class Intake:
    """A project that takes sources in, and where their rows come from: shipped files, your files, or your sources."""

    plane: DataPlane
    sources: SourcesParams
    days: DayCount
    own: OwnParams = NOTHING_OWN
    rights: RightsRead = NOTHING_ASKED

    @property
    def is_own(self) -> bool:
        """Whether anything comes from you: then nothing is made up, and consent least of all."""
        return bool(self.own.root) or self.sources.folder is not None

    def asked(self, batch: str = BATCH) -> BatchRequest:
        """What the reader of a source is told."""
        return replace(asked_for(batch, self.plane.places.root, self.sources), days=self.days)

    def households(self, batch: str = BATCH) -> pa.Array:
        """The households whose rows are taken, all or a sample of them."""
        return households(self.plane.engine, self.asked(batch), sample=self.sources.sample)

    @cached_property
    def replaced(self) -> Replaced:
        """Which numbers your own sources say were replaced by which.

        Raises:
            IntegrityError: `sources.lock.json` says something else.
        """
        places, most = self.plane.places, self.sources.max_rows
        told = [declared(self.own, n, root=places.root, max_rows=most) for n, s in self.own.root.items() if s.joins]
        for source in told:
            check_replaced(places.sources_lock, source)
        return replaced(told)

    def _one_subject(self, good: pa.Table, shelf: SourceShelf) -> tuple[pa.Table, dict[str, int]]:
        """Both numbers mean one subject from here on: one row of it where one is held, the strictest of its words."""
        if not self.own.root:
            return good, {}
        self.plane.keys.one_subject(self.replaced.newest)
        subject = getattr(shelf, "SUBJECT", SUBJECT)
        if subject != SUBJECT or not (self.replaced.newest or self.replaced.may_be):
            return good, {}
        if shelf.SCHEMA.key == (subject,):
            return self.replaced.one_row_each(good, subject)
        return self.replaced.strictest(good) if {"purpose", "event", "seq"} <= {*good.column_names} else (good, {})

    def _young_enough(self, table: pa.Table, source: str, shelf: SourceShelf) -> tuple[pa.Table, int]:
        """Without rows that a retention run let go, of whoever is under no hold; and how many those are."""
        first = retained.read(self.plane.places.retained).get(source)
        if first is None or shelf.DAY is None or not table.num_rows:
            return table, 0
        old = retained.old_rows(
            table, day=shelf.DAY, first=self.days.number(first), by=getattr(shelf, "SUBJECT", SUBJECT),
            spared=lambda natural: _held(self.rights, self.plane.keys, natural),
        )  # fmt: skip
        kept = table.filter(pc.invert(old))
        return kept, table.num_rows - kept.num_rows

    def take(self, read: BatchRead, shelf: SourceShelf, *, batch: str = BATCH, **absent: bool) -> Collected:
        """Part good rows from bad, seal both, and write the counts; `absent` only says why there is nothing."""
        source, places, keys = shelf.__name__.rsplit(".", 1)[-1], self.plane.places, self.plane.keys
        parted = part(read.rows, shelf.SCHEMA)
        stands, once = self._one_subject(parted.good, shelf)
        came, bad = stands.num_rows, aside(read, parted)
        kept_aside, good = without_erased_lines(bad, keys), without_erased(stands, shelf, keys)
        table = numbered(pointing(shelf.sealed(good), getattr(shelf, "HOUSEHOLDS", ()), keys), self.days)
        # art. 16: what its subject had put right stands, whatever the source goes on saying
        subject = getattr(shelf, "SUBJECT", SUBJECT)
        if shelf.SCHEMA.key == (subject,):
            table = corrected(table, corrections(self.rights, source), subject=subject, sids=keys.subject_ids)
        table, outlived = self._young_enough(table, source, shelf)
        write_quarantine(kept_aside, places.quarantine(source, batch), dataset=source, batch=batch, keys=keys)
        path = places.raw(source, batch)
        written = write_sealed(table, path, dataset=source, keys=keys, subject=subject)
        oldest, newest = span(table, shelf.DAY)
        collected = Collected(
            source=source,
            batch=batch,
            in_file=read.in_file,
            read=came - outlived + bad.num_rows,
            taken=written.rows,
            subjects=written.subjects,
            suppressed=came - outlived - written.rows + bad.num_rows - kept_aside.num_rows,
            quarantined=counted(kept_aside),
            dropped_columns=read.dropped,
            oldest_day=oldest,
            newest_day=newest,
            left_out=getattr(read, "left_out", {}) | once | ({OUTLIVED: outlived} if outlived else {}),
            unscored=json.loads((table.schema.metadata or {}).get(UNSCORED, b"{}")) | getattr(read, "lost", {}),
            **absent,
        )
        publish(collected, places.counts(source, batch))
        return collected


def _held(rights: RightsRead, keys: KeyStore, natural: list[str]) -> frozenset[str]:
    """Which of these natural ids are kept for legal claims."""
    held = under_hold(rights.holds())
    sids = keys.subject_ids(natural) if held else []
    return frozenset(n for n, sid in zip(natural, sids, strict=bool(held)) if sid in held)


def without_erased(rows: pa.Table, shelf: SourceShelf, keys: KeyStore) -> pa.Table:
    """Rows without those that name somebody who was erased, under whatever new number they come (GDPR art. 17).

    Rows filed under a number that was erased are left out when they are sealed.
    """
    pointers = getattr(shelf, "HOUSEHOLDS", ())
    named = dict.fromkeys(pointers, str.strip) | {c: contact for c in CONTACTS if c in rows.column_names}
    cells = {c: [None if v is None else spell(str(v)) for v in rows[c].to_pylist()] for c, spell in named.items()}
    gone = keys.suppressed({v for column in cells.values() for v in column if v})
    if not gone:
        return rows
    return rows.filter(pa.array([not gone.intersection(row) for row in zip(*cells.values(), strict=True)], pa.bool_()))


def without_erased_lines(bad: pa.Table, keys: KeyStore) -> pa.Table:
    """Rows kept aside, without those in which a number or address of somebody erased stands as a word."""
    texts = [c for c in bad.column_names if c != "reason" and not pa.types.is_floating(bad.schema.field(c).type)]
    words = [
        {w for v in row.values() if v is not None for w in _spelled(str(v))} for row in bad.select(texts).to_pylist()
    ]
    gone = keys.suppressed({w for row in words for w in row})
    return bad.filter(pa.array([gone.isdisjoint(row) for row in words], pa.bool_())) if gone else bad


def _spelled(text: str) -> set[str]:
    """Words as they may stand for a number, an account or an address."""
    found = _WORD.findall(text[:MOST_LOOKED_AT])
    return {*found, *(word.casefold() for word in found)}


def pointing(table: pa.Table, columns: Sequence[str], keys: KeyStore) -> pa.Table:
    """The same rows with the sids of households in place of their numbers (GDPR art. 5(1)(c)); null stays."""
    for column in columns:
        numbers = [None if n is None else n.strip() for n in table[column].to_pylist()]
        known = sorted({n for n in numbers if n})
        sids = dict(zip(known, keys.subject_ids(known), strict=True))
        told = pa.array([sids.get(n) if n else None for n in numbers], pa.string())
        table = table.set_column(table.column_names.index(column), column, told)
    return table


def aside(read: BatchRead, parted: Parted) -> pa.Table:
    """All rows that are kept out: those a reader refused and those that break the schema, in one shape."""
    if not isinstance(read, Reading):
        return parted.bad
    if not parted.bad.num_rows:
        return read.refused
    places = pa.array(range(1, parted.bad.num_rows + 1), pa.int64())
    named = parted.bad.drop_columns(["reason"]).add_column(0, "place", places)
    why = dict(zip(places.to_pylist(), parted.bad["reason"].to_pylist(), strict=True))
    broken = zip(*as_refusals(named, frozenset(), why), strict=True)
    return pa.concat_tables([read.refused, pa.table([pa.array(c) for c in broken], schema=REFUSED_ROWS)])


def counted(bad: pa.Table) -> dict[str, int]:
    """Rows kept out, by reason."""
    return dict(sorted(Counter(bad["reason"].to_pylist()).items()))


def nobody(shelf: SourceShelf) -> pa.Table:
    """No row of a source, in the columns its `sealed` wants."""
    types = {"whole": pa.int64(), "text": pa.string(), "number": pa.float64(), "time": pa.timestamp("us")}
    empty = {c.name: pa.array([], types[c.kind]) for c in shelf.SCHEMA.columns}
    return pa.table({**empty, "local_time": pa.array([], pa.timestamp("us"))})


def span(table: pa.Table, day: str | None) -> tuple[int | None, int | None]:
    """First and last day of a table that has days."""
    if day is None:
        return None, None
    span = pc.min_max(table[day]).as_py()
    return span["min"], span["max"]


def publish(collected: Collected, path: Path) -> None:
    """Counts for the next stages, and a word to whoever waits if rows were kept out; small ones are not told."""
    write(path, to_json(vars(collected), indent=1) + "\n")
    if collected.quarantined:
        shown = hidden(collected.quarantined).items()
        reasons = ", ".join(f"{reason} {HIDDEN if rows is None else f'{rows:,}'}" for reason, rows in shown)
        sys.stderr.write(f"{collected.source} {collected.batch}: rows in quarantine: {reasons}\n")
