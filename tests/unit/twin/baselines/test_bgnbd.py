from __future__ import annotations

import numpy as np
import pytest
from shoppers import crowd, examples_of, lines, panel_of

from twinops.errors import DataError
from twinops.twin.model.bgnbd import (
    BgNbd,
    GammaGamma,
    Histories,
    fit_bgnbd,
    fit_classic,
    fit_gamma_gamma,
)

CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
"""Fader, Hardie and Lee 2005, table 2; our fit to their 2,357 customers gives .24259, 4.41353, .79289, 2.42576."""


def histories(*rows: tuple[float, float, float], usd: float = 1.0) -> Histories:
    x, last, known = (np.array(v) for v in zip(*rows, strict=True))
    return Histories(x, last, known, x + 1, np.full(len(x), usd))


def test_the_published_customer_is_expected_to_come_as_often_as_published():
    # Fader, Hardie and Lee, Implementing the BG/NBD model in Excel (2005): x = 2, 30.43 of 38.86 weeks, next 39 weeks
    one = histories((2, 30.43, 38.86))
    assert CDNOW.expected(one, 39)[0] == pytest.approx(1.226, abs=5e-4)
    # lifetimes 0.11.3 says .72661
    assert CDNOW.alive(one)[0] == pytest.approx(0.7266, abs=1e-4)


def test_the_likelihood_of_one_customer_who_never_came_again_by_hand():
    # (alpha / (alpha + T))^r: she may not have left, for one leaves only after a repeat
    assert CDNOW.log_likelihood(histories((0, 0, 38.86)))[0] == pytest.approx(0.243 * np.log(4.414 / (4.414 + 38.86)))


def test_parameters_that_made_the_data_are_found_again():
    rng = np.random.default_rng(4)
    rows = [_one_life(rng, r=1.2, alpha=10.0, a=0.6, b=3.0, known=200.0) for _ in range(2500)]
    found = fit_bgnbd(histories(*rows))
    assert found.r == pytest.approx(1.2, rel=0.15)
    assert found.alpha == pytest.approx(10.0, rel=0.2)
    assert found.a / (found.a + found.b) == pytest.approx(0.6 / 3.6, rel=0.1)


def _one_life(rng: np.random.Generator, *, r: float, alpha: float, a: float, b: float, known: float):
    pace, leaves = rng.gamma(r, 1 / alpha), rng.beta(a, b)
    came, last = 0, 0.0
    while True:
        day = last + rng.exponential(1 / pace)
        if day > known:
            return (came, last, known)
        came, last = came + 1, day
        if rng.random() < leaves:
            return (came, last, known)


def test_values_of_baskets_are_found_again_and_few_baskets_are_drawn_to_all():
    rng = np.random.default_rng(5)
    n = rng.integers(1, 40, 3000)
    nu = rng.gamma(4.0, 1 / 15.0, 3000)
    mean = rng.gamma(6.0 * n, 1 / (nu * n))
    zero = np.zeros(3000)
    found = fit_gamma_gamma(Histories(n - 1, zero, zero, n, mean))
    # only what a basket is worth on average is well determined: p gamma / (q - 1) = 30
    assert found.p * found.gamma / (found.q - 1) == pytest.approx(30, rel=0.05)
    once, often = (Histories(zero[:1], zero[:1], zero[:1], np.array([k]), np.array([90.0])) for k in (1, 200))
    assert 30 < found.usd_a_basket(once)[0] < found.usd_a_basket(often)[0] < 90


def test_the_busiest_household_has_a_finite_expectation():
    busy = histories((5000, 364, 365), (0, 0, 365), (5000, 1, 365))
    for value in (CDNOW.expected(busy, 28), CDNOW.active(busy, 28), CDNOW.alive(busy)):
        assert np.isfinite(value).all()
        assert (value >= 0).all()
    assert CDNOW.alive(busy)[2] == pytest.approx(0, abs=1e-12)


def test_it_predicts_from_histories_alone():
    rows = examples_of(crowd(120))
    day = rows.where(rows.cutoff == 141)
    made = fit_classic(rows.history_at(141), horizon_days=28).predict(day.table)
    assert made.active_probability[day.active > 0].mean() > made.active_probability[day.active == 0].mean() + 0.2
    assert made.baskets.sum() == pytest.approx(day.baskets.sum(), rel=0.3)
    assert "active" not in rows.history_at(141).column_names


def test_nobody_who_came_twice_is_a_clear_data_error():
    table = panel_of(lines(("a" * 32, 10, 100), ("b" * 32, 20, 100)), known_until=57)
    with pytest.raises(DataError, match="Nobody came twice"):
        fit_classic(table, horizon_days=28)


def test_a_gamma_gamma_mean_by_hand():
    # p (gamma + n m) / (p n + q - 1) = 2 (10 + 3 x 20) / (6 + 3)
    one = Histories(np.array([2.0]), np.zeros(1), np.zeros(1), np.array([3.0]), np.array([20.0]))
    assert GammaGamma(2.0, 4.0, 10.0).usd_a_basket(one)[0] == pytest.approx(140 / 9)
