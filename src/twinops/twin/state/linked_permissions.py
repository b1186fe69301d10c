"""What a household allows once records of other sources are linked to it: never more than each of them allows."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.consent import ledger as consent
from twinops.data.linkage.strictest import strictest_of_merged
from twinops.plugins import text_beside
from twinops.ports import Engine


def said_of_records(engine: Engine, choices: pa.Table, links: pa.Table, *, today: int) -> pa.Table:
    """What was chosen beside the linked records, as of today; see `consent.allowed`."""
    records = pc.unique(links["record"].cast(pa.string())).sort()
    asked = pa.table({"sid": records, "day": pa.array([today] * len(records), pa.int64())})
    return consent.allowed(engine, choices, asked)


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
