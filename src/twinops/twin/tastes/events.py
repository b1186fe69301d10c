"""From baskets to tastes: which categories are told apart, how often and how lately a household bought of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.plugins import text_beside
from twinops.ports import Engine
from twinops.twin.state.features import MILLION

SPEEDS = ("quick", "steady", "slow", "lasting")
"""The four speeds of forgetting of a taste, in the order of `tastes.decay_days`."""

FEWEST_HOUSEHOLDS = 30
"""A category that fewer households buy is not told apart: its name would say who they are."""


class CategoryChoice(NamedTuple):
    """Which categories are chosen: the most frequent before a day."""

    before_day: int
    most: int


class Horizons(NamedTuple):
    """As-of days, and the days their horizons end; `known_until` is the first day not known in full."""

    days: Sequence[int]
    horizon_days: int
    known_until: int

    def table(self) -> pa.Table:
        """`cutoff, closes, closed`."""
        days = np.array(sorted(self.days), dtype=np.int64)
        closes = days + self.horizon_days
        return pa.table({"cutoff": days, "closes": closes, "closed": closes <= self.known_until})


def spaced(grid: Sequence[int], held_out: Sequence[int], *, horizon_days: int) -> tuple[int, ...]:
    """The as-of days tastes are learned on: the grid's last day, back by whole horizons, and the held-out ones.

    Horizons that overlap would hold the same purchases twice.

    >>> spaced(range(57, 338, 14), [309], horizon_days=28)[:3]
    (57, 85, 113)
    """
    kept = {day for day in grid if (max(grid) - day) % horizon_days == 0}
    return tuple(sorted(kept | (set(held_out) & set(grid))))


def goods(engine: Engine, denied: pa.Table, *, not_goods: Sequence[str]) -> pa.Table:
    """`product_id, product_category` of what may be told apart; the engine holds `products_file`.

    Left out are products of special categories (`data/special_categories.yaml`), those without a category, and what is
    no goods.
    """
    products = engine.query(text_beside(__package__, "taste_products.sql"))
    named = products.filter(pc.is_valid(products["product_category"]))
    named = named.filter(pc.invert(pc.is_in(named["product_category"], pa.array(list(not_goods), pa.string()))))
    # GDPR art. 9: what tells of health or belief is no taste
    secret = denied["product_id"].combine_chunks().cast(named["product_id"].type)
    return named.filter(pc.invert(pc.is_in(named["product_id"], secret)))


def chosen(engine: Engine, products: pa.Table, choice: CategoryChoice, parts: Iterable[object]) -> tuple[str, ...]:
    """Names of the chosen categories, the most frequent first; the engine holds `panel`.

    It is given `transactions` part by part, each time with all lines of its subjects: what is counted by subject adds
    up.
    """
    engine.register("taste_products", products)
    engine.register("taste_rule", pa.table({"before_day": pa.array([choice.before_day], pa.int64())}))
    counted = []
    for _ in parts:
        counted.append(engine.query(text_beside(__package__, "taste_choice.sql")))
    whole = (
        pa.concat_tables(counted).group_by("product_category").aggregate([("baskets", "sum"), ("households", "sum")])
    )
    found = whole.rename_columns(["category", "baskets", "buyers"]).to_pylist()
    bought = [r for r in found if r["buyers"] >= FEWEST_HOUSEHOLDS]
    ranked = sorted(bought, key=lambda r: (-r["baskets"], r["category"]))
    return tuple(r["category"] for r in ranked[: choice.most])


class Span(NamedTuple):
    """Of the receipt lines that the engine holds: the first and the last sid, and the oldest day; None: no line."""

    first_sid: str | None
    last_sid: str | None
    first_day: int | None

    def of_the_same(self, table: pa.Table) -> pa.Table:
        """The rows of these subjects, of whom a part has all from its first to its last."""
        if self.first_sid is None:
            return table.slice(0, 0)
        sids = table["sid"]
        return table.filter(pc.and_(pc.greater_equal(sids, self.first_sid), pc.less_equal(sids, self.last_sid)))


def span(engine: Engine) -> Span:
    """Of `transactions`."""
    return Span(**engine.query(text_beside(__package__, "taste_span.sql")).to_pylist()[0])


def hear(engine: Engine, products: pa.Table, categories: Sequence[str]) -> None:
    """Make `taste_events` known to the engine: baskets and the chosen categories they hold."""
    places = pc.index_in(products["product_category"], pa.array(list(categories), pa.string())).cast(pa.int64())
    told = pa.table({"product_id": products["product_id"], "place": places})
    engine.register("taste_places", told.filter(pc.is_valid(told["place"])))
    engine.keep("taste_events", text_beside(__package__, "taste_events.sql"))


def states(engine: Engine, when: Horizons, decay_days: Sequence[int], *, oldest_age: int) -> pa.Table:
    """The taste state of every household of the panel, on every one of these as-of days; see `tastes.sql`."""
    engine.register("taste_cutoffs", when.table())
    engine.register("taste_decay", decay(decay_days, oldest_age=oldest_age))
    return engine.query(text_beside(__package__, "tastes.sql"))


def labels(engine: Engine) -> pa.Table:
    """What was bought in the horizon; after `states`."""
    return engine.query(text_beside(__package__, "taste_labels.sql"))


def decay(decay_days: Sequence[int], *, oldest_age: int) -> pa.Table:
    """Per age in days, at each speed: the weight exp(-age/tau) of an event in whole millionths."""
    age = np.arange(1, oldest_age + 1, dtype=np.int64)
    weights = {
        f"weight_{speed}": np.rint(MILLION * np.exp(-age / tau)).astype(np.int64)
        for speed, tau in zip(SPEEDS, decay_days, strict=True)
    }
    return pa.table({"age": age, **weights})
