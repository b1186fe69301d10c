"""Living tastes: in any order, twice, late and forgotten again, the state is the one that the batch makes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tasters import MEMORIES, NAMES, shopped, states_and_labels

from twinops.errors import DataError
from twinops.twin.living import Heard
from twinops.twin.living_tastes import LivingTastes
from twinops.twin.taste_events import SPEEDS

A = "a" * 32
EVENTS = st.lists(st.tuples(st.integers(0, 180), st.sets(st.integers(0, 3), max_size=4)), max_size=30)


def alive(events) -> LivingTastes:
    state = LivingTastes(MEMORIES, len(NAMES))
    for number, (day, places) in enumerate(events):
        assert state.update(number, day, places) is Heard.TAKEN
    return state


def test_event_by_event_is_what_the_batch_makes_to_the_last_digit():
    bought = [(A, 3, 1), (A, 50, 1), (A, 50, 2), (A, 56, 4), (A, 57, 3), (A, 120, 1)]
    _, states, _ = states_and_labels(shopped(*bought))
    state = alive([(day, {product - 1}) for _, day, product in bought])
    for day in (57, 85, 113, 141):
        batch = [{k: v for k, v in r.items() if k not in ("sid", "cutoff")} for r in states.to_pylist()
                 if r["cutoff"] == day]  # fmt: skip
        assert state.at(day) == batch
    assert state.table(141, sid=A).column_names == states.column_names


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(events, random):
    numbered = list(enumerate(events))
    mixed = [*numbered, *random.sample(numbered, len(numbered) // 2)]
    random.shuffle(mixed)
    other = LivingTastes(MEMORIES, len(NAMES))
    for number, (day, places) in mixed:
        other.update(number, day, places)
    assert other.at(200) == alive(events).at(200)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sets(st.integers(0, 29)))
def test_forgetting_leaves_what_would_be_had_it_never_come(events, gone):
    state = alive(events)
    for number in gone & set(range(len(events))):
        assert state.forget(number) is Heard.TAKEN
        assert state.forget(number) is Heard.UNKNOWN
    left = LivingTastes(MEMORIES, len(NAMES))
    for number, (day, places) in enumerate(events):
        if number not in gone:
            left.update(number, day, places)
    assert (state.bought, state.baskets) == (left.bought, left.baskets)


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.integers(0, 400))
def test_nothing_is_negative_and_nothing_of_the_day_or_later_counts(events, day):
    for row in alive(events).at(day):
        assert all(0 <= row[f"bought_{s}"] <= row["baskets"] * 1_000_000 for s in SPEEDS)
        assert row["last_day"] < day
        assert row["baskets"] == sum(row["place"] in places and d < day for d, places in events)


def test_without_an_event_there_is_no_state_and_none_is_left_when_all_is_forgotten():
    state = alive([(5, {1})])
    state.forget_all()
    assert state.at(100) == LivingTastes(MEMORIES, len(NAMES)).at(100) == []
    assert state.table(100, sid=A).num_rows == 0


def test_a_hundred_thousand_baskets_are_kept_by_day():
    state = alive((day % 180, {day % 4}) for day in range(100_000))
    assert sum(r["baskets"] for r in state.at(180)) == 100_000
    assert sum(len(days) for days in state.bought.values()) <= 180


@pytest.mark.parametrize(("day", "places"), [(10**6, {1}), (-(10**6), {1}), (5, {4}), (5, {-1})])
def test_what_cannot_be_is_refused_and_changes_nothing(day, places):
    state = alive([(5, {1})])
    before = state.at(100)
    with pytest.raises(DataError):
        state.update(9, day, places)
    assert state.at(100) == before
    assert 9 not in state.baskets


def test_the_same_basket_told_differently_is_an_error():
    state = alive([(5, {1})])
    assert state.update(0, 5, {1}) is Heard.DUPLICATE
    with pytest.raises(DataError, match="twice"):
        state.update(0, 5, {2})
