"""Many twins at once: each row says what the twin says alone, to the last digit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from living_world import DAY, living_crowd
from shoppers import GRID

from twinops.twin.answers.forecast import NEWCOMER, NOTHING, Expected, Forecast, before_the_first_basket, forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.answers.scores import FIGURES, scores, unknown
from twinops.twin.answers.theme_facts import reasons
from twinops.twin.state.streaming import StreamingState, replay, rows
from twinops.twin.support.newcomers import NewcomerModel, TenureBand

WORLD = living_crowd()
SPREAD = WORLD.support.tiers[0].spread
BANDS = (TenureBand(20, 0.8, 1.3, SPREAD), TenureBand(60, 1.1, 0.7, SPREAD))
SUPPORT = replace(WORLD.support, newcomers=NewcomerModel(2.25, 61.237, SPREAD, BANDS))
"""With newcomers, of whom the crowd has too few."""


def twins() -> list[StreamingState]:
    """Households as they are, and the same as they were after their first few weeks."""
    whole = [replay(b, decay_days=GRID.decay_days) for b in WORLD.diaries.values() if b]
    young = [replay([b for b in bs if b.day > DAY - 55], decay_days=GRID.decay_days) for bs in WORLD.diaries.values()]
    return [s for s in (*whole, *young) if not s.empty and (s.last_day or 0) < DAY]


TWINS = twins()
FOUND = scores(rows(s.at(DAY) for s in TWINS), model=WORLD.model, support=SUPPORT).table


def figures_of(e: Forecast) -> dict[str, float | None]:
    ends = dict(zip(("baskets_low", "baskets_high"), e.baskets_range, strict=True))
    ends |= dict(zip(("spend_low", "spend_high"), e.spend_range, strict=True))
    return {name: ends.get(name, getattr(e, name, None)) for name in FIGURES}


def test_every_row_is_what_the_twin_says_alone():
    assert len(TWINS) > 900
    told = FOUND.to_pylist()
    assert {row["basis"] for row in told} == {"established", NEWCOMER}
    for row, state in zip(told, TWINS, strict=True):
        alone = forecast(Opening(WORLD.model, SUPPORT, state, DAY))
        assert {name: row[name] for name in FIGURES} == figures_of(alone)
        assert (row["basis"], row["like_cases"]) == (alone.basis, alone.households)


def test_a_newcomer_who_rather_stays_away_has_no_basket_at_the_middle_nor_at_any_level_below_that_chance():
    told = [forecast(Opening(WORLD.model, SUPPORT, state, DAY)) for state in TWINS]
    young = [(e, 1 - (e.active_probability or 0.0) - 0.001) for e in told if e.basis == NEWCOMER]
    empty = [(at, usd) for e, away in young for share, at, usd in e.levels if share < away]
    assert len(empty) > 50
    assert set(empty) == {(0.0, 0.0)}
    assert all(e.spend_median == 0 for e, away in young if away > 0.5)
    assert any(at for e, _ in young for _, at, _ in e.levels), "who comes has baskets as other newcomers have"


def test_reasons_are_the_strongest_that_the_twin_gives_alone():
    for row, state in list(zip(FOUND.to_pylist(), TWINS, strict=True))[::37]:
        twin = Opening(WORLD.model, SUPPORT, state, DAY)
        alone = [(r.theme, r.factor) for r in reasons(twin, forecast(twin))][:3]
        assert [(row[f"reason_{k}"], row[f"reason_{k}_factor"]) for k in range(1, len(alone) + 1)] == alone
        assert [row[f"reason_{k}"] for k in range(len(alone) + 1, 4)] == [None] * (3 - len(alone))


def test_the_order_of_rows_does_not_matter():
    order = np.random.default_rng(1).permutation(len(TWINS))
    states = rows(TWINS[i].at(DAY) for i in order)
    again = scores(states, model=WORLD.model, support=SUPPORT).table
    assert again.to_pylist() == FOUND.take(pa.array(order)).to_pylist()


def test_of_whom_nothing_is_known_what_newcomers_do_is_told_and_no_chance():
    believed = before_the_first_basket(SUPPORT, horizon_days=28)
    table = unknown(believed, 2)
    assert table.schema.names == FOUND.schema.names
    assert table["active_probability"].null_count == 2
    assert table["basis"].to_pylist() == [NOTHING] * 2
    assert table["spend"].to_pylist() == [61.24, 61.24]


def test_halves_are_rounded_as_for_one_twin():
    # numpy rounds the products, which turns some halves the other way
    n = 10_000
    chance = np.arange(n) * 0.0001 + 0.00005 * (np.arange(n) % 2)
    many = Expected(chance, chance * 10, chance * 100).within(SPREAD, 28, "x")
    assert many.active_probability.tolist() == [max(round(c, 3), 0.001) for c in chance.tolist()]
