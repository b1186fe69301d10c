"""The median beside the mean: half of those expected to spend alike spent less."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from shoppers import crowd, examples_of

from twinops.params import TrainParams
from twinops.twin.baselines.recency_frequency_value import Zero, fit_rfm
from twinops.twin.model.median import Median, fit_median, with_median
from twinops.twin.model.predictions import Predictions


def skewed(n: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """What is expected, and outcomes whose median is exp(-0.5) times their mean."""
    rng = np.random.default_rng(1)
    mean = rng.gamma(1.5, 60, n) + 1
    return mean, mean * np.exp(rng.normal(size=n) - 0.5)


def said(spend: np.ndarray) -> Predictions:
    return Predictions.of(np.full(len(spend), 0.5), np.ones(len(spend)), spend)


def test_of_those_expected_to_spend_alike_half_spend_less() -> None:
    mean, came = skewed()
    told = fit_median(mean, came).beside(said(mean))
    assert told.spend_median / mean == pytest.approx(np.full(len(mean), np.exp(-0.5)), rel=0.25)
    for part in np.array_split(np.argsort(mean), 5):
        assert (came[part] < told.spend_median[part]).mean() == pytest.approx(0.5, abs=0.04)


def test_the_median_is_nearer_to_what_one_does_and_the_mean_to_what_all_do() -> None:
    mean, came = skewed()
    told = fit_median(mean, came).beside(said(mean))
    assert np.abs(told.spend_median - came).mean() < np.abs(told.spend - came).mean()
    assert abs(told.spend.sum() / came.sum() - 1) < abs(told.spend_median.sum() / came.sum() - 1)
    assert told.spend.tolist() == said(mean).spend.tolist()


def test_where_most_spend_nothing_the_median_is_nothing() -> None:
    mean = np.full(200, 4.0)
    came = np.where(np.arange(200) % 3 == 0, 12.0, 0.0)
    assert not fit_median(mean, came).beside(said(mean)).spend_median.any()


def test_beyond_what_was_seen_and_below_a_cent_it_stays_finite() -> None:
    mean, came = skewed(100)
    told = fit_median(mean, came).beside(said(np.array([0.0, 1e-9, 1e6])))
    assert np.isfinite(told.spend_median).all()
    assert told.spend_median[0] == 0


def test_a_baseline_gets_its_median_by_the_same_rule() -> None:
    past = examples_of(crowd(150)).all_closed()
    plain = fit_rfm(past, TrainParams(activity_c=1.0, spend_alpha=0.001))
    told, mean = with_median(plain, past).predict(past.table), plain.predict(past.table)
    assert told.spend.tolist() == mean.spend.tolist()
    assert np.abs(told.spend_median - past.spend).mean() < np.abs(mean.spend - past.spend).mean()


def test_nobody_comes_says_nothing_of_everyone() -> None:
    told = Zero().predict(pa.table({"sid": ["a", "b"]}))
    assert not np.concatenate([told.active_probability, told.baskets, told.spend, told.spend_median]).any()


def test_knots_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="out of order"):
        Median(((2.0, 0.5), (1.0, 0.5)))
