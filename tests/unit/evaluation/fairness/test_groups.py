"""Groups are merged by a rule that looks at sizes only."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from twinops.errors import DataError
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.disparity import Reach, bounds, least_found
from twinops.evaluation.fairness.groups import HELD, Grouping, groupings
from twinops.evaluation.statistics.merge_groups import NOT_STATED, merged


def people(offered: list[bool]) -> RankedHouseholds:
    n = len(offered)
    nothing, cents = np.zeros(n), np.zeros(n, dtype=np.int64)
    sids = np.array([f"{i:032x}" for i in range(n)])
    yes = np.ones(n, dtype=bool)
    return RankedHouseholds(sids, nothing, np.array(offered, dtype=bool), ~yes, ~yes, nothing, cents, yes)


def rule(**attributes: tuple[str, ...] | None) -> Assessed:
    return Assessed(attributes, tuple(attributes), ratio=0.8, alpha=0.05)


def by_name(found: tuple[Grouping, ...]) -> dict[str, Grouping]:
    return {g.attribute: g for g in found}


def test_a_small_ordered_level_joins_its_smaller_neighbour() -> None:
    counts = {"a": 60, "b": 20, "c": 50}
    assert merged(counts, order=("a", "b", "c"), least=50) == {"a": "a", "b": "b to c", "c": "b to c"}


def test_ordered_levels_join_until_every_group_is_large_enough() -> None:
    counts = {"a": 5, "b": 5, "c": 5, "d": 40, "e": 60}
    found = merged(counts, order=("a", "b", "c", "d", "e"), least=50)
    assert found == {"a": "a to d", "b": "a to d", "c": "a to d", "d": "a to d", "e": "e"}


def test_levels_keep_their_declared_order_and_absent_ones_are_passed_over() -> None:
    found = merged({"z": 60, "a": 60}, order=("z", "m", "a"), least=50)
    assert list(found.items()) == [("z", "z"), ("a", "a")]


def test_small_levels_without_an_order_join_each_other() -> None:
    counts = {"w": 90, "x": 30, "y": 30, "z": 80}
    assert merged(counts, order=None, least=50) == {"w": "w", "x": "x or y", "y": "x or y", "z": "z"}


def test_every_small_level_joins_the_others_even_when_two_would_do() -> None:
    counts = {"w": 200, "x": 30, "y": 30, "z": 40}
    assert merged(counts, order=None, least=50) == {"w": "w", **dict.fromkeys("xyz", "x or y or z")}


def test_a_lonely_small_level_takes_the_next_smallest_with_it() -> None:
    counts = {"w": 90, "x": 70, "y": 10}
    assert merged(counts, order=None, least=50) == {"w": "w", "x": "x or y", "y": "x or y"}


def test_not_stated_is_a_group_of_its_own_and_joins_no_one() -> None:
    assert merged({"a": 60, None: 55}, order=None, least=50)[None] == NOT_STATED
    assert merged({"a": 60, None: 45}, order=None, least=50) == {"a": "a", None: None}


def test_levels_that_are_too_few_even_together_are_in_no_group() -> None:
    assert merged({"a": 20, "b": 20}, order=("a", "b"), least=50) == {"a": None, "b": None}


def test_a_level_that_is_not_declared_is_named() -> None:
    with pytest.raises(DataError, match="'unheard of'"):
        merged({"a": 60, "unheard of": 60}, order=("a", "b"), least=50)


def test_the_smallest_group_is_one_in_which_a_wide_gap_is_found_four_times_in_five() -> None:
    """Counted: groups reached .4 times as often as the rest, tested at the level that `least_found` was asked for."""
    households, asked = 2_000, {"alpha": 0.01, "limit": 0.8}
    n = int(least_found(households, rate=0.3, **asked))
    rest = 0.3 * households / (n * 0.4 + households - n)
    rng, sizes = np.random.default_rng(5), (np.full(2_000, float(n)), np.full(2_000, float(households - n)))
    drawn = Reach(rng.binomial(n, 0.4 * rest, 2_000), sizes[0], rng.binomial(households - n, rest, 2_000), sizes[1])
    assert (bounds(drawn, alpha=0.01).high < 0.8).mean() == pytest.approx(0.8, abs=0.06)
    assert least_found(households, rate=0.1, **asked) > n, "the fewer offers, the larger a group must be"
    assert least_found(households, rate=0.0, **asked) == float("inf")


def test_where_no_group_could_be_so_large_one_needs_as_many_as_an_offer_to_nobody_would_show() -> None:
    n = int(least_found(60, rate=0.5, alpha=0.001, limit=0.8))
    assert 0.6**n <= 0.001 < 0.6 ** (n - 1)


def test_households_without_demographics_are_a_group_and_are_compared_on_no_attribute() -> None:
    everyone = people([True, False] * 30)
    demographics = pa.table({"sid": everyone.sids[:40], "colour": ["red"] * 20 + ["blue"] * 20})
    found = by_name(groupings(everyone, demographics, rule(colour=None)))
    assert found[HELD].groups == ("held", "not held")
    assert found["colour"].groups == ("blue", "red")
    assert found["colour"].labels[:40].tolist() == ["red"] * 20 + ["blue"] * 20
    assert found["colour"].labels[40:].tolist() == [None] * 20


def test_a_household_that_did_not_state_an_attribute_is_compared_as_such() -> None:
    everyone = people([True, False] * 20)
    demographics = pa.table({"sid": everyone.sids, "colour": ["red"] * 25 + [None] * 15})
    found = by_name(groupings(everyone, demographics, rule(colour=None)))["colour"]
    assert found.groups == ("red", NOT_STATED)
    assert found.too_few == 0


def test_households_of_a_group_that_stays_too_small_are_counted() -> None:
    everyone = people([True, False] * 20)
    demographics = pa.table({"sid": everyone.sids, "colour": ["red"] * 35 + [None] * 5})
    found = by_name(groupings(everyone, demographics, rule(colour=None)))["colour"]
    assert found.groups == ("red",)
    assert found.too_few == 5


def test_each_group_is_compared_with_the_rest_of_its_attribute() -> None:
    everyone = people([True, False] * 20)
    demographics = pa.table({"sid": everyone.sids[:30], "colour": ["red"] * 10 + ["blue"] * 10 + ["green"] * 10})
    cells = by_name(groupings(everyone, demographics, rule(colour=None)))["colour"].cells
    assert cells.inside.sum(axis=0).tolist() == [10, 10, 10]
    assert cells.rest.sum(axis=0).tolist() == [20, 20, 20]
    assert not cells.rest[30:].any()


def test_a_declared_attribute_that_the_source_lacks_is_named() -> None:
    with pytest.raises(DataError, match="no colour, shape"):
        groupings(people([True]), pa.table({"sid": ["0" * 32]}), rule(shape=None, colour=None))


def test_nobody_at_all_makes_no_groups() -> None:
    nobody = people([])
    demographics = pa.table({"sid": pa.array([], pa.string()), "colour": pa.array([], pa.string())})
    assert [g.groups for g in groupings(nobody, demographics, rule(colour=None))] == [(), ()]
