"""A feature is flagged when it moved beyond chance and by enough to matter; the share of such has its doubt."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import governed
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats
from shoppers import GRID, crowd, sealed_project
from stand_ins import instead_of_evidently
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.remembered import Remembered
from twinops.data.vault.seal import write_sealed
from twinops.entities.wording import MANY
from twinops.evaluation.drift import distances, measures
from twinops.evaluation.drift.distances import Apart, Sample, apart
from twinops.evaluation.drift.distances_picture import drift_distances_picture
from twinops.evaluation.drift.measures import (
    CalmPairs,
    Drift,
    Windows,
    calm_pairs,
    drift_findings,
    measure_drift,
    sentence,
    windows,
)
from twinops.evaluation.statistics import bootstrap
from twinops.params import DriftParams, TrainParams
from twinops.twin.state.features import WINDOWED
from twinops.workflows.pipeline.drift import drift
from twinops.workflows.pipeline.features import features
from twinops.workflows.places import Places

DAYS = DriftParams(reference_cutoff=309, current_cutoff=337, draws=40, seed=5)
COLUMNS = ("calm", "busy", "rare", "still")


@pytest.fixture(autouse=True)
def without_evidently(monkeypatch):
    """Evidently takes five CPU-seconds to import; tests/pipeline asks whether it says what its stand-in says."""
    monkeypatch.setattr("twinops.evaluation.drift.measures.drift_report", instead_of_evidently)


def sample(values: list[float]) -> Sample:
    return Sample(np.array(values), np.arange(len(values)))


def panel(n: int = 400, *, factor: float = 1.0, seed: int = 0, **columns: np.ndarray) -> pa.Table:
    """Two as-of days of the same households, alike but for chance; `busy` is multiplied on the later one."""
    rng = np.random.default_rng(seed)
    sids = [f"{i:032x}" for i in range(n)]
    days = []
    for day, by in ((309, 1.0), (337, factor)):
        values = {
            "calm": rng.normal(size=n),
            "busy": rng.gamma(2, 50, n) * by,
            "rare": rng.poisson(0.2, n),
            "still": np.zeros(n),
        }
        days.append(pa.table({"sid": sids, "cutoff": [day] * n, "may_score": [True] * n, **values}))
    table = pa.concat_tables(days)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


def pair(table: pa.Table, columns: tuple[str, ...] = COLUMNS) -> Windows:
    return windows(table, columns, reference=309, current=337)


def measured(table: pa.Table, *, draws: int = 40) -> Drift:
    return measure_drift(pair(table), draws=draws, seed=5)


def flagged(found: Drift) -> list[str]:
    return [f.name for f in found.features if f.flagged]


# --- distances


ALL = np.s_[:]


def test_a_distance_is_computed_by_hand() -> None:
    """All of 0, 2 moves to 1, 3: one unit each, over a standard deviation of one."""
    found = apart(sample([0, 2]), sample([1, 3]), np.ones((1, 2), dtype=int))
    assert found.distance[0] == pytest.approx(1.0)


def test_a_household_drawn_twice_counts_twice_and_one_not_drawn_not_at_all() -> None:
    twice = apart(sample([0, 2, 9]), sample([1, 3, 9]), np.array([[2, 1, 0]]))
    spelled = apart(sample([0, 0, 2]), sample([1, 1, 3]), np.ones((1, 3), dtype=int))
    assert twice.distance[0] == pytest.approx(spelled.distance[0])
    assert twice.p(ALL)[0] == pytest.approx(spelled.p(ALL)[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_unweighted_distance_and_p_are_those_of_scipy_ties_included(seed: int) -> None:
    rng = np.random.default_rng(seed)
    then, now = rng.integers(0, 8, 130).astype(float), rng.integers(0, 9, 110).astype(float)
    found = apart(sample(list(then)), sample(list(now)), np.ones((2, 130), dtype=int))
    assert found.distance[1] == pytest.approx(stats.wasserstein_distance(then, now) / then.std())
    assert found.p(ALL)[1] == pytest.approx(stats.ks_2samp(then, now, method="asymp").pvalue)


def test_p_is_asked_of_the_draws_alone_in_which_a_feature_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    usual = distances._p
    monkeypatch.setattr(distances, "_p", lambda furthest, *n: asked.append(len(furthest)) or usual(furthest, *n))
    found = [
        Apart(np.array([0.0, 0.5, 0.0, np.nan]), np.array([0.0, 0.6, 0.1, 0.0]), (np.full(4, 90.0), np.full(4, 80.0))),
        Apart(np.array([0.05, 0.5, 0.0, 0.0]), np.array([0.9, 0.01, 0.1, 0.0]), (np.full(4, 90.0), np.full(4, 80.0))),
    ]
    certain, far = measures._counted(found)
    assert (certain.tolist(), far.tolist()) == ([0, 1, 0, 0], [0, 2, 0, 0])
    assert asked == [1, 1]


def test_our_distance_is_that_of_the_stand_in_for_evidently() -> None:
    rng = np.random.default_rng(4)
    then, now = rng.gamma(2, 1, 90), rng.gamma(2, 1, 80) * 1.3
    told = instead_of_evidently(pd.DataFrame({"x": now}), pd.DataFrame({"x": then}), limit=0.1)["x"]
    ours = apart(sample(list(then)), sample(list(now)), np.ones((1, 90), dtype=int)).distance[0]
    assert told.distance == pytest.approx(ours)
    assert told.reaches_limit


# --- what is flagged


def test_spend_that_falls_by_a_third_is_flagged_and_nothing_else() -> None:
    found = measured(panel(factor=0.65))
    assert flagged(found) == ["busy"]
    assert found.share == pytest.approx(1 / 4)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.share <= found.high


def test_two_days_that_differ_by_chance_are_not_flagged() -> None:
    assert [flagged(measured(panel(seed=s), draws=20)) for s in range(3)] == [[], [], []]


def test_a_trifle_that_is_certain_is_not_flagged() -> None:
    table = panel(4000, seed=3)
    calm = table["calm"].to_numpy().copy()
    calm[4000:] = calm[:4000] + 0.09
    found = {f.name: f for f in measured(table.set_column(3, "calm", pa.array(calm)), draws=20).features}
    assert found["calm"].q is not None
    assert found["calm"].q < 0.05
    assert not found["calm"].flagged


def test_a_constant_feature_has_not_moved_and_one_that_jumps_has() -> None:
    still = np.zeros(800)
    assert not next(f for f in measured(panel()).features if f.name == "still").flagged
    still[400:] = 3.0
    assert flagged(measured(panel(still=still))) == ["still"]


def test_a_feature_that_vanishes_is_drift_of_no_measurable_distance() -> None:
    calm = np.zeros(800)
    calm[400:] = np.nan
    found = measured(panel(calm=calm))
    gone = next(f for f in found.features if f.name == "calm")
    assert gone.flagged
    assert gone.distance is None
    assert (gone.missing_reference, gone.missing_current) == (0.0, 1.0)
    assert found.share == pytest.approx(1 / 4)
    assert found.low is not None
    assert found.low >= 1 / 4


def test_a_feature_without_any_value_is_told_and_does_not_count() -> None:
    found = measured(panel(calm=np.full(800, np.nan), factor=0.65))
    assert found.share == pytest.approx(1 / 3)
    assert [f.missing_current for f in found.features] == [1.0, 0.0, 0.0, 0.0]


def test_infinite_values_count_as_missing() -> None:
    busy = np.random.default_rng(1).gamma(2, 50, 800)
    busy[[1, 500]] = np.inf
    told = next(f for f in measured(panel(busy=busy)).features if f.name == "busy")
    assert told.missing_reference == pytest.approx(1 / 400)
    assert not told.flagged


def test_households_that_may_not_be_scored_are_left_out() -> None:
    table = panel(100)
    allowed = pa.array([i % 4 != 0 for i in range(200)])
    found = pair(table.set_column(2, "may_score", allowed))
    assert (len(found.reference), len(found.current), found.households) == (75, 75, 75)


@pytest.mark.parametrize("table", [panel(20), panel(60).slice(0, 60), panel(60).slice(0, 0)])
def test_too_few_households_give_no_measure_and_say_why(table: pa.Table) -> None:
    found = measured(table)
    assert found.share is None
    findings = drift_findings(found, DAYS)
    assert findings.measures == ()
    assert findings.facts[0].value["not_measured"] == f"fewer than 50 {MANY} in a window"
    assert "Nothing could be measured" in sentence(found, DAYS)
    assert drift_distances_picture(found, DAYS).axes


def test_no_value_anywhere_gives_no_measure_and_says_why() -> None:
    nothing = dict.fromkeys(COLUMNS, np.full(200, np.nan))
    assert measured(panel(100, **nothing)).why_not == "no feature has a value in either window"


# --- what is written


def test_few_households_show_no_drift_and_cannot_exclude_it() -> None:
    few, many = (measured(panel(n, seed=2)) for n in (60, 8000))
    assert few.share == many.share == 0
    assert few.low == many.low == 0
    assert few.high is not None
    assert few.high >= 0.5
    assert many.high == 0


def test_the_same_rows_give_the_same_findings_with_households_in_any_order() -> None:
    table = panel(factor=0.8)
    shuffled = table.take(pa.array(np.random.default_rng(9).permutation(table.num_rows)))
    first, second = (drift_findings(measured(t), DAYS).to_json() for t in (table, shuffled))
    assert first == second


def test_the_sentence_names_what_moved() -> None:
    assert sentence(measured(panel(factor=0.65)), DAYS).endswith("busy.")
    assert "No feature moved" in sentence(measured(panel()), DAYS)


def test_the_workflow_writes_the_same_bytes_again_and_no_subject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = WINDOWED[:3]
    monkeypatch.setattr("twinops.workflows.pipeline.drift.WINDOWED", columns)
    places, keys = Places(tmp_path), MemoryKeys()
    n = 80
    rng = np.random.default_rng(2)
    sids = keys.subject_ids([str(i) for i in range(n)])
    rows = {"sid": sids * 2, "cutoff": [309] * n + [337] * n, "may_score": [True] * (2 * n)}
    table = pa.table({**rows, **{c: rng.gamma(2, 50, 2 * n) for c in columns}})
    write_sealed(table, places.panel, dataset="panel", keys=keys, subject="sid")
    written = [places.measures("drift"), places.figure("drift_distances"), places.figure("early_warning")]
    monkeypatch.setattr("twinops.workflows.pipeline.drift.limits_of", lambda _places: None)
    sections = {"days": DAYS, "grid": GRID, "penalties": TrainParams(activity_c=0.2, spend_alpha=0.01)}
    supplied(drift, places, engine=DuckDBEngine(threads=1), keys=keys, **sections)
    first = [path.read_bytes() for path in written]
    supplied(drift, places, engine=DuckDBEngine(threads=1), keys=keys, **sections)
    assert [path.read_bytes() for path in written] == first
    assert not any(sid in first[0].decode() for sid in sids)
    body = json.loads(first[0])
    assert body["measures"]["drift_share"]["n"] == n
    assert [f["name"] for f in body["facts"]["drift_features"]["value"]["features"]] == list(columns)


def test_draws_come_from_the_seed() -> None:
    once, again = (bootstrap.counts(50, draws=3, seed=5) for _ in range(2))
    assert (once == again).all()


def test_the_workflow_watches_the_first_days_by_the_limits_of_the_policy(tmp_path: Path) -> None:
    keys, receipts = MemoryKeys(), crowd(120, days=181)
    places = sealed_project(tmp_path, keys, receipts)
    places.compliance.mkdir()
    places.compliance.joinpath("policy.yaml").write_text(governed.text("policy.yaml"), encoding="utf-8")
    engine = DuckDBEngine(threads=1)
    grid = GRID.model_copy(update={"step_days": 14})
    supplied(features, places, engine=engine, keys=keys, grid=grid, as_of=date(2017, 7, 1))
    days = DriftParams(reference_cutoff=113, current_cutoff=141, draws=20, seed=1, early_from=85, early_draws=50)
    penalties = TrainParams(activity_c=0.2, spend_alpha=0.01)
    told = supplied(drift, places, engine=engine, keys=keys, days=days, grid=grid, penalties=penalties)
    names = {m.name: m for m in told.findings.measures}
    assert names["early_baskets_ratio"].low <= names["early_baskets_ratio"].value <= names["early_baskets_ratio"].high
    assert names["early_false_alarms"].n == 4
    assert told.early.limits == {"warn": 0.07, "alarm": 0.1}
    assert places.figure("early_warning").is_file()
    assert not any(
        sid in places.measures("drift").read_text() for sid in keys.subject_ids([f"{i:032x}" for i in range(9)])
    )


def seasons(days: range, *, moves: float, n: int = 120) -> pa.Table:
    """The same households on many days; every day all but one feature move together by as much as a draw says."""
    rng = np.random.default_rng(9)
    sids = [f"{i:032x}" for i in range(n)]
    made = []
    for day in days:
        shift = moves * rng.normal()
        values = {"calm": rng.normal(size=n) + shift, "busy": rng.gamma(2, 50, n) * np.exp(shift / 2),
                  "rare": rng.poisson(2 * np.exp(shift / 2), n), "still": np.zeros(n)}  # fmt: skip
        made.append(pa.table({"sid": sids, "cutoff": [day] * n, "may_score": [True] * n, **values}))
    return pa.concat_tables(made)


def test_a_shop_whose_calm_months_move_is_judged_by_how_much_they_do() -> None:
    days = range(337 - 14 * 20, 338, 14)
    still, moving = (calm_pairs(seasons(days, moves=m), COLUMNS, DAYS) for m in (0.0, 1.0))
    assert len(still.shares) == len(moving.shares) == 18, "every earlier day beside the one a month before it"
    assert still.limits["at_most"] == 0
    assert moving.limits["at_most"] >= 0.5
    found = {f.name: f.value for f in drift_findings(measured(panel()), DAYS, moving).facts}
    assert found["drift_limits"]["pairs"] == 18
    assert found["drift_limits"]["calm_pairs"]["at_most"] == moving.limits["at_most"]


def test_pairs_that_are_remembered_are_those_of_a_fresh_computation_and_only_new_ones_are_made(tmp_path: Path) -> None:
    days = range(337 - 14 * 20, 338, 14)
    panel_of_days = seasons(days, moves=1.0)
    changed = panel_of_days.set_column(
        panel_of_days.schema.get_field_index("calm"),
        "calm",
        pc.add(panel_of_days["calm"], pc.cast(pc.equal(panel_of_days["cutoff"], days[3]), pa.float64())),
    )
    for table, anew in (
        (panel_of_days.filter(pc.less(panel_of_days["cutoff"], 309)), 16),
        (panel_of_days, 2),
        (changed, 2),
    ):
        remember, made = Remembered(tmp_path / "drift.json", b"k" * 32), []
        found = calm_pairs(
            table, COLUMNS, DAYS, lambda about, make, r=remember, m=made: r(about, lambda: m.append(1) or make())
        )
        remember.keep()
        assert found == calm_pairs(table, COLUMNS, DAYS)
        assert len(made) == anew


def test_too_few_earlier_pairs_set_no_limit_and_the_current_day_is_none_of_them() -> None:
    few = calm_pairs(seasons(range(309, 338, 14), moves=0.0), COLUMNS, DAYS)
    assert few.shares == ()
    assert CalmPairs((0.1,) * 5, (0.2,) * 5).limits == {}
