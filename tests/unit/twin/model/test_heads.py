from __future__ import annotations

import numpy as np
import pytest

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.glm import (
    Head,
    Scaling,
    fit_activity,
    fit_rate,
    fit_visits,
)
from twinops.twin.model.newton import activity_sums, rate_sums, visit_sums
from twinops.twin.model.predictions import VISIT_SHAPE, Predictions, exponential, logistic, visiting


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


def test_the_visits_head_finds_the_weights_that_made_the_data():
    z, rng = crowd(8000)
    rate = np.exp(0.3 + z @ [1.0, -0.5])
    visits = rng.poisson(rate * rng.gamma(VISIT_SHAPE, 1 / VISIT_SHAPE, len(z)))
    head = fit_visits(z, (visits > 0).astype(float), c=10.0)
    assert (head.intercept, *head.weights) == pytest.approx((0.3, 1.0, -0.5), abs=0.1)


def test_the_chance_to_come_is_that_of_gamma_poisson_visits_by_hand():
    # rate 3, shape 3: one minus (3 / (3 + 3)) ** 3
    assert visiting(np.array([np.log(3.0)]))[0] == pytest.approx(7 / 8)
    assert visiting(np.array([-1e6, 1e6])).tolist() == pytest.approx([0.0, 1.0])


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


def test_the_heads_are_those_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression, PoissonRegressor

    z, rng = crowd(900)
    z = np.column_stack([z, z[:, 0] ** 2])
    active = (rng.random(900) < logistic(0.3 + z @ [1.0, -0.5, 0.2])).astype(float)
    counts = rng.poisson(np.exp(0.2 + z @ [0.6, -0.3, 0.1])).astype(float)
    theirs = LogisticRegression(C=0.2, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(z, active)
    assert same(fit_activity(z, active, c=0.2), theirs.intercept_[0], theirs.coef_[0])
    theirs = PoissonRegressor(alpha=0.01, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(z, counts)
    assert same(fit_rate(z, counts, alpha=0.01), theirs.intercept_, theirs.coef_)


def same(head: Head, intercept: float, weights: np.ndarray) -> bool:
    """Equal to the six digits that are kept."""
    return np.allclose([head.intercept, *head.weights], [intercept, *weights], rtol=5e-6, atol=1e-7)


def test_a_head_begun_at_that_of_its_first_terms_is_the_same_head():
    z, rng = crowd(1000)
    active = (rng.random(1000) < logistic(z @ [1.0, -0.5])).astype(float)
    counts = rng.poisson(np.exp(z @ [0.6, -0.3])).astype(float)
    near = fit_activity(z[:, :1], active, c=0.2)
    assert fit_activity(z, active, c=0.2, near=near) == fit_activity(z, active, c=0.2)
    near = fit_rate(z[:, :1], counts, alpha=0.01)
    assert fit_rate(z, counts, alpha=0.01, near=near) == fit_rate(z, counts, alpha=0.01)


def test_the_slope_of_the_loss_is_its_derivative():
    z, rng = crowd(50)
    x = np.column_stack([np.ones(50), z])
    beta, small = np.array([0.1, 0.5, -0.2]), 1e-6
    for sums in (activity_sums, rate_sums, visit_sums):
        target = rng.integers(0, 2, 50).astype(float)
        turned = [
            sums(x, target, beta + small * unit).loss - sums(x, target, beta - small * unit).loss for unit in np.eye(3)
        ]
        assert sums(x, target, beta).gradient == pytest.approx(np.array(turned) / (2 * small), rel=1e-4, abs=1e-5)


def test_everybody_came_and_the_head_is_still_finite():
    z, _ = crowd(50)
    for fit in (fit_activity, fit_visits):
        assert 3 < fit(z, np.ones(50), c=0.2).intercept < 50


def test_predictors_out_of_their_depth_stay_finite():
    assert np.isfinite(exponential(np.array([1e6, -1e6]))).all()
    assert logistic(np.array([1e6, -1e6])).tolist() == pytest.approx([1.0, 0.0])


def test_predictions_are_rounded_so_that_last_bits_do_not_show():
    made = Predictions.of(np.array([0.12345678]), np.array([1.23456789]), np.array([9.87654321]))
    assert (made.active_probability[0], made.baskets[0], made.spend[0]) == (0.123457, 1.234568, 9.8765)
