"""Spreads, newcomers, the support of the data, and what-ifs within it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living_world import DAY, living_crowd
from shoppers import GRID
from supplying import DAYS

from twinops.entities.wording import MANY
from twinops.errors import IntegrityError, ParamsError
from twinops.twin.answers.counterfactual import Wish, counterfactual
from twinops.twin.answers.forecast import before_the_first_basket, forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.answers.portrait import Habits, Portrait, average_spend, habits
from twinops.twin.answers.theme_facts import ThemeReason, reasons
from twinops.twin.answers.what_if import Action, simulate
from twinops.twin.state.advance import silent, with_basket
from twinops.twin.state.streaming import Basket, StreamingState, replay, rows
from twinops.twin.support import support as supports
from twinops.twin.support.newcomers import Newcomer, newcomers, outcomes_after, outcomes_before
from twinops.twin.support.spread import FEWEST, Outcomes, Spread, fit_spread

WORLD = living_crowd()
KNOWN, MODEL, DIARIES, CONTACTS, SUPPORT = WORLD.known, WORLD.model, WORLD.diaries, WORLD.contacts, WORLD.support
ALIVE = next(h for h, b in DIARIES.items() if len(b) > 20 and b[-1].day > DAY - 4)
TWIN = replay(DIARIES[ALIVE], decay_days=GRID.decay_days)


def asked(said: str, twin: StreamingState = TWIN):
    return simulate(Opening(MODEL, SUPPORT, twin, DAY), Action.parse(said))


def test_a_spread_holds_the_share_it_says_on_rows_it_has_not_seen():
    rng = np.random.default_rng(1)

    def outcomes(n: int) -> Outcomes:
        mean = rng.gamma(2, 2, n)
        spend = 20 * mean * rng.lognormal(0, 0.5, n)
        return Outcomes(np.arange(n), np.full(n, np.nan), mean, 20 * mean, rng.poisson(mean).astype(float), spend)

    spread, fresh = fit_spread(outcomes(2000)), outcomes(4000)
    low, high = spends(spread, fresh)
    assert ((fresh.spend >= low) & (fresh.spend <= high)).mean() == pytest.approx(0.8, abs=0.02)


def spends(spread: Spread, of: Outcomes) -> tuple[np.ndarray, np.ndarray]:
    asked = {"baskets": of.expected_baskets, "spend": of.expected_spend, "chance": of.chance}
    low, high = spread.range_of(**asked)
    return low[1], high[1]


def seldom_there(money: float, n: int = 3000) -> Outcomes:
    rng = np.random.default_rng(2)
    rate = rng.gamma(0.5, 0.4, n)
    baskets = rng.poisson(rate).astype(float)
    spend = money * np.round(baskets * rng.lognormal(0, 0.4, n), 4)
    return Outcomes(np.arange(n), 1 - np.exp(-rate), rate, 1.08 * money * rate, baskets, spend)


def test_ranges_are_the_same_share_of_a_basket_in_any_currency():
    euros, forints = seldom_there(25), seldom_there(25 * 400)
    for one, other in zip(spends(fit_spread(euros), euros), spends(fit_spread(forints), forints), strict=True):
        assert other / 400 == pytest.approx(one, abs=0.02)


def test_nothing_lies_in_the_range_of_whoever_may_well_stay_away():
    who = seldom_there(25)
    low, high = spends(fit_spread(who), who)
    stays = 1 - who.chance >= 0.1
    assert stays.mean() > 0.8
    assert (low[stays] == 0).all()
    assert 0.8 < ((who.spend >= low) & (who.spend <= high)).mean() < 0.88


def test_no_quantile_is_kept_beyond_which_fewer_than_ten_lie():
    few = Outcomes(np.arange(120), *[np.ones(120)] * 4, np.arange(120.0))
    assert min(fit_spread(few).at) >= FEWEST / 120


def test_the_support_is_read_back_as_it_was_written():
    assert supports.from_text(supports.to_text(SUPPORT)) == SUPPORT
    assert supports.from_text(supports.to_text(None)) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "x"}', "NaN", '{"schema": "twinops.support/1", "tiers": []}']
)
def test_a_hostile_support_file_is_an_integrity_error(text):
    with pytest.raises(IntegrityError):
        supports.from_text(text)


def _bent(change) -> str:
    raw = json.loads(supports.to_text(SUPPORT))
    change(raw)
    return json.dumps(raw)


@pytest.mark.parametrize(
    "text",
    [
        _bent(lambda r: r.update(horizon_days="28")),
        _bent(lambda r: r.update(horizon_days=True)),
        _bent(lambda r: r.update(basket_value=[9.0, 1.0])),
        _bent(lambda r: r.update(basket_value={"low": 1.0, "high": 9.0})),
        _bent(lambda r: r["tiers"].reverse()),
        _bent(lambda r: r["tiers"][0].update(upto_baskets=1e300)),
        _bent(lambda r: r["tiers"][0]["seen"].pop("recency_days")),
        _bent(lambda r: r["tiers"][0]["campaigns"].update(D=r["tiers"][0]["campaigns"]["A"])),
        _bent(lambda r: r["tiers"][0]["spread"]["spend"].reverse()),
        _bent(lambda r: r["tiers"][0]["spread"]["at"].pop()),
        supports.to_text(SUPPORT).replace('"horizon_days": 28', '"horizon_days": 28, "horizon_days": 28', 1),
    ],
)
def test_a_bent_support_file_is_refused(text):
    with pytest.raises(IntegrityError, match="The support file is not one"):
        supports.from_text(text)


def test_an_opening_asks_the_state_for_its_day_once(monkeypatch):
    days = []
    honest = StreamingState.at
    monkeypatch.setattr(StreamingState, "at", lambda state, day: days.append(day) or honest(state, day))
    twin = Opening(MODEL, SUPPORT, TWIN, DAY)
    reasons(twin, forecast(twin))
    habits(twin, DAYS)
    counterfactual(twin, Wish("spend", at_least=float(twin.expected.spend[0]) * 2))
    simulate(twin, Action.parse("silence:7"))
    assert days.count(DAY) == 1


def test_nobody_is_in_the_support():
    raw = json.loads(supports.to_text(SUPPORT))
    assert not any(len(str(v)) == 32 for v in str(raw).split())
    assert all(t["spread"]["households"] >= 10 * FEWEST for t in raw["tiers"])
    counted = [c["redeemed"] for t in raw["tiers"] for c in t["campaigns"].values()]
    assert all(n is None or n >= FEWEST for n in counted)


def test_an_end_of_the_support_was_reached_by_ten_households():
    values = np.array([5.0, *range(20)])
    household = np.array([0, *range(20)])
    assert supports.reached(values, household) == (9.0, 10.0)


def test_too_few_households_support_nothing():
    few = KNOWN.where(KNOWN.household < 40)
    assert supports.fit_support(few, MODEL, DIARIES, CONTACTS, known_until=DAY) is None


def test_silence_lowers_what_is_expected():
    told = asked("silence:7")
    assert told.with_action.spend < told.without.spend
    assert told.with_action.active_probability < told.without.active_probability


def test_a_longer_silence_than_ten_like_households_kept_is_not_answered():
    told = asked("silence:190")
    assert told.with_action is None
    assert "outside the support" in told.refused[0]


def test_a_basket_that_nobody_buys_is_not_answered():
    for usd in ("90000", "1e12", "1e300"):  # more than a basket may hold, too
        assert "were seen often enough" in asked(f"basket:{usd}").refused[0]


def test_a_basket_changes_a_copy_and_never_the_twin():
    before = copy.deepcopy(TWIN)
    told = asked("basket:20")
    assert "is not itself counted" in told.caveat
    assert "is not itself counted" not in asked("silence:7").caveat
    assert told.with_action.baskets > told.without.baskets
    assert before == TWIN


def test_a_campaign_gets_a_distribution_and_a_share_that_redeems_with_its_doubt():
    told = asked("campaign:A")
    assert told.redemption.low < told.redemption.share < told.redemption.high
    assert [b for _, b, _ in told.with_action.levels] == sorted(b for _, b, _ in told.with_action.levels)
    assert "not uplift" in told.caveat


def test_a_campaign_that_hardly_anyone_like_this_got_is_not_answered():
    assert f"Too few {MANY}" in asked("campaign:B").refused[0]


def test_a_campaign_of_a_type_that_was_never_sent_is_refused_with_the_types_that_were():
    assert "told are: A" in asked("campaign:Newsletter").refused[0]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "campaign",
        "campaign: ",
        f"campaign:{'x' * 61}",
        "basket:-1",
        "basket:nan",
        "silence:1.5",
        "price:2",
        "basket:inf",
        "basket:0.001",
    ],
)
def test_an_action_nobody_knows_is_a_mistake(said):
    with pytest.raises(ParamsError, match="not understood"):
        Action.parse(said)


@given(st.integers(1, 365))
def test_whatever_silence_is_asked_about_the_answer_is_a_number_or_a_refusal(days):
    told = asked(f"silence:{days}")
    assert told.refused or all(np.isfinite(v).all() and min(v) >= 0 for v in told.with_action.levels)


def test_shifting_columns_is_the_same_as_asking_the_living_state_later():
    table = rows([TWIN.at(DAY)])
    later = TWIN.at(DAY + 9)
    assert all(
        silent(table, 9, GRID.decay_days)[c][0].as_py() == pytest.approx(later[c], rel=1e-6, abs=2) for c in later
    )
    more = copy.deepcopy(TWIN)
    more.update(Basket(10**9, DAY, 2000))
    shifted = with_basket(table, 20.0, GRID.decay_days)
    assert all(shifted[c][0].as_py() == pytest.approx(v, rel=1e-6, abs=2) for c, v in more.at(DAY + 1).items())


def test_newcomers_are_those_first_seen_weeks_after_the_data_begin():
    who = newcomers({0: [Basket(1, 3, 100)], 1: [Basket(2, 29, 100)], 2: []}, known_until=200, oldest=1, quiet=28)
    assert [n.household for n in who] == [1]


def test_what_came_to_a_newcomer_is_counted_by_hand():
    who = [Newcomer(7, (Basket(1, 50, 1000), Basket(2, 60, 500), Basket(3, 90, 900)), 200)]
    before = outcomes_before(who, horizon_days=28, baskets=1.0, spend=10.0)
    assert (before.baskets.tolist(), before.spend.tolist()) == ([2.0], [15.0])
    after = outcomes_after(who, MODEL, days=(14,))
    assert (after.baskets.tolist(), after.spend.tolist()) == ([1.0], [9.0])


def test_the_less_is_known_the_wider_the_range():
    support = _with_newcomers()
    nothing = before_the_first_basket(support, horizon_days=28)
    assert (nothing.basis, nothing.active_probability) == ("nothing known", None)
    one = replay([Basket(1, DAY - 3, 2500)], decay_days=GRID.decay_days)
    assert forecast(Opening(MODEL, support, one, DAY)).basis == "newcomer"
    old = forecast(Opening(MODEL, support, TWIN, DAY))
    assert old.basis == "established"
    assert nothing.width / nothing.spend > old.width / old.spend


def _with_newcomers() -> supports.Support:
    """The crowd, all but one household moved to begin late."""
    late = {h: [Basket(b.basket_id, b.day + 40, b.cents) for b in listed] for h, listed in DIARIES.items()}
    late[-1] = [Basket(-1, 0, 100)]
    found = supports.fit_support(KNOWN, MODEL, late, CONTACTS, known_until=DAY + 40)
    assert found is not None
    assert found.newcomers is not None
    return found


def test_the_reasons_multiply_the_average_to_the_prediction():
    product = average_spend(MODEL) * np.prod([r.factor for r in reasons(Opening(MODEL, None, TWIN, DAY))])
    assert product == pytest.approx(MODEL.predict(rows([TWIN.at(DAY)])).spend[0], abs=0.005)


def test_habits_are_told_in_a_persons_units():
    state = replay([Basket(1, 0, 1000), Basket(2, 7, 3000)], decay_days=GRID.decay_days)
    told = habits(Opening(MODEL, None, state, 10), DAYS)
    assert (told.first, told.last, told.days_since, told.baskets, told.usd_a_basket) == (
        "2017-01-01", "2017-01-08", 3, 2, 20.0,
    )  # fmt: skip


def test_the_reasons_of_a_newcomer_multiply_to_its_forecast_correction_included():
    support = _with_newcomers()
    state = replay([Basket(1, DAY - 3, 2500), Basket(2, DAY - 1, 3000)], decay_days=GRID.decay_days)
    twin = Opening(MODEL, support, state, DAY)
    expected = forecast(twin)
    assert expected.basis == "newcomer"
    told = reasons(twin, expected)
    assert "corrected by what they missed of earlier newcomers" in " ".join(r.sentence for r in told)
    assert average_spend(MODEL) * np.prod([r.factor for r in told]) == pytest.approx(expected.spend, abs=0.005)


def test_what_a_reason_says_of_a_household_is_counted_and_does_not_hang_on_the_weights():
    state = replay([Basket(i, DAY - 90 + 10 * i, 2000) for i in range(9)] + [Basket(99, DAY - 1, 2000)],
                   decay_days=GRID.decay_days)  # fmt: skip
    turned = replace(MODEL, spend=replace(MODEL.spend, weights=tuple(-w for w in MODEL.spend.weights)))
    for model in (MODEL, turned):
        found = reasons(Opening(model, None, state, DAY))
        said = " ".join(r.sentence for r in found)
        pace = 7 * state.at(DAY)["baskets_slow"] / state.at(DAY)["exposure_slow"]
        assert f"You come {pace * 365 / 84:.1f} times a month, counted over about {GRID.decay_days[2]} days; " in said
        assert "You last shopped 1 day ago; the average ⟨one⟩ " in said
        assert "You spend 20 ⟨money⟩ a basket, counted over about " in said
        for r in found:
            way = "hardly changes" if abs(r.factor - 1) < 0.02 else "raises" if r.factor > 1 else "lowers"
            side = {"hardly changes": "about as much", "raises": "more", "lowers": "less"}[way]
            as_one = r.theme == "all of your shopping taken together"
            assert (f" {side} is expected of you " if as_one else f"hat {way} what is expected.") in r.sentence


def test_rounded_reasons_hold_no_figure_of_the_household():
    found = ThemeReason("how often you shop", 1.234, "You come 7.77 times a month. That raises what is expected.")
    none = Habits(None, None, None, 0, 0, 0.0, 0.0, {})
    shown = Portrait("x", date(2018, 1, 1), "twin_scoring", (), (), none, None, 90.0, (found,)).banded()
    assert (shown.reasons[0].factor, shown.reasons[0].sentence) == (1.2, "That raises what is expected.")
    none_at_all = replace(shown, reasons=(replace(found, factor=0.0042),)).banded()
    assert none_at_all.reasons[0].factor == 0.004


def test_a_what_if_says_of_each_state_what_a_prediction_for_it_says():
    told, twin = asked("silence:7"), Opening(MODEL, SUPPORT, TWIN, DAY)
    assert told.without == forecast(twin)
    assert told.with_action == forecast(replace(twin, day=DAY + 7))
    assert asked("campaign:A").without == told.without
