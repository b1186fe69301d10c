from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import GRID, crowd, examples_of, lines, panel_of

from twinops.errors import DataError
from twinops.params import TrainParams
from twinops.twin.model.fit import fit_twin
from twinops.twin.state.features import BILLION, MILLION, STATE
from twinops.twin.state.terms import MEANINGS, TERMS, USED_BY, Pace, Priors, fit_priors, terms

DECAYS = (10, 30, 90)
PRIORS = Priors(*(Pace(1.0, 8.0, 20.0) for _ in range(3)), log_value=3.0, log_value_variance=0.5)
ANN = "a" * 32
MODEL = fit_twin(examples_of(crowd(60)).all_closed(), GRID, TrainParams(activity_c=0.2, spend_alpha=0.01))


def term(table: pa.Table, name: str) -> float:
    return float(terms(table.slice(0, 1), PRIORS, horizon_days=28)[0, TERMS.index(name)])


def test_one_household_gives_the_terms_computed_by_hand():
    table = panel_of(lines((ANN, 47, 1000), (ANN, 55, 2500)), known_until=57)
    count, exposure = math.exp(-1) + math.exp(-0.2), 10 * (1 - math.exp(-1))
    quick = (1 + count) / (8 + exposure)
    assert term(table, "silence_quick") == pytest.approx(
        ((8 + exposure) / (8 + exposure + 28)) ** (1 + count), rel=1e-6
    )
    assert term(table, "momentum") + term(table, "warming") + term(table, "pace") == pytest.approx(math.log(quick))
    assert term(table, "recency") == pytest.approx(math.log(3))
    assert term(table, "familiarity") == pytest.approx(math.log(10))
    assert term(table, "regularity") == pytest.approx(math.log(3 / 20))
    assert term(table, "recency_squared") == pytest.approx(math.log(3) ** 2)
    assert term(table, "newness") == pytest.approx(math.exp(-10 / 45))
    # two shopping days in the eight up to the last; then silent until day ten
    assert term(table, "surprise") == pytest.approx(3 * math.log((10 + 10) / (8 + 10)))
    assert term(table, "basket_size") == pytest.approx((math.log(11) + math.log(26) + 3 * 3.0) / 5, abs=1e-6)


def test_the_more_often_someone_shops_the_smaller_the_chance_of_silence():
    rarely = panel_of(lines((ANN, 20, 100), (ANN, 50, 100)), known_until=57)
    often = panel_of(lines((ANN, 20, 100), *((ANN, d, 100) for d in range(44, 51))), known_until=57)
    assert term(often, "silence_steady") < term(rarely, "silence_steady")


def test_a_household_of_one_ancient_empty_basket_has_finite_terms():
    table = panel_of(lines((ANN, 0, 0)))
    assert np.isfinite(terms(table, PRIORS, horizon_days=28)).all()


def test_the_prior_of_the_pace_is_found_again_where_households_are_gamma_poisson():
    rng = np.random.default_rng(0)
    baskets = []
    for n, rate in enumerate(rng.gamma(2.0, 1 / 20.0, 1500)):
        days = np.repeat(np.arange(141), rng.poisson(rate, 141))
        # a basket long ago starts everybody's exposure, and has faded
        baskets += [(f"{n:032x}", int(d), 100) for d in (-400, *days.tolist())]
    table = panel_of(lines(*baskets), known_until=141)
    table = table.filter(pc.equal(table["cutoff"], 141))
    steady = fit_priors(table, decay_days=DECAYS).steady
    assert steady.shape / steady.exposure == pytest.approx(2 / 20, rel=0.08)
    assert steady.shape == pytest.approx(2.0, rel=0.2)
    assert steady.basket_value == 1.0


def test_priors_do_not_depend_on_the_order_of_rows():
    table = panel_of(crowd(60))
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
    assert fit_priors(table, decay_days=DECAYS) == fit_priors(shuffled, decay_days=DECAYS)


def test_households_that_are_all_alike_give_a_firm_prior_and_no_error():
    alike = lines(*((f"{n:032x}", d, 500) for n in range(40) for d in (0, 20, 40)))
    priors = fit_priors(panel_of(alike, known_until=57), decay_days=DECAYS)
    assert priors.slow.shape == pytest.approx(1000, rel=1e-3)


def test_a_missing_column_is_named():
    table = panel_of(lines((ANN, 47, 1000))).drop_columns(["cents_slow"])
    with pytest.raises(DataError, match="cents_slow"):
        terms(table, PRIORS, horizon_days=28)


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), "many"])
def test_a_state_with_a_hole_or_no_number_is_refused_without_showing_it(bad):
    table = pa.table({name: [1.0 * BILLION] for name in STATE}).drop_columns(["tenure_days"])
    table = table.append_column("tenure_days", pa.array([bad]))
    with pytest.raises(DataError) as refusal:
        terms(table, PRIORS, horizon_days=28)
    assert "many" not in str(refusal.value)


def test_every_term_is_explained():
    assert tuple(MEANINGS) == TERMS
    assert all(set(used) <= set(TERMS) for used in USED_BY.values())


count = st.one_of(st.just(0), st.just(1), st.integers(0, 10**6))


@st.composite
def states(draw) -> pa.Table:
    """Any state there can be: nobody, someone of one basket, someone of a million, in any proportion."""
    tenure = draw(st.integers(0, 36_500))
    baskets, cents = draw(count), draw(st.integers(0, 10**9))
    row = {
        "tenure_days": tenure,
        "recency_days": draw(st.integers(0, max(tenure, 0))),
        "shopping_days": min(baskets, tenure),
        "quiet_days": draw(st.integers(0, tenure)),
        "baskets_total": baskets,
        "cents_total": baskets * cents,
        "log_value_sum": baskets * draw(st.integers(0, 16 * MILLION)),
        "log_value_squares": baskets * draw(st.integers(0, 300 * MILLION**2)),
    }
    for speed, tau in zip(("quick", "steady", "slow"), DECAYS, strict=True):
        share = draw(st.floats(0, 1))
        row[f"baskets_{speed}"] = int(baskets * share * BILLION)
        row[f"cents_{speed}"] = int(baskets * share * BILLION) * cents
        row[f"exposure_{speed}"] = int(BILLION * tau * -math.expm1(-tenure / tau))
    return pa.table({name: [float(row[name])] for name in STATE})


@settings(max_examples=120, deadline=None)
@given(states())
def test_any_state_has_finite_terms_and_possible_predictions(table):
    assert np.isfinite(terms(table, PRIORS, horizon_days=28)).all()
    made = MODEL.predict(table)
    assert 0 <= made.active_probability[0] <= 1
    assert 0 <= made.baskets[0] < 2e6
    assert 0 <= made.spend[0] < 2e6


def test_the_state_of_nobody_has_finite_terms_and_a_prediction():
    nobody = pa.table({name: [0.0] for name in STATE})
    assert np.isfinite(terms(nobody, PRIORS, horizon_days=28)).all()
    assert np.isfinite(MODEL.predict(nobody).spend[0])
