"""The blend: one row per consumer and as-of day, from every source the law lets in, as known the evening before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.consent import ledger as consent
from twinops.data.texts import signals
from twinops.entities.consent import LegalBasis, Purpose
from twinops.plugins import text_beside
from twinops.ports import Engine

ATTACHED: Mapping[str, tuple[str, ...]] = {
    "crm": ("care_cases",),
    "social_accounts": ("social_posts", "social_comments"),
}
"""Which sources speak of records of another."""
TEXTS = ("social_posts", "social_comments", "care_cases")
SERVES = Purpose.TRAINING


def linked_sources(links: pa.Table) -> pa.Table:
    """`sid, source, record, probability`: the links, and the same for every source that speaks of a linked record."""
    own = pa.table({c: _plain(links[c]) for c in ("sid", "source", "record", "probability")})
    more = [
        _of(own, source).set_column(1, "source", pa.array([other] * _of(own, source).num_rows, pa.string()))
        for source, others in ATTACHED.items()
        for other in others
    ]
    return pa.concat_tables([own, *more])


@dataclass(frozen=True, order=True)
class LegalGround:
    """Why a source may be blended: its legal basis, and whether a signed assessment stands (GDPR art. 6(1)(f))."""

    basis: LegalBasis
    assessed: bool = False


@dataclass(frozen=True)
class BlendDays:
    """The as-of days, and today: what was allowed then must still be allowed now (GDPR art. 7(3))."""

    cutoffs: Sequence[int]
    today: int


def record_days(
    engine: Engine, linked: pa.Table, choices: pa.Table, *, days: BlendDays, law: Mapping[str, LegalGround]
) -> pa.Table:
    """`source, record, cutoff`: as-of days on which a record may be blended, read on that day AND today."""
    parts = []
    for ground in sorted(set(law.values())):
        sources = [s for s, g in law.items() if g == ground]
        records = pc.unique(linked.filter(pc.is_in(linked["source"], pa.array(sources)))["record"]).sort()
        found = _allowed_days(engine, choices, records, days=days, ground=ground)
        parts += [found.append_column("source", pa.array([s] * found.num_rows, pa.string())) for s in sources]
    return pa.concat_tables(parts).select(["source", "record", "cutoff"])


def _allowed_days(
    engine: Engine, choices: pa.Table, records: pa.Array, *, days: BlendDays, ground: LegalGround
) -> pa.Table:
    """`record, cutoff` of the records that are allowed on the as-of day and are so today."""
    everyone = np.array(sorted({*days.cutoffs, days.today}), dtype=np.int64)
    asked = pa.table(
        {
            "sid": pa.array(np.repeat(records.to_numpy(zero_copy_only=False), len(everyone)), pa.string()),
            "day": np.tile(everyone, len(records)),
        }
    )
    assessed = frozenset({SERVES} if ground.assessed else ())
    told = consent.allowed(engine, choices, asked, bases={SERVES: ground.basis}, assessed=assessed)
    good = told.filter(told["allowed"]).select(["sid", "day"])
    # art. 7(3): whoever withdrew since is out of the past too
    now = pc.unique(good.filter(pc.equal(good["day"], days.today))["sid"])
    then = pc.is_in(good["day"], pa.array(list(days.cutoffs), pa.int64()))
    return good.filter(pc.and_(pc.is_in(good["sid"], now), then)).rename_columns(["record", "cutoff"])


def scored_texts(linked: pa.Table, sources: Mapping[str, pa.Table]) -> pa.Table:
    """Scored texts under the household's sid: `sid, day` and `signals.FIELDS`."""
    columns = ["sid", "day", *(f.name for f in signals.FIELDS)]
    parts = []
    for name in TEXTS:
        if name not in sources:
            continue
        rows = sources[name].rename_columns([("day" if c == "opened" else c) for c in sources[name].column_names])
        owner = _of(linked, name)
        place = pc.index_in(rows["sid"], owner["record"].combine_chunks())
        rows = rows.set_column(rows.column_names.index("sid"), "sid", owner["sid"].take(place.combine_chunks()))
        parts.append(rows.filter(pc.is_valid(rows["sid"])).select(columns))
    empty = pa.schema([("sid", pa.string()), ("day", pa.int64()), *signals.FIELDS]).empty_table()
    return pa.concat_tables([empty, *parts])


def blend(engine: Engine, tables: Mapping[str, pa.Table], *, window_days: int) -> pa.Table:
    """One row per consumer and as-of day; see `blend.sql` for the tables it is given."""
    for name, table in tables.items():
        engine.register(name, table)
    engine.register("blend_settings", pa.table({"window_days": pa.array([window_days], pa.int64())}))
    return engine.query(text_beside(__package__, "blend.sql"))


def _of(linked: pa.Table, source: str) -> pa.Table:
    return linked.filter(pc.equal(linked["source"], source))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.float64()) if pa.types.is_floating(column.type) else column.cast(pa.string())
