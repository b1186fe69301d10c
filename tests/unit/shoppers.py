"""Opened tables for tests of the twin: households, their receipt lines, and what they allow."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import write_sealed
from twinops.entities.consent import Purpose
from twinops.params import FeaturesParams
from twinops.ports import KeyStore
from twinops.twin.state import features
from twinops.twin.state.examples import Examples, examples
from twinops.workflows.places import Places

GRID = FeaturesParams(
    first_day=date(2017, 1, 1), first_cutoff=57, last_cutoff=141, step_days=28,
    horizon_days=28, decay_days=(10, 30, 90),
)  # fmt: skip


def lines(*baskets: tuple[str, int, int]) -> pa.Table:
    """Receipt lines, one a basket: (sid, day, cents)."""
    return pa.table({
        "sid": pa.array([b[0] for b in baskets], pa.string()),
        "day": pa.array([b[1] for b in baskets], pa.int64()),
        "basket_id": pa.array(range(len(baskets)), pa.int64()),
        "store_id": pa.array([1] * len(baskets), pa.int64()),
        "product_id": pa.array([1] * len(baskets), pa.int64()),
        "sales_cents": pa.array([b[2] for b in baskets], pa.int64()),
        **{f"{kind}_cents": pa.array([0] * len(baskets), pa.int64())
           for kind in ("retail_discount", "coupon_discount", "coupon_match_discount")},
    })  # fmt: skip


def crowd(households: int = 120, *, days: int = 200, seed: int = 5) -> pa.Table:
    """Households that shop at their own pace and spend their own amounts; some stop."""
    rng = np.random.default_rng(seed)
    baskets = []
    for number in range(households):
        gap, last = rng.gamma(2.0, 4.0) + 1, int(rng.integers(60, 3 * days))
        shopped = np.cumsum(rng.exponential(gap, 400)).astype(int)
        usual = float(rng.lognormal(3, 0.5))
        baskets += [
            (f"{number:032x}", int(d), int(100 * usual * rng.lognormal(0, 0.4))) for d in shopped if d < min(days, last)
        ]
    return lines(*baskets)


def permissions(sids: list[str], grid: FeaturesParams = GRID, **refused: bool) -> pa.Table:
    """Everyone allows everything on every as-of day, but what is named: `may_score=False`."""
    days = grid.cutoffs
    table = {"sid": np.repeat(sids, len(days)), "cutoff": np.tile(np.array(days, dtype=np.int64), len(sids))}
    flags = {name: [refused.get(name, True)] * (len(sids) * len(days)) for name in features.PERMISSIONS}
    return pa.table({**table, **flags})


def panel_of(
    transactions: pa.Table, *, known_until: int = 200, threads: int = 1, allowed: pa.Table | None = None
) -> pa.Table:
    """The panel of these receipt lines."""
    return features.panel(engine_with(transactions, threads=threads, allowed=allowed), GRID, known_until=known_until)


def engine_with(transactions: pa.Table, *, threads: int = 1, allowed: pa.Table | None = None) -> DuckDBEngine:
    """An engine that holds what `features.panel` asks for."""
    engine = DuckDBEngine(threads=threads)
    sids = sorted(set(transactions["sid"].to_pylist()))
    engine.register("transactions", transactions)
    engine.register("permissions", permissions(sids) if allowed is None else allowed)
    return engine


def examples_of(transactions: pa.Table, *, known_until: int = 200, allowed: pa.Table | None = None) -> Examples:
    """Features and labels of these receipt lines."""
    engine = engine_with(transactions, allowed=allowed)
    table = features.panel(engine, GRID, known_until=known_until)
    return examples(engine, table, features.labels(engine, table))


def as_bytes(table: pa.Table) -> bytes:
    """A table's rows and types, byte for byte."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def sealed_project(root: Path, keys: KeyStore, transactions: pa.Table, ledger: pa.Table | None = None) -> Places:
    """A project folder whose raw batches are sealed: the receipt lines by month, a consent ledger, and counts."""
    places = Places(root)
    sids = sorted(set(transactions["sid"].to_pylist()))
    months = pc.strftime(pc.cast(pc.cast(pc.add(transactions["day"], DAY_0), pa.int32()), pa.date32()), "%Y-%m")
    for number in range(1, 1 + max(int(m[5:]) for m in pc.unique(months).to_pylist())):
        month = f"2017-{number:02}"
        _seal(places, "transactions", month, transactions.filter(pc.equal(months, month)), keys)
    _seal(places, "consent", "all", everyone_agrees(sids) if ledger is None else ledger, keys)
    return places


def everyone_agrees(sids: list[str]) -> pa.Table:
    """A ledger in which everyone granted every purpose long ago."""
    return ledger_of(*((sid, purpose, "granted", -30) for sid in sids for purpose in Purpose))


def ledger_of(*entries: tuple[str, str, str, int]) -> pa.Table:
    """A consent ledger: (household, purpose, event, day), in the order they happened."""
    columns = zip(*entries, strict=True)
    table = dict(zip(("sid", "purpose", "event", "day"), map(list, columns), strict=True))
    return pa.table({
        **{name: pa.array([str(v) for v in table[name]], pa.string()) for name in ("sid", "purpose", "event")},
        "basis": ["consent"] * len(entries),
        "notice_version": ["2016-12"] * len(entries),
        "day": pa.array(table["day"], pa.int64()),
        "seq": pa.array(range(len(entries)), pa.int64()),
    })  # fmt: skip


def _seal(places: Places, source: str, batch: str, table: pa.Table, keys: KeyStore) -> None:
    natural = table.rename_columns({"sid": "household_id"})
    write_sealed(natural, places.raw(source, batch), dataset=source, keys=keys, subject="household_id")
    span = pc.min_max(table["day"]).as_py()
    counts = {"source": source, "batch": batch, "quarantined": {"sales_value negative": 1}, "dropped_columns": ["week"],
              "oldest_day": span["min"], "newest_day": span["max"]}  # fmt: skip
    places.counts(source, batch).parent.mkdir(parents=True, exist_ok=True)
    places.counts(source, batch).write_text(json.dumps(counts), encoding="utf-8")


DAY_0 = (date(2017, 1, 1) - date(1970, 1, 1)).days
