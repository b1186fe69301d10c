"""What a household allows once records of other sources are linked to it: never more than each of them allows."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.consent import ledger as consent
from twinops.data.linkage.strictest import strictest_of_merged
from twinops.entities.consent import LegalBasis, Purpose
from twinops.plugins import text_beside
from twinops.ports import Engine

Bases = Mapping[Purpose, LegalBasis]


def said_of_records(
    engine: Engine, choices: pa.Table, links: pa.Table, *, today: int, bases: Mapping[str, Bases] | None = None
) -> pa.Table:
    """What was chosen beside the linked records, as of today; see `consent.allowed`. `bases`: by source, where it is
    not consent for all of them.
    """
    if bases is None:
        return _said(engine, choices, links, today=today)
    told = []
    for source in sorted(set(links["source"].cast(pa.string()).to_pylist())):
        mine = links.filter(pc.equal(links["source"].cast(pa.string()), source))
        told.append(_said(engine, choices, mine, today=today, bases=bases[source]))
    return pa.concat_tables(told)


def _said(
    engine: Engine, choices: pa.Table, links: pa.Table, *, today: int, bases: Bases = consent.CONSENT_ONLY
) -> pa.Table:
    records = pc.unique(links["record"].cast(pa.string())).sort()
    asked = pa.table({"sid": records, "day": pa.array([today] * len(records), pa.int64())})
    # a record whose interest nobody signed for was not linked (see `pipeline.lawful`)
    return consent.allowed(engine, choices, asked, bases=bases, assessed=frozenset(Purpose))


def narrowed(engine: Engine, answers: pa.Table, links: pa.Table, said: pa.Table, *, today: int) -> pa.Table:
    """The households' answers, today's narrowed to the strictest of the household and its linked records.

    `links` has `sid, record`, `said` the records' answers of today. What holds today also holds back rows about the
    past (see `permissions.sql`), so a later refusal beside any record reaches every table.
    """
    ours = answers.filter(pc.equal(answers["day"], today))
    owners = pc.unique(links["sid"].cast(pa.string())).sort()
    pairs = pa.table({"sid": links["sid"].cast(pa.string()), "record": links["record"].cast(pa.string())})
    merged = pa.concat_tables([pairs, pa.table({"sid": owners, "record": owners})])
    columns = ["sid", "day", "purpose", "allowed", "reason"]
    both = pa.concat_tables([ours.select(columns), said.select(columns)], promote_options="permissive")
    strict = strictest_of_merged(engine, merged, both)
    engine.register("consent_own", answers)
    engine.register("consent_merged", strict)
    return engine.query(text_beside(__package__, "merged.sql"))
