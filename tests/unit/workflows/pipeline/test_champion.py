"""Whoever is chosen for a head is what is trained, stored, served and measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from shoppers import GRID, crowd, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed
from twinops.entities.findings import Findings
from twinops.evaluation.accuracy.choice import FACT, Choice
from twinops.params import ChallengerParams, EvaluateParams, TrainParams
from twinops.twin.model.families import HEADS, Speakers
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.model import TwinModel
from twinops.twin.model.model_file import from_text
from twinops.twin.model.recipe import Recipe
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
    """What `train` writes when `choose` has named others than the regressions."""
    chosen(project)
    supplied(train, project, engine=ENGINE, keys=KEYS, grid=GRID, penalties=PENALTIES, trees=TREES)
    return from_text(project.model.read_text(encoding="utf-8"))


EACH = Speakers(("trees",), ("hurdle", "classic"), ("regression", "trees"))


def chosen(places: Places) -> None:
    said = {"facts": {FACT: {"value": asdict(Choice(EACH, False, dict.fromkeys(HEADS, "of a test")))}}}
    places.measures("champion").parent.mkdir(parents=True, exist_ok=True)
    places.measures("champion").write_text(json.dumps(said), encoding="utf-8")


def panel(places: Places) -> pa.Table:
    return open_examples(ENGINE, KEYS, panel=places.panel, labels=places.labels).all_closed().table


def test_those_that_were_chosen_are_trained_stored_and_speak(project, trained):
    table = panel(project)
    assert trained.speakers == EACH
    answers, said = trained.answers(table), trained.predict(table)
    assert said.active_probability == pytest.approx(answers["trees"]["activity"], abs=1e-6)
    assert said.spend == pytest.approx((answers["regression"]["spend"] + answers["trees"]["spend"]) / 2, abs=1e-3)


def test_their_ranges_are_calibrated_around_them(project, trained):
    known = open_examples(ENGINE, KEYS, panel=project.panel, labels=project.labels).all_closed()
    recipe = Recipe(GRID, PENALTIES, TREES, EACH)
    assert trained.intervals == fit_intervals(known, recipe.fit, horizon_days=GRID.horizon_days)
    assert trained.intervals != fit_intervals(known, recipe.heads, horizon_days=GRID.horizon_days)


def test_mlflow_serves_them_from_text_alone(project, trained, tmp_path):
    import mlflow

    from twinops.adapters.mlflow.registry import save

    into = tmp_path / "model"
    assert save(project.model, into)
    assert {p.suffix for p in into.rglob("*") if p.is_file()} <= {"", ".json", ".yaml", ".txt"}
    loaded, table = mlflow.pyfunc.load_model(str(into)), panel(project).slice(0, 20)
    served = loaded._model_impl.model
    assert served.predict(table).active_probability.tolist() == trained.predict(table).active_probability.tolist()


def test_what_is_measured_as_the_twin_is_who_was_chosen(project):
    chosen(project)
    supplied(
        evaluate, project, engine=ENGINE, keys=KEYS, grid=GRID, penalties=PENALTIES, trees=TREES, held_out=HELD_OUT
    )
    found = Findings.from_json(project.measures("accuracy").read_text(encoding="utf-8"))
    measures = {m.name: m for m in found.measures}
    kept = read_sealed(project.predictions, dataset="predictions", keys=KEYS)
    known = open_examples(ENGINE, KEYS, panel=project.panel, labels=project.labels)
    past, rows = known.known_at(141, horizon_days=GRID.horizon_days), known.scored_at(141)
    said = Recipe(GRID, PENALTIES, TREES, EACH).fit(past).predict(rows.table)
    assert kept["expected_spend"].to_pylist() == said.spend.tolist()
    # the challenger has the windows too, so it is another even where trees speak
    assert measures["active_auc"].value != measures["active_auc.lightgbm"].value


def test_model_files_hold_no_subject(project: Places, trained: TwinModel) -> None:
    text = Path(project.model).read_text(encoding="utf-8")
    assert not any(sid in text for sid in set(panel(project)["sid"].to_pylist()))
