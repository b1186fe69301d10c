from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from shoppers import GRID, as_bytes, crowd, engine_with, examples_of, lines, panel_of, permissions

from twinops.errors import DataError
from twinops.plugins import text_beside
from twinops.twin.state import features

ANN = "a" * 32
BOB = "b" * 32


def row(table: pa.Table, sid: str, cutoff: int) -> dict:
    return next(r for r in table.to_pylist() if r["sid"] == sid and r["cutoff"] == cutoff)


def test_two_baskets_give_the_state_computed_by_hand():
    got = row(panel_of(lines((ANN, 47, 1000), (ANN, 55, 2500))), ANN, 57)
    # ages 10 and 2 days: exp(-1) + exp(-0.2) at tau 10
    assert got["baskets_quick"] == 367_879_441 + 818_730_753
    assert got["cents_quick"] == 1000 * 367_879_441 + 2500 * 818_730_753
    # tenure 10 days: 10 (1 - exp(-1))
    assert got["exposure_quick"] == 6_321_205_588
    assert (got["tenure_days"], got["recency_days"], got["shopping_days"]) == (10, 2, 2)
    assert got["log_value_sum"] == round(1e6 * math.log(11)) + round(1e6 * math.log(26))


def test_days_that_began_four_weeks_without_a_basket_are_counted_and_an_unfinished_silence_is_not():
    # gaps of 30, 0, 10 and 44 days, the last of which ends after the second as-of day
    visits = lines((ANN, 2, 100), (ANN, 32, 100), (ANN, 32, 100), (ANN, 42, 100), (ANN, 86, 100))
    got = {r["cutoff"]: r["quiet_days"] for r in panel_of(visits).to_pylist()}
    assert {c: got[c] for c in (57, 85, 113)} == {57: 2, 85: 2, 113: 2 + 16}


def test_windows_hold_only_what_happened_in_them():
    got = row(panel_of(lines((ANN, 0, 1000), (ANN, 29, 500), (ANN, 55, 2500))), ANN, 57)
    assert [got[f"baskets_{w}"] for w in features.WINDOWS] == [2, 2, 3]
    assert [got[f"cents_{w}"] for w in features.WINDOWS] == [3000, 3000, 4000]
    assert got["cents_per_basket_h1"] == 1500.0


@pytest.mark.parametrize(("stores", "in_28", "in_84"), [([1, 2, 1, 1, 1], 2, 2), ([3, 2, 1, None, 2], 2, 3)])
def test_days_and_stores_are_counted_once_however_often_and_whatever_comes_later(stores, in_28, in_84):
    visits = lines(*((ANN, day, 100) for day in (0, 29, 30, 30, 60)))
    visits = visits.set_column(visits.column_names.index("store_id"), "store_id", pa.array(stores, pa.int64()))
    got = row(panel_of(visits), ANN, 57)
    assert (got["stores_h1"], got["stores_h3"]) == (in_28, in_84)
    assert (got["shopping_days_h1"], got["shopping_days_h3"], got["shopping_days"]) == (2, 3, 3)


def test_weekends_are_counted_from_the_calendar():
    # day 0 is Sunday 1 January 2017; days 49 and 55 are a Sunday and a Saturday, day 51 is a Tuesday
    got = row(panel_of(lines((ANN, 49, 100), (ANN, 51, 100), (ANN, 55, 100))), ANN, 57)
    assert got["weekend_share_h1"] == 2 / 3


def test_tomorrows_basket_leaves_no_trace_today():
    past = ((ANN, 40, 1000), (ANN, 56, 700), (BOB, 30, 300))
    tomorrow = ((ANN, 57, 99_999), (BOB, 58, 99_999), ("c" * 32, 57, 1))
    today = panel_of(lines(*past), known_until=57)
    knowing = panel_of(lines(*past, *tomorrow), known_until=57)
    assert as_bytes(today) == as_bytes(knowing)


def test_labels_are_what_came_in_the_horizon_and_nothing_else():
    known = examples_of(lines((ANN, 50, 100), (ANN, 57, 200), (ANN, 84, 300), (ANN, 85, 999)), known_until=100)
    first = known.where(known.cutoff == 57)
    assert (first.active[0], first.baskets[0], first.spend[0]) == (1.0, 2.0, 5.0)


def test_a_household_that_stays_away_has_an_empty_label():
    known = examples_of(lines((ANN, 50, 100), (BOB, 60, 100)), known_until=100)
    ann = known.where((known.cutoff == 57) & (known.household == 0))
    assert (ann.active[0], ann.baskets[0], ann.spend[0]) == (0.0, 0.0, 0.0)


def test_an_open_horizon_has_no_label():
    known = examples_of(lines((ANN, 50, 100)), known_until=100)
    assert known.cutoff.tolist() == [57, 85]
    assert known.closed.tolist() == [True, False]


def test_as_of_days_beyond_the_data_are_left_out():
    assert features.as_of_days(GRID, known_until=112) == (57, 85)


def test_the_batch_state_equals_events_taken_one_by_one():
    events = [(0, 1200), (3, 450), (3, 80), (17, 9900), (44, 1), (56, 700)]
    got = row(panel_of(lines(*((ANN, d, c) for d, c in events))), ANN, 57)
    for speed, tau in zip(features.SPEEDS, GRID.decay_days, strict=True):
        count = cents = 0.0
        at = events[0][0]
        for day, value in events:
            fade = math.exp(-(day - at) / tau)
            count, cents, at = count * fade + 1, cents * fade + value, day
        fade = math.exp(-(57 - at) / tau)
        assert got[f"baskets_{speed}"] / 1e9 == pytest.approx(count * fade, abs=1e-8)
        assert got[f"cents_{speed}"] / 1e9 == pytest.approx(cents * fade, abs=1e-5)


def test_taking_a_basket_away_is_a_subtraction():
    kept = ((ANN, 10, 500), (ANN, 40, 900))
    whole = row(panel_of(lines(*kept, (ANN, 50, 1234))), ANN, 57)
    without = row(panel_of(lines(*kept)), ANN, 57)
    alone = row(panel_of(lines((ANN, 50, 1234))), ANN, 57)
    added = [c for c in features.STATE if c.startswith(("baskets_", "cents_", "log_value"))]
    assert {c: whole[c] - alone[c] for c in added} == {c: without[c] for c in added}


@pytest.mark.parametrize("threads", [1, 2])
def test_the_panel_is_the_same_bytes_for_any_threads_and_row_order(threads):
    transactions = crowd(40)
    shuffled = transactions.take(pa.array(np.random.default_rng(3).permutation(transactions.num_rows)))
    assert as_bytes(panel_of(transactions)) == as_bytes(panel_of(shuffled, threads=threads))


def test_whoever_is_not_permitted_is_not_in_the_panel():
    transactions = lines((ANN, 50, 100), (BOB, 50, 100))
    table = panel_of(transactions, allowed=permissions([BOB], may_offer=False))
    assert set(table["sid"].to_pylist()) == {BOB}
    assert row(table, BOB, 57)["may_train"]
    assert not row(table, BOB, 57)["may_offer"]


def test_every_exported_column_is_in_the_panel_and_is_a_number():
    table = panel_of(lines((ANN, 50, 100)))
    for name in (*features.STATE, *features.RFM, *features.WINDOWED):
        assert pa.types.is_integer(table.schema.field(name).type) or pa.types.is_floating(table.schema.field(name).type)
    assert len(features.WINDOWED) == 24


def test_windowed_columns_do_not_grow_with_the_calendar():
    every_day = lines(*((ANN, d, 1000) for d in range(141)))
    table = panel_of(every_day)
    early, late = row(table, ANN, 85), row(table, ANN, 141)
    assert {c: early[c] for c in features.WINDOWED} == pytest.approx({c: late[c] for c in features.WINDOWED})


def test_an_empty_panel_is_a_clear_data_error():
    with pytest.raises(DataError, match="panel is empty"):
        panel_of(lines((ANN, 50, 100)), allowed=permissions([BOB]))


def test_data_that_end_before_the_grid_are_a_clear_data_error():
    with pytest.raises(DataError, match="before the first as-of day"):
        panel_of(lines((ANN, 5, 100)), known_until=31)


def test_a_basket_of_nothing_is_a_basket():
    got = row(panel_of(lines((ANN, 50, 0))), ANN, 57)
    assert (got["baskets_total"], got["cents_total"], got["log_value_sum"], got["saved_share_h1"]) == (1, 0, 0, 0.0)


def test_sums_far_beyond_32_bits_are_exact():
    rich = lines(*((ANN, 56, 10_000_000) for _ in range(100)))
    assert row(panel_of(rich), ANN, 57)["cents_slow"] == 100 * 10_000_000 * round(1e9 * math.exp(-1 / 90))


def test_the_engine_is_asked_for_sql_that_needs_no_double_sums():
    engine_with(lines((ANN, 50, 100)))
    for name in ("baskets", "values", "panel", "labels", "examples"):
        text = text_beside("twinops.twin.state", f"{name}.sql").upper()
        assert "ORDER BY" in text
        assert "AVG(" not in text
        assert "STDDEV" not in text


def test_baskets_before_day_0_count_too():
    got = row(panel_of(lines((ANN, -10, 100), (ANN, 50, 100))), ANN, 57)
    assert (got["baskets_total"], got["tenure_days"]) == (2, 67)


def test_lines_that_come_in_parts_have_the_same_panel_and_the_same_labels():
    table = crowd(40)
    engine = engine_with(table)
    whole = features.panel(engine, GRID, known_until=200)
    labels = features.labels(engine, whole)
    sids = sorted(set(table["sid"].to_pylist()))

    def parts():
        for some in (sids[:15], sids[15:30], sids[30:]):
            engine.register("transactions", table.filter(pc.is_in(table["sid"], pa.array(some))))
            yield

    panel, told = features.panel_of_parts(engine, GRID, parts(), known_until=200)
    assert as_bytes(pa.concat_tables(panel)) == as_bytes(whole)
    assert as_bytes(pa.concat_tables(told)) == as_bytes(labels)
