from __future__ import annotations

import numpy as np
import pytest

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.heads import Head, Scaling, fit_activity, fit_rate
from twinops.twin.predictions import Predictions, exponential, logistic


def crowd(n: int = 4000) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, 2)), rng


def test_a_head_adds_its_terms_by_hand():
    head = Head(0.5, (2.0, -1.0))
    assert head.predictor(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist() == [-0.5, 0.5]


def test_scaling_centres_and_leaves_a_constant_term_alone():
    scaling = Scaling.fit(np.array([[1.0, 7.0], [3.0, 7.0]]))
    assert scaling(np.array([[3.0, 7.0]])).tolist() == [[1.0, 0.0]]


def test_the_activity_head_finds_the_weights_that_made_the_data():
    z, rng = crowd()
    head = fit_activity(z, (rng.random(len(z)) < logistic(0.3 + z @ [1.0, -0.5])).astype(float), c=1.0)
    assert head.weights == pytest.approx((1.0, -0.5), abs=0.1)


def test_the_rate_head_finds_the_weights_and_the_total():
    z, rng = crowd()
    counts = rng.poisson(np.exp(0.2 + z @ [0.6, -0.3])).astype(float)
    head = fit_rate(z, counts, alpha=1e-3)
    assert head.weights == pytest.approx((0.6, -0.3), abs=0.05)
    assert exponential(head.predictor(z)).sum() == pytest.approx(counts.sum(), rel=1e-3)


def test_what_is_kept_of_a_head_has_six_digits():
    z, rng = crowd(200)
    head = fit_rate(z, rng.poisson(2.0, 200).astype(float), alpha=1e-3)
    for number in (head.intercept, *head.weights):
        assert number == rounded(number)


def test_a_stronger_penalty_makes_smaller_weights():
    z, rng = crowd(300)
    active = (rng.random(300) < logistic(z @ [1.0, 1.0])).astype(float)
    strong, weak = fit_activity(z, active, c=0.001), fit_activity(z, active, c=1.0)
    assert abs(strong.weights[0]) < abs(weak.weights[0])


def test_nobody_bought_anything_is_a_clear_data_error():
    with pytest.raises(DataError, match="Nobody bought"):
        fit_rate(np.zeros((40, 2)), np.zeros(40), alpha=1e-3)


def test_a_fit_that_cannot_settle_is_a_data_error_and_not_a_warning():
    z = np.random.default_rng(0).normal(size=(40, 1)) @ np.ones((1, 2))
    with pytest.raises(DataError, match="could not be fitted"):
        fit_rate(z, np.r_[np.zeros(39), 1.0], alpha=0.0)


def test_predictors_out_of_their_depth_stay_finite():
    assert np.isfinite(exponential(np.array([1e6, -1e6]))).all()
    assert logistic(np.array([1e6, -1e6])).tolist() == pytest.approx([1.0, 0.0])


def test_predictions_are_rounded_so_that_last_bits_do_not_show():
    made = Predictions.of(np.array([0.12345678]), np.array([1.23456789]), np.array([9.87654321]))
    assert (made.active_probability[0], made.baskets[0], made.spend[0]) == (0.123457, 1.234568, 9.8765)
