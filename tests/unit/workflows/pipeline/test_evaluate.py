from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from shoppers import GRID, crowd, lines, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed
from twinops.entities.findings import Findings
from twinops.errors import DataError
from twinops.evaluation.accuracy.choice import FACT, Choice
from twinops.params import ChallengerParams, EvaluateParams, TrainParams
from twinops.twin.model.families import HEADS, REGRESSIONS
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import open_examples
from twinops.workflows.declared_words import UNDECLARED
from twinops.workflows.pipeline import evaluate as evaluate_module
from twinops.workflows.pipeline.evaluate import evaluate
from twinops.workflows.pipeline.features import features

TREES = ChallengerParams(least_rows=20, activity_trees=10, rate_trees=10)
PENALTIES = TrainParams(activity_c=1.0, spend_alpha=0.001)
TWO_DAYS = EvaluateParams(cutoffs=(113, 141), draws=50, seed=7)
CROWD = crowd(100, days=170)


@pytest.fixture(autouse=True, scope="module")
def without_the_picture_of_who_is_in():
    """It has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twinops.workflows.pipeline.features.save", lambda figure, path, words: None)
        yield


def made(root, transactions=CROWD, *, threads=1, held_out=TWO_DAYS, pictures=True):
    keys = MemoryKeys()
    places = sealed_project(root, keys, transactions)
    engine = DuckDBEngine(threads=threads)
    supplied(features, places, engine=engine, keys=keys, grid=GRID, as_of=date(2017, 6, 20))
    with pytest.MonkeyPatch.context() as patch:
        if not pictures:
            patch.setattr(evaluate_module, "save", lambda figure, path, words: None)
        return places, keys, measured(places, engine, keys, held_out)


def measured(places, engine, keys, held_out, *, grid=GRID):
    """Evaluate with the regressions as champion, as `choose` would have left it."""
    said = {"facts": {FACT: {"value": asdict(Choice(REGRESSIONS, False, dict.fromkeys(HEADS, "of a test")))}}}
    places.measures("champion").parent.mkdir(parents=True, exist_ok=True)
    places.measures("champion").write_text(json.dumps(said), encoding="utf-8")
    return supplied(
        evaluate, places, engine=engine, keys=keys, grid=grid, penalties=PENALTIES, trees=TREES, held_out=held_out
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return made(tmp_path_factory.mktemp("small"))


def test_a_small_sample_of_100_households_and_two_days_is_measured(small):
    places, _, evaluated = small
    written = Findings.from_json(places.measures("accuracy").read_text(encoding="utf-8"))
    assert set(written.measures) == set(UNDECLARED.told(evaluated.findings).measures)
    measures = {m.name: m for m in written.measures}
    assert measures["active_auc"].value > 0.7
    assert measures["active_brier"].value < measures["active_brier.naive"].value
    for rival in ("rfm", "naive", "bgnbd", "lightgbm", "best"):
        for quantity in ("active_auc", "active_brier", "baskets_poisson_deviance", "spend_mae", "spend_deviance"):
            gain = measures[f"{quantity}.gain_over_{rival}"]
            assert gain.low <= gain.value <= gain.high
    assert measures["spend_mae.gain_over_zero"].value > 0
    assert measures["active_ece"].value > 0
    assert measures["active_ece_noise_floor"].high > measures["active_ece_noise_floor"].value > 0
    assert measures["active_auc.gain_over_rfm"].low <= measures["active_auc.gain_over_rfm"].high


def test_held_out_predictions_are_sealed_with_what_came(small):
    places, keys, evaluated = small
    table = read_sealed(places.predictions, dataset="predictions", keys=keys)
    assert set(table.column_names) == {
        "sid", "cutoff", "may_offer", "may_assess_bias",
        "active_probability", "expected_baskets", "expected_spend", "expected_spend_median",
        "active", "spend_cents",
    }  # fmt: skip
    assert pa.types.is_floating(table.schema.field("expected_spend").type)
    by_day = evaluated.findings.facts[0].value
    assert table.num_rows == sum(d["households"] for d in by_day)
    day = [r for r in table.to_pylist() if r["cutoff"] == 113]
    error = sum(abs(r["expected_spend_median"] - r["spend_cents"] / 100) for r in day)
    assert error / by_day[0]["households"] == pytest.approx(by_day[0]["spend_mae"], rel=1e-5)


def test_the_first_held_out_day_is_predicted_the_same_when_the_later_months_are_unknown(small, tmp_path, monkeypatch):
    monkeypatch.setattr("twinops.workflows.pipeline.evaluate.save", lambda figure, path, words: None)
    places, keys, _ = small
    earlier = CROWD.filter(pc.less(CROWD["day"], 141))
    before, keys_before, _ = made(
        tmp_path, earlier, held_out=EvaluateParams(cutoffs=(113,), draws=50, seed=7), pictures=False
    )
    now = read_sealed(places.predictions, dataset="predictions", keys=keys).to_pylist()
    then = read_sealed(before.predictions, dataset="predictions", keys=keys_before).to_pylist()
    assert [r for r in now if r["cutoff"] == 113] == then


def test_no_rival_has_looked_at_the_months_to_come_either(small):
    places, keys, _ = small
    known = open_examples(DuckDBEngine(threads=1), keys, panel=places.panel, labels=places.labels)
    rows, recipe = known.scored_at(113), Recipe(GRID, PENALTIES, TREES)
    now, then = (
        evaluate_module.score(k, rows, recipe).day.predictions for k in (known, known.seen_by(113, horizon_days=28))
    )
    assert {"twin", "rfm", "bgnbd", "naive", "zero", "lightgbm"} == set(now)
    for name in now:
        assert np.array_equal(now[name].spend, then[name].spend), name
        assert np.array_equal(now[name].active_probability, then[name].active_probability), name


def test_evaluation_gives_the_same_bytes_for_one_and_two_threads(small, tmp_path):
    places, _, _ = small
    again, _, _ = made(tmp_path, threads=2)
    files = (places.predictions, places.measures("accuracy"), places.figure("accuracy"), places.figure("calibration"))
    for path in files:
        assert path.read_bytes() == (again.root / path.relative_to(places.root)).read_bytes()


def test_no_household_stands_in_what_is_shown(small):
    places, keys, evaluated = small
    told = places.measures("accuracy").read_text(encoding="utf-8") + repr(evaluated)
    assert keys.subject_ids(["0" * 32])[0] not in told


def test_a_held_out_day_whose_horizon_is_open_is_a_clear_data_error(tmp_path):
    grid = GRID.model_copy(update={"last_cutoff": 169})
    keys = MemoryKeys()
    places = sealed_project(tmp_path, keys, CROWD)
    engine = DuckDBEngine(threads=1)
    supplied(features, places, engine=engine, keys=keys, grid=grid, as_of=date(2017, 6, 20))
    late = EvaluateParams(cutoffs=(169,), draws=50, seed=7)
    with pytest.raises(DataError, match="as-of day 169"):
        measured(places, engine, keys, late, grid=grid)


def test_a_held_out_day_with_nothing_closed_before_it_is_a_clear_data_error(tmp_path):
    with pytest.raises(DataError, match="0 consumers to learn from for day 57"):
        made(tmp_path, held_out=EvaluateParams(cutoffs=(57,), draws=50, seed=7))


def test_a_target_of_one_class_is_a_clear_data_error(tmp_path):
    loyal = lines(*((f"{n:032x}", day, 500) for n in range(40) for day in range(0, 170, 5)))
    with pytest.raises(DataError, match="nothing to tell apart"):
        made(tmp_path, loyal)
