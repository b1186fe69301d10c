"""Judge quarantined rows again after a fix: what is good now is taken, the rest stays, and nothing is lost."""

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.days import numbered
from twinops.data.own_sources.declared import DeclaredSource, declared, shelf
from twinops.data.own_sources.replay import Revived, known_in, revive_own, revive_shipped
from twinops.data.vault.atomic_files import Journal
from twinops.data.vault.seal import write_quarantine, write_sealed
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.canonical import to_json
from twinops.errors import DataError
from twinops.own_kinds import staged_as
from twinops.ports import KeyStore
from twinops.whole_files import told_in, write
from twinops.workflows.intake import SUBJECT, Intake, counted, span
from twinops.workflows.places import Places
from twinops.workflows.quarantine.expire import Quarantine


@dataclass(frozen=True)
class Replayed:
    """Rows that were taken now, by the batch they belong to, and those that stay, by reason."""

    source: str
    batch: str
    taken: dict[str, int]
    quarantined: dict[str, int]


@dataclass(frozen=True)
class Batch:
    """One batch of a source, and the sealed column that tells the day."""

    source: str
    batch: str
    day: str | None


def replay(source: str, batch: str, today: str, *, intake: Intake) -> Replayed:
    """Take what keeps to the schema now. Where the file is still there, collecting again gives the same.

    A row whose month can be read now goes to that month's batch; a record that no cells could be cut from stays. All
    files change together: a replay that broke off is finished by the next, and no row is lost or taken twice.

    Raises:
        DataError: nothing of the batch is held in quarantine, or the batch itself is not there.
    """
    places, keys = intake.plane.places, intake.plane.keys
    journal = Journal(places.root, places.replaying(source, batch))
    broken_off = journal.finish()
    if broken_off is not None:
        return Replayed(**broken_off)
    aside = Quarantine(places, keys).open(source, batch, today=today)
    day, revived = _revived(intake, source, batch, aside)
    desk = ReplayDesk(places, Places(journal.begin()), keys)
    for into, rows in revived.good.items():
        desk.add(numbered(rows, intake.days), Batch(source, into, day), came=0 if into == batch else rows.num_rows)
    replayed = desk.leave(revived, source, batch)
    journal.commit(asdict(replayed))
    return replayed


def _revived(intake: Intake, source: str, batch: str, aside: pa.Table) -> tuple[str | None, Revived]:
    """Which column tells the day, and what became of the rows under the schema as it is now."""
    places, keys = intake.plane.places, intake.plane.keys
    taken = SealedTables(places.raw_batches, keys).table(places.raw(source, batch), dataset=source)
    known = known_in(taken, keys.subject_ids, intake.days)
    name = intake.own.staged_as(source)
    if name is None:
        module = plugins.load("twinops.data.sources", source)
        return module.DAY, revive_shipped(module, batch, aside, known=known)
    mine = declared(intake.own, name, root=places.root, max_rows=intake.sources.max_rows)
    _refuse_joined(mine, intake)
    there = {p.stem for p in places.raw_batches(source)}
    return shelf(mine.said).DAY, revive_own(mine, batch, aside, batches=there, known=known)


def _refuse_joined(mine: DeclaredSource, intake: Intake) -> None:
    """A row that is joined of several lists, or is nobody's, is not judged again by itself.

    Raises:
        DataError: this source is of such a kind.
    """
    joined = len(intake.own.all_staged_as(staged_as(mine.said.kind))) > 1 and mine.said.form.staged_as != "consent"
    if joined or mine.said.form.people != SUBJECT:
        raise DataError(
            f"Rows of {mine.where} are not judged again one by one.",
            hint="Mend the declaration or the file, and collect it again: `make run`.",
        )


@dataclass(frozen=True)
class ReplayDesk:
    """Files are read where they lie, and written where they wait for the others."""

    lies: Places
    waits: Places
    keys: KeyStore

    def counts(self, source: str, batch: str) -> dict[str, Any]:
        """As they will be, or as they are."""
        waiting = self.waits.counts(source, batch)
        path = waiting if waiting.is_file() else self.lies.counts(source, batch)
        with told_in(path) as told:
            return dict(told)

    def publish(self, counts: dict[str, Any]) -> None:
        """Write counts, to wait."""
        write(self.waits.counts(counts["source"], counts["batch"]), to_json(counts, indent=1) + "\n")

    def leave(self, revived: Revived, source: str, batch: str) -> Replayed:
        """Write the quarantine that is left."""
        moved = sum(rows.num_rows for into, rows in revived.good.items() if into != batch)
        left, path = counted(revived.left), self.waits.quarantine(source, batch)
        write_quarantine(revived.left, path, dataset=source, batch=batch, keys=self.keys)
        counts = self.counts(source, batch)
        self.publish(counts | {"read": counts["read"] - moved, "quarantined": left})
        return Replayed(source, batch, {b: rows.num_rows for b, rows in revived.good.items() if rows.num_rows}, left)

    def add(self, rows: pa.Table, to: Batch, *, came: int) -> None:
        """Write a batch anew with some rows more; `came` of them were read as another batch's until now."""
        if not rows.num_rows:
            return
        source, batch, keys = to.source, to.batch, self.keys
        old = SealedTables(self.lies.raw_batches, keys).table(self.lies.raw(source, batch), dataset=source)
        sids = keys.subject_ids(rows[SUBJECT].cast(pa.string()).to_pylist())
        new = rows.drop_columns([SUBJECT]).add_column(0, "sid", pa.array(sids, pa.string()))
        alike = new.select(old.column_names).cast(old.schema.remove_metadata())
        both = pa.concat_tables([old.replace_schema_metadata(None), alike])
        table, path = both.sort_by([(name, "ascending") for name in both.column_names]), self.waits.raw(source, batch)
        written = write_sealed(table, path, dataset=source, keys=keys, subject="sid")
        held = sorted(keys.subject_keys(set(table["sid"].to_pylist())))
        oldest, newest = span(table.filter(pc.is_in(table["sid"], pa.array(held, pa.string()))), to.day)
        counts = self.counts(source, batch)
        self.publish(
            counts
            | {
                "read": counts["read"] + came,
                "taken": written.rows,
                "subjects": written.subjects,
                "suppressed": counts["suppressed"] + old.num_rows + new.num_rows - written.rows,
                "oldest_day": oldest,
                "newest_day": newest,
            }
        )
