"""Whoever speaks for a head: stored as text, read back, explained exactly, and coherent for every state."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import GRID, crowd, examples_of

from twinops.errors import IntegrityError
from twinops.params import ChallengerParams, TrainParams
from twinops.twin.answers.explain import explain_heads
from twinops.twin.answers.forecast import LEVELS, forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.model.families import HEADS, REGRESSIONS, Speakers
from twinops.twin.model.model import TwinModel
from twinops.twin.model.model_file import from_text, to_text
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.features import STATE
from twinops.twin.state.streaming import Basket, replay

KNOWN = examples_of(crowd(150)).all_closed()
TREES = ChallengerParams(least_rows=20, activity_trees=10, rate_trees=15)
PENALTIES = TrainParams(activity_c=0.2, spend_alpha=0.01)
SPEAKERS = {
    "regressions": REGRESSIONS,
    "hurdle": Speakers(baskets=("hurdle",), spend=("hurdle",)),
    "classic": Speakers(("classic",), ("classic",), ("classic",)),
    "trees": Speakers(("trees",), ("trees",), ("trees",)),
    "means": Speakers(("regression", "classic"), ("hurdle", "classic", "trees"), ("regression", "trees")),
    "apart": Speakers(("trees",), ("classic",), ("hurdle",)),
}


def made(name: str) -> TwinModel:
    if name not in MADE:
        MADE[name] = Recipe(GRID, PENALTIES, TREES, SPEAKERS[name]).fit_with_intervals(KNOWN)
    return MADE[name]


MADE: dict[str, TwinModel] = {}
each = pytest.mark.parametrize("name", SPEAKERS)


@each
def test_who_speaks_is_stored_and_read_back_and_says_the_same(name):
    again = from_text(to_text(made(name)))
    assert again == made(name)
    assert again.predict(KNOWN.table).spend.tolist() == made(name).predict(KNOWN.table).spend.tolist()


@each
def test_the_state_alone_is_enough(name):
    of_state = KNOWN.table.select(STATE)
    assert made(name).predict(of_state).baskets.tolist() == made(name).predict(KNOWN.table).baskets.tolist()


@each
@pytest.mark.parametrize("head", HEADS)
def test_parts_add_up_to_what_is_said(name, head):
    table = KNOWN.table.slice(0, 40)
    told = explain_heads(made(name), table, head)
    said = made(name).predict(table)
    known = {"activity": said.active_probability, "baskets": said.baskets, "spend": said.spend}[head]
    alone = head == "activity" and told.scale == ""
    sums = 1 - (1 + np.exp(told.predictor) / 3) ** -3.0 if alone else np.exp(told.predictor)
    fits = known > said.active_probability if head == "baskets" else known > 0
    assert fits.any()
    assert sums[fits] == pytest.approx(known[fits], rel=1e-4, abs=1e-4)


def test_of_families_only_those_that_speak_are_in_the_file():
    stored = {name: json.loads(to_text(made(name))) for name in SPEAKERS}
    assert [stored["regressions"][f] for f in ("hurdle", "classic", "trees")] == [None] * 3
    assert set(stored["means"]["trees"]["texts"]) == {"baskets", "spend"}
    assert len(to_text(made("classic"))) < 12_000


def test_no_subject_is_in_any_of_them():
    sids = set(KNOWN.table["sid"].to_pylist())
    assert not any(sid in to_text(made(name)) for name in SPEAKERS for sid in sids)


@pytest.mark.parametrize(
    "harm",
    [
        lambda m: m.update(hurdle=None),
        lambda m: m.update(classic=None),
        lambda m: m.update(trees=None),
        lambda m: m["speakers"].update(spend=["regression"]),
        lambda m: m["speakers"].update(spend=["me"]),
        lambda m: m["speakers"].update(spend=[]),
        lambda m: m["speakers"].update(spend=["trees", "regression"]),
        lambda m: m["speakers"].update(spend=["trees", "trees"]),
        lambda m: m["speakers"].update(activity=["hurdle"]),
        lambda m: m["hurdle"]["spend"]["weights"].pop(),
        lambda m: m["classic"]["baskets"].update(r=0.0),
        lambda m: m["classic"]["value"].update(q=1e300),
        lambda m: m["classic"].update(usual=None),
        lambda m: m["trees"]["texts"].pop("spend"),
        lambda m: m["scatter"]["spend"].reverse(),
        lambda m: m["scatter"]["spend"][0].update(ratios=[1.0]),
    ],
)
def test_a_file_whose_families_do_not_fit_is_refused(harm):
    raw = json.loads(to_text(made("means")))
    if len(raw["scatter"]["spend"]) == 1:
        raw["scatter"]["spend"].append({**raw["scatter"]["spend"][0], "at": raw["scatter"]["spend"][0]["at"] + 1})
    harm(raw)
    with pytest.raises(IntegrityError, match="not a twin model"):
        from_text(json.dumps(raw))


def test_whatever_a_stranger_writes_into_bgnbd_its_answers_are_finite():
    wild = made("classic").classic
    for r, a in ((1e-12, 1e9), (1e9, 1e-12), (1e9, 1e9)):
        p = replace(wild, baskets=replace(wild.baskets, r=r, a=a)).predict(KNOWN.table)
        assert all(np.isfinite(v).all() for v in (p.active_probability, p.baskets, p.spend))


days = st.integers(0, 180)
histories = st.lists(st.tuples(days, st.integers(0, 500_000)), min_size=1, max_size=60)


def state_of(bought: list[tuple[int, int]]):
    return replay((Basket(i, day, cents) for i, (day, cents) in enumerate(sorted(bought))), decay_days=GRID.decay_days)


@each
@settings(max_examples=40, deadline=None)
@given(bought=histories, later=st.integers(1, 900))
def test_answers_of_any_state_fit_together(name, bought, later):
    """No fewer baskets than the chance to come, ranges that hold mean and median, levels that never fall."""
    told = forecast(Opening(made(name), None, state_of(bought), 180 + later))
    assert told.active_probability <= told.baskets
    p, most = (
        made(name).predict(Opening(made(name), None, state_of(bought), 180 + later).table),
        made(name).scatter.most,
    )
    assert p.active_probability[0] <= p.baskets[0] <= p.active_probability[0] * most[0] + 1e-6
    assert p.spend[0] <= p.active_probability[0] * most[1] + 1e-4
    assert told.baskets_range[0] <= told.baskets <= told.baskets_range[1]
    assert told.spend_range[0] <= told.spend <= told.spend_range[1]
    assert told.spend_range[0] <= told.spend_median <= told.spend_range[1]
    for figures in zip(*told.levels, strict=True):
        assert list(figures) == sorted(figures)
    middle = told.levels[LEVELS.index(0.5)]
    assert middle[2] == told.spend_median
    # who comes less often than not has nothing in the middle
    assert told.active_probability >= 0.499 or middle[1:] == (0, 0)
    # the outermost levels lie in the range, but where it is one-sided the upper one may be beyond
    assert told.levels[0][2] >= told.spend_range[0]
    assert told.active_probability < 0.901 or told.levels[-1][2] <= told.spend_range[1]


@each
@settings(max_examples=15, deadline=None)
@given(bought=histories)
def test_the_score_table_and_a_prediction_give_the_same_state_the_same_range(name, bought):
    model, twin = made(name), Opening(made(name), None, state_of(bought), 181)
    alone = forecast(twin)
    # a table of many rows, this one last
    table = pa.concat_tables([KNOWN.table.select(STATE), twin.table.select(STATE)])
    ranges = model.ranges(model.predict(table))
    assert (ranges.baskets_low[-1], ranges.baskets_high[-1]) == alone.baskets_range
    assert (ranges.spend_low[-1], ranges.spend_high[-1]) == alone.spend_range
