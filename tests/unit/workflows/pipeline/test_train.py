from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import numpy as np
import pytest
from shoppers import GRID, crowd, examples_of, lines, permissions, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed
from twinops.errors import DataError
from twinops.evaluation.accuracy.choice import FACT, Choice
from twinops.evaluation.accuracy.coefficients import clustered_errors
from twinops.params import ChallengerParams, TrainParams
from twinops.twin.model.families import HEADS, HURDLE, REGRESSION, REGRESSIONS, Speakers
from twinops.twin.model.model_file import from_text
from twinops.workflows.kept_penalties import kept_penalties
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.train import train

PENALTIES = TrainParams(activity_c=1.0, spend_alpha=0.001)
CROWD = crowd(80)


def made(root, transactions=CROWD, *, threads=1):
    keys = MemoryKeys()
    places = sealed_project(root, keys, transactions)
    engine = DuckDBEngine(threads=threads)
    supplied(features, places, engine=engine, keys=keys, grid=GRID, as_of=date(2017, 7, 20))
    chosen(places)
    trees = ChallengerParams(least_rows=10, activity_trees=5, rate_trees=5)
    return places, keys, supplied(train, places, engine=engine, keys=keys, grid=GRID, penalties=PENALTIES, trees=trees)


def chosen(places, speakers: Speakers = REGRESSIONS):
    """What `choose` would have left."""
    said = {"facts": {FACT: {"value": asdict(Choice(speakers, False, dict.fromkeys(HEADS, "of a test")))}}}
    places.measures("champion").parent.mkdir(parents=True, exist_ok=True)
    places.measures("champion").write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    return made(tmp_path_factory.mktemp("once"))


def test_training_writes_a_model_that_loads_and_says_what_it_has_seen(once):
    places, _, trained = once
    model = from_text(places.model.read_text(encoding="utf-8"))
    assert model.trained_on == trained.model.trained_on
    assert (trained.model.trained_on.first_cutoff, trained.model.trained_on.last_cutoff) == (57, 141)
    assert trained.model.trained_on.households == 80


def test_what_ships_has_ranges_and_says_who_speaks(once):
    _, _, trained = once
    assert trained.model.speakers == trained.choice.speakers == REGRESSIONS
    assert trained.model.intervals.calibrated_on == 141


def test_others_who_speak_make_another_recipe_and_leave_the_penalties_as_they_are(tmp_path):
    places, keys, _ = made(tmp_path)
    before = places.recipe.read_bytes(), places.penalties.read_bytes()
    assert kept_penalties(places, TrainParams(activity_c=9.0, spend_alpha=9.0)) == PENALTIES
    chosen(places, Speakers((REGRESSION,), (HURDLE,), (HURDLE,)))
    few = ChallengerParams(least_rows=10, activity_trees=5, rate_trees=5)
    engine = DuckDBEngine(threads=1)
    supplied(train, places, engine=engine, keys=keys, grid=GRID, penalties=PENALTIES, trees=few)
    assert places.recipe.read_bytes() != before[0]
    assert places.penalties.read_bytes() == before[1], "who follows from them alone is not made anew"


def test_nobody_was_chosen_is_a_clear_data_error(once):
    places, keys, _ = once
    said = places.measures("champion").read_text(encoding="utf-8")
    places.measures("champion").unlink()
    try:
        with pytest.raises(DataError, match="Nobody has chosen"):
            supplied(
                train,
                places,
                engine=DuckDBEngine(threads=1),
                keys=keys,
                grid=GRID,
                penalties=PENALTIES,
                trees=ChallengerParams(),
            )
    finally:
        places.measures("champion").write_text(said, encoding="utf-8")


def test_the_list_of_who_was_trained_on_is_sealed_and_complete(once):
    places, keys, trained = once
    listed = read_sealed(places.trained_subjects, dataset="trained", keys=keys).to_pylist()
    assert len(listed) == trained.model.trained_on.households
    assert sum(row["rows"] for row in listed) == trained.model.trained_on.rows
    assert listed[0]["sid"] not in places.model.read_text(encoding="utf-8")


def test_pictures_are_drawn_and_no_household_stands_in_what_is_returned(once):
    places, keys, trained = once
    assert places.figure("coefficients").stat().st_size > 10_000
    assert places.figure("activity").stat().st_size > 10_000
    assert keys.subject_ids(["0" * 32])[0] not in repr(trained)


def test_training_gives_the_same_bytes_for_any_threads_and_row_order(once, tmp_path):
    shuffled = CROWD.take(np.random.default_rng(1).permutation(CROWD.num_rows))
    one, (two, _, _) = once[0], made(tmp_path, shuffled, threads=2)
    for place in (one.model, one.trained_subjects, one.figure("coefficients"), one.figure("activity")):
        assert place.read_bytes() == (two.root / place.relative_to(one.root)).read_bytes()


def test_too_few_households_are_a_clear_data_error(tmp_path):
    with pytest.raises(DataError, match="12 consumers to learn from"):
        made(tmp_path, crowd(12))


def test_a_target_of_one_class_is_a_clear_data_error(tmp_path):
    loyal = lines(*((f"{n:032x}", day, 500) for n in range(40) for day in range(0, 200, 5)))
    with pytest.raises(DataError, match="came back: there is nothing to tell apart"):
        made(tmp_path, loyal)


def test_only_closed_horizons_are_learned_from():
    known = examples_of(CROWD, known_until=150)
    assert set(known.all_closed().cutoff.tolist()) == {57, 85, 113}


def test_a_model_for_a_day_learns_only_from_what_was_closed_by_then():
    known = examples_of(CROWD)
    assert known.known_at(113, horizon_days=28).cutoff.max() == 85


def test_a_model_for_a_day_leaves_out_who_does_not_allow_training_on_that_day():
    sids = sorted(set(CROWD["sid"].to_pylist()))
    allowed = permissions(sids)
    may = [
        not (sid == sids[0] and cutoff == 113)
        for sid, cutoff in zip(allowed["sid"].to_pylist(), allowed["cutoff"].to_pylist(), strict=True)
    ]
    allowed = allowed.set_column(allowed.schema.get_field_index("may_train"), "may_train", [may])
    known = examples_of(CROWD, allowed=allowed)
    assert sids[0] not in known.known_at(113, horizon_days=28).table["sid"].to_pylist()
    assert sids[0] in known.known_at(141, horizon_days=28).table["sid"].to_pylist()


def test_errors_of_a_mean_over_clusters_of_copies_do_not_shrink():
    rng = np.random.default_rng(0)
    once = rng.normal(size=400)
    few = clustered_errors(np.empty((400, 0)), once, np.ones(400), np.arange(400))
    many = clustered_errors(np.empty((4000, 0)), np.repeat(once, 10), np.ones(4000), np.repeat(np.arange(400), 10))
    assert few[0] == pytest.approx(once.std() / 20, rel=0.01)
    assert many[0] == pytest.approx(few[0])
