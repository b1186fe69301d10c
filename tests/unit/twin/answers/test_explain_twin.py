"""Why a forecast is what it is: parts that add up to the last digit, in words, and what would change it."""

import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from shoppers import GRID, crowd, examples_of

from twinops.params import ChallengerParams, TrainParams
from twinops.twin.answers.counterfactual import Wish, counterfactual
from twinops.twin.answers.explain import explain_heads, explain_trees, sentences, words
from twinops.twin.answers.opening import Opening
from twinops.twin.model.boosted_trees import FEATURES, fit_challenger
from twinops.twin.model.fit import fit_twin
from twinops.twin.model.model import HEADS
from twinops.twin.state.streaming import Basket, StreamingState, replay
from twinops.twin.state.terms import TERMS
from twinops.twin.support.support import Range, Support, Tier

DECAY = GRID.decay_days
DAY = 140


@pytest.fixture(scope="module")
def known():
    return examples_of(crowd(150)).all_closed()


@pytest.fixture(scope="module")
def model(known):
    return fit_twin(known, GRID, TrainParams(activity_c=1.0, spend_alpha=0.001))


@pytest.fixture(scope="module")
def challenger(known):
    return fit_challenger(known, GRID, ChallengerParams(least_rows=20, activity_trees=10, rate_trees=15))


def weekly(*, until: int = DAY, every: int = 7, cents: int = 4_000) -> StreamingState:
    days = range(until - 12 * every, until, every)
    return replay([Basket(i, d, cents) for i, d in enumerate(days, start=1)], decay_days=DECAY)


@pytest.mark.parametrize("head", HEADS)
def test_the_parts_of_a_head_add_up_to_its_predictor(model, known, head):
    explained = explain_heads(model, known.table, head)
    predictor = getattr(model, head).predictor(model.standardised(known.table))
    assert np.abs(explained.predictor - predictor).max() < 1e-9
    assert np.abs(explained.grouped.predictor - predictor).max() < 1e-9


@pytest.mark.parametrize("head", HEADS)
def test_the_parts_of_the_trees_add_up_to_their_predictor(challenger, known, head):
    explained = explain_trees(challenger, known.table, head)
    predictor = challenger.forests[head].predictor(challenger.features(known.table))
    assert np.abs(explained.predictor - predictor).max() < 1e-6
    assert np.abs(explained.grouped.predictor - predictor).max() < 1e-6


def test_every_term_and_every_window_stands_under_exactly_one_heading():
    groups = words()["groups"].values()
    terms = [t for g in groups for t in g["terms"]]
    windows = [w for g in groups for w in g["windows"]]
    assert sorted(terms) == sorted(TERMS)
    told = {f.rpartition("_")[0] for f in FEATURES if f not in TERMS}
    assert sorted(windows) == sorted(told)


def test_a_part_is_weight_times_standardised_term(model, known):
    explained = explain_heads(model, known.table, "spend")
    z = model.standardised(known.table)
    place = TERMS.index("recency")
    assert explained.parts[5, place] == z[5, place] * model.spend.weights[place]


def test_someone_who_shops_more_often_hears_so_and_by_how_much(model):
    from twinops.twin.state.streaming import rows

    said = [
        sentences(explain_heads(model, rows([weekly(every=every).at(DAY)]), "baskets"), 0, most=6) for every in (2, 10)
    ]
    often = [float(line.rpartition(" by ")[2].rstrip(".")) for lines in said for line in lines if "How often" in line]
    assert often[0] > 1 > often[1]
    days = f"the next {model.horizon_days} days by"
    assert all(f"multiplies the number of baskets expected in {days}" in line for line in said[0])


def test_no_text_of_an_explanation_names_a_horizon_of_its_own(model, known):
    longer = replace(model, horizon_days=84)
    told = " ".join(sentences(explain_heads(longer, known.table, "spend"), 3, most=9))
    assert "in the next 84 days" in told
    assert not re.search(r"four weeks|eight weeks|28 days", yaml.safe_dump(words()))


def test_an_explanation_names_no_id_and_no_other_household(model, known):
    told = " ".join(sentences(explain_heads(model, known.table, "spend"), 3, most=9))
    assert not any(sid in told for sid in known.table["sid"].to_pylist())


def test_importance_is_the_mean_size_of_a_part_strongest_first(model, known):
    grouped = explain_heads(model, known.table, "spend").grouped
    sizes = list(grouped.importance.values())
    assert sizes == sorted(sizes, reverse=True)
    first = next(iter(grouped.importance))
    assert grouped.importance[first] == pytest.approx(np.abs(grouped.parts[:, grouped.names.index(first)]).mean())


def forecast(model, state, day, head="spend"):
    from twinops.twin.state.streaming import rows

    return float(getattr(model.predict(rows([state.at(day)])), head)[0])


def test_the_smallest_number_of_baskets_that_reaches_the_wish_is_told(model):
    state = weekly(until=DAY - 20)
    before = forecast(model, state, DAY)
    change = counterfactual(Opening(model, None, state, DAY), Wish("spend", at_least=before * 1.02))
    assert change is not None
    assert change.after >= before * 1.02
    assert change.step.baskets >= 1
    if change.step.baskets > 1:
        fewer = counterfactual(Opening(model, None, state, DAY), Wish("spend", at_least=change.after - 1e-3))
        assert fewer is not None
        assert fewer.step == change.step
    assert "does not say that the one causes the other" in change.sentence
    assert change.sentence.startswith(f"{change.step.baskets} more basket")


def test_silence_is_the_step_towards_less(model):
    state = weekly()
    before = forecast(model, state, DAY, "active_probability")
    change = counterfactual(Opening(model, None, state, DAY), Wish("activity", at_most=before - 0.02))
    assert change is not None
    assert change.step.baskets == 0
    assert change.after <= before - 0.02
    assert change.sentence.startswith("No basket within the next")


def test_asking_leaves_the_state_as_it_was(model):
    from twinops.twin.state.streaming import to_record

    state = weekly()
    before = to_record(state)
    counterfactual(Opening(model, None, state, DAY), Wish("spend", at_least=1e6))
    assert to_record(state) == before


def test_a_wish_that_holds_or_is_out_of_reach_has_no_step(model):
    state = weekly()
    assert counterfactual(Opening(model, None, state, DAY), Wish("spend", at_least=0.0)) is None
    assert counterfactual(Opening(model, None, state, DAY), Wish("spend", at_least=1e6)) is None
    assert counterfactual(Opening(model, None, StreamingState(DECAY), DAY), Wish("spend", at_least=1.0)) is None


def test_a_step_to_where_nobody_was_seen_does_not_count(model):
    state = weekly(until=DAY - 20)
    wish = Wish("spend", at_least=forecast(model, state, DAY) * 1.02)
    wide, narrow = Range(0.0, 1e9), Range(0.0, 1e-9)
    names = ("recency_days", "pace_quick", "pace_slow", "basket_value")
    for seen, expected in ((wide, True), (narrow, False)):
        tier = Tier("all", 1e9, None, dict.fromkeys(names, seen), {})
        support = Support(GRID.horizon_days, wide, (tier,), None)
        assert (counterfactual(Opening(model, support, state, DAY), wish) is not None) is expected
