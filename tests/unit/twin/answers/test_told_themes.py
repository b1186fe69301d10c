"""What moves a forecast, told so that a reader can trust it: it multiplies to the answer, in a range, with sense."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import GRID, crowd, examples_of

from twinops.params import ChallengerParams, TrainParams
from twinops.twin.answers.explain import title
from twinops.twin.answers.opening import Opening
from twinops.twin.answers.portrait import average_spend
from twinops.twin.answers.theme_facts import in_digits, reasons
from twinops.twin.answers.told_themes import (
    BASKET,
    BEYOND,
    BOUND,
    RHYTHM,
    WHOLE,
    Answered,
    figures_of,
    told_themes,
    usual_figures,
)
from twinops.twin.model.families import REGRESSIONS, Speakers
from twinops.twin.model.model import TwinModel
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.streaming import Basket, replay
from twinops.twin.state.terms import TERMS

DAY = 140
KNOWN = examples_of(crowd(150)).all_closed()
TREES = ChallengerParams(least_rows=20, activity_trees=10, rate_trees=15)


def _fitted(speakers: Speakers) -> TwinModel:
    return Recipe(GRID, TrainParams(activity_c=0.2, spend_alpha=0.01), TREES, speakers).fit(KNOWN)


def _bent(**weights: float) -> TwinModel:
    """Heads as a sparse shop can have them: terms that move together weighed by large figures that cancel."""
    model = HEADS["regression"]
    bent = tuple(weights.get(name, w) for name, w in zip(TERMS, model.spend.weights, strict=False))
    return replace(model, spend=replace(model.spend, weights=bent))


HEADS = {
    "regression": _fitted(REGRESSIONS),
    "hurdle": _fitted(Speakers(baskets=("hurdle",), spend=("hurdle",))),
    "classic": _fitted(Speakers(("classic",), ("classic",), ("classic",))),
    "trees": _fitted(Speakers(("trees",), ("trees",), ("trees",))),
    "mean": _fitted(Speakers(spend=("hurdle", "classic", "trees"))),
}
HEADS |= {
    "cancelling": _bent(pace=-8.0, recency=-8.0, overdue=8.0, silence_slow=-5.0),
    "cancelling over headings": _bent(pace=6.0, value=-6.0),
    "against sense": _bent(pace=-2.0, regularity=-2.0, recency=1.0),
    "out of its depth": _bent(value=40.0),
}
each = pytest.mark.parametrize("name", HEADS)
diaries = st.lists(
    st.tuples(st.integers(0, DAY - 1), st.integers(100, 40_000)), min_size=1, max_size=40, unique_by=lambda b: b[0]
)


def opened(model: TwinModel, diary: list[tuple[int, int]]) -> Opening:
    baskets = [Basket(i, day, cents) for i, (day, cents) in enumerate(sorted(diary), start=1)]
    return Opening(model, None, replay(baskets, decay_days=GRID.decay_days), DAY)


@each
@given(diaries)
@settings(max_examples=40, deadline=None)
def test_what_is_shown_multiplies_to_the_answer_to_its_shown_digits(name, diary):
    twin = opened(HEADS[name], diary)
    answer, told = float(twin.expected.spend[0]), reasons(twin)
    average = average_spend(twin.model)
    assert average * math.prod(r.factor for r in told) == pytest.approx(answer, abs=0.005, rel=1e-7)
    first, factors = in_digits(average, [r.factor for r in told], answer)
    shown = [float(s.replace(",", "").replace("almost 0", "0")) for s in (first, *factors)]
    assert round(math.prod(shown)) == round(answer)


@each
@given(diaries)
@settings(max_examples=40, deadline=None)
def test_no_factor_is_beyond_the_bound_unless_the_answer_is(name, diary):
    twin = opened(HEADS[name], diary)
    over = abs(math.log(max(float(twin.expected.spend[0]), 1e-3) / average_spend(twin.model)))
    limit = math.log(BOUND) if over <= math.log(BOUND) else BEYOND * over
    assert all(abs(math.log(r.factor)) <= limit + 1e-6 for r in reasons(twin))


@each
@given(diaries)
@settings(max_examples=40, deadline=None)
def test_who_comes_often_and_was_here_lately_never_hears_that_this_lowers_a_forecast(name, diary):
    twin = opened(HEADS[name], diary)
    own, usual = figures_of(twin.table, twin.model), usual_figures(twin.model)
    told = {r.theme: r.sentence for r in reasons(twin)}.get(title(RHYTHM), "")
    if own.a_day[0] >= usual.a_day and own.silence[0] <= usual.silence:
        assert "That lowers" not in told
    if own.a_day[0] <= usual.a_day and own.silence[0] >= usual.silence:
        assert "That raises" not in told


@each
def test_one_more_visit_yesterday_of_somebody_frequent_does_not_turn_the_sentence_against_it(name):
    often = [(day, 2_500) for day in range(0, DAY - 3, 3)]
    for diary in (often, [*often, (DAY - 1, 2_500)]):
        told = {r.theme: r.sentence for r in reasons(opened(HEADS[name], diary))}
        assert "That lowers" not in told.get(title(RHYTHM), ""), name


def _denies_its_figures(sentence: str) -> bool:
    """Whether a sentence, read as it stands, ends against every figure it told, or against one without more words."""
    ends = re.search(r"That (raises|lowers) |together, that (raises|lowers) |(more|less) is expected of", sentence)
    if ends is None:
        return False
    bare, together, whole = ends.groups()
    up = (bare or together or whole) in ("raises", "more")
    spends = re.search(r"You spend ([\d,]+) .*?the average ⟨one⟩ ([\d,]+)\.", sentence)
    often, lately = re.search(r"You come ([\d.]+) .*?average ⟨one⟩ ([\d.]+) ", sentence), "less often than" in sentence
    ago = re.search(r"You last shopped ([\d,]+) .*?average ⟨one⟩ ([\d,]+) days ago", sentence)
    pairs = [m for m in (spends and spends.groups(), often and often.groups(), ago and ago.groups()[::-1]) if m]
    signs = [np.sign(float(a.replace(",", "")) - float(b.replace(",", ""))) for a, b in pairs]
    signs += [1] * (("more often than" in sentence) + ("larger than" in sentence))
    signs += [-1] * (lately + ("smaller than" in sentence))
    against = [s for s in signs if s == (-1 if up else 1)]
    with_it = [s for s in signs if s == (1 if up else -1)]
    return bool(bare and against) or bool(whole and not with_it and signs and "counts too" not in sentence)


@each
@pytest.mark.parametrize("every", [3, 11, 90])
@pytest.mark.parametrize("trend", [0.95, 1.0, 1.05])
def test_no_sentence_denies_the_figures_it_tells(name, every, trend):
    for cents in (300, 2_500, 30_000):
        for silence in (1, 25, 100):
            days = range(0, DAY - silence + 1, every)
            diary = [(d, max(round(cents * trend**i), 1)) for i, d in enumerate(days)]
            for reason in reasons(opened(HEADS[name], diary)):
                assert not _denies_its_figures(reason.sentence), reason


def test_a_basket_that_is_above_the_average_in_every_memory_is_never_told_to_lower():
    model = _bent(value=-2.0, value_warming=3.0)
    baskets = [(d, 40_000 if d < 110 else 30_000) for d in range(0, DAY, 3)]
    told = {r.theme: r.sentence for r in reasons(opened(model, baskets))}
    assert "lowers" not in told.get(title(BASKET), "")


def test_a_figure_a_basket_names_the_memory_that_it_is_counted_over():
    both = [(name, " ".join(r.sentence for r in reasons(opened(HEADS[name], [(d, 900) for d in range(0, DAY, 9)]))))
            for name in ("regression", "classic")]  # fmt: skip
    slow = HEADS["regression"].decay_days[2]
    assert f"a basket, counted over about {slow} days; " in both[0][1]
    assert "a basket, counted over all of them alike; " in both[1][1]
    for _, said in both:
        assert "month has" not in said


def test_themes_that_cancel_are_told_as_one_with_the_facts_of_all():
    (only,) = reasons(opened(HEADS["cancelling over headings"], [(d, 30_000) for d in range(0, DAY, 2)]))
    assert only.theme == title(WHOLE)
    assert "You come " in only.sentence
    assert "a basket, counted over about " in only.sentence
    assert " is expected of you " in only.sentence


def test_most_twins_are_told_theme_by_theme():
    for name in ("regression", "hurdle", "classic", "mean"):
        said = HEADS[name].predict(KNOWN.table).spend
        told = told_themes(HEADS[name], KNOWN.table, Answered(said, said, np.zeros(len(said), dtype=bool)))
        assert np.mean(~np.isnan(told.factors[:, told.names.index(WHOLE)])) < 0.1, name
