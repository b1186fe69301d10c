from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from shoppers import GRID, crowd, examples_of, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.findings import Findings
from twinops.errors import DataError, ParamsError
from twinops.evaluation.accuracy.choice import RECALIBRATED, SCORES, SIMPLE, choose_by, read_choice, with_trees
from twinops.evaluation.accuracy.conclusions import choice_conclusion
from twinops.evaluation.accuracy.measures import Accuracy
from twinops.evaluation.statistics.bootstrap import Resampled
from twinops.params import ChallengerParams, ChooseParams, EvaluateParams, TrainParams
from twinops.twin.model.families import HEADS, REGRESSIONS
from twinops.twin.model.fit import fit_twin
from twinops.twin.model.recalibration import recalibrate
from twinops.twin.state.examples import Examples
from twinops.workflows.pipeline import evaluate as evaluate_module
from twinops.workflows.pipeline import train as train_module
from twinops.workflows.pipeline.choose import choose
from twinops.workflows.pipeline.evaluate import evaluate
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.train import train

PENALTIES = TrainParams(activity_c=0.2, spend_alpha=0.01)
TREES = ChallengerParams(least_rows=20, activity_trees=10, rate_trees=10)
EARLIER = ChooseParams(cutoffs=(113,), draws=50)
HELD_OUT = EvaluateParams(cutoffs=(141,), draws=50, seed=7)
FINER = GRID.model_copy(update={"step_days": 14})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from datetime import date

    keys = MemoryKeys()
    places = sealed_project(tmp_path_factory.mktemp("world"), keys, crowd(120, days=170))
    engine = DuckDBEngine(threads=1)
    supplied(features, places, engine=engine, keys=keys, grid=FINER, as_of=date(2017, 6, 20))
    return places, engine, keys


def all_three(world) -> dict[str, bytes]:
    places, engine, keys = world
    shared = {"engine": engine, "keys": keys, "grid": FINER, "penalties": PENALTIES, "trees": TREES}
    with pytest.MonkeyPatch.context() as patch:  # pictures are no part of it
        for module in (evaluate_module, train_module):
            patch.setattr(module, "save", lambda figure, path, words: None)
        supplied(choose, places, **shared, margins=EARLIER)
        supplied(evaluate, places, **shared, held_out=HELD_OUT)
        supplied(train, places, **shared)
    return {n: p.read_bytes() for n, p in {
        "choice": places.measures("champion"), "accuracy": places.measures("accuracy"), "model": places.model,
    }.items()}  # fmt: skip


def test_whoever_poisons_every_held_out_label_cannot_move_the_choice(world):
    places, _, keys = world
    clean = all_three(world)
    labels = read_sealed(places.labels, dataset="labels", keys=keys)
    whole = places.labels.read_bytes()
    # every label that was not closed on the first held-out day is turned into its opposite and worse
    late = np.asarray(labels["cutoff"].to_numpy()) + FINER.horizon_days > min(HELD_OUT.cutoffs)
    assert 0 < late.sum() < len(late)
    wrong = np.where(late, ~np.asarray(labels["active"].to_numpy(zero_copy_only=False)), labels["active"])
    labels = labels.set_column(labels.schema.get_field_index("active"), "active", pa.array(wrong.astype(bool)))
    for name, poison in (("baskets", 977), ("spend_cents", 9_999_999)):
        values = np.where(late, poison, labels[name].to_numpy())
        labels = labels.set_column(labels.schema.get_field_index(name), name, pa.array(values, pa.int64()))
    labels = labels.set_column(labels.schema.get_field_index("sid"), "sid", labels["sid"].cast(pa.string()))
    write_sealed(labels, places.labels, dataset="labels", keys=keys, subject="sid")
    try:
        poisoned = all_three(world)
    finally:
        places.labels.write_bytes(whole)
    assert poisoned["choice"] == clean["choice"]
    # the last scoring does see them, and so may what ships, once everything was chosen
    assert poisoned["accuracy"] != clean["accuracy"]
    assert poisoned["model"] != clean["model"]


def test_what_is_not_closed_yet_is_blank_whatever_it_was():
    rows = examples_of(crowd(40))
    early = rows.seen_by(113, horizon_days=28)
    assert early.cutoff.max() == 113
    assert set(early.cutoff[early.closed].tolist()) == {57, 85}
    assert (
        early.spend[~early.closed].sum() == early.baskets[~early.closed].sum() == early.active[~early.closed].sum() == 0
    )


def test_parameters_that_choose_on_a_held_out_day_are_refused(tmp_path):
    from pathlib import Path

    from twinops import params

    text = (Path(__file__).parents[4] / "params.yaml").read_text(encoding="utf-8")
    wrong = text.replace("cutoffs: [141, 169, 197, 225]", "cutoffs: [197, 239]", 1)
    (tmp_path / "params.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(ParamsError, match="closes on day 267, after the first held-out day 253"):
        params.read(tmp_path / "params.yaml")


ALL = tuple(dict.fromkeys([*SIMPLE, *(more for c in SIMPLE for more in with_trees(c))]))


def accuracy(**gains: tuple[float, float]) -> Accuracy:
    """Candidates with a loss of 70 on every score, but `classic__active_log_loss=(mean, spread)` of the gain."""
    rng = np.random.default_rng(0)
    found = {}
    for model in (*ALL, RECALIBRATED):
        for quantity in (*SCORES.values(), "active_brier"):
            mean, spread = gains.get(f"{model}__{quantity}", (0.0, 0.001))
            draws = np.concatenate([[mean], mean + spread * rng.normal(size=400)])
            found[model, quantity] = Resampled(70 - draws)
    return Accuracy(found, {})


def test_the_regressions_ship_when_nothing_is_better():
    assert choose_by(accuracy()).speakers == REGRESSIONS


@pytest.mark.parametrize("head", HEADS)
def test_a_head_is_chosen_by_its_own_score_and_leaves_the_others_alone(head):
    choice = choose_by(accuracy(**{f"classic__{SCORES[head]}": (1.0, 0.1)}))
    assert choice.speakers.of(head) == ("classic",)
    assert all(choice.speakers.of(other) == ("regression",) for other in HEADS if other != head)
    assert "BG/NBD" in choice_conclusion(choice)


def test_within_one_standard_error_of_the_best_the_simplest_speaks():
    best = "hurdle+classic__baskets_poisson_deviance"
    assert choose_by(accuracy(**{best: (1.0, 1.2)})).speakers == REGRESSIONS
    assert choose_by(accuracy(**{best: (1.0, 0.8)})).speakers.baskets == ("hurdle", "classic")
    nearly = {best: (1.0, 0.1), "regression+classic__baskets_poisson_deviance": (0.95, 0.1)}
    assert choose_by(accuracy(**nearly)).speakers.baskets == ("regression", "classic")


def test_trees_join_only_where_that_was_shown():
    joined = "regression+trees__spend_deviance"
    assert choose_by(accuracy(**{joined: (1.0, 0.8)})).speakers == REGRESSIONS
    choice = choose_by(accuracy(**{joined: (1.0, 0.1)}))
    assert choice.speakers.spend == ("regression", "trees")
    assert "shown better than regression" in choice.why["spend"]
    assert choose_by(accuracy(trees__spend_deviance=(1.0, 0.1))).speakers.spend == ("trees",)


def test_a_candidate_that_was_not_measured_is_not_asked():
    found = accuracy(classic__active_log_loss=(1.0, 0.1))
    without = {k: v for k, v in found.over_days.items() if "classic" not in k[0]}
    assert choose_by(Accuracy(without, {})).speakers == REGRESSIONS


def test_chances_are_recalibrated_only_if_that_is_shown_to_help():
    assert not choose_by(accuracy(recalibrated__active_brier=(0.1, 0.1))).recalibrate
    assert choose_by(accuracy(recalibrated__active_brier=(1.0, 0.1))).recalibrate


def test_the_choice_is_written_with_every_figure_it_rests_on(world):
    places, engine, keys = world
    chosen = supplied(
        choose, places, engine=engine, keys=keys, grid=FINER, penalties=PENALTIES, trees=TREES, margins=EARLIER
    )
    assert read_choice(places.measures("champion")) == chosen.choice
    written = Findings.from_json(places.measures("champion").read_text(encoding="utf-8"))
    names = {m.name for m in written.measures}
    assert {"choice.active_log_loss.gain_of_trees", "choice.spend_deviance.gain_of_hurdle_and_classic"} <= names
    assert all(m.low <= m.value <= m.high and "earlier as-of days 113;" in m.source for m in written.measures)
    assert written.facts[0].value["cutoffs"] == [113]


def test_nobody_chosen_is_a_clear_data_error(tmp_path):
    with pytest.raises(DataError, match="Nobody has chosen"):
        read_choice(tmp_path / "champion.json")
    (tmp_path / "champion.json").write_text(
        '{"facts": {"champion": {"value": {"speakers": {"activity": ["me"], "baskets": ["me"], "spend": ["me"]}}}}}'
    )
    with pytest.raises(DataError, match="Nobody has chosen"):
        read_choice(tmp_path / "champion.json")


def test_recalibration_turns_the_head_by_what_the_last_window_needed():
    known = examples_of(crowd(150)).all_closed()

    def fit(rows: Examples):
        return fit_twin(rows, GRID, PENALTIES)

    model = fit(known)
    bold = replace(model, activity=replace(model.activity, weights=tuple(3 * w for w in model.activity.weights)))

    def bold_fit(rows: Examples):
        made = fit(rows)
        return replace(made, activity=replace(made.activity, weights=tuple(3 * w for w in made.activity.weights)))

    turned = recalibrate(bold, known, bold_fit)
    largest = int(np.argmax(np.abs(model.activity.weights)))
    share = turned.activity.weights[largest] / bold.activity.weights[largest]
    assert 0.15 < share < 0.6
    assert np.allclose(np.array(turned.activity.weights), share * np.array(bold.activity.weights), rtol=1e-4)
    assert turned.spend == bold.spend
