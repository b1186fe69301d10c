"""The streaming twin's state: sums that events enter and leave in any order, and that equal the batch's."""

from __future__ import annotations

import copy
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import crowd, lines, panel_of

from twinops.errors import DataError
from twinops.twin.state.features import BILLION, STATE, decay
from twinops.twin.state.streaming import (
    ANCHOR,
    LAST_DAY,
    Basket,
    Heard,
    StreamingState,
    exposures,
    from_record,
    log_millionths,
    replay,
    rows,
    to_record,
)  # fmt: skip
from twinops.twin.state.terms import Pace, Priors, terms

DECAYS = (10, 30, 90)
DAY = 400
PRIORS = Priors(*(Pace(1.0, 8.0, 20.0) for _ in range(3)), log_value=3.0, log_value_variance=0.5)

EVENTS = st.lists(
    st.builds(Basket, st.integers(1, 60), st.integers(-400, DAY - 1), st.integers(0, 100_000)),
    max_size=40, unique_by=lambda b: b.basket_id,
)  # fmt: skip


def plain(state: StreamingState) -> tuple[object, ...]:
    """Everything the state holds."""
    return (state.decayed, state.baskets, state.cents, state.log_sum, state.log_squares, state.days, state.recent)


def test_two_baskets_give_the_sums_computed_by_hand():
    row = replay([Basket(1, 47, 1000), Basket(2, 55, 2500)], decay_days=DECAYS).at(57)
    assert row["baskets_quick"] == pytest.approx(BILLION * (math.exp(-1) + math.exp(-0.2)), abs=1)
    assert row["cents_slow"] == pytest.approx(
        BILLION * (1000 * math.exp(-10 / 90) + 2500 * math.exp(-2 / 90)), abs=1000
    )
    assert row["exposure_steady"] == pytest.approx(BILLION * 30 * (1 - math.exp(-1 / 3)), abs=1)
    assert (row["tenure_days"], row["recency_days"], row["shopping_days"]) == (10, 2, 2)
    assert (row["baskets_total"], row["cents_total"]) == (2, 3500)
    assert row["log_value_sum"] == round(1e6 * math.log(11)) + round(1e6 * math.log(26))


def test_streaming_equals_the_batch_on_every_household_and_as_of_day_of_a_small_world():
    transactions = crowd(40)
    panel = panel_of(transactions)
    diary: dict[str, list[Basket]] = {}
    for sid, number, day, cents in zip(
        *(transactions[c].to_pylist() for c in ("sid", "basket_id", "day", "sales_cents")), strict=True
    ):
        diary.setdefault(sid, []).append(Basket(number, day, cents))
    made = [
        replay((b for b in diary[sid] if b.day < cutoff), decay_days=DECAYS).at(cutoff)
        for sid, cutoff in zip(panel["sid"].to_pylist(), panel["cutoff"].to_pylist(), strict=True)
    ]
    assert len(made) > 100
    for name in STATE:
        streamed, batch = np.array([m[name] for m in made]), panel[name].to_numpy()
        decayed = name.startswith(("baskets_", "cents_")) and not name.endswith("_total")
        total = np.array([m["baskets_total" if name[0] == "b" else "cents_total"] for m in made])
        # the batch rounds each basket's weight to a billionth; where nothing decays both are the same whole number
        assert (np.abs(streamed - batch) <= (0.5 * (total + 1) if decayed else 0)).all(), name
    assert terms(rows(made), PRIORS, horizon_days=28) == pytest.approx(terms(panel, PRIORS, horizon_days=28), abs=1e-7)


def test_a_sum_of_a_thousand_baskets_is_exact_to_the_last_billionth():
    rng = np.random.default_rng(3)
    events = [Basket(i, int(d), int(c)) for i, (d, c) in enumerate(rng.integers((0, 0), (365, 20_000), (1000, 2)))]
    row = replay(events, decay_days=DECAYS).at(366)
    exact = [math.fsum(math.exp((b.day - 366) / tau) for b in events) for tau in DECAYS]
    assert [row[f"baskets_{s}"] / BILLION for s in ("quick", "steady", "slow")] == pytest.approx(exact, rel=1e-9)


@given(EVENTS, st.randoms())
def test_the_order_of_events_does_not_matter(events, chance):
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert plain(replay(shuffled, decay_days=DECAYS)) == plain(replay(events, decay_days=DECAYS))


@given(EVENTS, st.lists(st.integers(0, 39), max_size=20))
def test_duplicates_change_nothing(events, again):
    state = replay(events, decay_days=DECAYS)
    before = plain(copy.deepcopy(state))
    heard = [state.update(events[i]) for i in again if i < len(events)]
    assert set(heard) <= {Heard.DUPLICATE}
    assert plain(state) == before


@given(EVENTS, EVENTS)
def test_forgetting_events_equals_never_having_heard_them(events, later):
    known = {b.basket_id for b in events}
    gone = [b for b in later if b.basket_id not in known]
    state = replay([*events, *gone], decay_days=DECAYS)
    assert all(state.forget(b) is Heard.TAKEN for b in gone)
    assert plain(state) == plain(replay(events, decay_days=DECAYS))


@given(EVENTS)
def test_forgetting_everything_leaves_nothing_but_the_priors(events):
    state = replay(events, decay_days=DECAYS)
    for event in events:
        state.forget(event)
    assert state.empty
    assert plain(state) == plain(StreamingState(DECAYS))


@given(EVENTS, st.integers(2, 10))
def test_parts_merge_to_the_whole(events, parts):
    merged = StreamingState(DECAYS)
    for part in range(parts):
        merged = merged.merge(replay(events[part::parts], decay_days=DECAYS))
    assert plain(merged) == plain(replay(events, decay_days=DECAYS))


def test_a_crowd_split_in_ten_and_merged_is_the_crowd():
    transactions = crowd(12)
    events = [
        Basket(*e)
        for e in zip(*(transactions[c].to_pylist() for c in ("basket_id", "day", "sales_cents")), strict=True)
    ]
    whole = replay(events, decay_days=DECAYS)
    parts = [replay(events[i::10], decay_days=DECAYS) for i in range(10)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    assert plain(merged) == plain(whole)


@given(EVENTS.filter(len))
def test_nothing_is_negative_nothing_is_not_a_number(events):
    row = replay(events, decay_days=DECAYS).at(DAY)
    assert min(row.values()) >= 0
    assert row["baskets_quick"] <= row["baskets_steady"] <= row["baskets_slow"] <= row["baskets_total"] * BILLION
    assert np.isfinite(terms(rows([row]), PRIORS, horizon_days=28)).all()


@given(EVENTS)
def test_what_is_sealed_is_read_back(events):
    state = replay(events, decay_days=DECAYS)
    again = from_record(json.loads(json.dumps(to_record(state))))
    assert plain(again) == plain(state)


@pytest.mark.parametrize("change", [{"sums": [1, 0, 0, 0]}, {"decayed": ["1"]}, {"days": "x"}, {"decayed": ["-1"] * 6}])
def test_a_torn_state_is_refused(change):
    with pytest.raises(DataError):
        from_record({**to_record(StreamingState(DECAYS)), **change})


def test_a_twin_with_no_events_cannot_be_asked_and_says_whom_to_ask():
    with pytest.raises(DataError, match="no basket"):
        StreamingState(DECAYS).at(100)


def test_a_twin_with_one_event():
    row = replay([Basket(1, 50, 0)], decay_days=DECAYS).at(51)
    assert (row["baskets_total"], row["cents_total"], row["recency_days"]) == (1, 0, 1)
    assert np.isfinite(terms(rows([row]), PRIORS, horizon_days=28)).all()


def test_a_million_events_keep_to_bounded_memory_and_exact_sums():
    """A year of a basket a day, doubled until it is a million: the bench takes in a million one by one."""
    year = replay((Basket(d, d, 999) for d in range(365)), decay_days=DECAYS)
    state, copies = copy.deepcopy(year), 1
    while state.baskets < 1_000_000:
        more = copy.deepcopy(state)
        more.recent = {i + 10**6 * copies: seen for i, seen in more.recent.items()}
        state, copies = state.merge(more), 2 * copies
    assert (state.baskets, state.cents) == (365 * copies, 365 * copies * 999)
    assert state.at(366)["baskets_slow"] == pytest.approx(copies * year.at(366)["baskets_slow"], abs=copies)
    assert len(state.recent) <= 2 * state.remembered
    assert len(state.days) == 365


def test_only_the_newest_ids_are_kept_and_what_is_older_is_not_guessed_at():
    state = StreamingState(DECAYS, remembered=10)
    heard = [state.update(Basket(i, i, 100)) for i in range(100)]
    assert set(heard) == {Heard.TAKEN}
    assert len(state.recent) <= 20
    assert state.update(Basket(3, 3, 100)) is Heard.TOO_OLD
    assert state.update(Basket(99, 99, 100)) is Heard.DUPLICATE
    assert state.forget(Basket(3, 3, 100)) is Heard.TAKEN
    assert state.baskets == 99


def test_a_late_event_enters_as_if_it_had_come_in_time():
    late = replay([Basket(1, 300, 500), Basket(2, 10, 900)], decay_days=DECAYS)
    assert late.at(301) == replay([Basket(2, 10, 900), Basket(1, 300, 500)], decay_days=DECAYS).at(301)


def test_sums_cannot_be_asked_about_their_past():
    with pytest.raises(DataError, match="later baskets"):
        replay([Basket(1, 100, 500)], decay_days=DECAYS).at(100)


def test_a_basket_that_comes_again_with_another_amount_is_an_error():
    state = replay([Basket(1, 100, 500)], decay_days=DECAYS)
    with pytest.raises(DataError, match="another day or amount"):
        state.update(Basket(1, 100, 600))
    assert state.cents == 500


@pytest.mark.parametrize(
    "event", [Basket(1, ANCHOR - 1, 1), Basket(1, LAST_DAY, 1), Basket(1, 5, -1), Basket(1, 5, 10**10)]
)
def test_what_cannot_be_is_refused_without_a_trace(event):
    state = StreamingState(DECAYS)
    with pytest.raises(DataError):
        state.update(event)
    assert state.empty


def test_forgetting_what_never_came_changes_nothing():
    state = replay([Basket(1, 100, 500)], decay_days=DECAYS)
    assert state.forget(Basket(2, 100, 500)) is Heard.UNKNOWN
    assert state.baskets == 1


def test_states_of_other_speeds_and_shared_baskets_do_not_merge():
    one = replay([Basket(1, 100, 500)], decay_days=DECAYS)
    with pytest.raises(DataError, match="different speeds"):
        one.merge(StreamingState((10, 30, 91)))
    with pytest.raises(DataError, match="both parts"):
        one.merge(one)


def test_exposures_and_logarithms_are_those_of_the_panel():
    table = decay(DECAYS, oldest_age=400)
    for age in (1, 2, 57, 399, 400):
        assert exposures(DECAYS, age) == tuple(
            table[f"exposure_{s}"][age - 1].as_py() for s in ("quick", "steady", "slow")
        )
    assert log_millionths(1000) == round(1e6 * math.log(11))


@settings(max_examples=30)
@given(st.integers(-5000, 20_000), st.integers(1, 400))
def test_decay_is_exact_wherever_the_calendar_stands(day, age):
    row = replay([Basket(1, day, 100)], decay_days=DECAYS).at(day + age)
    assert abs(Fraction(row["baskets_quick"], BILLION) - Fraction(math.exp(-age / 10))) < Fraction(1, 10**9)


def test_receipts_of_two_lines_are_one_basket_to_both():
    table = panel_of(lines(("a" * 32, 50, 700)))
    assert (
        table["baskets_total"].to_pylist()[0] == replay([Basket(0, 50, 700)], decay_days=DECAYS).at(57)["baskets_total"]
    )
