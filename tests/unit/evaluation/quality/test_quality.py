"""Quality of sources: counts by hand, contradictions by hand, and sources that are switched off are named."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pytest
from small_world import write_world
from supplying import DAYS, supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.evaluation.quality import contradictions
from twinops.evaluation.quality.measures import Source, Tally, by_month, measures
from twinops.evaluation.quality.picture import quality_picture
from twinops.evaluation.quality.population_picture import population_picture
from twinops.params import SourcesParams
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.pipeline.quality import quality
from twinops.workflows.places import Places

ENGINE = DuckDBEngine(threads=1)


def source(days, colours, quarantined=None, **more):
    rows = pa.table(
        {
            "sid": [f"{i}" for i in range(len(days))],
            "day": pa.array(days, pa.int64()),
            "colour": pa.array(colours, pa.string()),
        }
    )
    counts = ({"batch": "all", "quarantined": quarantined or {}},)
    return Source("paint", counts, rows, ("day", "colour"), "day", more.get("retention_days", 365), synthetic=True)


def test_every_row_read_is_counted_once_as_fine_incomplete_invalid_or_double():
    it = source([0, 5, 40], ["red", None, "blue"], {"colour_missing": 2, "colour_unknown": 3, "duplicate_row": 1})
    assert by_month(it, DAYS) == {"2017-01": Tally(2, 1), "2017-02": Tally(1), "all": Tally(6, 2, 3, 1)}
    found = {m.name: m for m in measures(it, by_month(it, DAYS), today=50)}
    assert found["quality.paint.completeness"].value == pytest.approx(6 / 9, rel=1e-5)
    assert found["quality.paint.validity"].value == pytest.approx(6 / 9, rel=1e-5)
    assert found["quality.paint.uniqueness"].value == pytest.approx(8 / 9, rel=1e-5)
    assert all(m.low < m.value < m.high and m.n == 9 for n, m in found.items() if not n.endswith("timeliness"))
    assert "synthetic" in found["quality.paint.validity"].source


def test_rows_of_tomorrow_and_rows_kept_too_long_are_untimely():
    it = source([-400, 10, 20, 51], ["red"] * 4)
    found = {m.name: m for m in measures(it, by_month(it, DAYS), today=50)}
    assert found["quality.paint.timeliness"].value == 0.5


def test_the_trend_compares_the_last_month_with_those_before():
    it = source([*range(20), *range(31, 51)], [*["red"] * 20, *["red"] * 10, *[None] * 10])
    trend = next(m for m in measures(it, by_month(it, DAYS), today=60) if m.name.endswith("completeness.trend"))
    assert trend.value == -0.5
    assert -0.75 < trend.low < -0.5 < trend.high < -0.2


def test_a_source_without_days_or_rows_has_no_timeliness():
    it = source([], [])
    assert by_month(it, DAYS) == {}
    assert measures(it, {}, today=0) == ()


def test_contradictions_between_sources_are_counted():
    engine = DuckDBEngine(threads=1)
    day = pa.int64()
    engine.register(
        "redemptions", pa.table({"sid": ["a", "b", "c"], "campaign_id": [1, 1, 2], "day": pa.array([5, 5, 99], day)})
    )
    engine.register(
        "campaigns",
        pa.table(
            {
                "sid": ["a", "c"],
                "campaign_id": [1, 2],
                "start_day": pa.array([0, 0], day),
                "end_day": pa.array([9, 9], day),
            }
        ),
    )
    engine.register("transactions", pa.table({"sid": ["a", "a"], "day": pa.array([5, 6], day)}))
    engine.register("registrations", pa.table({"sid": ["a", "z"], "registered": pa.array([6, 1], day)}))
    engine.register("demographics", pa.table({
        "sid": ["a", "y"], "household_size": ["1", "3"], "kids_count": ["0", "0"],
        "household_comp": ["2 Adults No Kids", "2 Adults Kids"],
    }))  # fmt: skip
    there = ["redemptions", "campaigns", "transactions", "registrations", "demographics"]
    found = {c.check.id: (c.concerned, c.contradicting) for c in contradictions.found(engine, there)}
    assert found == {
        "redeemed_without_membership": (3, 1),
        "redeemed_outside_campaign": (3, 1),
        "redeemed_without_purchase": (3, 2),
        "campaigns_of_stranger": (2, 1),
        "demographics_of_stranger": (2, 1),
        "composition_against_size": (1, 1),
        "composition_against_kids": (2, 1),
        "bought_before_registration": (1, 1),
    }


def test_checks_of_the_ledger_and_of_accounts_are_asked_when_their_tables_are_there():
    engine = DuckDBEngine(threads=1)
    engine.register("consent", pa.table({
        "sid": ["a", "a", "b"], "purpose": ["offers"] * 3, "day": [1, 2, 3],
        "event": ["granted", "withdrawn", "withdrawn"],
    }))  # fmt: skip
    engine.register("social_posts", pa.table({"sid": ["a", "a"], "day": [3, 9]}))
    engine.register("social_accounts", pa.table({"sid": ["a"], "since": [5]}))
    found = {
        c.check.id: (c.concerned, c.contradicting)
        for c in contradictions.found(engine, ["consent", "social_posts", "social_accounts"])
    }
    assert found == {"withdrawn_before_granted": (2, 1), "posted_before_account": (2, 1)}


@pytest.mark.parametrize("off", [(), ("demographics", "campaigns")])
def test_quality_is_measured_of_whatever_is_there_and_the_rest_is_named(tmp_path, off):
    write_world(tmp_path / "files", households=24)
    places, keys = Places(tmp_path), MemoryKeys()
    for name, batch in [
        ("transactions", "2017-01"),
        ("transactions", "2017-02"),
        *((s, "all") for s in ("demographics", "campaigns", "redemptions", "consent")),
    ]:
        if name not in off:
            supplied(
                collect, name, batch, places=places, engine=ENGINE, keys=keys, sources=SourcesParams(folder="files")
            )
    done = supplied(quality, places, engine=DuckDBEngine(threads=1), keys=keys, as_of=date(2018, 1, 1))
    text = places.measures("quality").read_text(encoding="utf-8")
    facts = {f.name: f.value for f in Findings.from_json(text).facts}
    assert set(facts["quality_sources"]["measured"]) == {
        "transactions",
        "demographics",
        "campaigns",
        "redemptions",
        "consent",
    } - set(off)
    assert set(off) <= set(facts["quality_sources"]["switched_off_or_empty"])
    assert facts["quality_newest"]["transactions"]["newest_age_days"] == DAYS.number(date(2018, 1, 1)) - 58
    assert done.sources == 5 - len(off)
    assert places.figure("quality").is_file()
    small = [c for c in facts["contradictions"] if c["suppressed"]]
    assert all(c["contradicting"] is None for c in small)
    assert '"sid"' not in json.dumps(facts)


def test_the_picture_holds_a_row_per_source():
    it = source([*range(20), *range(31, 51)], [*["red"] * 30, *[None] * 10])
    from twinops.evaluation.quality.measures import quality_findings

    found = quality_findings([it], {"paint": by_month(it, DAYS)}, (), declared=["paint", "dust"], today=60)
    left = quality_picture(found).axes[0]
    assert [t.get_text() for t in left.get_yticklabels()] == ["paint"]
    assert {t.get_text() for t in left.texts} == {"100", "50.0", "75.0"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [(0, "no row of the panel goes against the consent ledger"), (3, "3 rows of the panel lack leave")],
)
def test_the_picture_of_the_people_says_what_was_checked_and_not_that_nobody_is_used_without_a_right(rows, told):
    given = [Measure(n, 0.97, low=0.9, high=0.99, n=500, unit_of_n="households", source="the ledger", method="Wilson")
             for n in ("consent_coverage", "consent_coverage.twin_training")]  # fmt: skip
    facts = [Fact("excluded", {"objected": 80}, Kind.MEASURED, "t")]
    facts += [Fact("rows_without_valid_basis", rows, Kind.MEASURED, "t")]
    figure = population_picture(Findings(tuple(given), tuple(facts)))
    texts = " ".join(t.get_text() for t in [*figure.texts, *([figure._suptitle] if figure._suptitle else [])])
    assert told in " ".join(texts.split())
    assert "without a valid basis" not in texts
