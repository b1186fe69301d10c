"""Segments: means with their doubt, fewer than ten never shown and never to be had by subtraction."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living_world import living_crowd

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.errors import ParamsError
from twinops.evaluation.segments.measures import CUTS, SegmentsAsked, cuts, segment
from twinops.evaluation.segments.picture import segments_picture
from twinops.evaluation.statistics.suppressed_table import suppressed
from twinops.twin.answers.what_if import Action
from twinops.twin.support.support import from_text, to_text, value_edges

WORLD = living_crowd()
KNOWN, MODEL = WORLD.known, WORLD.model
NEWEST = KNOWN.where(KNOWN.cutoff == KNOWN.cutoff.max()).table


def told(*by: str, action: str | None = None, support=None, within=None):
    everybody = np.ones(NEWEST.num_rows, dtype=bool)
    asked = None if action is None else Action.parse(action)
    who = everybody if within is None else within
    return segment(NEWEST, MODEL, support, SegmentsAsked(by, asked, who, everybody))


def test_every_household_is_in_one_segment():
    assert sum(s.households for s in told("activity") if s.households) <= NEWEST.num_rows
    wide = {s.name: s.households for s in told("weekend")}
    assert all(n is None or n >= SMALLEST_CELL for n in wide.values())


def test_the_mean_of_a_segment_is_the_mean_of_its_households():
    expected = MODEL.predict(NEWEST)
    inside = (expected.baskets >= 3) & (expected.baskets < 6)
    found = next(s for s in told("activity") if s.name == ("3 to 6 baskets",))
    assert found.households == inside.sum()
    assert found.spend.value == pytest.approx(expected.spend[inside].mean(), rel=1e-3)
    assert found.spend.low < found.spend.value < found.spend.high


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
    every = cuts(replace(WORLD.support, value_edges=edges)).values()
    assert all(len(c.names) == len(c.edges) + 1 and list(c.edges) == sorted(c.edges) for c in every)
    assert all(len(set(c.names)) == len(c.names) for c in every)


@pytest.mark.parametrize("rate", [1, 150, 0.003])
def test_segments_by_value_are_parts_of_like_size_in_any_currency(rate):
    means = np.random.default_rng(7).lognormal(3, 0.7, 400) * rate
    edges = value_edges(means)
    parts = np.bincount(np.searchsorted(np.array(edges), means, side="right"))
    assert len(parts) == 4
    assert parts.min() > 0.2 * len(means)
    assert cuts(replace(WORLD.support, value_edges=edges))["value"].names[0].startswith("under ")


def test_equal_values_part_nobody_and_no_part_is_of_fewer_than_ten():
    assert value_edges(np.full(300, 3_000.0)) == ()
    assert value_edges(np.array([2.0] * 95 + [50.0] * 5)) == ()
    assert value_edges(np.array([2.0] * 60 + [50.0] * 40)) == (50.0,)
    assert value_edges(np.array([])) == ()


def test_the_quartiles_are_written_down_with_the_model_and_read_again():
    written = to_text(WORLD.support)
    assert WORLD.support.value_edges
    assert from_text(written).value_edges == WORLD.support.value_edges
    older = json.loads(written)
    del older["value_edges"]
    assert from_text(json.dumps(older)).value_edges == ()


def test_without_support_value_parts_nobody():
    assert cuts(None)["value"].names == ("any value a basket",)
    assert {s.name for s in told("value")} == {("any value a basket",)}


def test_a_what_if_lowers_spend_after_silence_and_is_told_of_ten_or_more():
    found = [s.what_if for s in told("activity", action="silence:7", support=WORLD.support) if s.what_if]
    answered = [w for w in found if w.households]
    assert answered
    assert all(w.households >= SMALLEST_CELL and w.difference.high < 0 for w in answered)


def test_a_what_if_never_leaves_out_fewer_than_ten():
    for s in told("recency", action="silence:21", support=WORLD.support):
        if s.what_if and s.what_if.households:
            left = s.households - s.what_if.households
            assert left == 0 or left >= SMALLEST_CELL


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
    assert next(s for s in told("activity", within=within) if s.name == largest).households == len(inside) - 15


def test_the_picture_says_what_is_suppressed_and_how_many_there_are():
    found = told("activity", "recency")
    figure = segments_picture(found, what="", horizon_days=28)
    words = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))
    assert "n = " in words
    assert ("suppressed" in words) == any(s.households is None for s in found)
