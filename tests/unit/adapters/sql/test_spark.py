"""The same SQL files on DuckDB and on a local Spark session: every value and type of every row the same.

Spark is not installed by default: `make test-spark` fetches it, and Java 17 where it may.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import replace
from operator import methodcaller

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import small_world
import yaml
from asking import ask_everything
from candidate import ROOT
from linkable import opened
from listening import Heard, Listening, shipped
from rights_world import rights_world
from shoppers import GRID, crowd, ledger_of
from supplying import DAYS

from spark_cluster import CONF, ON_CLUSTER
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data import arrivals
from twinops.data.consent import ages
from twinops.data.linkage.intake import HOME, LONE, raw_records
from twinops.data.linkage.linking import LinkageSettings, linked
from twinops.data.linkage.outcome import links
from twinops.data.linkage.splinking import Drawing
from twinops.data.sources import transactions
from twinops.data.sources.transactions import LEGAL
from twinops.data.texts import signals
from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_file import SealedFile
from twinops.data.vault.sealed_rows import SealedRows
from twinops.entities.consent import Event, Purpose
from twinops.errors import DataError
from twinops.evaluation.quality import contradictions, population
from twinops.params import AgesParams
from twinops.plugins import text_beside
from twinops.twin.state import features
from twinops.twin.state.examples import examples
from twinops.twin.state.permissions import LedgerQuestion, permissions, read_consent, reasons
from twinops.workflows.scoring.admitted import admitted
from twinops.workflows.scoring.rows import Answering, ScoreRows, said_of_all
from twinops.workflows.scoring.scored import CANDIDATE, ModelTold
from twinops.workflows.twin.open import shipped as shipped_model
from twinops.workflows.twin.tastes import heads

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

    os.environ["SPARK_CONF_DIR"] = str(CONF)
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
            str(rng.choice([Event.GRANTED, *Event], p=[0.6, *[0.4 / len(Event)] * len(Event)])),
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


def everything(engine) -> None:
    """Consent, permissions, baskets, features, labels, examples, counts and what changes, asked of one engine."""
    lines, ledger, births, sids = world()
    answers = read_consent(engine, ledger, LedgerQuestion(tuple(sids), GRID.cutoffs, 190), LEGAL.bases)
    of_age = ages.of_age(engine, answers, births, ages.FullAge(AgesParams(unknown="refused"), DAYS))
    allowed = permissions(engine, of_age, today=190)
    reasons(engine)
    engine.register("permissions", allowed)
    engine.register("transactions", lines)
    engine.query(text_beside("twinops.twin.state", "baskets.sql"))
    panel = features.panel(engine, GRID, known_until=UNTIL)
    examples(engine, panel, features.labels(engine, panel))
    population.rows_without_valid_basis(engine, panel)
    sources_and_signals(engine, lines)
    changes(engine, lines, panel)


def changes(engine, lines: pa.Table, panel: pa.Table) -> None:
    """Lines that came, were corrected or are gone, and what came of a forecast."""
    lines = lines.append_column("quantity", pa.array([1] * lines.num_rows, pa.int64()))
    few = lines.slice(0, lines.num_rows // 2)
    arrivals.compared(engine, few, lines.slice(5), days=DAYS)
    engine.register("lines_now", lines.slice(5))
    engine.register("lines_before", few)
    engine.query(text_beside("twinops.twin.state", "changed_baskets.sql"))
    engine.register("panel", panel.select(["sid", "cutoff"]))
    engine.register("first_lines", lines.select(["sid", "day", "basket_id", "sales_cents"]))
    engine.register("first_days", pa.table({"days": pa.array([28], pa.int64())}))
    engine.query(text_beside("twinops.evaluation.drift", "first_days.sql"))
    shared = pa.table({"id": [1, 2, 3, 4], "source": ["a", "a", "a", "b"], "value": ["x", "x", "y", "x"]})
    engine.register("lone", pa.table({"source": ["a", "b"]}))
    engine.register("valued", shared)
    engine.query(text_beside("twinops.data.linkage", "strangers_inside.sql"))


def in_microseconds(table: pa.Table) -> pa.Table:
    """Spark knows no nanoseconds."""
    return table.cast(pa.schema([f.with_type(STAMP) if pa.types.is_timestamp(f.type) else f for f in table.schema]))


def sources_and_signals(engine, lines: pa.Table) -> None:
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
        "special_names": pa.table({"name": ["VITAMINS", "KOSHER FOODS"], "category": ["health", "religion"]}),
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
    for package, name in (
        ("twinops.data.sources", "transactions.sql"),
        ("twinops.data.sources", "campaigns.sql"),
        ("twinops.data.consent", "special.sql"),
        ("twinops.data.texts", "signals.sql"),
    ):
        engine.query(text_beside(package, name))
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
    contradictions.found(engine, ["redemptions", "campaigns", "transactions", "demographics"])


@pytest.fixture(scope="module")
def asked() -> dict[str, Heard]:
    """What our own functions asked of one engine on the way from receipts to twins: per file the fullest answer."""
    listening = Listening(DuckDBEngine(threads=2))
    everything(listening)
    ask_everything(listening)
    return listening.fullest()


def sql_of(stages: tuple[str, ...]) -> set[str]:
    """The SQL files that these stages of the pipeline depend on."""
    told = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = [dep for stage in stages for dep in told[stage].get("do", told[stage])["deps"]]
    return {name for name in shipped() for dep in deps if f"src/twinops/{name}".startswith(dep)}


IN_STAGES = {
    "data/consent/kinds.sql", "evaluation/necessity/categories.sql", "evaluation/necessity/recent.sql",
    "evaluation/necessity/told_by_sources.sql", "evaluation/privacy/proxies.sql", "twin/tastes/coupons.sql",
    "twin/tastes/taste_choice.sql", "twin/tastes/taste_events.sql", "twin/tastes/taste_labels.sql",
    "twin/tastes/taste_products.sql", "twin/tastes/taste_span.sql", "twin/tastes/tastes.sql",
}  # fmt: skip
"""Asked on a cluster by the stages that `test_spark_cluster` runs."""


def test_no_query_of_the_package_is_left_out(asked):
    assert shipped().keys() - asked.keys() == IN_STAGES
    assert sql_of(ON_CLUSTER) >= IN_STAGES


@pytest.mark.parametrize("name", sorted(shipped().keys() - IN_STAGES))
def test_the_same_tables_and_query_have_the_same_answer(spark, asked, name):
    heard = asked[name]
    for table, rows in heard.tables.items():
        spark.register(table, rows)
    answer = spark.query(heard.sql)
    assert heard.answer.num_rows > 0
    assert answer.schema == heard.answer.schema
    for column in answer.column_names:
        assert answer[column].to_pylist() == heard.answer[column].to_pylist(), column


def test_an_error_of_spark_does_not_quote_rows_nor_does_what_it_writes(spark, capfd):
    spark.register("people", pa.table({"name": ["Somebody Synthetic"]}))
    with pytest.raises(DataError) as caught:
        spark.query("SELECT CAST(name AS BIGINT) AS n FROM people ORDER BY n")
    assert "Somebody" not in "".join((str(caught.value), *capfd.readouterr()))
    # an executor on another machine writes as little as the driver, whose level is none
    assert spark._spark.conf.get("spark.executor.syncLogLevel.enabled") == "true"


def test_a_text_that_looks_like_a_setting_is_a_text(spark):
    asked = "SELECT '${env:HOME}' AS one, '${spark.master}' AS other"
    assert spark.query(asked).to_pylist() == DuckDBEngine(threads=1).query(asked).to_pylist()


@pytest.fixture
def receipts(tmp_path):
    """Receipt lines of three households in two sealed files."""
    keys = MemoryKeys()
    for number, month in enumerate(("2017-01", "2017-02")):
        table = pa.table({
            "who": ["a", "b", "a", "c"][number:],
            "day": pa.array([3, 5, None, 9][number:], pa.int16()),
            "store": pa.array([40_000, 2, 3, 4][number:], pa.uint16()),
            "shop": ["x", "é", None, "y"][number:],
        })  # fmt: skip
        write_sealed(table, tmp_path / f"{month}.parquet", dataset="lines", keys=keys, subject="who")
    return SealedRows(sorted(tmp_path.glob("*.parquet")), "lines", keys, LATE)


LATE = methodcaller("filter", pc.field("store") > 2)
"""What is done with opened lines before anybody sees them."""
EVERY = "SELECT sid, day, store, shop FROM lines ORDER BY sid, store, day"


def test_executors_open_sealed_files_and_find_the_same_rows(spark, receipts):
    duck = DuckDBEngine(threads=1)
    list(duck.opening("lines", receipts))
    for _ in spark.opening("lines", receipts):
        assert spark.query(EVERY).equals(duck.query(EVERY))
    sid = receipts.keys.known_sid("a")
    receipts.keys.forget(sid)
    list(spark.opening("lines", replace(receipts)))
    assert spark.query(EVERY).num_rows == 2
    assert sid not in spark.query(EVERY)["sid"].to_pylist()


def test_the_driver_opens_no_frame(spark, receipts, monkeypatch):
    rows = sum(part.num_rows for part in receipts.opened())
    monkeypatch.setattr(SealedFile, "_opened", lambda *_: pytest.fail("it was opened here"))
    list(spark.opening("lines", receipts))
    assert spark.query(EVERY).num_rows == rows


def test_rows_that_are_known_under_a_name_are_not_opened_again(spark, receipts):
    held = [spark._kept["lines"] for _ in range(2) for _ in spark.opening("lines", receipts)]
    assert held[0] is held[1]
    spark.register("lines", pa.table({"sid": ["a"]}))
    list(spark.opening("lines", receipts))
    assert spark._kept["lines"] is not held[0]


def test_an_answer_that_is_kept_can_be_asked(spark, receipts):
    duck = DuckDBEngine(threads=1)
    for engine in (duck, spark):
        list(engine.opening("lines", receipts))
        engine.keep("shops", "SELECT shop, COUNT(*) AS n FROM lines GROUP BY shop ORDER BY shop")
        engine.keep("shops", "SELECT shop, n + 1 AS n FROM shops ORDER BY shop")
    asked = "SELECT * FROM shops ORDER BY shop"
    assert spark.query(asked).equals(duck.query(asked))


def test_a_frame_that_was_changed_is_an_error_that_shows_nothing(spark, receipts, tmp_path):
    path = receipts.paths[0]
    table = pq.ParquetFile(path).read()
    turned = pa.array([f[:-1] + bytes([f[-1] ^ 1]) for f in table["frame"].to_pylist()], pa.large_binary())
    pq.write_table(table.set_column(1, "frame", turned), path)
    list(spark.opening("lines", receipts))
    with pytest.raises(DataError):
        spark.query(EVERY)


def test_executors_answer_for_twins_what_one_machine_does_and_the_driver_opens_no_frame(spark, tmp_path, monkeypatch):
    world = rights_world(tmp_path)
    mine, sids = shipped_model(world.places), admitted(world.receipts, "offers").sids
    answering = Answering(mine.model, mine.support, heads(world.places).tastes, ModelTold("", CANDIDATE))
    here = list(ScoreRows(world.opener, answering).blocks(sids))
    receipts = replace(world.receipts, plane=replace(world.receipts.plane, engine=spark))
    rows = receipts.sealed()  # birthdays are opened here
    monkeypatch.setattr(SealedFile, "_opened", lambda *_: pytest.fail("it was opened here"))
    monkeypatch.setattr(type(receipts), "sealed", lambda _: rows)
    there = list(ScoreRows(replace(world.opener, receipts=receipts), answering).blocks(sids))
    assert pa.concat_tables(b.table for b in there).equals(pa.concat_tables(b.table for b in here))
    assert [sid for b in there for sid in b.known] == [sid for b in here for sid in b.known]
    said = [said_of_all(blocks).spend.tolist() for blocks in (here, there)]
    assert said[0] == said[1] != []


def test_registrations_are_linked_to_the_same_persons(spark):
    raw = raw_records(opened(200, 5)[0])
    asked = LinkageSettings(Drawing(seed=3, u_pairs=20_000, em_pairs=20_000), lone=LONE)
    here = linked(DuckDBEngine(threads=1), raw, asked)
    there = linked(spark, raw, asked)
    assert links(there, home=HOME).equals(links(here, home=HOME))
    assert there.model == here.model
    assert [getattr(there.pairs, c).tolist() for c in ("left", "right", "bits")] == [
        getattr(here.pairs, c).tolist() for c in ("left", "right", "bits")
    ]
