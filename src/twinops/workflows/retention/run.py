"""Let go what outlived the time that is declared for its source; what is kept for legal claims stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data import retained
from twinops.data.consent.rights import under_hold
from twinops.data.own_sources.law import SOURCES, law_of
from twinops.data.vault.seal import read_sealed, with_text_sid, write_sealed
from twinops.entities.canonical import to_json
from twinops.entities.event import stamp
from twinops.governance import retention_certificate
from twinops.ports import Signer, Versions
from twinops.whole_files import told_in, write
from twinops.workflows.declared_use import controller_of
from twinops.workflows.quarantine.expire import Quarantine, expire
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk
from twinops.workflows.subject.other_holders import own_files, recipients

LEDGERS = ("consent", "choices")
"""What was allowed and refused is shown as long as anything rests on it (art. 7(1)), and a no never lapses: it goes
with the person."""
NEXT = (
    "Next: `dvc commit` keeps the files as they lie, or `dvc repro` collects the same from files that are still there; "
    "commit retained.json with it."
)


@dataclass(frozen=True)
class Outlived:
    """What of a source is older than it may be: rows, of how many consumers, and the first day that is kept."""

    source: str
    days: int
    first: date
    rows: int
    consumers: int
    spared: int
    """Rows as old that are kept for legal claims."""


@dataclass(frozen=True)
class RetentionRun:
    """What a run would let go, or did. `due`: sids of whom nothing younger is held anywhere; their keys may go."""

    on: date
    outlived: tuple[Outlived, ...]
    quarantined: int
    due: tuple[str, ...] = field(repr=False)
    undeclared: tuple[str, ...] = ()
    """Sources of which nobody has said how long."""
    applied: bool = False
    certificate: Path | None = None
    refused: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Without ids."""
        told = {name: value for name, value in vars(self).items() if name not in ("due", "outlived")}
        return {**told, "due": len(self.due), "sources": [vars(o) for o in self.outlived]}

    def text(self) -> str:
        """In words."""
        if self.refused:
            return self.refused
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verb = "let go" if self.applied else "would be let go"
        for o in self.outlived:
            held = f"; {o.spared:,} as old are under hold" if o.spared else ""
            yield f"{o.source}: {o.rows:,} rows of {o.consumers:,} older than {o.days:,} days {verb}{held}"
        if self.quarantined:
            yield f"quarantine: {self.quarantined:,} batches older than 30 days {verb}"
        if self.due:
            yield f"{len(self.due):,} have nothing younger anywhere: with --key they are erased, key and all"
        for source in self.undeclared:
            yield f"{source}: nobody has said how long it is kept"
        if not (self.outlived or self.quarantined or self.due):
            yield f"Nothing is older than declared on {self.on}."
        elif self.applied:
            yield NEXT


def run(
    desk: Desk, signer: Signer, versions: Versions, *, on: date | None = None, apply: ApplyRetention | None = None
) -> RetentionRun:
    """Count what outlived its time on a day, the as-of day unless said; with `apply`, let it go and certify it.

    Each step may be taken twice: whoever is killed runs it again, and what is gone is not counted a second time.

    Raises:
        ParamsError: nobody was named who does it.
    """
    day = on or desk.receipts.as_of
    counted = _counted(desk, day)
    if apply is None:
        return counted
    officer = desk.officer(apply.by)
    if officer is None:
        return RetentionRun(day, (), 0, (), refused=WRONG_OFFICE)
    if not (counted.outlived or counted.quarantined or counted.due):
        return counted
    record = _record(desk, counted, versions, by={"name": officer.person, "office": officer.office})
    path = desk.places.root / "erasures" / f"{retention_certificate.name_of(record)}.json"
    # said before anything goes: whoever dies in between leaves a file that tells what was begun, and is run again
    write(path, retention_certificate.text(record))
    if apply.key is not None:
        signer.sign(path, key=apply.key, namespace=retention_certificate.NAMESPACE)
    _let_go(desk, counted)
    if apply.erase is not None and counted.due:
        apply.erase(counted.due)
    expire(day.isoformat(), Quarantine(desk.places, desk.receipts.plane.keys))
    done = vars(counted) | {"applied": True, "certificate": path}
    return RetentionRun(**done)


@dataclass(frozen=True)
class ApplyRetention:
    """Who lets go, with which key they sign, and what erases whole persons."""

    by: str
    key: Path | None = None
    erase: Callable[[tuple[str, ...]], None] | None = None


def _counted(desk: Desk, day: date) -> RetentionRun:
    """What is older than it may be, source by source; and of whom nothing else is left."""
    held = under_hold(desk.rights.entries())
    found, undeclared = [], []
    ages: dict[str, bool] = {}
    for name, law in law_of(desk.receipts.own).items():
        column = plugins.load(SOURCES, name).DAY
        batches = desk.places.raw_batches(name)
        if not batches:
            continue
        table = desk.receipts.plane.tables.source(name)
        if table.num_rows and law.retention_days is None:
            undeclared.append(name)
        if column is None or column not in table.column_names or law.retention_days is None:
            if law.retention_days is None:
                ages.update(dict.fromkeys(pc.unique(table["sid"]).to_pylist(), False))
            continue
        first = day - timedelta(days=law.retention_days)
        number = desk.receipts.days.number(first)
        _aged(ages, table, column, number)
        one = (0, 0, 0) if name in LEDGERS else _outlived(table, column, number, held)
        if one[0] or one[2]:
            found.append(Outlived(name, law.retention_days, first, *one))
    due = tuple(sorted(sid for sid, old in ages.items() if old and sid not in held))
    told = desk.persons_whole(due)
    quarantine = Quarantine(desk.places, desk.receipts.plane.keys)
    old = sum(1 for b in quarantine.batches() if b.held and b.since is not None and (day - b.since).days > 30)
    return RetentionRun(day, tuple(o for o in found if o.rows), old, told, tuple(undeclared))


def _aged(ages: dict[str, bool], table: pa.Table, column: str, first: int) -> None:
    """Note of everybody in a table whether their newest row is older than it may be; young anywhere is young."""
    newest = table.group_by("sid").aggregate([(column, "max")])
    for sid, day in zip(newest["sid"].to_pylist(), newest[f"{column}_max"].to_pylist(), strict=True):
        ages[sid] = ages.get(sid, True) and day is not None and day < first


def _outlived(table: pa.Table, column: str, first: int, held: frozenset[str]) -> tuple[int, int, int]:
    """Rows that go, of how many, and rows as old that are spared."""
    old = table.filter(pc.fill_null(pc.less(table[column], first), False))
    theirs = pc.is_in(old["sid"], pa.array(sorted(held), pa.string()))
    going = old.filter(pc.invert(theirs))
    return going.num_rows, len(pc.unique(going["sid"])), old.num_rows - going.num_rows


def _let_go(desk: Desk, counted: RetentionRun) -> None:
    """First what is left at the door, so that nothing comes back; then the rows that lie here."""
    path = desk.places.retained
    since = retained.read(path)
    since |= {o.source: max(o.first, since.get(o.source, o.first)) for o in counted.outlived}
    write(path, retained.text(since))
    held = under_hold(desk.rights.entries())
    for one in counted.outlived:
        column, first = plugins.load(SOURCES, one.source).DAY, desk.receipts.days.number(one.first)
        for batch in desk.places.raw_batches(one.source):
            _cut(desk, one.source, batch, (str(column), first, held))


def _cut(desk: Desk, source: str, path: Path, rule: tuple[str, int, frozenset[str]]) -> None:
    """One sealed file and its counts, without what is too old."""
    column, first, held = rule
    keys = desk.receipts.plane.keys
    table = with_text_sid(read_sealed(path, dataset=source, keys=keys))
    old = retained.old_rows(table, day=column, first=first, spared=lambda sids: held & frozenset(sids), by="sid")
    gone = pc.sum(old.cast(pa.int64())).as_py() or 0
    if not gone:
        return
    kept = table.filter(pc.invert(old))
    written = write_sealed(kept, path, dataset=source, keys=keys, subject="sid")
    counts_path = desk.places.counts(source, path.stem)
    span = pc.min_max(kept[column]).as_py()
    with told_in(counts_path) as counts:
        left = {**counts["left_out"], retained.OUTLIVED: counts["left_out"].get(retained.OUTLIVED, 0) + gone}
        counts |= {"read": counts["read"] - gone, "taken": written.rows, "subjects": written.subjects,
                   "left_out": left, "oldest_day": span["min"], "newest_day": span["max"]}  # fmt: skip
    write(counts_path, to_json(counts, indent=1) + "\n")


def _models(versions: Versions) -> list[dict[str, Any]]:
    return [
        {"model": model, "version": v.number, "aliases": list(v.aliases), "decision": retention_certificate.LEARNED}
        for model, all_of_it in sorted(versions.all().items())
        for v in sorted(all_of_it, key=lambda v: int(v.number))
    ]


def _record(desk: Desk, counted: RetentionRun, versions: Versions, *, by: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": stamp(desk.rights.now()),
        "by": dict(by),
        "controller": controller_of(desk.places, desk.receipts.own),
        "sources": {o.source: {"rows": o.rows, "first": o.first.isoformat()} for o in counted.outlived},
        "subjects": len(counted.due),
        "erased": [],
        "quarantined": counted.quarantined,
        "models": _models(versions),
        "recipients": recipients(desk.places),
        "owner_deletes": [f"rows in {one}: the file is not ours; they are left out from now on"
                          for one in own_files(desk.receipts.own, panelist=True)],
        "stays": [f"{o.spared:,} rows of {o.source} under hold (art. 17(3))" for o in counted.outlived if o.spared],
    }  # fmt: skip
