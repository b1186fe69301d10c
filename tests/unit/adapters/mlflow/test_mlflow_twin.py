"""The twin, its ranges and its tastes as MLflow serves them: text in, numbers out, signature and example that fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shoppers import GRID, crowd, examples_of

from twinops.adapters.mlflow import tastes_flavour, twin_flavour
from twinops.adapters.mlflow.registry import save
from twinops.params import TrainParams
from twinops.twin.model import model_file as stored
from twinops.twin.model.fit import fit_twin
from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.model import TrainedOn, TwinModel
from twinops.twin.tastes import model_file as taste_stored
from twinops.twin.tastes.categories import OWN, Category, Habit, Tastes, shared_names
from twinops.twin.tastes.events import SPEEDS

pytestmark = pytest.mark.filterwarnings("default")
"""MLflow deprecates its own parts."""


@pytest.fixture(scope="module")
def model() -> TwinModel:
    from dataclasses import replace

    known = examples_of(crowd(150)).all_closed()
    fit = lambda rows: fit_twin(rows, GRID, TrainParams(activity_c=1.0, spend_alpha=0.001))  # noqa: E731
    return replace(fit(known), intervals=fit_intervals(known, fit, horizon_days=GRID.horizon_days))


@pytest.fixture(scope="module")
def tastes(model: TwinModel) -> Tastes:
    """Two categories: the household's own taste decides in the first, nothing does in the second."""
    n, own = len(shared_names(1)), len(OWN)
    flat = Scaling((0.0,) * own, (1.0,) * own)
    habits = tuple(Habit(0.5, 10.0) for _ in SPEEDS)
    weights = ((1.0,) + (0.0,) * (own - 1 + n), (0.0,) * (own + n))
    categories = tuple(
        Category(name, habits, 0.0, (1.0,), flat, Head(0.0, w))
        for name, w in zip(("BREAD", "MILK"), weights, strict=True)
    )
    seen = TrainedOn(100, 10, 57, 309)
    return Tastes(28, (10, 30, 90, 200), model.priors, Scaling((0.0,) * n, (1.0,) * n), categories, seen)


@pytest.fixture(scope="module")
def files(model: TwinModel, tastes: Tastes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "twin.json").write_text(stored.to_text(model), encoding="utf-8")
    (folder / "tastes.json").write_text(taste_stored.to_text(taste_stored.Preferences(tastes=tastes)), encoding="utf-8")
    return folder


def test_a_prediction_lies_within_its_range(files):
    predictor = twin_flavour.predictor(files / "twin.json")
    told = predictor.predict(twin_flavour.example())
    assert list(told) == list(twin_flavour.given(predictor.model))
    assert (told["spend_low"] <= told["spend"]).all()
    assert (told["spend"] <= told["spend_high"]).all()
    assert (told["baskets_low"] >= 0).all()


def test_a_model_without_ranges_gives_none():
    from candidate import twin_json

    model = stored.from_text(twin_json())
    assert tuple(twin_flavour.given(model)) == twin_flavour.EXPECTED


def test_who_bought_more_of_a_category_is_likelier_to_buy_of_it(files, tastes):
    predictor = twin_flavour.taste_predictor(files / "tastes.json")
    told = predictor.predict(tastes_flavour.example(tastes, twin_flavour.example()))
    assert list(told) == ["BREAD", "MILK"]
    assert told["BREAD"][0] > told["BREAD"][1]
    assert told["MILK"].tolist() == [0.5, 0.5]


def test_a_category_never_bought_and_one_bought_today_are_not_confused(files, tastes):
    frame = tastes_flavour.example(tastes, twin_flavour.example())
    made = tastes_flavour._rows(tastes, frame)
    since = np.where(made.last_day < 0, np.nan, made.cutoff[:, None] - made.last_day)
    assert since[0].tolist() == [7.0, 7.0]
    assert np.isnan(since[1]).all()


@pytest.mark.parametrize("name", ["twin.json", "tastes.json"])
def test_mlflow_loads_it_by_its_signature_and_example(files, tmp_path, name):
    import mlflow

    into = tmp_path / "model"
    assert save(files / name, into)
    loaded = mlflow.pyfunc.load_model(str(into))
    inputs = loaded.metadata.get_input_schema().input_names()
    example = loaded.input_example
    assert list(example) == inputs
    told = loaded.predict(example)
    assert list(told) == loaded.metadata.get_output_schema().input_names()
    assert np.isfinite(told.to_numpy()).all()
    assert {p.suffix for p in into.rglob("*") if p.is_file()} <= {"", ".json", ".yaml", ".txt"}


def test_a_file_without_taste_heads_saves_nothing(tmp_path):
    path = tmp_path / "tastes.json"
    path.write_text(taste_stored.to_text(taste_stored.Preferences()), encoding="utf-8")
    assert not save(path, tmp_path / "model")
