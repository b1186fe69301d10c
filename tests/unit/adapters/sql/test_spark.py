"""The same SQL files on DuckDB and on a local Spark session: every value of every row the same.

Spark is not installed by default: `make test-spark` fetches it, and Java 17 where it may.
"""

from __future__ import annotations

import importlib.util
import shutil
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest
import small_world
from asking import ask_everything
from listening import Heard, Listening, shipped
from shoppers import GRID, crowd, ledger_of
from supplying import DAYS

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent import ages
from twinops.data.consent import ledger as consent
from twinops.data.sources import transactions
from twinops.data.sources.transactions import LEGAL
from twinops.data.texts import signals
from twinops.entities.consent import Event, LegalBasis, Purpose
from twinops.evaluation.quality import contradictions, population
from twinops.params import AgesParams
from twinops.plugins import text_beside
from twinops.twin.state import features
from twinops.twin.state.examples import examples
from twinops.twin.state.permissions import LedgerQuestion, permissions, read_consent, reasons

UNTIL = 200
STAMP = pa.timestamp("us")
pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="PySpark is not installed: twinops[spark]"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no java on the path; Spark 4 needs Java 17"),
]


@pytest.fixture(scope="module")
def spark():
    from twinops.adapters.sql.spark_engine import SparkEngine

    engine = SparkEngine(master="local[1]")
    yield engine
    engine.close()


def world(households: int = 60):
    """Receipt lines with two lines a basket and discounts, a ledger in which people change their minds, birthdays."""
    rng = np.random.default_rng(3)
    table = crowd(households, seed=9)
    n = table.num_rows
    more = {
        "store_id": rng.integers(1, 4, n),
        **{
            f"{k}_cents": rng.integers(0, 90, n)
            for k in ("retail_discount", "coupon_discount", "coupon_match_discount")
        },
    }
    for name, values in more.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.int64()))
    table = pa.concat_tables([table, table.filter(pa.array(rng.random(n) < 0.5))])
    sids = sorted(set(table["sid"].to_pylist()))
    events = [
        (
            sid,
            str(rng.choice(list(Purpose))),
            str(rng.choice(list(Event), p=[0.7, 0.1, 0.1, 0.1])),
            int(rng.integers(-30, 190)),
        )
        for sid in sids
        for _ in range(12)
    ]
    births = pa.table(
        {
            "sid": sids,
            "birth_day": pa.array(
                [int(d) if d % 5 else None for d in rng.integers(-12_000, -6_000, len(sids))], pa.int64()
            ),
        }
    )
    return table, ledger_of(*events), births, sids


def everything(engine) -> dict[str, pa.Table]:
    """Consent, permissions, baskets, features, labels, examples and counts, made on one engine."""
    lines, ledger, births, sids = world()
    out = {}
    asked = LedgerQuestion(tuple(sids), GRID.cutoffs, 190)
    out["consent"] = read_consent(engine, ledger, asked, LEGAL.bases)
    out["of_age"] = ages.of_age(engine, out["consent"], births, ages.FullAge(AgesParams(unknown="refused"), DAYS))
    out["permissions"] = permissions(engine, ages.of_age(engine, out["consent"], births, AgesParams()), today=190)
    out["reasons"] = reasons(engine)
    engine.register("permissions", out["permissions"])
    engine.register("transactions", lines)
    out["baskets"] = engine.query(text_beside("twinops.twin.state", "baskets.sql"))
    out["panel"] = features.panel(engine, GRID, known_until=UNTIL)
    out["labels"] = features.labels(engine, out["panel"])
    out["examples"] = examples(engine, out["panel"], out["labels"]).table
    population.rows_without_valid_basis(engine, out["panel"])
    out["basis"] = pa.table({"rows": [population.rows_without_valid_basis(engine, out["panel"])]})
    bases = dict.fromkeys(Purpose, LegalBasis.LEGITIMATE_INTEREST)
    questions = pa.table({"sid": sids[:9], "day": [100] * 9})
    out |= sources_and_signals(engine, lines)
    out["interest"] = consent.allowed(engine, ledger, questions, bases=bases, assessed={Purpose.OFFERS})
    return out


def in_microseconds(table: pa.Table) -> pa.Table:
    """Spark knows no nanoseconds."""
    return table.cast(pa.schema([f.with_type(STAMP) if pa.types.is_timestamp(f.type) else f for f in table.schema]))


def sources_and_signals(engine, lines: pa.Table) -> dict[str, pa.Table]:
    """The readers' own queries, what sources say of each other, products of denied categories, and signals of texts."""
    rng = np.random.default_rng(4)
    engine.register("transactions", lines)
    raw = in_microseconds(small_world.transactions(9, days=70))
    raw = pa.concat_tables(
        [raw, raw.slice(0, 2).set_column(10, "transaction_timestamp", pa.array([None, None], STAMP))]
    )
    tables = {
        "transactions_file": raw,
        "campaigns_file": small_world.campaigns(30),
        "campaign_descriptions_file": in_microseconds(small_world.campaign_descriptions()),
        "products_file": pa.table({
            "product_id": [1, 2, 3],
            "product_category": ["VITAMINS", "Soup", None],
            "product_type": [None, "KOSHER FOODS", "X"],
        }),
        "special_patterns": pa.table({"category": ["health", "religion"], "pattern": ["VITAMINS", "%KOSHER%"]}),
        "asked": pa.table({"cutoff": [100], "least_days": [2]}),
        "scored_posts": pa.table({
            "sid": ["a", "b"] * 30, "day": pa.array(rng.integers(0, 99, 60), pa.int64()),
            "label": pa.array([None if i % 7 == 0 else ("positive", "neutral", "negative")[i % 3] for i in range(60)]),
            **{f"topic_{t}": pa.array(rng.integers(0, 2, 60), pa.int8()) for t in signals.TOPICS},
        }),
        "signal_cutoffs": pa.table({"cutoff": pa.array([60, 99], pa.int32())}),
        "signal_settings": pa.table({"window_days": [50], "minimum_posts": [5]}),
    }  # fmt: skip
    for name, table in tables.items():
        engine.register(name, table)
    engine.register("month", transactions._month("2017-01"))
    text = lambda package, name: files(package).joinpath(name).read_text(encoding="utf-8")  # noqa: E731
    out = {
        "read_transactions": engine.query(text("twinops.data.sources", "transactions.sql")),
        "read_campaigns": engine.query(text("twinops.data.sources", "campaigns.sql")),
        "special": engine.query(text("twinops.data.consent", "special.sql")),
        "signals": engine.query(text("twinops.data.texts", "signals.sql")),
    }
    engine.register("special", out["special"])
    out["kinds"] = engine.query(text("twinops.evaluation.necessity", "kinds.sql"))
    engine.register("kinds", out["kinds"])
    out["proxies"] = engine.query(text("twinops.evaluation.privacy", "proxies.sql"))
    day = pa.int64()
    engine.register(
        "redemptions", pa.table({"sid": ["a", "b", "c"], "campaign_id": [1, 1, 2], "day": pa.array([5, 5, 99], day)})
    )
    engine.register(
        "campaigns",
        pa.table({"sid": ["a"], "campaign_id": [1], "start_day": pa.array([0], day), "end_day": pa.array([9], day)}),
    )
    engine.register(
        "demographics",
        pa.table(
            {
                "sid": ["a", "y"],
                "household_size": ["1", "3"],
                "household_comp": ["2 Adults No Kids", "2 Adults Kids"],
                "kids_count": ["0", "0"],
            }
        ),
    )
    against = contradictions.found(engine, ["redemptions", "campaigns", "transactions", "demographics"])
    counted = [{"id": c.check.id, "concerned": c.concerned, "contradicting": c.contradicting} for c in against]
    return out | {"contradictions": pa.Table.from_pylist(counted)}


@pytest.fixture(scope="module")
def chain():
    """What one engine was asked on the way from receipts to examples, and what came of it."""
    listening = Listening(DuckDBEngine(threads=2))
    return everything(listening), listening.fullest()


@pytest.fixture(scope="module")
def both(spark, chain):
    return chain[0], everything(spark)


@pytest.fixture(scope="module")
def beyond() -> dict[str, Heard]:
    """What one engine was asked for linkage, blend, fusion and contradictions: per file the fullest answer."""
    listening = Listening(DuckDBEngine(threads=2))
    ask_everything(listening)
    return listening.fullest()


@pytest.mark.parametrize(
    "name",
    [
        "consent",
        "of_age",
        "permissions",
        "reasons",
        "baskets",
        "panel",
        "labels",
        "examples",
        "basis",
        "interest",
        "read_transactions",
        "read_campaigns",
        "special",
        "signals",
        "kinds",
        "proxies",
        "contradictions",
    ],
)
def test_every_value_is_the_same_on_both_engines(both, name):
    duck, spark = (made[name] for made in both)
    assert duck.num_rows > 0
    assert spark.column_names == duck.column_names
    for column in duck.column_names:
        assert spark[column].to_pylist() == duck[column].to_pylist(), column


ASKED_ALONE = sorted(
    name
    for name in shipped()
    if name.startswith(("data/linkage/", "evaluation/contradictions/"))
    or name in ("data/blend.sql", "data/customers.sql", "data/fusion.sql", "twin/merged.sql")
)


@pytest.mark.parametrize("name", ASKED_ALONE)
def test_the_same_tables_and_query_have_the_same_answer(spark, beyond, name):
    heard = beyond[name]
    for table, rows in heard.tables.items():
        spark.register(table, rows)
    answer = spark.query(heard.sql)
    assert heard.answer.num_rows > 0
    assert answer.column_names == heard.answer.column_names
    for column in answer.column_names:
        assert answer[column].to_pylist() == heard.answer[column].to_pylist(), column


def test_no_query_of_the_package_is_left_out(chain, beyond):
    assert shipped().keys() <= chain[1].keys() | beyond.keys()


def test_what_is_sealed_has_whole_numbers_and_doubles_and_nothing_wider(both):
    kinds = {str(t) for made in both for name in ("panel", "labels") for t in made[name].schema.types}
    assert kinds <= {"string", "int32", "int64", "double", "bool"}


def test_an_error_of_spark_does_not_quote_rows(spark):
    from twinops.errors import DataError

    spark.register("people", pa.table({"name": ["Somebody Synthetic"]}))
    with pytest.raises(DataError) as caught:
        spark.query("SELECT CAST(name AS BIGINT) AS n FROM people ORDER BY n")
    assert "Somebody" not in str(caught.value)
