"""Take one batch of a source in: declared columns only, broken rows to quarantine, all else sealed by subject."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.door import Asked, Read
from twinops.data.households import among, households
from twinops.data.quality import part
from twinops.data.seal import write_quarantine, write_sealed
from twinops.entities.canonical import to_json
from twinops.params import SourcesParams
from twinops.ports import Engine, KeyStore
from twinops.workflows.places import Places

SUBJECT = "household_id"
"""The natural id in every source; no other file of the pipeline holds it."""


@dataclass(frozen=True)
class Collected:
    """How many rows of a batch came and what became of them: `read == taken + suppressed + sum(quarantined.values())`.

    `in_file` counts the rows of the whole file the batch was taken from, so that batches can be summed up against it;
    `suppressed` the rows of subjects who were erased before. Days count from 1 January 2017.
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


def collect(  # noqa: PLR0913  (ports and sections are injected by type)
    source: str, batch: str, *, places: Places, engine: Engine, keys: KeyStore, sources: SourcesParams
) -> Collected:
    """Collect a batch: a month (2017-03) of transactions, or `all` of another source.

    A batch without rows is no error: its sealed file is empty and its counts are zero, which the next stages show.
    """
    shelf = plugins.load("twinops.data.sources", source)
    asked = asked_for(batch, places, sources)
    read = shelf.read(engine, asked)
    if sources.sample is not None:
        read = among(read, households(engine, asked, sample=sources.sample))
    return take(read, shelf, batch=batch, places=places, keys=keys)


def asked_for(batch: str, places: Places, sources: SourcesParams) -> Asked:
    """Where the parameters say the source's files are; a relative folder is one of the project."""
    folder = None if sources.folder is None else places.root / sources.folder
    return Asked(batch, folder=folder, max_rows=sources.max_rows)


def take(read: Read, shelf: ModuleType, *, batch: str, places: Places, keys: KeyStore) -> Collected:
    """Part good rows from bad, seal both, and write the counts."""
    source = shelf.__name__.rsplit(".", 1)[-1]
    parted = part(read.rows, shelf.SCHEMA)
    table = shelf.sealed(parted.good)
    write_quarantine(parted.bad, places.quarantine(source, batch), dataset=source, batch=batch, keys=keys)
    written = write_sealed(table, places.raw(source, batch), dataset=source, batch=batch, keys=keys, subject=SUBJECT)
    oldest, newest = _span(table, shelf.DAY)
    collected = Collected(
        source=source,
        batch=batch,
        in_file=read.in_file,
        read=read.rows.num_rows,
        taken=written.rows,
        subjects=written.subjects,
        suppressed=table.num_rows - written.rows,
        quarantined=parted.reasons,
        dropped_columns=read.dropped,
        oldest_day=oldest,
        newest_day=newest,
    )
    _publish(collected, places.counts(source, batch))
    return collected


def _span(table: pa.Table, day: str | None) -> tuple[int | None, int | None]:
    """First and last day of a table that has days."""
    if day is None:
        return None, None
    span = pc.min_max(table[day]).as_py()
    return span["min"], span["max"]


def _publish(collected: Collected, path: Path) -> None:
    """Counts for the next stages, and a word to whoever waits if rows were kept out. Both are aggregates."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(vars(collected), indent=1) + "\n", encoding="utf-8")
    if collected.quarantined:
        reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in collected.quarantined.items())
        sys.stderr.write(f"{collected.source} {collected.batch}: rows in quarantine: {reasons}\n")
