"""When the trees, or the mean of both, are chosen, they are what is trained, stored, explained, served and measured."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from shoppers import GRID, crowd, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed
from twinops.entities.findings import Findings
from twinops.evaluation.accuracy.choice import FACT
from twinops.params import ChallengerParams, EvaluateParams, TrainParams
from twinops.twin.answers.explain import explain_heads, explain_trees
from twinops.twin.model.champion import Recipe
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.model import AVERAGE, LIGHTGBM, TwinModel
from twinops.twin.model.model_file import from_text
from twinops.twin.model.predictions import averaged, exponential, logistic, visiting
from twinops.twin.state.examples import open_examples
from twinops.workflows.pipeline import evaluate as evaluate_module
from twinops.workflows.pipeline import train as train_module
from twinops.workflows.pipeline.evaluate import evaluate
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.train import train
from twinops.workflows.places import Places

pytestmark = pytest.mark.filterwarnings("default")
"""MLflow deprecates its own parts."""

TREES = ChallengerParams(least_rows=20, activity_trees=10, rate_trees=10)
PENALTIES = TrainParams(activity_c=1.0, spend_alpha=0.001)
HELD_OUT = EvaluateParams(cutoffs=(141,), draws=50, seed=7)
KEYS, ENGINE = MemoryKeys(), DuckDBEngine(threads=1)


@pytest.fixture(autouse=True, scope="module")
def without_pictures():
    """They have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (train_module, evaluate_module):
            patch.setattr(module, "save", lambda figure, path, words: None)
        patch.setattr("twinops.workflows.pipeline.features.save", lambda figure, path, words: None)
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Places:
    places = sealed_project(tmp_path_factory.mktemp("project"), KEYS, crowd(100, days=170))
    supplied(features, places, engine=ENGINE, keys=KEYS, grid=GRID, as_of=date(2017, 6, 20))
    return places


@pytest.fixture(scope="module")
def trained(project: Places) -> TwinModel:
    """What `train` writes when `choose` has said that the trees speak."""
    chosen(project, LIGHTGBM)
    supplied(train, project, engine=ENGINE, keys=KEYS, grid=GRID, penalties=PENALTIES, trees=TREES)
    return from_text(project.model.read_text(encoding="utf-8"))


def chosen(places: Places, name: str) -> None:
    said = {"facts": {FACT: {"value": {"name": name, "recalibrate": False, "why": "of a test"}}}}
    places.measures("champion").parent.mkdir(parents=True, exist_ok=True)
    places.measures("champion").write_text(json.dumps(said), encoding="utf-8")


def panel(places: Places) -> pa.Table:
    return open_examples(ENGINE, KEYS, panel=places.panel, labels=places.labels).all_closed().table


def test_the_trees_that_were_chosen_are_trained_stored_and_speak(project, trained):
    table = panel(project)
    assert trained.champion == LIGHTGBM
    assert np.array_equal(trained.predict(table).spend, trained.challenger.predict(table).spend)
    assert not np.array_equal(trained.predict(table).spend, trained.by_heads(table).spend)


def test_their_ranges_are_calibrated_around_the_trees(project, trained):
    known = open_examples(ENGINE, KEYS, panel=project.panel, labels=project.labels).all_closed()
    trees = Recipe(GRID, PENALTIES, TREES, champion=LIGHTGBM)
    assert trained.intervals == fit_intervals(known, trees.fit, horizon_days=GRID.horizon_days)
    assert trained.intervals != fit_intervals(known, trees.heads, horizon_days=GRID.horizon_days)


def test_mlflow_serves_the_trees_from_text_alone(project, trained, tmp_path):
    import mlflow

    from twinops.adapters.mlflow.registry import save

    into = tmp_path / "model"
    assert save(project.model, into)
    assert {p.suffix for p in into.rglob("*") if p.is_file()} <= {"", ".json", ".yaml", ".txt"}
    loaded, table = mlflow.pyfunc.load_model(str(into)), panel(project).slice(0, 20)
    inputs = loaded.metadata.get_input_schema().input_names()
    told = loaded.predict(table.select(inputs).to_pandas())
    assert told["active_probability"].tolist() == trained.challenger.predict(table).active_probability.tolist()


@pytest.mark.parametrize("head", ["activity", "baskets", "spend"])
def test_what_explains_a_forecast_adds_up_to_what_the_champion_says(project, trained, head):
    table = panel(project).slice(0, 12)
    told = explain_trees(trained.challenger, table, head)
    rate = {"activity": logistic, "baskets": exponential, "spend": exponential}[head](told.predictor)
    said = trained.predict(table)
    known = {"activity": said.active_probability, "baskets": said.baskets, "spend": said.spend}[head]
    assert rate == pytest.approx(known, abs=1e-4)
    assert told.odds == (head == "activity")


def test_of_a_mean_both_are_explained(project, trained):
    from dataclasses import replace

    table = panel(project).slice(0, 5)
    mean = replace(trained, champion=AVERAGE)
    heads = explain_heads(mean, table, "activity")
    trees = explain_trees(mean.challenger, table, "activity")
    both = (visiting(heads.predictor) + logistic(trees.predictor)) / 2
    assert both == pytest.approx(mean.predict(table).active_probability, abs=1e-5)
    assert mean.predict(table).spend == pytest.approx(
        averaged(mean.by_heads(table), mean.challenger.predict(table)).spend
    )


def test_what_is_measured_as_the_twin_is_the_champion(project):
    chosen(project, LIGHTGBM)
    supplied(
        evaluate, project, engine=ENGINE, keys=KEYS, grid=GRID, penalties=PENALTIES, trees=TREES, held_out=HELD_OUT
    )
    found = Findings.from_json(project.measures("accuracy").read_text(encoding="utf-8"))
    measures = {m.name: m for m in found.measures}
    # the trees are the twin, so between the two there is nothing
    assert measures["spend_mae"].value == measures["spend_mae.lightgbm"].value
    assert measures["spend_mae.gain_over_lightgbm"].value == 0
    kept = read_sealed(project.predictions, dataset="predictions", keys=KEYS)
    assert kept.num_rows > 50


def test_model_files_of_the_champion_hold_no_subject(project: Places, trained: TwinModel) -> None:
    text = Path(project.model).read_text(encoding="utf-8")
    assert not any(sid in text for sid in set(panel(project)["sid"].to_pylist()))
