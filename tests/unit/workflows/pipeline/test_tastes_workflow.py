"""From sealed receipts to taste heads: what is written, what is left out, and what is said where there is nothing."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shoppers import GRID, as_bytes, everyone_agrees, ledger_of, sealed_project
from supplying import supplied
from tasters import eaters, shopped

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault import seal, sealed_rows
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.consent import Purpose
from twinops.params import (
    AgesParams,
    CouponsParams,
    EvaluateParams,
    SignalsParams,
    SourcesParams,
    TastesParams,
)
from twinops.twin.tastes import events as taste_events
from twinops.twin.tastes.model_file import from_text
from twinops.workflows import tasting
from twinops.workflows.declared_words import UNDECLARED
from twinops.workflows.pipeline.collect_products import collect_products
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.taste_features import taste_features
from twinops.workflows.pipeline.tastes import tastes

AS_OF = date(2017, 8, 1)
HELD_OUT = EvaluateParams(cutoffs=(141,), draws=50, seed=1)
RULE = TastesParams(categories=3, factors=2, draws=50, penalty_c=0.1)
OFFERS = CouponsParams(held_out_from=130, draws=50)
BLEND = pa.schema(
    [("sid", pa.string()), ("cutoff", pa.int64()), ("may_train", pa.bool_()), ("may_score", pa.bool_()),
     *((n, pa.int64()) for n in ("social_records", "social_events", "texts_positive", "texts_neutral",
                                 "texts_negative"))]
)  # fmt: skip


def products(root, *, vitamins: int) -> None:
    root.mkdir(parents=True, exist_ok=True)
    names = {1: "APPLES", 2: "BREAD", 3: "CHEESE", 4: "DATES"} | {vitamins: "VITAMINS"}
    pq.write_table(
        pa.table({"product_id": list(names), "product_category": list(names.values()), "product_type": ["X"] * 4}),
        root / "products.parquet",
    )


def in_campaigns(sids: list[str]) -> tuple[pa.Table, pa.Table]:
    """Three campaigns everybody is in; every fourth household answers all of them, the others none."""
    members = [(s, c, day) for c, day in enumerate((70, 100, 140)) for s in sids]
    answered = [(s, c, day + 3) for s, c, day in members if int(s, 16) % 4 == 0]
    campaigns = {"household_id": [m[0] for m in members], "campaign_id": [m[1] for m in members],
                 "campaign_type": ["Type A"] * len(members), "start_day": [m[2] for m in members],
                 "end_day": [m[2] + 30 for m in members]}  # fmt: skip
    redemptions = {"household_id": [a[0] for a in answered], "coupon_upc": [1] * len(answered),
                   "campaign_id": [a[1] for a in answered], "day": [a[2] for a in answered]}  # fmt: skip
    return pa.table(campaigns), pa.table(redemptions)


def project(root, transactions, *, ledger=None, with_campaigns=True, vitamins=4):
    keys = MemoryKeys()
    places = sealed_project(root, keys, transactions, ledger)
    products(root / "shop", vitamins=vitamins)
    if with_campaigns:
        tables = in_campaigns(sorted(set(transactions["sid"].to_pylist())))
        for name, table in zip(("campaigns", "redemptions"), tables, strict=True):
            write_sealed(table, places.raw(name, "all"), dataset=name, keys=keys, subject="household_id")
    supplied(features, places, engine=DuckDBEngine(threads=1), keys=keys, grid=GRID, as_of=AS_OF)
    write_sealed(BLEND.empty_table(), places.blend, dataset="blend", keys=keys, subject="sid")
    return places, keys


def prepared(places, keys, *, threads=1, folder="shop"):
    sources = SourcesParams(folder=folder)
    supplied(collect_products, engine=DuckDBEngine(threads=threads), places=places, keys=keys, sources=sources)
    return supplied(
        taste_features,
        places, engine=DuckDBEngine(threads=threads), keys=keys, grid=GRID, held_out=HELD_OUT, rule=RULE,
        adults=AgesParams(), as_of=AS_OF,
    )  # fmt: skip


def tasted(places, keys):
    return supplied(
        tastes, places, keys=keys, grid=GRID, held_out=HELD_OUT, rule=RULE, offers=OFFERS, texts=SignalsParams()
    )


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    places, keys = project(tmp_path_factory.mktemp("tastes"), eaters(80))
    made = prepared(places, keys)
    return places, keys, made, tasted(places, keys)


def test_categories_are_chosen_before_the_first_held_out_horizon_opens(full, monkeypatch):
    """Whatever is bought later, in any horizon that is measured, does not decide what is told apart."""
    places, keys, made, _ = full
    asked = []
    choose = taste_events.chosen
    monkeypatch.setattr(taste_events, "chosen", lambda *a: asked.append(a[2]) or choose(*a))
    assert prepared(places, keys).categories == made.categories
    assert [c.before_day <= min(HELD_OUT.cutoffs) for c in asked] == [True]


def test_some_subjects_after_the_other_give_the_same_tables(full, monkeypatch):
    places, keys, made, _ = full
    names = ("categories", "category_labels", "coupons", "coupon_consent")
    whole = [as_bytes(read_sealed(places.taste(n), dataset=n, keys=keys)) for n in names]
    one = [pq.ParquetFile(places.taste(n)).num_row_groups for n in names[:2]]
    cut = seal.in_parts
    monkeypatch.setattr(sealed_rows, "in_parts", lambda *a, **k: cut(*a, **k, most_bytes=20_000))
    assert prepared(places, keys) == made
    assert [as_bytes(read_sealed(places.taste(n), dataset=n, keys=keys)) for n in names] == whole
    parts = [pq.ParquetFile(places.taste(n)).num_row_groups for n in names[:2]]
    assert one == [1, 1]
    assert all(n > 2 for n in parts)
    monkeypatch.undo()
    prepared(places, keys)


def test_heads_measures_and_pictures_are_written(full):
    places, _, made, result = full
    assert set(made.categories) == {"APPLES", "BREAD", "CHEESE"}
    kept = from_text(places.tastes_model.read_text(encoding="utf-8"))
    assert kept == result.heads
    assert kept.tastes is not None
    assert kept.coupons is not None
    names = {m.name for m in result.findings.measures}
    assert {"category_ndcg_at_10", "new_category_auc.popularity", "category_ndcg_at_10.gain_over_own_counts"} <= names
    assert {"category_ndcg_at_10.lightgbm", "coupon_auc", "coupon_auc.rfm", "coupon_capture_at_20"} <= names
    assert places.measures("tastes").read_text(encoding="utf-8") == UNDECLARED.told(result.findings).to_json()
    assert all(
        places.figure(p).stat().st_size > 5_000 for p in ("tastes", "tastes_tried", "tastes_together", "coupons")
    )


def test_of_a_large_shop_so_many_households_learn_as_fit_and_that_is_told(full, monkeypatch):
    places, keys, _, whole = full
    before = {p: p.read_bytes() for p in (places.tastes_model, places.measures("tastes"))}
    monkeypatch.setattr(tasting, "MOST_HOUSEHOLDS", 60)
    some = tasted(places, keys)
    facts = [{f.name: f.value for f in found.findings.facts} for found in (whole, some)]
    assert [f.get("tastes_drawn") for f in facts] == [None, {"households": 60, "of": 80}]
    assert some.findings.measures
    assert {m.n for m in some.findings.measures} <= set(range(1, 61))
    assert some.heads.tastes.names == whole.heads.tastes.names
    for path, content in before.items():
        path.write_bytes(content)


def test_special_categories_are_in_no_state_no_name_and_no_head(full):
    places, keys, *_ = full
    states = read_sealed(places.taste("categories"), dataset="categories", keys=keys)
    assert set(states["place"].to_pylist()) <= {0, 1, 2}
    text = places.tastes_model.read_text(encoding="utf-8") + places.taste_categories.read_text(encoding="utf-8")
    assert "VITAMINS" not in text


def test_whatever_is_about_somebody_is_sealed(full):
    places, keys, *_ = full
    panel = read_sealed(places.panel, dataset="panel", keys=keys)
    sids = set(panel["sid"].to_pylist())
    for path in (places.tastes_model, places.taste_categories, places.measures("tastes")):
        text = path.read_text(encoding="utf-8")
        assert not any(sid in text for sid in sids)
    for name in ("categories", "category_labels", "coupons", "coupon_consent"):
        assert pq.read_schema(places.taste(name)).names == ["sid", "frame"]


def test_an_erased_household_is_in_no_table(full):
    places, keys, *_ = full
    gone = read_sealed(places.taste("categories"), dataset="categories", keys=keys)["sid"][0].as_py()

    class Without:
        """The same store after one subject was erased."""

        def subject_keys(self, sids):
            return {s: k for s, k in keys.subject_keys(sids).items() if s != gone}

    left = Without()
    for name in ("categories", "category_labels", "coupons", "coupon_consent"):
        assert gone not in read_sealed(places.taste(name), dataset=name, keys=left)["sid"].to_pylist()


def test_it_says_the_same_again_with_another_number_of_threads(full):
    places, keys, *_ = full
    paths = [places.taste(n) for n in ("categories", "category_labels", "coupons", "coupon_consent")]
    before = [p.read_bytes() for p in paths]
    prepared(places, keys, threads=2)
    assert [p.read_bytes() for p in paths] == before


def test_campaign_rows_hold_the_panels_state_as_of_the_first_day(full):
    places, keys, *_ = full
    rows = read_sealed(places.taste("coupons"), dataset="coupons", keys=keys)
    lines = read_sealed(places.raw_batches("transactions"), dataset="transactions", keys=keys)
    sid, day = rows["sid"][0].as_py(), rows["cutoff"][0].as_py()
    days = [d for s, d in zip(lines["sid"].to_pylist(), lines["day"].to_pylist(), strict=True) if s == sid and d < day]
    assert rows["baskets_total"][0].as_py() == len(days)
    assert rows["recency_days"][0].as_py() == day - max(days)


def test_without_products_or_campaigns_it_says_what_is_missing_and_goes_on(tmp_path):
    places, keys = project(tmp_path, eaters(40), with_campaigns=False)
    (tmp_path / "shop" / "products.parquet").unlink()
    assert prepared(places, keys).categories == ()
    result = tasted(places, keys)
    missing = next(f.value for f in result.findings.facts if f.name == "tastes_not_measured")
    assert {"tastes", "coupons", "social", "category measures", "coupon measures"} <= set(missing)
    assert result.findings.measures == ()
    assert "Not measured" in result.conclusion
    assert from_text(places.tastes_model.read_text(encoding="utf-8")) == result.heads


def test_who_refuses_training_is_nowhere_and_who_refuses_offers_is_not_scored_for_coupons(tmp_path):
    transactions = eaters(50)
    sids = sorted(set(transactions["sid"].to_pylist()))
    entries = [(s, p, "granted", -30) for s in sids for p in Purpose]
    entries += [(sids[1], p, "withdrawn", 120) for p in Purpose] + [(sids[2], Purpose.OFFERS, "withdrawn", 120)]
    places, keys = project(tmp_path, transactions, ledger=ledger_of(*entries))
    prepared(places, keys)
    refused, no_offers = keys.subject_ids([sids[1], sids[2]])
    for name in ("categories", "category_labels", "coupons", "coupon_consent"):
        assert refused not in read_sealed(places.taste(name), dataset=name, keys=keys)["sid"].to_pylist()
    rows = read_sealed(places.taste("coupons"), dataset="coupons", keys=keys).to_pylist()
    assert [r["may_offer"] for r in rows if r["sid"] == no_offers] == [False, False, False]
    assert all(r["may_score"] for r in rows if r["sid"] == no_offers)


def test_a_ledger_of_everyone_gives_every_household_a_state(full):
    places, keys, *_ = full
    assert everyone_agrees(["a"]).num_rows == len(Purpose)
    states = read_sealed(places.taste("categories"), dataset="categories", keys=keys)
    panel = read_sealed(places.panel, dataset="panel", keys=keys)
    assert set(states["sid"].to_pylist()) <= set(panel["sid"].to_pylist())
    assert np.isin(states["cutoff"].to_numpy(), GRID.cutoffs).all()


def test_names_are_a_plain_list_of_categories(full):
    places, _, made, _ = full
    assert json.loads(places.taste_categories.read_text(encoding="utf-8")) == list(made.categories)
    assert as_bytes(shopped(("a" * 32, 1, 1)))
