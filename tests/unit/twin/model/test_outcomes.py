"""Outcomes of one prediction: nothing or an amount, every figure of one distribution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from shoppers import crowd, examples_of

from twinops.params import TrainParams
from twinops.twin.baselines.recency_frequency_value import Zero, fit_rfm
from twinops.twin.model.outcomes import SHARES, Scatter, ScatterKnot, fit_scatter, with_scatter
from twinops.twin.model.predictions import Predictions


def skewed(n: int = 6000) -> tuple[Predictions, np.ndarray, np.ndarray]:
    """Who comes by a chance, brings one basket and more, and spends amounts whose median is exp(-0.5) of the mean."""
    rng = np.random.default_rng(1)
    chance, mean = rng.beta(2, 1, n), rng.gamma(3, 20, n) + 1
    came = rng.random(n) < chance
    baskets = came * (1 + rng.poisson(1.0, n))
    spend = came * mean * np.exp(rng.normal(size=n) - 0.5)
    return Predictions.of(chance, chance * 2, chance * mean), baskets.astype(float), spend


def test_a_share_of_like_cases_brings_no_more_than_its_quantile_says() -> None:
    p, baskets, spend = skewed()
    scatter = fit_scatter(p, baskets, spend)
    for share in (0.25, 0.5, 0.8, 0.9):
        assert (spend <= scatter.quantile(p, "spend", share)).mean() == pytest.approx(
            np.maximum(share, 1 - p.active_probability).mean(), abs=0.02
        )


def test_several_shares_asked_at_once_are_those_asked_one_by_one() -> None:
    p, baskets, spend = skewed(600)
    scatter, mine = fit_scatter(p, baskets, spend), np.linspace(0, 1, 600)
    asked = (0.1, 0.5, mine)
    for quantity in ("baskets", "spend"):
        for share, found in zip(asked, scatter.quantiles(p, quantity, asked), strict=True):
            assert found.tobytes() == scatter.quantile(p, quantity, share).tobytes()
    row = p.at(np.array([7]))
    assert scatter.quantiles(row, "spend", (mine[7],))[0][0] == scatter.quantile(p, "spend", mine)[7]


def test_the_median_is_nearer_to_what_one_does_and_the_mean_to_what_all_do() -> None:
    p, baskets, spend = skewed()
    told = fit_scatter(p, baskets, spend).beside(p)
    assert np.abs(told.spend_median - spend).mean() < np.abs(told.spend - spend).mean()
    assert abs(told.spend.sum() / spend.sum() - 1) < abs(told.spend_median.sum() / spend.sum() - 1)
    assert told.spend.tolist() == p.spend.tolist()


def test_who_comes_less_often_than_not_has_the_median_nothing() -> None:
    p, baskets, spend = skewed()
    told = fit_scatter(p, baskets, spend).beside(p)
    rarely = p.active_probability < 0.5
    assert not told.spend_median[rarely].any()
    assert (told.spend_median[p.active_probability > 0.51] > 0).all()


def test_the_median_begins_at_nothing_and_rises_without_a_jump() -> None:
    p, baskets, spend = skewed()
    chance = np.linspace(0.45, 0.6, 151)
    asked = Predictions.of(chance, chance * 2, chance * 60)
    steps = np.diff(fit_scatter(p, baskets, spend).quantile(asked, "spend", 0.5))
    assert (steps >= 0).all()
    assert steps.max() < 2


def test_beyond_what_was_seen_and_below_a_cent_it_stays_finite() -> None:
    p, baskets, spend = skewed(100)
    asked = Predictions.of(np.array([0.0, 1e-9, 1.0]), np.array([0.0, 1e-9, 1e6]), np.array([0.0, 1e-9, 1e6]))
    told = fit_scatter(p, baskets, spend).beside(asked)
    assert np.isfinite(told.spend_median).all()
    assert told.spend_median[0] == 0


def test_each_end_of_the_scatter_has_ten_rows_beyond_it() -> None:
    p, baskets, spend = skewed()
    came = int((baskets > 0).sum())
    knots = fit_scatter(p, baskets, spend).spend
    assert len(knots) > 3
    assert came / len(knots) * min(SHARES[0], 1 - SHARES[-1]) >= 10


def test_a_baseline_gets_its_median_by_the_same_rule() -> None:
    past = examples_of(crowd(150)).all_closed()
    plain = fit_rfm(past, TrainParams(activity_c=1.0, spend_alpha=0.001))
    told, mean = with_scatter(plain, past).predict(past.table), plain.predict(past.table)
    assert told.spend.tolist() == mean.spend.tolist()
    assert np.abs(told.spend_median - past.spend).mean() < np.abs(mean.spend - past.spend).mean()


def test_nobody_comes_says_nothing_of_everyone() -> None:
    told = Zero().predict(pa.table({"sid": ["a", "b"]}))
    assert not np.concatenate([told.active_probability, told.baskets, told.spend, told.spend_median]).any()


def test_answers_fit_together_whatever_they_are_made_of() -> None:
    told = Predictions.of(np.array([0.3, 0.0, 1e-9]), np.array([0.1, 5.0, 0.0]), np.array([9.0, 9.0, 9.0]))
    assert told.baskets[0] == told.active_probability[0] == 0.3
    assert told.baskets[1] == told.spend[1] == 0
    # what is not impossible is not rounded to it
    assert told.active_probability[2] == told.baskets[2] == 1e-6


def test_knots_out_of_order_are_refused() -> None:
    knot = ScatterKnot(1.0, tuple(range(len(SHARES))))
    with pytest.raises(ValueError, match="out of order"):
        Scatter((knot, replace(knot, at=0.5)), (knot,), (9.0, 9.0))
    with pytest.raises(ValueError, match="out of order"):
        Scatter((knot,), (replace(knot, ratios=knot.ratios[::-1]),), (9.0, 9.0))
