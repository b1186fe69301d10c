"""Tastes: states by hand, heads that learn from what was known and from nothing else, a file nobody can bend."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import GRID, as_bytes, engine_with
from tasters import KNOWN_UNTIL, MEMORIES, NAMES, PRODUCTS, eaters, heard, rows_of, shopped, states_and_labels

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent import special_categories
from twinops.entities.measure import Measure
from twinops.errors import DataError, IntegrityError
from twinops.evaluation.statistics import rankings, weighted
from twinops.evaluation.statistics.rankings import captured, clustered_auc, ndcg_at_10
from twinops.evaluation.tastes.categories import ScoredTastes, measure_tastes, newly_tried
from twinops.evaluation.tastes.conclusions import champions
from twinops.twin.state import features
from twinops.twin.tastes import baselines
from twinops.twin.tastes import events as taste_events
from twinops.twin.tastes.categories import OWN, TasteRecipe, fit_tastes, shared_names
from twinops.twin.tastes.model_file import LARGEST_FILE, Preferences, from_text, to_text
from twinops.twin.tastes.rows import NEVER, taste_rows

RECIPE = TasteRecipe(MEMORIES, GRID.decay_days, factors=2, penalty_c=0.1, horizon_days=GRID.horizon_days)
A, B = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def rows():
    return rows_of(eaters())


@pytest.fixture(scope="module")
def model(rows):
    return fit_tastes(rows.all_closed(), NAMES, RECIPE)


def test_a_draw_without_a_negative_or_without_a_positive_has_no_auc():
    truth, score, cluster = np.array([1.0, 0.0]), np.array([0.9, 0.1]), np.array([0, 1])
    drawn = clustered_auc(truth, score, cluster, np.array([[1, 1], [2, 0], [0, 2]]))
    assert drawn[0] == 1
    assert np.isnan(drawn[1:]).all()


def test_a_state_is_the_decayed_number_of_baskets_with_the_category():
    _, states, labels = states_and_labels(shopped((A, 47, 1), (A, 55, 1), (A, 55, 2), (A, 60, 1), (B, 1, 4)))
    first = [r for r in states.to_pylist() if r["sid"] == A and r["cutoff"] == 57 and r["place"] == 0]
    weights = [round(1e6 * math.exp(-age / 10)) for age in (10, 2)]
    assert [(r["baskets"], r["last_day"], r["bought_quick"]) for r in first] == [(2, 55, sum(weights))]
    # what was bought from the as-of day on is in the label and not in the state
    assert [r["baskets"] for r in labels.to_pylist() if r["sid"] == A and r["cutoff"] == 57] == [1]
    assert {r["place"] for r in states.to_pylist() if r["sid"] == B} == {3}


def test_two_lines_of_a_category_in_one_basket_are_one_purchase():
    table = shopped((A, 47, 1), (A, 47, 1))
    table = table.set_column(table.schema.get_field_index("basket_id"), "basket_id", pa.array([7, 7], pa.int64()))
    _, states, _ = states_and_labels(table)
    assert {r["baskets"] for r in states.to_pylist()} == {1}


def test_a_horizon_that_is_not_over_has_no_label():
    engine, _ = heard(shopped((A, 10, 1), (A, 150, 1)))
    when = taste_events.Horizons((57, 141), 28, known_until=160)
    taste_events.states(engine, when, MEMORIES, oldest_age=KNOWN_UNTIL)
    assert taste_events.labels(engine).num_rows == 0


def test_states_and_labels_are_the_same_bytes_with_one_thread_and_with_two():
    one, two = (states_and_labels(eaters(20), threads=t) for t in (1, 2))
    assert [as_bytes(t) for t in one] == [as_bytes(t) for t in two]


def test_the_most_frequent_categories_are_chosen_before_the_day_and_rare_ones_are_not_named():
    often = [(f"{n:032x}", d, 1) for n in range(40) for d in (5, 9)]
    later = [(f"{n:032x}", d, 2) for n in range(40) for d in (80, 81, 82, 83)] + [
        (f"{n:032x}", 20, 2) for n in range(35)
    ]
    few = [(f"{n:032x}", d, 3) for n in range(29) for d in range(30, 40)]
    table = shopped(*often, *later, *few)
    engine = engine_with(table)
    engine.register("panel", features.panel(engine, GRID, known_until=KNOWN_UNTIL))

    def chosen(before_day: int, most: int, parts: list[pa.Table]) -> tuple[str, ...]:
        given = (engine.register("transactions", part) for part in parts)
        return taste_events.chosen(engine, PRODUCTS, taste_events.CategoryChoice(before_day, most), given)

    low = pc.less(table["sid"], f"{17:032x}")
    for parts in ([table], [table.filter(low), table.filter(pc.invert(low))]):
        assert chosen(57, 10, parts) == ("APPLES", "BREAD")
        assert chosen(57, 1, parts) == ("APPLES",)
        assert chosen(100, 1, parts) == ("BREAD",)


def test_what_tells_of_special_categories_is_never_told_apart():
    told = ["SOFT DRINKS", "VITAMINS", "BABY FOODS", "SOUP", "COUPON/MISC ITEMS", None]
    kinds = ["X", "X", "X", "KOSHER FOODS", "X", "X"]
    goods = pa.table({"product_id": [1, 2, 3, 4, 5, 6], "product_category": told, "product_type": kinds})
    engine = DuckDBEngine(threads=1)
    denied = special_categories.denied(engine, goods, by=special_categories.shipped())
    left = taste_events.goods(engine, denied, not_goods=["COUPON/MISC ITEMS"])
    assert left["product_category"].to_pylist() == ["SOFT DRINKS"]


def test_heads_for_a_day_learn_nothing_from_horizons_that_were_open_on_it(rows):
    """The labels of every later horizon turned upside down give the same heads, byte for byte."""
    day = 113
    known = rows.known_at(day, horizon_days=GRID.horizon_days)
    late = rows.cutoff + GRID.horizon_days > day
    turned = replace(rows, chosen=np.where(late[:, None], 1 - rows.chosen, rows.chosen))
    again = turned.known_at(day, horizon_days=GRID.horizon_days)
    told = [to_text(Preferences(fit_tastes(part, NAMES, RECIPE))) for part in (known, again)]
    assert late.any()
    assert told[0] == told[1]
    # the turned labels do matter where they may be known
    assert to_text(Preferences(fit_tastes(turned.all_closed(), NAMES, RECIPE))) != told[0]


def test_scores_for_a_day_do_not_look_at_its_labels(rows, model):
    now = rows.scored_at(141)
    blind = replace(now, chosen=np.zeros_like(now.chosen))
    assert (model.predict(now) == model.predict(blind)).all()


def test_who_did_not_allow_training_on_the_day_is_not_learned_from_and_who_did_not_allow_scoring_is_not_scored(rows):
    refused = rows.household == 3
    panel = rows.panel
    for name in ("may_train", "may_score"):
        at = panel.schema.get_field_index(name)
        panel = panel.set_column(at, name, pa.array(~refused))
    asked = replace(rows, panel=panel)
    assert 3 not in asked.known_at(141, horizon_days=28).household
    assert 3 not in asked.scored_at(141).household
    assert 4 in asked.known_at(141, horizon_days=28).household


def test_the_twin_tells_tastes_from_popularity(rows, model):
    past, now = rows.known_at(141, horizon_days=28), rows.scored_at(141)
    ours = ndcg_at_10(now.chosen, fit_tastes(past, NAMES, RECIPE).predict(now))
    theirs = ndcg_at_10(now.chosen, baselines.popularity(past, now))
    assert np.nanmean(ours) > np.nanmean(theirs) + 0.05
    chance = model.predict(now)
    assert ((chance > 0) & (chance < 1)).all()


def test_chances_are_calibrated_on_the_rows_they_were_learned_from(rows, model):
    known = rows.all_closed()
    assert model.predict(known).mean(axis=0) == pytest.approx(known.chosen.mean(axis=0), abs=0.01)


def test_a_households_categories_come_likeliest_first(rows, model):
    now = rows.where(rows.cutoff == 141)
    told = model.ranked(now, row=4, top=3)
    assert [chance for _, chance in told] == sorted((chance for _, chance in told), reverse=True)
    assert {name for name, _ in told[:2]} == {"CHEESE", "DATES"}  # even households like these


def test_a_state_without_labels_can_be_scored(model):
    panel, states, _ = states_and_labels(eaters(40))
    now = taste_rows(panel, states, None, categories=len(NAMES))
    assert not now.closed.any()
    assert np.isfinite(model.predict(now)).all()


def test_a_category_that_was_never_bought_is_new_and_so_is_one_not_bought_for_long():
    rows = rows_of(shopped((A, 10, 1), (A, 130, 2)))
    day = rows.cutoff == 141
    assert rows.last_day[day].tolist() == [[10, 130, NEVER, NEVER]]
    assert rows.new(after_days=84)[day].tolist() == [[True, False, True, True]]


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 140), st.integers(1, 4)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_whatever_was_bought_in_whatever_order_the_state_is_the_same_and_chances_are_finite(model, bought, random):
    mixed = list(bought)
    random.shuffle(mixed)
    one, two = (states_and_labels(shopped(*b))[1] for b in (bought, mixed))
    assert as_bytes(one) == as_bytes(two)
    if one.num_rows:
        panel = states_and_labels(shopped(*bought))[0]
        chance = model.predict(taste_rows(panel, one, None, categories=len(NAMES)))
        assert np.isfinite(chance).all()
        assert ((chance >= 0) & (chance <= 1)).all()


def test_too_few_rows_and_no_category_are_told():
    rows = rows_of(shopped((A, 10, 1), (B, 20, 2)))
    with pytest.raises(DataError, match="consumer-days"):
        fit_tastes(rows.all_closed(), NAMES, RECIPE)


def test_a_category_everybody_or_nobody_buys_gets_its_share_and_no_weights(rows):
    everybody = rows.chosen.copy()
    everybody[:, 0] = 1.0
    made = fit_tastes(replace(rows, chosen=everybody).all_closed(), NAMES, RECIPE)
    assert set(made.categories[0].head.weights) == {0.0}
    assert made.predict(rows)[0, 0] > 0.99


def test_the_file_holds_the_heads_and_nothing_of_households(model, rows):
    text = to_text(Preferences(tastes=model))
    assert from_text(text).tastes == model
    assert to_text(from_text(text)) == text
    assert not any(sid in text for sid in rows.panel["sid"].to_pylist())
    assert (from_text(text).tastes.predict(rows) == model.predict(rows)).all()
    assert from_text(to_text(Preferences())) == Preferences()


def bent(text, change):
    raw = json.loads(text)
    change(raw)
    return json.dumps(raw)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(schema="twinops.tastes/0"),
        lambda r: r.update(more=1),
        lambda r: r.pop("social"),
        lambda r: r["tastes"].update(horizon_days=0),
        lambda r: r["tastes"].update(horizon_days=True),
        lambda r: r["tastes"].update(decay_days=[10, 30, 90]),
        lambda r: r["tastes"].update(categories=[]),
        lambda r: r["tastes"]["categories"].append(r["tastes"]["categories"][0]),
        lambda r: r["tastes"]["categories"][0].update(name="x" * 101),
        lambda r: r["tastes"]["categories"][0].update(name="\u202eevil"),
        lambda r: r["tastes"]["categories"][0].update(loadings=[1]),
        lambda r: r["tastes"]["categories"][0]["weights"].update(taste="1"),
        lambda r: r["tastes"]["categories"][0]["weights"].update(taste=1e300),
        lambda r: r["tastes"]["categories"][0]["own"][0].update(spread=0),
        lambda r: r["tastes"]["categories"][0]["habits"]["quick"].update(shape=-1),
        lambda r: r["tastes"]["shared"].reverse(),
        lambda r: r["tastes"]["pace"]["quick"].update(shape=0),
        lambda r: r["tastes"]["pace"].update(log_value_variance=-1),
        lambda r: r["tastes"]["trained_on"].update(rows=-1),
    ],
)
def test_a_bent_file_is_refused(model, change):
    with pytest.raises(IntegrityError, match="holds no taste heads"):
        from_text(bent(to_text(Preferences(tastes=model)), change))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"schema": NaN}', '{"schema": 1, "schema": 2}', "[" * 100_000, " " * (LARGEST_FILE + 1)],
)
def test_what_is_no_such_file_is_refused(text):
    with pytest.raises(IntegrityError):
        from_text(text)


def test_terms_have_a_name_each(model):
    first = model.categories[0]
    assert len(first.head.weights) == len(OWN) + len(shared_names(model.factors))
    assert model.names == NAMES


def test_factors_tell_the_two_kinds_of_households_apart(model):
    first = dict(zip(model.names, (c.loadings[0] for c in model.categories), strict=True))
    assert np.sign(first["APPLES"]) == np.sign(first["BREAD"]) == -np.sign(first["CHEESE"]) == -np.sign(first["DATES"])


def test_an_auc_over_pairs_of_drawn_households_is_the_weighted_one():
    rng = np.random.default_rng(2)
    household = np.repeat(np.arange(20), 5)
    truth, score = (rng.random(100) < 0.3).astype(float), rng.integers(0, 9, 100) / 10
    draws = rng.integers(0, 3, (70, 20))
    ours = clustered_auc(truth, score, household, draws)
    assert ours == pytest.approx(weighted.auc(truth, score, draws[:, household].astype(float)))


def test_the_levels_of_an_auc_may_be_counted_one_by_one_or_together(monkeypatch):
    rng = np.random.default_rng(3)
    household = np.repeat(np.arange(30), 40)
    truth, score = (rng.random(1_200) < 0.4).astype(float), np.round(rng.random(1_200), 2)
    draws = rng.integers(0, 4, (50, 30))
    together = clustered_auc(truth, score, household, draws)
    monkeypatch.setattr(rankings, "LEVELS", 1)
    assert clustered_auc(truth, score, household, draws).tolist() == together.tolist()


def test_an_auc_of_many_households_needs_no_matrix_of_them_by_each_other():
    households = 60_000  # squared, that would be 28 GB
    rng = np.random.default_rng(4)
    household, truth = np.repeat(np.arange(households), 2), (rng.random(2 * households) < 0.1).astype(float)
    tracemalloc.start()
    found = clustered_auc(truth, rng.random(2 * households), household, np.ones((3, households), dtype=np.int32))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(0.5, abs=0.01)
    assert peak < 100 * 2**20


def test_the_discounted_gain_by_hand():
    relevant = np.array([[1.0, 0.0, 1.0]])
    got = 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at_10(relevant, np.array([[1.0, 3.0, 2.0]]))[0] == pytest.approx(
        got / (1 + 1 / math.log2(3)), rel=1e-12
    )


def test_capturing_takes_rows_of_equal_score_in_part():
    found = captured(np.array([1.0, 1.0, 0.0, 0.0]), np.ones(4), np.ones((1, 4)), shares=np.array([0.5]))
    assert found[0, 0] == pytest.approx(0.5)


def scored(seed: int, *, sharp: float) -> ScoredTastes:
    rng = np.random.default_rng(seed)
    want = rng.random((80, 4))
    chosen = (rng.random((80, 4)) < want).astype(float)
    noise = rng.random((80, 4))
    return ScoredTastes(
        cutoff=seed,
        household=np.arange(80),
        chosen=chosen,
        new=rng.random((80, 4)) < 0.6,
        scores={"twin": sharp * want + (1 - sharp) * noise, "popularity": np.tile(chosen.mean(axis=0), (80, 1))},
    )


def test_gains_are_paired_and_a_twin_of_noise_is_not_better():
    draws = np.vstack([np.ones((1, 80), int), np.random.default_rng(1).multinomial(80, [1 / 80] * 80, 60)])
    good, bad = (
        {m.name: m for m in measure_tastes([scored(day, sharp=sharp) for day in range(1, 6)], draws, seed=1)}
        for sharp in (1.0, 0.0)
    )
    for name in ("category_ndcg_at_10", "new_category_auc"):
        gain = good[f"{name}.gain_over_popularity"]
        assert gain.excludes_zero
        assert gain.value == pytest.approx(good[name].value - good[f"{name}.popularity"].value, abs=1e-5)
        assert not (bad[f"{name}.gain_over_popularity"].low or 0) > 0
    assert good["category_brier.gain_over_popularity"].value > 0  # less is better, and the gain says so


@pytest.mark.parametrize(
    ("value", "high", "kept"), [(-0.004, -0.001, False), (-0.001, -0.0005, True), (-0.004, 0.001, True)]
)
def test_trees_take_a_place_only_when_they_are_better_beyond_doubt_and_by_more_than_the_margin(value, high, kept):
    gain = Measure("new_category_auc.gain_over_lightgbm", value, 9, "s", "m", low=-0.01, high=high)
    assert (champions({gain.name: gain})["new_category_auc"] == "regression stays") is kept


def test_categories_with_few_tries_are_not_shown():
    day = scored(1, sharp=1.0)
    rare = replace(day, chosen=np.column_stack([np.arange(80) < 3, day.chosen[:, 1:]]).astype(float))
    shown = {t.category for t in newly_tried([rare, scored(2, sharp=1.0)] * 3, NAMES)}
    assert "APPLES" in shown  # tried often on the other day
    assert "APPLES" not in {t.category for t in newly_tried([rare] * 2, NAMES)}


def test_nobody_buys_has_a_brier_score_and_ranks_nothing_and_the_last_days_say_nothing_of_what_is_new():
    draws = np.vstack([np.ones((1, 80), int), np.random.default_rng(1).multinomial(80, [1 / 80] * 80, 60)])
    days = [scored(day, sharp=1.0) for day in range(1, 5)]
    days = [replace(d, scores=d.scores | {"zero": np.zeros((80, 4)), "naive": d.scores["popularity"]}) for d in days]
    names = {m.name: m for m in measure_tastes(days, draws, seed=1)}
    assert names["category_brier.zero"].value == pytest.approx(np.mean([d.chosen.mean() for d in days]), abs=1e-5)
    assert {"category_ndcg_at_10.naive", "category_brier.gain_over_zero"} <= set(names)
    assert {"category_ndcg_at_10.zero", "new_category_auc.zero", "new_category_auc.naive"}.isdisjoint(names)


def test_the_last_horizon_again_tell_who_bought_of_it_lately_from_who_did_not():
    world = rows_of(eaters())
    rows = world.all_closed()
    said = baselines.last_period(rows, rows, 28)
    lately = (rows.last_day >= 0) & (rows.cutoff[:, None] - rows.last_day <= 28)
    for place in range(said.shape[1]):
        for of in (lately[:, place], ~lately[:, place]):
            share = (rows.chosen[of, place].sum() + 1) / (of.sum() + 2)
            assert said[of, place].tolist() == pytest.approx([share] * of.sum())
