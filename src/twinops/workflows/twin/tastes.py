"""What one consumer likes, and how likely a coupon is redeemed, where there are heads that tell."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.sealed_tables import SealedTables
from twinops.twin.answers.portrait import Taste
from twinops.twin.answers.scores import liked
from twinops.twin.state.features import MILLION, SPEEDS
from twinops.twin.tastes import model_file as taste_stored
from twinops.twin.tastes.categories import Tastes
from twinops.twin.tastes.coupon_rows import CouponRows
from twinops.twin.tastes.rows import taste_rows
from twinops.whole_files import told_in
from twinops.workflows.places import Places
from twinops.workflows.receipts import Receipts
from twinops.workflows.twin.contacts import newest
from twinops.workflows.twin.open import Consumer, Opened

UNSEEN = "nobody who knows the goods has looked for special categories yet (special_reviewed is open)"
SHOWN = 5
SLOW = SPEEDS.index("slow")
"""Which of the memories `coupons.sql` counts baskets with."""


def heads(places: Places) -> taste_stored.Preferences:
    """The heads that ship; none where none were learned."""
    if not places.tastes_model.is_file():
        return taste_stored.Preferences()
    return taste_stored.from_text(places.tastes_model.read_text(encoding="utf-8"))


def told_tastes(receipts: Receipts) -> Tastes | None:
    """The head by which anybody is told likely categories; None: none was learned, or `UNSEEN`."""
    # GDPR art. 9: a category that nobody looked at may tell of health or faith
    return None if receipts.own.unseen_products else heads(receipts.plane.places).tastes


def tastes_of(consumer: Consumer, receipts: Receipts) -> tuple[Taste, ...]:
    """The likeliest categories, from the taste state sealed for the newest as-of day; nobody else's is opened."""
    found = liked_by(consumer.tables, receipts.plane.places, told_tastes(receipts), top=SHOWN)
    if not len(found.sids):
        return ()
    return tuple(Taste(str(n), round(float(c), 3)) for n, c in zip(found.names[0], found.chances[0], strict=True))


@dataclass(frozen=True)
class LikedMost:
    """The likeliest categories of some twins and their chances, the likeliest first: one row a sid, in order of sid."""

    sids: np.ndarray
    names: np.ndarray
    chances: np.ndarray


NOTHING_TOLD = LikedMost(*(np.array([], dtype=object) for _ in range(3)))


def liked_by(tables: SealedTables, places: Places, model: Tastes | None, *, top: int) -> LikedMost:
    """Of everybody whose frames the tables open and whose tastes are known as of their newest as-of day."""
    sealed = (places.panel, places.taste("categories"), places.taste_categories)
    if model is None or not all(path.is_file() for path in sealed):
        return NOTHING_TOLD
    with told_in(places.taste_categories) as names:
        many = len([*names])
    panel, states = (tables.parted(places.both(p)) for p in sealed[:2])
    if not panel.num_rows or not states.num_rows:
        return NOTHING_TOLD
    # a state of an earlier day than the panel's last tells of somebody who is not in it any more
    now, keys = newest(panel), ["sid", "cutoff"]
    told = states.join(now.select(keys), keys=keys, join_type="left semi")
    now = now.join(told.select(keys), keys=keys, join_type="left semi")
    if not now.num_rows:
        return NOTHING_TOLD
    made = taste_rows(now, told, None, categories=many)
    return LikedMost(np.array(made.panel["sid"].to_pylist(), dtype=object), *liked(model, made, top=top))


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
