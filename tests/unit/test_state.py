from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from shoppers import crowd, lines, panel_of

from twinops.errors import DataError
from twinops.twin.features import BILLION, STATE
from twinops.twin.state import MEANINGS, TERMS, Pace, Priors, fit_priors, terms

DECAYS = (10, 30, 90)
PRIORS = Priors(*(Pace(1.0, 8.0, 20.0) for _ in range(3)), log_value=3.0, log_value_variance=0.5)
ANN = "a" * 32


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
    assert steady.basket_usd == 1.0


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
