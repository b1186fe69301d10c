"""Measure every source that was collected, and set the sources against each other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twinops import plugins
from twinops.data.consent.rights import RightsToday, restricted, without
from twinops.data.own_sources.declared import DeclaredShelf, staged
from twinops.data.schema import Schema
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.canvas import save
from twinops.evaluation.quality import contradictions
from twinops.evaluation.quality.measures import Source, absent_sources, by_month, quality_findings
from twinops.evaluation.quality.picture import quality_picture
from twinops.twin.table_lineage import SEALED_FROM
from twinops.whole_files import told_in
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords

SOURCES = "twinops.data.sources"


@dataclass(frozen=True)
class Quality:
    """What the notebook may show."""

    sources: int
    rows: int
    findings: Findings


def quality(plane: DataPlane, said: RightsToday, words: DeclaredWords = UNDECLARED) -> Quality:
    """Write `reports/measures/quality.json` and a picture, for whatever sources are there."""
    declared, today, days = plugins.names(SOURCES), said.today, said.days
    closed = restricted(said.rights)  # art. 18(2): restricted data are stored, and not looked at
    found = (s for name in declared for s in opened(plane, name, staged(words.own, name)))
    sources = [replace(s, rows=without(s.rows, closed)) for s in found]
    for source in sources:
        plane.engine.register(source.name, source.rows)
    months = {s.name: by_month(s, days) for s in sources}
    against = contradictions.found(plane.engine, [s.name for s in sources])
    findings = quality_findings(sources, months, against, declared=declared, today=today)
    findings += Findings((), absent_sources({name: counts_of(plane, name) for name in declared}))
    if words.own.root:
        names = {name: name_of for name in declared if (name_of := words.own.staged_as(name)) is not None}
        findings += Findings((), (Fact("sources_of_own", names, Kind.MEASURED, "params.yaml: own"),))
    plane.places.keep("quality", findings, words.wording)
    save(quality_picture(findings), plane.places.figure("quality"), words.wording)
    return Quality(len(sources), sum(s.rows.num_rows for s in sources), findings)


def opened(plane: DataPlane, name: str, mine: DeclaredShelf | None) -> Iterator[Source]:
    """The source, or your own in its place, if anything of it was collected."""
    counts = counts_of(plane, name)
    if not any(c["read"] for c in counts):
        return
    told = mine or plugins.load(SOURCES, name)
    rows = plane.tables.source(name)
    stands_for = SEALED_FROM.get(name, {})
    columns = tuple(c for c in rows.column_names if _declared(stands_for.get(c, c), told.SCHEMA))
    if mine is not None:  # a column that your files do not have is not an empty one
        held = told.LEGAL.columns
        columns = tuple(c for c in columns if stands_for.get(c, c) in held or rows[c].null_count < rows.num_rows)
    yield Source(name, counts, rows, columns, told.DAY, told.LEGAL.retention_days, told.LEGAL.synthetic)


def counts_of(plane: DataPlane, name: str) -> tuple[dict[str, Any], ...]:
    """What was counted of each batch of a source."""
    batches = [path.stem for path in plane.places.raw_batches(name)]
    return tuple(map(_counted, (plane.places.counts(name, b) for b in batches)))


def _counted(path: Path) -> dict[str, Any]:
    with told_in(path) as told:
        return dict(told)


def _declared(column: str, schema: Schema) -> bool:
    """Signals stand for a text that is not kept: that they are empty says nothing of the source."""
    return column in schema.names and column != "text"
