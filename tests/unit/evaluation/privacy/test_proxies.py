"""The deny-list finds its products, and the proxy test tells what gives a category away from what does not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data import products as product_table
from twinops.data.consent import special_categories
from twinops.data.door import BatchRequest
from twinops.evaluation.privacy.proxies import DENIED, ORDINARY, measured, memberships, proxy_findings
from twinops.params import ProxiesParams

RULE = ProxiesParams(cutoff=100, least_days=2, draws=60, shuffles=5, seed=3)


def products(engine, folder):
    rows = [
        (1, "VITAMINS", "X"),
        (2, "SOUP", "KOSHER FOODS"),
        (3, "BABY FOODS", None),
        (4, "APPLES", "GALA"),
        (5, None, None),
        (6, "Diapers & more", "X"),
    ]
    pq.write_table(pa.table({
        "product_id": [r[0] for r in rows],
        "product_category": pa.array([r[1] for r in rows]),
        "product_type": pa.array([r[2] for r in rows]),
    }), folder / "products.parquet")  # fmt: skip
    return product_table.shipped(engine, BatchRequest("all", folder=folder))


def test_denied_products_are_found_by_category_or_type_in_any_case(tmp_path):
    engine = DuckDBEngine(threads=1)
    found = special_categories.denied(engine, products(engine, tmp_path), by=special_categories.shipped()).to_pylist()
    assert [(r["product_id"], r["category"]) for r in found] == [
        (1, "health"), (2, "religion"), (3, "pregnancy_and_infants"), (6, "pregnancy_and_infants"),
    ]  # fmt: skip


def test_the_shipped_products_hold_every_denied_category():
    engine = DuckDBEngine(threads=1)
    shipped = product_table.shipped(engine, BatchRequest("all"))
    found = special_categories.denied(engine, shipped, by=special_categories.shipped())
    assert set(found["category"].to_pylist()) == set(special_categories.shipped().patterns)
    assert all(special_categories.shipped().why.values())


def test_a_member_bought_on_enough_different_days_before_the_as_of_day(tmp_path):
    engine = DuckDBEngine(threads=1)
    denied = special_categories.denied(engine, products(engine, tmp_path), by=special_categories.shipped())
    bought = [("a", 1, 1), ("a", 2, 1), ("b", 1, 1), ("b", 1, 1), ("c", 1, 1), ("c", 100, 1), ("d", 1, 4), ("d", 2, 4)]
    engine.register("transactions", pa.table({
        "sid": [b[0] for b in bought],
        "day": pa.array([b[1] for b in bought], pa.int64()),
        "product_id": pa.array([b[2] for b in bought], pa.int64()),
    }))  # fmt: skip
    found = memberships(engine, denied, RULE, ["a", "b", "c", "d"])
    assert {k: v.tolist() for k, v in found.items()} == {
        f"{DENIED}health": [True, False, False, False], f"{ORDINARY}APPLES": [False, False, False, True],
    }  # fmt: skip


@pytest.fixture(scope="module")
def told():
    rng = np.random.default_rng(5)
    volume, secret = rng.gamma(2.0, 10.0, 400), rng.gamma(2.0, 10.0, 400)
    busy = {f"{ORDINARY}{n}": volume + rng.normal(0, 8, 400) > 20 for n in range(6)}
    leaks, much = secret + rng.normal(0, 2, 400) > 20, volume + rng.normal(0, 8, 400) > 20
    members = {f"{DENIED}leaks": leaks, f"{DENIED}volume": much, f"{DENIED}rare": np.arange(400) < 3, **busy}
    return measured(np.column_stack([volume, secret]), members, RULE), members


def test_a_feature_that_gives_a_category_away_is_found_and_shopping_much_is_not(told):
    found = {p.category: p for p in told[0]}
    leaks, volume = found["leaks"], found["volume"]
    assert leaks.excess.interval("x")[0] > 0.05
    assert abs(volume.excess.value) < 0.05  # one such world in twenty has an interval without 0
    assert volume.auc.value > 0.8
    assert 0.4 < leaks.shuffled.mean() < 0.6


def test_a_category_with_too_few_members_is_said_to_be_unmeasured(told):
    listed = special_categories.DenyList(
        "v", {"leaks": (), "volume": (), "rare": ()}, dict.fromkeys(("leaks", "volume", "rare"), "why")
    )
    findings = proxy_findings(told[0], listed, RULE, households=400)
    assert set(findings.facts[0].value["not_measured"]) == {"rare"}
    names = {m.name for m in findings.measures}
    assert {f"proxy.leaks.{x}" for x in ("auc", "auc_shuffled", "auc_ordinary", "excess")} <= names
    assert all(m.low is not None and m.n == 400 for m in findings.measures)


def test_the_same_seed_gives_the_same_measures(told):
    again = measured(np.column_stack([np.arange(400.0), np.arange(400.0)[::-1]]), told[1], RULE)
    twice = measured(np.column_stack([np.arange(400.0), np.arange(400.0)[::-1]]), told[1], RULE)
    assert [p.auc.value for p in again] == [p.auc.value for p in twice]
