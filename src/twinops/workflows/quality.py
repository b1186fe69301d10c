"""Measure every source that was collected, and set the sources against each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from twinops import plugins
from twinops.data.days import day_of
from twinops.data.own.declared import Shelf, shelf
from twinops.data.schema import Schema
from twinops.data.seal import read_sealed
from twinops.entities.findings import Findings
from twinops.evaluation import contradictions
from twinops.evaluation.quality import Source, by_month
from twinops.evaluation.quality_findings import quality_findings
from twinops.own_params import NOTHING_OWN, STAGED_AS, OwnParams
from twinops.pictures.canvas import save
from twinops.pictures.quality import quality_picture
from twinops.ports import Engine, KeyStore
from twinops.twin.chain import SEALED_FROM
from twinops.twin.examples import with_text_sid
from twinops.workflows.places import Places

SOURCES = "twinops.data.sources"


@dataclass(frozen=True)
class Quality:
    """What the notebook may show."""

    sources: int
    rows: int
    findings: Findings


def quality(places: Places, *, engine: Engine, keys: KeyStore, as_of: date, own: OwnParams = NOTHING_OWN) -> Quality:
    """Write `reports/measures/quality.json` and a picture, for whatever sources are there."""
    declared, today = plugins.names(SOURCES), day_of(as_of)
    mine = {STAGED_AS[said.kind]: shelf(said) for said in own.root.values()}
    sources = [s for name in declared for s in opened(name, mine.get(name), places, keys)]
    for source in sources:
        engine.register(source.name, source.rows)
    months = {s.name: by_month(s) for s in sources}
    against = contradictions.found(engine, [s.name for s in sources])
    findings = quality_findings(sources, months, against, declared=declared, today=today)
    places.measures("quality").parent.mkdir(parents=True, exist_ok=True)
    places.measures("quality").write_text(findings.to_json(), encoding="utf-8")
    save(quality_picture(findings), places.figure("quality"))
    return Quality(len(sources), sum(s.rows.num_rows for s in sources), findings)


def opened(name: str, mine: Shelf | None, places: Places, keys: KeyStore) -> Iterator[Source]:
    """The source, or your own in its place, if anything of it was collected."""
    batches = places.raw_batches(name)
    counts = tuple(json.loads(places.counts(name, b.stem).read_text(encoding="utf-8")) for b in batches)
    if not any(c["read"] for c in counts):
        return
    told = mine or plugins.load(SOURCES, name)
    rows = with_text_sid(read_sealed(batches, dataset=name, keys=keys))
    stands_for = SEALED_FROM.get(name, {})
    columns = tuple(c for c in rows.column_names if _declared(stands_for.get(c, c), told.SCHEMA))
    yield Source(name, counts, rows, columns, told.DAY, told.LEGAL.retention_days, told.LEGAL.synthetic)


def _declared(column: str, schema: Schema) -> bool:
    """Signals stand for a text that is not kept: that they are empty says nothing of the source."""
    return column in schema.names and column != "text"
