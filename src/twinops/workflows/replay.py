"""Judge quarantined rows again after a fix: what is good now is taken, the rest stays, and nothing is lost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.journal import Journal
from twinops.data.own.declared import declared, shelf
from twinops.data.own.reviving import Revived, known_in, revive_own, revive_shipped
from twinops.data.seal import read_quarantine, read_sealed, write_quarantine, write_sealed
from twinops.entities.canonical import to_json
from twinops.own_params import OwnParams
from twinops.params import SourcesParams
from twinops.ports import KeyStore
from twinops.workflows.collect import SUBJECT, counted, span
from twinops.workflows.expire import open_batch
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Replayed:
    """Rows that were taken now, by the batch they belong to, and those that stay, by reason."""

    source: str
    batch: str
    taken: dict[str, int]
    quarantined: dict[str, int]


def replay(  # noqa: PLR0913  (ports and sections are injected by type)
    source: str, batch: str, today: str, *, places: Places, keys: KeyStore, sources: SourcesParams, own: OwnParams
) -> Replayed:
    """Take what keeps to the schema now. Where the file is still there, collecting again gives the same.

    A row whose month can be read now goes to that month's batch; a record that no cells could be cut from stays. All
    files change together: a replay that broke off is finished by the next, and no row is lost or taken twice.

    Raises:
        DataError: nothing of the batch is held in quarantine, or the batch itself is not there.
    """
    journal = Journal(places.root, places.replaying(source, batch))
    broken_off = journal.finish()
    if broken_off is not None:
        return Replayed(**broken_off)
    open_batch(source, batch, today, places=places, keys=keys)
    aside = read_quarantine(places.quarantine(source, batch), dataset=source, keys=keys)
    known = known_in(_taken(places, keys, source, batch), keys.subject_ids)
    name = own.staged_as(source)
    if name is None:
        module = plugins.load("twinops.data.sources", source)
        day, revived = module.DAY, revive_shipped(module, batch, aside, known=known)
    else:
        mine = declared(own, name, root=places.root, max_rows=sources.max_rows)
        there = {p.stem for p in places.raw_batches(source)}
        day, revived = shelf(mine.said).DAY, revive_own(mine, batch, aside, batches=there, known=known)
    desk = Desk(places, Places(journal.begin()))
    for into, rows in revived.good.items():
        _add(rows, (source, into, day), desk=desk, keys=keys, came=0 if into == batch else rows.num_rows)
    replayed = _left(revived, (source, batch), desk=desk, keys=keys)
    journal.commit(asdict(replayed))
    return replayed


@dataclass(frozen=True)
class Desk:
    """Files are read where they lie, and written where they wait for the others."""

    lies: Places
    waits: Places

    def counts(self, source: str, batch: str) -> dict[str, Any]:
        """As they will be, or as they are."""
        waiting = self.waits.counts(source, batch)
        path = waiting if waiting.is_file() else self.lies.counts(source, batch)
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def publish(self, counts: dict[str, Any]) -> None:
        """Write counts, to wait."""
        path = self.waits.counts(counts["source"], counts["batch"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_json(counts, indent=1) + "\n", encoding="utf-8")


def _left(revived: Revived, which: tuple[str, str], *, desk: Desk, keys: KeyStore) -> Replayed:
    """Write the quarantine that is left."""
    source, batch = which
    moved = sum(rows.num_rows for into, rows in revived.good.items() if into != batch)
    left = counted(revived.left)
    write_quarantine(revived.left, desk.waits.quarantine(source, batch), dataset=source, batch=batch, keys=keys)
    counts = desk.counts(source, batch)
    desk.publish(counts | {"read": counts["read"] - moved, "quarantined": left})
    return Replayed(source, batch, {b: rows.num_rows for b, rows in revived.good.items() if rows.num_rows}, left)


def _taken(places: Places, keys: KeyStore, source: str, batch: str) -> pa.Table:
    """The batch as it is, with `sid` as text."""
    opened = read_sealed(places.raw(source, batch), dataset=source, keys=keys)
    return opened.set_column(0, "sid", opened["sid"].cast(pa.string()))


def _add(rows: pa.Table, which: tuple[str, str, str | None], *, desk: Desk, keys: KeyStore, came: int) -> None:
    """Write a batch anew with some rows more; `came` of them were read as another batch's until now."""
    source, batch, day = which
    if not rows.num_rows:
        return
    old = _taken(desk.lies, keys, source, batch)
    sids = keys.subject_ids(rows[SUBJECT].cast(pa.string()).to_pylist())
    new = rows.drop_columns([SUBJECT]).add_column(0, "sid", pa.array(sids, pa.string()))
    both = pa.concat_tables(
        [old.replace_schema_metadata(None), new.select(old.column_names).cast(old.schema.remove_metadata())]
    )
    table = both.sort_by([(name, "ascending") for name in both.column_names])
    written = write_sealed(table, desk.waits.raw(source, batch), dataset=source, batch=batch, keys=keys, subject="sid")
    held = table.filter(
        pc.is_in(table["sid"], pa.array(sorted(keys.subject_keys(set(table["sid"].to_pylist()))), pa.string()))
    )
    oldest, newest = span(held, day)
    counts = desk.counts(source, batch)
    desk.publish(
        counts
        | {
            "read": counts["read"] + came,
            "taken": written.rows,
            "subjects": written.subjects,
            "suppressed": counts["suppressed"] + old.num_rows + new.num_rows - written.rows,
            "oldest_day": oldest,
            "newest_day": newest,
        },
    )
