"""Make what the taste heads learn from: who bought of which category, and who answered which campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import products
from twinops.data.consent import special_categories
from twinops.data.holdout import parted
from twinops.entities.canonical import to_json
from twinops.params import EvaluateParams, FeaturesParams, TastesParams
from twinops.ports import Sealed
from twinops.twin.state.features import as_of_days
from twinops.twin.state.permissions import LedgerQuestion, permissions
from twinops.twin.tastes import coupon_rows
from twinops.twin.tastes import events as taste_events
from twinops.twin.tastes.events import Horizons
from twinops.whole_files import write
from twinops.workflows.apart import apart_of, everyone, sealed_in_parts
from twinops.workflows.receipts import TRANSACTIONS, Receipts


@dataclass(frozen=True)
class TasteFeatures:
    """How many categories were chosen, and the rows written."""

    categories: tuple[str, ...]
    states: int
    coupons: int


def taste_features(
    receipts: Receipts, *, grid: FeaturesParams, held_out: EvaluateParams, rule: TastesParams
) -> TasteFeatures:
    """Write sealed taste states and labels, sealed campaign rows, and the names of the chosen categories.

    Without a table of products there are no categories, without campaigns no rows of them; the files are there, empty.
    """
    past = ReceiptHistory(grid, rule.decay_days, receipts.known_until)
    lines = receipts.sealed()  # one object for all passes: an engine that keeps what it opened knows it again
    goods, names = _chosen(receipts, lines, rule, before=min(held_out.cutoffs) - grid.horizon_days)
    states = _tastes(receipts, lines, Chosen(goods, names), past, held_out.cutoffs)
    write(receipts.plane.places.taste_categories, to_json(list(names), indent=1) + "\n")
    return TasteFeatures(names, states, _coupons(receipts, lines, past))


@dataclass(frozen=True)
class ReceiptHistory:
    """The grid of as-of days, the memories of a taste, and the first day that is not known in full."""

    grid: FeaturesParams
    decay_days: Sequence[int]
    known_until: int

    def horizons(self, days: Sequence[int]) -> Horizons:
        """These as-of days, each with the end of its horizon."""
        return Horizons(days, self.grid.horizon_days, self.known_until)

    def oldest_age(self, lines: taste_events.Span) -> int:
        """How many days ago the oldest of these lines was."""
        return self.known_until - min(lines.first_day or 0, 0)


@dataclass(frozen=True)
class Chosen:
    """What may be told apart: products with their category, and the names of the chosen categories."""

    goods: pa.Table
    names: tuple[str, ...]


def _chosen(receipts: Receipts, lines: Sealed, rule: TastesParams, *, before: int) -> tuple[pa.Table, tuple[str, ...]]:
    """Choose categories before the first held-out horizon opens."""
    plane, engine = receipts.plane, receipts.plane.engine
    # chosen by the others, kept for everybody: who stands apart is served all the same
    engine.register("panel", plane.tables.table(plane.places.panel).select(["sid", "cutoff"]))
    secret = special_categories.denied(
        engine, products.opened(plane.places.products), by=special_categories.of(receipts.own)
    )
    goods = taste_events.goods(engine, secret, not_goods=rule.not_goods)
    choice = taste_events.CategoryChoice(before, rule.categories)
    return goods, taste_events.chosen(engine, goods, choice, engine.opening(TRANSACTIONS, lines))


def _tastes(receipts: Receipts, lines: Sealed, chosen: Chosen, past: ReceiptHistory, held_out: Sequence[int]) -> int:
    """Write states and labels, of some subjects after the other, and count the states."""
    plane, rows = receipts.plane, 0
    days = as_of_days(past.grid, known_until=past.known_until)
    when = past.horizons(taste_events.spaced(days, held_out, horizon_days=past.grid.horizon_days))
    panel, apart = everyone(plane, plane.places.panel).select(["sid", "cutoff"]), apart_of(plane)
    states, labels = plane.places.taste("categories"), plane.places.taste("category_labels")
    with sealed_in_parts(plane, states, plane.places.apart(states), labels) as (others, theirs, bought):
        for _ in plane.engine.opening(TRANSACTIONS, lines):
            span = taste_events.span(plane.engine)
            plane.engine.register("panel", span.of_the_same(panel))
            taste_events.hear(plane.engine, chosen.goods, chosen.names)
            oldest_age = past.oldest_age(span)
            found = taste_events.states(plane.engine, when, past.decay_days, oldest_age=oldest_age)
            for seal, some in zip((others, theirs), parted(found, apart), strict=True):
                seal(some)
            bought(parted(taste_events.labels(plane.engine), apart)[0])
            rows += found.num_rows
    return rows


def _coupons(receipts: Receipts, lines: Sealed, past: ReceiptHistory) -> int:
    """Write one row per household and campaign, and who allowed training on which campaign's first day."""
    plane = receipts.plane
    tables = {name: plane.tables.source(name, otherwise=nothing) for name, nothing in EMPTY.items()}
    days = coupon_rows.campaign_days(tables["campaigns"], first=1, known_until=past.known_until)
    allowed = _allowed(receipts, days)
    for name, table in {**tables, "permissions": allowed}.items():
        plane.engine.register(name, table)
    when = past.horizons(days)
    rows = []
    parts = plane.engine.opening(TRANSACTIONS, lines)
    for _ in parts if days else islice(parts, 1):
        oldest_age = past.oldest_age(taste_events.span(plane.engine))
        told = coupon_rows.tell(plane.engine, past.grid, when, decay_days=past.decay_days, oldest_age=oldest_age)
        rows.append(told)
    together = pa.concat_tables(rows)
    plane.seal(together, plane.places.taste("coupons"))
    plane.seal(allowed.select(["sid", "cutoff", "may_train"]), plane.places.taste("coupon_consent"))
    return int(together.num_rows)


def _allowed(receipts: Receipts, days: tuple[int, ...]) -> pa.Table:
    """What each household allowed on each campaign's first day, read as the panel's flags are (see `features`)."""
    panel = receipts.plane.tables.table(receipts.plane.places.panel)
    asked = LedgerQuestion(tuple(pc.unique(panel["sid"]).sort().to_pylist()), days, receipts.today)
    flags = permissions(receipts.plane.engine, receipts.answers(asked), today=receipts.today)
    return flags.filter(pc.is_in(flags["cutoff"], pa.array(list(days), pa.int64())))


EMPTY = {
    "campaigns": pa.table(
        {"sid": pa.array([], pa.string()), "campaign_id": pa.array([], pa.int64()),
         "campaign_type": pa.array([], pa.string()), "start_day": pa.array([], pa.int64())}
    ),
    "redemptions": pa.table(
        {"sid": pa.array([], pa.string()), "campaign_id": pa.array([], pa.int64()), "day": pa.array([], pa.int64())}
    ),
}  # fmt: skip
"""What stands where a source was not collected."""
