"""The twin, its ranges and its tastes as MLflow serves them: text in, numbers out, signature and example that fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shoppers import GRID, crowd, examples_of

from twinops.adapters.mlflow import tastes_flavour, twin_flavour
from twinops.adapters.mlflow.registry import save
from twinops.errors import DataError, ParamsError
from twinops.params import TrainParams
from twinops.twin.answers.forecast import forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.model import model_file as stored
from twinops.twin.model.fit import fit_twin
from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.model import TrainedOn, TwinModel
from twinops.twin.state.features import STATE
from twinops.twin.state.streaming import Basket, replay
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


OFFERS = {"purpose": "offers"}


@pytest.fixture(scope="module")
def files(model: TwinModel, tastes: Tastes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "twin.json").write_text(stored.to_text(model), encoding="utf-8")
    (folder / "tastes.json").write_text(taste_stored.to_text(taste_stored.Preferences(tastes=tastes)), encoding="utf-8")
    return folder


def test_a_prediction_lies_within_its_range(files):
    predictor = twin_flavour.predictor(files / "twin.json")
    told = predictor.predict(twin_flavour.example(), OFFERS)
    assert list(told) == list(twin_flavour.given(predictor.model))
    assert told["id"].tolist() == ["weekly", "once"]
    assert (told["spend_low"] <= told["spend"]).all()
    assert (told["spend"] <= told["spend_high"]).all()
    assert (told["baskets_low"] >= 0).all()


def test_a_model_without_ranges_gives_none():
    from candidate import twin_json

    model = stored.from_text(twin_json())
    assert tuple(twin_flavour.given(model)) == ("id", "basis", *twin_flavour.EXPECTED, "refused")


def test_who_bought_more_of_a_category_is_likelier_to_buy_of_it(files, tastes):
    predictor = twin_flavour.taste_predictor(files / "tastes.json")
    told = predictor.predict(tastes_flavour.example(tastes, twin_flavour.states()))
    assert list(told) == ["BREAD", "MILK"]
    assert told["BREAD"][0] > told["BREAD"][1]
    assert told["MILK"].tolist() == [0.5, 0.5]


def test_a_category_never_bought_and_one_bought_today_are_not_confused(files, tastes):
    frame = tastes_flavour.example(tastes, twin_flavour.states())
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
    told = loaded.predict(example, params=OFFERS if name == "twin.json" else None)
    assert list(told) == loaded.metadata.get_output_schema().input_names()
    assert np.isfinite(told.select_dtypes("number").to_numpy()).all()
    assert told.select_dtypes("number").shape[1] >= 2
    assert {p.suffix for p in into.rglob("*") if p.is_file()} <= {"", ".json", ".yaml", ".txt"}


def test_a_file_without_taste_heads_saves_nothing(tmp_path):
    path = tmp_path / "tastes.json"
    path.write_text(taste_stored.to_text(taste_stored.Preferences()), encoding="utf-8")
    assert not save(path, tmp_path / "model")


def lines(**changed: Any) -> pd.DataFrame:
    """Four lines of two receipts of Ann, one of Bob."""
    told = {
        "id": ["ann", "ann", "ann", "ann", "bob"],
        "time": ["2025-01-03T10:00", "2025-01-03T10:00", "2025-09-20 18:31:07", "2025-09-20T18:31:09Z", "2025-10-01"],
        "amount": [10.0, 2.5, 7.25, 1.0, 30.0],
        "basket": ["r1", "r1", "r2", "r2", None],
    }
    return pd.DataFrame({**told, **changed})


def test_lines_are_the_same_state_that_their_baskets_make_one_by_one(files):
    predictor = twin_flavour.predictor(files / "twin.json")
    told = predictor.predict(lines(), {**OFFERS, "as_of": "2025-11-01"}).set_index("id")
    day = {d: (date.fromisoformat(d) - date(2017, 1, 1)).days for d in ("2025-01-03", "2025-09-20", "2025-11-01")}
    state = replay(
        [Basket(1, day["2025-01-03"], 1250), Basket(2, day["2025-09-20"], 825)], decay_days=predictor.model.decay_days
    )
    alone = forecast(Opening(predictor.model, None, state, day["2025-11-01"]))
    assert told.loc["ann", "baskets"] == alone.baskets
    assert told.loc["ann", ["spend", "spend_median", "spend_low", "spend_high"]].tolist() == [
        alone.spend, alone.spend_median, *alone.spend_range
    ]  # fmt: skip
    assert told.loc["ann", "basis"] == "established"
    assert told.loc["bob", "basis"] == twin_flavour.NEWCOMER_ALONE


def test_lines_of_the_day_and_later_are_not_known_yet(files):
    predictor = twin_flavour.predictor(files / "twin.json")
    told = predictor.predict(lines(), {**OFFERS, "as_of": "2025-09-20"}).set_index("id")
    assert told.loc["bob", "basis"] == "nothing known"
    assert np.isnan(told.loc["bob", "spend"])
    earlier = predictor.predict(lines().iloc[:2], {**OFFERS, "as_of": "2025-09-20"})
    assert earlier["spend"][0] == told.loc["ann", "spend"]


@pytest.mark.parametrize("purpose", ["", "twin_training", "advertising", "OFFERS"])
def test_without_a_purpose_of_a_twin_nothing_is_predicted(files, purpose):
    predictor = twin_flavour.predictor(files / "twin.json")
    with pytest.raises(ParamsError, match="purpose"):
        predictor.predict(lines(), {"purpose": purpose})
    with pytest.raises(ParamsError, match="purpose"):
        predictor.predict(lines())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"id": ["ann", None, "ann", "ann", "bob"]}, "no id"),
        ({"time": ["2025-01-03", None, "2025-01-03", "2025-01-03", "2025-01-03"]}, "no time or no amount"),
        ({"time": ["03/01/2025"] * 5}, "cannot be read"),
        ({"time": ["1600-01-01"] + ["2025-01-03"] * 4}, "hundred years|cannot be read"),
        ({"amount": [1.0, float("inf"), 1.0, 1.0, 1.0]}, "no number"),
        ({"amount": [1.0, 1e12, 1.0, 1.0, 1.0]}, "no number"),
        ({"amount": [-20.0, 2.5, 7.25, 1.0, 30.0]}, "less than nothing"),
    ],
)
def test_lines_that_cannot_be_are_told_in_a_sentence_that_repeats_nobody(files, changed, why):
    predictor = twin_flavour.predictor(files / "twin.json")
    with pytest.raises(DataError, match=why) as refused:
        predictor.predict(lines(**changed), OFFERS)
    assert not {"ann", "bob", "r1", "03/01/2025", "1000000000000.0"} & set(str(refused.value).split())


def test_ids_are_answered_in_a_project_alone_and_refusals_have_a_row(files):
    predictor = twin_flavour.predictor(files / "twin.json")
    asked = pd.DataFrame({"id": ["ann", "bob", "eve"]})
    with pytest.raises(DataError, match="in their project alone"):
        predictor.predict(asked, OFFERS)
    heard = []

    def asks(ids: Sequence[str], purpose: str, text: str) -> twin_flavour.ById:
        heard.append((list(ids), purpose, text))
        row = replay([Basket(1, 1, 2000)], decay_days=predictor.model.decay_days).at(100)
        return twin_flavour.ById(pa.Table.from_pylist([{"id": "ann", **row}]), {"bob": "The consumer says no."})

    with twin_flavour.answered_by(asks):
        told = predictor.predict(asked, OFFERS).set_index("id")
    assert heard == [(["ann", "bob", "eve"], "offers", (files / "twin.json").read_text(encoding="utf-8"))]
    assert told["basis"].tolist() == ["established", "refused", "nothing known"]
    assert told["refused"].tolist() == ["", "The consumer says no.", ""]
    assert np.isnan(told["spend"]).tolist() == [False, True, True]
    with pytest.raises(DataError, match="in their project alone"):
        predictor.predict(asked, OFFERS)


def test_the_signature_names_lines_and_two_parameters_and_needs_the_id_alone(files, tmp_path):
    import mlflow

    assert save(files / "twin.json", tmp_path / "model")
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    taken = loaded.metadata.get_input_schema()
    assert [s.name for s in taken.inputs if s.required] == ["id"]
    assert not set(taken.input_names()) & set(STATE)
    assert {p.name: p.default for p in loaded.metadata.signature.params.params} == {"purpose": "", "as_of": ""}
    with pytest.raises(ParamsError, match="without a purpose"):
        loaded.predict(lines())
    bare = lines()[["id", "time", "amount"]]
    assert loaded.predict(bare, params=OFFERS)["id"].tolist() == ["ann", "bob"]


def test_a_loaded_twin_opens_nothing_that_is_sealed(files, tmp_path, monkeypatch):
    import mlflow

    from twinops.data.vault import seal

    def never(*_: object, **__: object) -> None:
        raise AssertionError("something sealed was opened")

    assert save(files / "twin.json", tmp_path / "model")
    monkeypatch.setattr(seal, "read_sealed", never)
    monkeypatch.chdir(tmp_path)
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert loaded.predict(lines(), params=OFFERS).shape[0] == 2
