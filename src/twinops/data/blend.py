"""The blend: one row per consumer and as-of day, from every source the law lets in, as known the evening before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import consent, signals
from twinops.entities.consent import LegalBasis, Purpose
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


def record_days(
    engine: Engine,
    linked: pa.Table,
    choices: pa.Table,
    *,
    days: tuple[Sequence[int], int],
    law: Mapping[str, tuple[LegalBasis, bool]],
) -> pa.Table:
    """`source, record, cutoff`: as-of days on which a record may be blended, read on that day AND today.

    `days` are the as-of days and today; `law` says of each source its legal basis and whether an assessment stands.
    """
    cutoffs, today = days
    everyone = np.array(sorted({*cutoffs, today}), dtype=np.int64)
    parts = []
    for basis in sorted(set(law.values())):
        of_basis = linked.filter(pc.is_in(linked["source"], pa.array([s for s, b in law.items() if b == basis])))
        records = pc.unique(of_basis["record"]).sort()
        asked = pa.table(
            {
                "sid": np.repeat(records.to_numpy(zero_copy_only=False), len(everyone)),
                "day": np.tile(everyone, len(records)),
            }
        )
        told = consent.allowed(
            engine, choices, _texts(asked), bases={SERVES: basis[0]}, assessed=frozenset({SERVES} if basis[1] else ())
        )
        good = told.filter(told["allowed"]).select(["sid", "day"])
        now = pc.unique(good.filter(pc.equal(good["day"], today))["sid"])
        then = pc.is_in(good["day"], pa.array(list(cutoffs), pa.int64()))
        good = good.filter(pc.and_(pc.is_in(good["sid"], now), then))
        parts += [
            good.rename_columns(["record", "cutoff"]).append_column(
                "source", pa.array([s] * good.num_rows, pa.string())
            )
            for s, b in law.items()
            if b == basis
        ]
    return pa.concat_tables(parts).select(["source", "record", "cutoff"])


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
    return engine.query(files(__package__).joinpath("blend.sql").read_text(encoding="utf-8"))


def _of(linked: pa.Table, source: str) -> pa.Table:
    return linked.filter(pc.equal(linked["source"], source))


def _texts(asked: pa.Table) -> pa.Table:
    return asked.set_column(0, "sid", asked["sid"].cast(pa.string()))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.float64()) if pa.types.is_floating(column.type) else column.cast(pa.string())
