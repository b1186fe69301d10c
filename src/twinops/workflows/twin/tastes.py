"""What one consumer likes, and how likely a coupon is redeemed, where there are heads that tell."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.twin.answers.portrait import Taste
from twinops.twin.state.features import MILLION, SPEEDS
from twinops.twin.tastes import model_file as taste_stored
from twinops.twin.tastes.coupon_rows import CouponRows
from twinops.twin.tastes.rows import taste_rows
from twinops.workflows.places import Places
from twinops.workflows.twin.open import Consumer, Opened

SHOWN = 5
SLOW = SPEEDS.index("slow")
"""Which of the memories `coupons.sql` counts baskets with."""


def heads(places: Places) -> taste_stored.Preferences:
    """The heads that ship; none where none were learned."""
    if not places.tastes_model.is_file():
        return taste_stored.Preferences()
    return taste_stored.from_text(places.tastes_model.read_text(encoding="utf-8"))


def tastes_of(consumer: Consumer, places: Places) -> tuple[Taste, ...]:
    """The likeliest categories, from the taste state sealed for the newest as-of day; nobody else's is consumer."""
    model, sealed = heads(places).tastes, (places.panel, places.taste("categories"), places.taste_categories)
    if model is None or not all(path.is_file() for path in sealed):
        return ()
    names = json.loads(places.taste_categories.read_text(encoding="utf-8"))
    tables = [consumer.tables.parted(places.both(p)) for p in sealed[:2]]
    if not all(t.num_rows for t in tables):
        return ()
    day = pc.max(tables[0]["cutoff"])
    panel, states = (t.filter(pc.equal(t["cutoff"], day)) for t in tables)
    if not states.num_rows:
        return ()
    made = taste_rows(panel, states, None, categories=len(names))
    return tuple(Taste(name, round(chance, 3)) for name, chance in model.ranked(made, top=SHOWN))


def coupon_chance(opened: Opened, places: Places, kind: str) -> float | None:
    """The chance that a coupon of a campaign of this type, sent on the day, is redeemed; None: no head tells."""
    model, twin, consumer = heads(places).coupons, opened.twin, opened.consumer
    if model is None or twin.state.empty:
        return None
    received, redeemed = _answered(consumer)
    baskets, lately = _couponed(consumer)
    lettered = any(known == f"Type {known[-1]}" for known in model.kinds)
    columns = {
        "sid": [consumer.sid], "cutoff": [twin.day], "campaign_id": [0],
        "campaign_type": [f"Type {kind}" if lettered else kind],
        "received": [received], "redeemed": [redeemed], "coupon_baskets": [baskets], "coupon_baskets_slow": [lately],
    }  # fmt: skip
    table = pa.table({**columns, **dict(zip(twin.table.column_names, twin.table.columns, strict=True))})
    return float(model.predict(CouponRows(table, table))[0])


def _answered(consumer: Consumer) -> tuple[int, int]:
    """Campaigns that began before the day, and those of them that were redeemed before it."""
    found = []
    for source, day in (("campaigns", "start_day"), ("redemptions", "day")):
        table = consumer.tables.source(source, otherwise=pa.table({day: pa.array([], pa.int64()), "campaign_id": []}))
        found.append(set(table.filter(pc.less(table[day], consumer.day))["campaign_id"].to_pylist()))
    return len(found[0]), len(found[0] & found[1])


def _couponed(consumer: Consumer) -> tuple[int, int]:
    """Baskets with a coupon, and the same with slow memory, in millionths; see `coupons.sql`."""
    lines = consumer.lines.filter(pc.greater(consumer.lines["coupon_discount_cents"], 0))
    baskets = set(zip(lines["day"].to_pylist(), lines["basket_id"].to_pylist(), strict=True))
    ages = np.array([consumer.day - day for day, _ in baskets], dtype=float)
    return len(baskets), int(np.rint(MILLION * np.exp(-ages / consumer.state.decay_days[SLOW])).sum())
