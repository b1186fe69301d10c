"""Households with tastes, for tests: each buys some categories often and others never, and answers some campaigns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from shoppers import GRID, engine_with, lines

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.twin.state import features
from twinops.twin.tastes import events as taste_events
from twinops.twin.tastes.coupon_rows import CouponRows
from twinops.twin.tastes.rows import TasteRows, taste_rows

NAMES = ("APPLES", "BREAD", "CHEESE", "DATES")
MEMORIES = (10, 30, 90, 200)
PRODUCTS = pa.table({"product_id": [1, 2, 3, 4], "product_category": list(NAMES)})
KNOWN_UNTIL = 200


def shopped(*bought: tuple[str, int, int]) -> pa.Table:
    """Receipt lines, one a basket: (sid, day, product)."""
    table = lines(*((sid, day, 500) for sid, day, _ in bought))
    at = table.schema.get_field_index("product_id")
    return table.set_column(at, "product_id", pa.array([b[2] for b in bought], pa.int64()))


def eaters(households: int = 60, *, seed: int = 3) -> pa.Table:
    """Every household has two favourite categories; even ones share theirs, and so do odd ones."""
    rng = np.random.default_rng(seed)
    bought = []
    for number in range(households):
        likes = [1, 2] if number % 2 else [3, 4]
        days = np.cumsum(rng.exponential(rng.gamma(2.0, 3.0) + 1, 200)).astype(int)
        for day in days[days < KNOWN_UNTIL]:
            product = int(rng.choice(likes)) if rng.random() < 0.9 else int(rng.integers(1, 5))
            bought.append((f"{number:032x}", int(day), product))
    return shopped(*bought)


def heard(transactions: pa.Table, *, threads: int = 1) -> tuple[DuckDBEngine, pa.Table]:
    """An engine that has heard of tastes, and the panel."""
    engine = engine_with(transactions, threads=threads)
    panel = features.panel(engine, GRID, known_until=KNOWN_UNTIL)
    engine.register("panel", panel)
    taste_events.hear(engine, PRODUCTS, NAMES)
    return engine, panel


def states_and_labels(transactions: pa.Table, *, threads: int = 1) -> tuple[pa.Table, pa.Table, pa.Table]:
    """The panel, and taste states and labels on its as-of days."""
    engine, panel = heard(transactions, threads=threads)
    when = taste_events.Horizons(GRID.cutoffs, GRID.horizon_days, KNOWN_UNTIL)
    states = taste_events.states(engine, when, MEMORIES, oldest_age=KNOWN_UNTIL)
    return panel, states, taste_events.labels(engine)


def rows_of(transactions: pa.Table) -> TasteRows:
    """Rows to learn tastes from."""
    panel, states, labels = states_and_labels(transactions)
    return taste_rows(panel, states, labels, categories=len(NAMES))


def receipts(households: int = 150, *, seed: int = 4) -> CouponRows:
    """Four campaigns, on days 60, 90, 120 and 150; some households answer nearly all of them, most nearly none."""
    rng = np.random.default_rng(seed)
    state = features.STATE
    table: dict[str, list[object]] = {name: [] for name in (*state, *features.RFM, *features.PERMISSIONS)}
    columns = ("sid", "cutoff", "campaign_id", "campaign_type", "received", "redeemed", "coupon_baskets",
               "coupon_baskets_slow", "responded")  # fmt: skip
    table |= {name: [] for name in columns}
    for number in range(households):
        keen, answered = number % 5 == 0, 0
        for place, day in enumerate((60, 90, 120, 150)):
            responds = bool(rng.random() < (0.8 if keen else 0.05))
            row = dict.fromkeys(table, 1_000_000_000)
            row |= {"tenure_days": day - 5, "recency_days": 3 + number % 7, "shopping_days": 10, "baskets_total": 12}
            row["quiet_days"] = 0
            row |= {"cents_total": 30_000, "log_value_sum": 36_000_000, "log_value_squares": 110_000_000}
            row |= dict.fromkeys(features.RFM, 1 + number % 9) | dict.fromkeys(features.PERMISSIONS, True)
            row |= {"sid": f"{number:032x}", "cutoff": day, "campaign_id": place, "received": place,
                    "campaign_type": "AB"[place % 2], "redeemed": answered, "coupon_baskets": 5 * keen,
                    "coupon_baskets_slow": 2_000_000 * keen, "responded": responds if day < 150 else None}  # fmt: skip
            answered += responds
            for name, values in table.items():
                values.append(row[name])
    made = pa.table(table).sort_by([("cutoff", "ascending"), ("campaign_id", "ascending"), ("sid", "ascending")])
    return CouponRows(made, made.select(["sid", "cutoff", "may_train"]))
