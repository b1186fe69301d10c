"""Segments: means with their doubt, fewer than ten never shown and never to be had by subtraction."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living_world import living_crowd

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.errors import ParamsError
from twinops.evaluation.segments import measures
from twinops.evaluation.segments.cuts import cuts
from twinops.evaluation.segments.measures import SegmentsAsked, segment
from twinops.evaluation.segments.picture import segments_picture
from twinops.evaluation.statistics.suppressed_table import suppressed
from twinops.twin.answers.what_if import Action
from twinops.twin.state.advance import silent
from twinops.twin.support.support import from_text, quartile_edges, to_text

WORLD = living_crowd()
KNOWN, MODEL = WORLD.known, WORLD.model
CUTS = cuts(WORLD.support)
NEWEST = KNOWN.where(KNOWN.cutoff == KNOWN.cutoff.max()).table

KEY = b"k" * 64


def told(*by: str, action: str | None = None, support=WORLD.support, within=None, table=NEWEST, key=KEY):
    everybody = np.ones(table.num_rows, dtype=bool)
    asked = None if action is None else Action.parse(action)
    who = everybody if within is None else within
    return segment(table, MODEL, support, SegmentsAsked(by, asked, who, everybody, key))


def test_every_household_is_in_one_segment():
    assert abs(sum(s.households for s in told("activity")) - NEWEST.num_rows) < 40
    wide = {s.name: s.households for s in told("weekend")}
    assert all(n is None or n >= SMALLEST_CELL for n in wide.values())


def test_the_mean_of_a_segment_is_near_that_of_its_households_and_its_interval_holds_it_as_often_as_it_says():
    expected = MODEL.predict(NEWEST)
    low, high = CUTS["activity"].edges[1:]
    inside = (expected.baskets >= low) & (expected.baskets < high)
    found = [
        next(s for s in told("activity", key=bytes([k]) * 64) if s.name == (CUTS["activity"].names[2],))
        for k in range(100)
    ]
    assert all(abs(s.households - inside.sum()) < 40 for s in found)
    means = np.array([s.spend.value for s in found])
    assert means.mean() == pytest.approx(expected.spend[inside].mean(), rel=0.02)
    assert all(s.spend.low < s.spend.value < s.spend.high for s in found)
    # an interval speaks of more than these households, so it holds their own mean more often still
    assert sum(s.spend.low < expected.spend[inside].mean() < s.spend.high for s in found) >= 95


def test_the_same_people_are_told_of_in_the_same_bytes_in_whatever_order_they_come():
    again = NEWEST.take(np.random.default_rng(5).permutation(NEWEST.num_rows))
    assert repr(told("activity")) == repr(told("activity"))
    for one, other in zip(told("activity"), told("activity", table=again), strict=True):
        assert (one.name, one.households) == (other.name, other.households)
        if one.spend:
            assert one.spend.value == pytest.approx(other.spend.value, rel=1e-3)


def _leavers() -> np.ndarray:
    """Persons of cells that are told of, some of each."""
    return np.random.default_rng(3).permutation(NEWEST.num_rows)[:60]


def _without(row: int):
    return NEWEST.filter(np.arange(NEWEST.num_rows) != row)


def _sums(segments, of) -> dict[tuple[str, ...], float]:
    """What a reader makes of a table: how much a cell's households have together."""
    return {s.name: s.households * of(s).value for s in segments if s.households and of(s)}


def _errors(of, truth: np.ndarray, **asked) -> tuple[float, float]:
    """Median error of subtracting the table after from the table before, and of who knows the cell's mean alone."""
    by = CUTS["activity"]
    cell = np.searchsorted(np.array(by.edges), MODEL.predict(NEWEST).baskets, side="right")
    before, attack, guess = _sums(told("activity", **asked), of), [], []
    for row in _leavers():
        after, name = _sums(told("activity", table=_without(row), **asked), of), (by.names[cell[row]],)
        if name not in before or name not in after:
            continue
        possible = truth[cell == cell[row]]
        said = np.clip(before[name] - after[name], possible.min(), possible.max())
        attack.append(abs(said - truth[row]))
        guess.append(abs(possible.mean() - truth[row]))
    assert len(attack) > 40
    return float(np.median(attack)), float(np.median(guess))


def test_the_table_before_less_the_table_after_somebody_left_does_not_tell_what_she_spends():
    attack, guess = _errors(lambda s: s.spend, MODEL.predict(NEWEST).spend)
    assert attack > guess


def test_nor_do_two_tables_of_what_if_tell_how_she_would_have_changed():
    silent_spend = MODEL.predict(silent(NEWEST, 7, MODEL.decay_days)).spend - MODEL.predict(NEWEST).spend
    attack, guess = _errors(
        lambda s: s.what_if and s.what_if.difference, silent_spend, action="silence:7", support=WORLD.support
    )
    assert attack > guess


def test_asking_of_every_amount_does_not_average_the_noise_away():
    """Nearly the same question has nearly the same answer; another key, which nobody has, another."""

    def after(euros: float, key: bytes = KEY) -> float:
        found = told("activity", action=f"basket:{euros:g}", support=WORLD.support, key=key)
        return next(s for s in found if s.name == (CUTS["activity"].names[1],)).what_if.spend.value

    asked = [after(20 + cents / 100) for cents in range(20)]
    foreign = [after(20, bytes([k]) * 64) for k in range(20)]
    assert np.std(asked) < 0.1 * np.std(foreign)


def test_two_tables_do_not_tell_which_cell_somebody_left_by_numbers_or_by_means():
    """Who takes the cell that changed most for hers is right little more often than who names any."""
    seen = {"numbers": lambda s: s.households, "means": lambda s: s.spend.value}
    names = CUTS["activity"].names
    cell = np.searchsorted(np.array(CUTS["activity"].edges), MODEL.predict(NEWEST).baskets, side="right")
    hits = {what: [] for what in seen}
    for k, row in enumerate(np.random.default_rng(3).permutation(NEWEST.num_rows)[:150]):
        tables = [told("activity", table=t, key=bytes([k]) * 64) for t in (NEWEST, _without(row))]
        for what, of in seen.items():
            before, after = ({s.name[0]: of(s) for s in table} for table in tables)
            hits[what].append(max(names, key=lambda n: abs(before[n] - after[n]) / before[n]) == names[cell[row]])
    chance = np.bincount(cell).max() / len(cell)
    assert {what: share for what, h in hits.items() if (share := np.mean(h)) >= chance + 0.12} == {}


def test_every_cell_that_is_told_of_moves_when_one_person_leaves_or_is_corrected():
    """A cell that stayed the same to the last digit would say that she was in another."""
    changed = NEWEST.set_column(
        NEWEST.schema.get_field_index("quiet_days"),
        "quiet_days",
        pa.array([q + (i == 0) for i, q in enumerate(NEWEST["quiet_days"].to_pylist())]),
    )
    everyone = np.ones(NEWEST.num_rows, dtype=bool)
    objected = everyone & (np.arange(NEWEST.num_rows) != 17)
    before = {s.name: s.spend for s in told("activity", within=everyone) if s.spend}
    for after in (
        told("activity", table=_without(17)),
        told("activity", table=changed),
        told("activity", within=objected),
    ):
        told_of = [s for s in after if s.spend and s.name in before]
        assert told_of
        assert all(s.spend != before[s.name] for s in told_of)


def test_tables_made_before_and_after_many_others_left_do_not_average_the_noise_of_her_cell_away():
    expected = MODEL.predict(NEWEST)
    cell = np.searchsorted(np.array(CUTS["activity"].edges), expected.baskets, side="right")
    others = np.flatnonzero(cell == 1)[:16]
    hers = np.flatnonzero(cell == 3)[:8]
    name = (CUTS["activity"].names[3],)

    def averaged(without: tuple[int, ...]) -> float:
        tables = [NEWEST.take(np.setdiff1d(np.arange(NEWEST.num_rows), [*without, other])) for other in others]
        return float(np.mean([_sums(told("activity", table=t), lambda s: s.spend)[name] for t in tables]))

    possible, before = expected.spend[cell == 3], averaged(())
    said = [np.clip(before - averaged((row,)), possible.min(), possible.max()) for row in hers]
    error = np.abs(np.array(said) - expected.spend[hers])
    assert np.median(error) > np.median(np.abs(possible.mean() - expected.spend[hers]))


def test_one_small_cell_takes_the_next_smallest_with_it():
    assert suppressed({("a",): 100, ("b",): 3, ("c",): 40}) == {("b",), ("c",)}


def test_two_small_cells_that_are_fewer_than_ten_together_take_a_third():
    assert suppressed({("a",): 100, ("b",): 3, ("c",): 4, ("d",): 50}) == {("b",), ("c",), ("d",)}


def test_nothing_is_hidden_where_nothing_is_small():
    assert suppressed({("a",): 100, ("b",): 0, ("c",): 40}) == frozenset()


@given(st.lists(st.integers(0, 40), min_size=12, max_size=12))
def test_no_group_of_fewer_than_ten_can_be_had_from_a_table_and_its_margins(counts):
    table = dict(zip(product("abc", "wxyz"), counts, strict=True))
    gone = suppressed(table)
    assert all(key in gone for key, n in table.items() if 0 < n < SMALLEST_CELL)
    for line in (*([k for k in table if k[0] == a] for a in "abc"), *([k for k in table if k[1] == b] for b in "wxyz")):
        hid = [k for k in line if k in gone]
        shown = [k for k in line if k not in gone and table[k]]
        # what is left when the shown cells are taken from the line's total is several cells of ten or more together
        assert not hid or not shown or (len(hid) >= 2 and sum(table[k] for k in hid) >= SMALLEST_CELL)


@pytest.mark.parametrize("by", [("income",), ("activity", "activity"), (), ("activity", "recency", "value")])
def test_only_behaviour_cuts_and_at_most_twice(by):
    with pytest.raises(ParamsError, match="cut by"):
        told(*by)


@pytest.mark.parametrize("edges", [(), (3_000.0,), (0.26, 0.5, 0.75), (1_200.0, 3_400.0, 12_000_000.0)])
def test_every_cut_names_each_of_its_intervals(edges):
    every = cuts(
        replace(
            WORLD.support, value_edges=edges, activity_edges=edges, recency_edges=tuple(sorted(set(np.ceil(edges))))
        )
    ).values()
    assert all(len(c.names) == len(c.edges) + 1 and list(c.edges) == sorted(c.edges) for c in every)
    assert all(len(set(c.names)) == len(c.names) for c in every)


@pytest.mark.parametrize("rate", [1, 150, 0.003])
def test_segments_by_value_are_parts_of_like_size_in_any_currency(rate):
    means = np.random.default_rng(7).lognormal(3, 0.7, 400) * rate
    edges = quartile_edges(means)
    parts = np.bincount(np.searchsorted(np.array(edges), means, side="right"))
    assert len(parts) == 4
    assert parts.min() > 0.2 * len(means)
    assert cuts(replace(WORLD.support, value_edges=edges))["value"].names[0].startswith("under ")


@pytest.mark.parametrize("days", [1, 7, 90])
def test_activity_and_recency_are_cut_at_the_shops_own_rhythm(days):
    """A shop of weekly baskets and one of a basket a year: parts of like size, and names that say their days."""
    since = np.random.default_rng(7).integers(1, 40, 400) * days
    edges = quartile_edges(since, whole=True)
    parts = np.bincount(np.searchsorted(np.array(edges), since, side="right"))
    assert len(parts) == 4
    assert parts.min() > 0.15 * len(since)
    assert all(e == int(e) for e in edges)
    named = cuts(replace(WORLD.support, recency_edges=edges))["recency"].names
    assert named[0] == f"bought within {int(edges[0]) - 1} days"
    assert named[-1] == f"{int(edges[-1])} days ago or longer"


def test_the_shops_rhythm_is_measured_once_for_each_household_and_written_down():
    parts = np.bincount(np.searchsorted(np.array(CUTS["activity"].edges), MODEL.predict(NEWEST).baskets, side="right"))
    assert parts.min() > 0.15 * NEWEST.num_rows
    again = from_text(to_text(WORLD.support))
    assert (again.activity_edges, again.recency_edges) == (WORLD.support.activity_edges, WORLD.support.recency_edges)


def test_equal_values_part_nobody_and_no_part_is_of_fewer_than_ten():
    assert quartile_edges(np.full(300, 3_000.0)) == ()
    assert quartile_edges(np.array([2.0] * 95 + [50.0] * 5)) == ()
    assert quartile_edges(np.array([2.0] * 60 + [50.0] * 40)) == (50.0,)
    assert quartile_edges(np.array([])) == ()


def test_the_quartiles_are_written_down_with_the_model_and_read_again():
    written = to_text(WORLD.support)
    assert WORLD.support.value_edges
    assert from_text(written).value_edges == WORLD.support.value_edges
    older = json.loads(written)
    del older["value_edges"]
    assert from_text(json.dumps(older)).value_edges == ()


def test_without_support_rhythm_and_value_part_nobody():
    names = {by: cuts(None)[by].names for by in ("activity", "recency", "value")}
    assert all(len(n) == 1 for n in names.values())
    assert {s.name for s in told("value", support=None)} == {("any value a basket",)}


def test_a_what_if_lowers_spend_after_silence_and_is_told_of_ten_or_more():
    found = [s.what_if for s in told("activity", action="silence:7", support=WORLD.support) if s.what_if]
    answered = [w for w in found if w.households]
    assert answered
    assert all(w.households >= SMALLEST_CELL and w.difference.high < 0 for w in answered)


def test_a_what_if_never_leaves_out_fewer_than_ten():
    rows = measures._Rows(NEWEST, MODEL.predict(NEWEST), MODEL, WORLD.support)
    answered = rows.if_done(Action.parse("silence:21"), free=np.ones(NEWEST.num_rows, dtype=bool)).answered
    cell = np.searchsorted(np.array(CUTS["recency"].edges), NEWEST["recency_days"].to_numpy(), side="right")
    inside = {(n,): ((cell == i).sum(), (answered & (cell == i)).sum()) for i, n in enumerate(CUTS["recency"].names)}
    for s in told("recency", action="silence:21", support=WORLD.support):
        if s.what_if and s.what_if.households:
            exact = next(n for name, n in inside.items() if name == s.name)
            assert s.what_if.households == s.households or exact[0] - exact[1] >= SMALLEST_CELL


def test_a_campaign_tells_what_share_redeems_with_the_doubt_of_its_counts():
    shares = [
        s.what_if.redeemed for s in told("activity", action="campaign:A", support=WORLD.support) if s.what_if.redeemed
    ]
    assert shares
    assert all(0 < m.low < m.value < m.high < 1 for m in shares)


def test_two_tables_of_different_purposes_cannot_be_subtracted():
    """Three households of a segment refuse offers: the table of those who allow them says nothing of that segment."""
    within = np.ones(NEWEST.num_rows, dtype=bool)
    largest = max((s for s in told("activity") if s.households), key=lambda s: s.households).name
    expected, edges = MODEL.predict(NEWEST).baskets, np.array(CUTS["activity"].edges)
    names = CUTS["activity"].names
    inside = np.flatnonzero(np.searchsorted(edges, expected, side="right") == names.index(largest[0]))
    within[inside[:3]] = False
    assert next(s for s in told("activity", within=within) if s.name == largest).households is None
    within[inside[:15]] = False
    assert next(s for s in told("activity", within=within) if s.name == largest).households == pytest.approx(
        len(inside) - 15, abs=30
    )


def test_the_picture_says_what_is_suppressed_and_how_many_there_are():
    found = told("activity", "recency")
    figure = segments_picture(found, what="", horizon_days=28)
    words = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))
    assert "n about " in words
    assert ("suppressed" in words) == any(s.households is None for s in found)
