"""Make what the taste heads learn from: who bought of which category, and who answered which campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import ages, purposes, special
from twinops.data.days import day_of
from twinops.data.seal import read_sealed, write_sealed
from twinops.entities.canonical import to_json
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import AgesParams, EvaluateParams, FeaturesParams, SourcesParams, TastesParams
from twinops.ports import Engine, KeyStore
from twinops.twin import coupon_rows, taste_events
from twinops.twin.examples import with_text_sid
from twinops.twin.features import as_of_days
from twinops.twin.merged import narrowed, said_of_records
from twinops.twin.permissions import LedgerQuestion, permissions, read_consent
from twinops.workflows.collect import asked_for
from twinops.workflows.features import Standing, births, reached, standing, ties
from twinops.workflows.places import Places


@dataclass(frozen=True)
class TasteFeatures:
    """How many categories were chosen, and the rows written."""

    categories: tuple[str, ...]
    states: int
    coupons: int


def taste_features(  # noqa: PLR0913  (ports and sections are injected by type)
    places: Places,
    *,
    engine: Engine,
    keys: KeyStore,
    grid: FeaturesParams,
    held_out: EvaluateParams,
    rule: TastesParams,
    sources: SourcesParams,
    adults: AgesParams,
    as_of: date,
    own: OwnParams = NOTHING_OWN,
) -> TasteFeatures:
    """Write sealed taste states and labels, sealed campaign rows, and the names of the chosen categories.

    Without a table of products there are no categories, without campaigns no rows of them; the files are there, empty.
    """
    known_until = min(day_of(as_of), reached(places.raw_batches("transactions")))
    born = births(places, keys)
    lines = with_text_sid(read_sealed(places.raw_batches("transactions"), dataset="transactions", keys=keys))
    law = standing(places, own, as_of)
    engine.register("transactions", ages.since_full_age(purposes.served(lines, law.legal), born, adults))
    oldest_age = known_until - min(pc.min(lines["day"]).as_py() or 0, 0)
    names, states = _tastes(places, engine, keys, (grid, held_out, rule, sources), (known_until, oldest_age))
    coupons = _coupons(places, engine, keys, (grid, rule, adults, as_of, law), (known_until, oldest_age))
    return TasteFeatures(names, states, coupons)


def _tastes(
    places: Places,
    engine: Engine,
    keys: KeyStore,
    said: tuple[FeaturesParams, EvaluateParams, TastesParams, SourcesParams],
    known: tuple[int, int],
) -> tuple[tuple[str, ...], int]:
    """Choose categories before the first held-out horizon opens, and write states and labels."""
    grid, held_out, rule, sources = said
    asked, (known_until, oldest_age) = asked_for("all", places, sources), known
    panel = with_text_sid(read_sealed(places.panel, dataset="panel", keys=keys)).select(["sid", "cutoff"])
    engine.register("panel", panel)
    names: tuple[str, ...] = ()
    products = pa.table({"product_id": pa.array([], pa.int64()), "product_category": pa.array([], pa.string())})
    if asked.file("products").is_file():
        products = taste_events.goods(engine, special.denied(engine, asked), not_goods=rule.not_goods)
        before = min(held_out.cutoffs) - grid.horizon_days
        names = taste_events.chosen(engine, products, taste_events.CategoryChoice(before, rule.categories))
    taste_events.hear(engine, products, names)
    days = taste_events.spaced(
        as_of_days(grid, known_until=known_until), held_out.cutoffs, horizon_days=grid.horizon_days
    )
    when = taste_events.Horizons(days, grid.horizon_days, known_until)
    states = taste_events.states(engine, when, rule.decay_days, oldest_age=oldest_age)
    for name, table in (("categories", states), ("category_labels", taste_events.labels(engine))):
        _seal(table, name, places, keys)
    places.taste_categories.write_text(to_json(list(names), indent=1) + "\n", encoding="utf-8")
    return names, int(states.num_rows)


def _coupons(
    places: Places,
    engine: Engine,
    keys: KeyStore,
    said: tuple[FeaturesParams, TastesParams, AgesParams, date, Standing],
    known: tuple[int, int],
) -> int:
    """Write one row per household and campaign, and who allowed training on which campaign's first day."""
    grid, rule, adults, as_of, law = said
    known_until, oldest_age = known
    batches = {name: places.raw_batches(name) for name in ("campaigns", "redemptions")}
    tables = {
        name: with_text_sid(read_sealed(paths, dataset=name, keys=keys)) if paths else EMPTY[name]
        for name, paths in batches.items()
    }
    days = coupon_rows.campaign_days(tables["campaigns"], first=1, known_until=known_until)
    allowed = _allowed(places, engine, keys, (days, adults, as_of, law))
    for name, table in {**tables, "permissions": allowed}.items():
        engine.register(name, table)
    when = taste_events.Horizons(days, grid.horizon_days, known_until)
    rows = coupon_rows.tell(engine, grid, when, decay_days=rule.decay_days, oldest_age=oldest_age)
    _seal(rows, "coupons", places, keys)
    _seal(allowed.select(["sid", "cutoff", "may_train"]), "coupon_consent", places, keys)
    return int(rows.num_rows)


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


def _allowed(
    places: Places, engine: Engine, keys: KeyStore, said: tuple[tuple[int, ...], AgesParams, date, Standing]
) -> pa.Table:
    """What each household allowed on each campaign's first day, read as the panel's flags are (see `features`)."""
    days, adults, as_of, law = said
    today = day_of(as_of)
    panel = with_text_sid(read_sealed(places.panel, dataset="panel", keys=keys))
    ledger = with_text_sid(read_sealed(places.raw_batches("consent"), dataset="consent", keys=keys))
    asked = LedgerQuestion(tuple(pc.unique(panel["sid"]).sort().to_pylist()), days, today)
    answers = read_consent(engine, ledger, asked, law.bases, assessed=law.assessed)
    tied = ties(places, keys)
    if tied is not None:
        answers = narrowed(engine, answers, tied[1], said_of_records(engine, *tied, today=today), today=today)
    answers = ages.of_age(engine, answers, births(places, keys), adults)
    flags = permissions(engine, answers, today=today)
    return flags.filter(pc.is_in(flags["cutoff"], pa.array(list(days), pa.int64())))


def _seal(table: pa.Table, name: str, places: Places, keys: KeyStore) -> None:
    write_sealed(table, places.taste(name), dataset=name, batch=name, keys=keys, subject="sid")
