from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from twinops.errors import DataError
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, counts, mean_of
from twinops.evaluation.statistics.bounds import AMOUNT, ANY_NUMBER, SHARE
from twinops.evaluation.statistics.wilson import share


def scored(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    score = np.round(rng.random(n), 1)
    return (rng.random(n) < score).astype(float), score, rng


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_weighted_auc_is_what_sklearn_says_with_ties_and_weights(seed):
    truth, score, rng = scored(60, seed)
    weights = rng.integers(1, 5, size=(3, 60)).astype(float)
    if 0 < truth.sum() < 60:
        ours = weighted.auc(truth, score, weights)
        assert ours == pytest.approx([roc_auc_score(truth, score, sample_weight=w) for w in weights])


def test_an_auc_of_one_class_is_not_a_number():
    assert np.isnan(weighted.auc(np.ones(3), np.array([0.1, 0.2, 0.3]), np.ones((1, 3))))[0]


def test_a_weight_of_two_is_the_row_twice():
    truth, score, _ = scored(50)
    twice = np.r_[np.arange(50), np.arange(20)]
    weights = np.ones((1, 50))
    weights[0, :20] = 2
    for measure in (weighted.auc, weighted.calibration_slope):
        assert measure(truth, score, weights) == pytest.approx(measure(truth[twice], score[twice], np.ones((1, 70))))


def test_the_calibration_slope_is_what_a_plain_regression_finds():
    truth, score, _ = scored(2000)
    p = np.clip(score, 0.05, 0.95)
    plain = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10).fit(np.log(p / (1 - p))[:, None], truth)
    assert weighted.calibration_slope(truth, p, np.ones((2, 2000))) == pytest.approx([plain.coef_[0, 0]] * 2, abs=1e-4)


def test_a_slope_that_does_not_exist_is_not_a_number():
    assert np.isnan(weighted.calibration_slope(np.ones(5), np.linspace(0.1, 0.9, 5), np.ones((1, 5))))[0]


def test_the_poisson_deviance_by_hand():
    got = weighted.poisson_deviance(np.array([0.0, 2.0, 3.0]), np.array([0.5, 1.0, 3.0]))
    assert got == pytest.approx([1.0, 2 * (2 * np.log(2) - 1), 0.0])


def test_households_are_drawn_whole_and_the_first_row_is_everyone_once():
    drawn = counts(50, draws=10, seed=3)
    assert drawn[0].tolist() == [1] * 50
    assert (drawn.sum(axis=1) == 50).all()
    assert (drawn[1:] == 0).any()


def test_the_same_seed_gives_the_same_draws():
    assert np.array_equal(counts(30, draws=5, seed=7), counts(30, draws=5, seed=7))
    assert not np.array_equal(counts(30, draws=5, seed=7), counts(30, draws=5, seed=8))


@pytest.mark.parametrize("households", [0, 1, 7, 20_000, 60_000])
def test_draws_made_many_at_once_are_those_made_one_after_the_other(households):
    rng = np.random.default_rng(7)
    one_by_one = [np.bincount(rng.integers(households, size=households), minlength=households) for _ in range(5)]
    assert np.array_equal(counts(households, draws=5, seed=7)[1:], one_by_one)


def test_households_whose_months_are_copies_are_as_doubtful_as_one_month():
    rng = np.random.default_rng(0)
    loss, draws = rng.normal(size=200), counts(200, draws=300, seed=1)
    once = mean_of([weighted.mean(loss, draws.astype(float))], within=ANY_NUMBER).interval("loss")
    four = mean_of([weighted.mean(loss, draws.astype(float))] * 4, within=ANY_NUMBER).interval("loss")
    # nothing lies between the days: one day's percentiles, and the same spread as a normal interval
    assert four == pytest.approx(once, abs=0.15 * (once[1] - once[0]))


def test_a_paired_difference_of_a_model_with_itself_is_nothing():
    resampled = Resampled(np.random.default_rng(0).normal(size=101))
    difference = resampled - resampled
    assert (difference.value, *difference.interval("difference")) == (0.0, 0.0, 0.0)


def test_the_interval_of_a_mean_is_about_two_standard_errors():
    rng = np.random.default_rng(0)
    loss = rng.normal(5, 2, size=1000)
    low, high = Resampled(weighted.mean(loss, counts(1000, draws=1000, seed=2).astype(float))).interval("loss")
    assert high - low == pytest.approx(4 * 2 / 1000**0.5, rel=0.15)


def test_a_quantity_that_most_draws_lack_is_a_clear_data_error():
    with pytest.raises(DataError, match="everybody did the same"):
        Resampled(np.array([0.5] + [np.nan] * 50 + [0.4] * 50)).interval("active_auc")


def test_wilson_keeps_shares_inside_0_and_1():
    assert share(0, 20) == pytest.approx((0.0, 0.0, 0.1611), abs=1e-4)
    assert share(20, 20)[2] == 1.0


def over_days(rng: np.random.Generator, *, between: float, lasting: float = 0.5) -> np.ndarray:
    """Four days of the same 300 households; the truth is 1."""
    households = 1 + lasting * rng.normal(size=300)
    seen = [households + between * rng.normal() + rng.normal(size=300) for _ in range(4)]
    return np.array([weighted.mean(day, DRAWS) for day in seen])


DRAWS = counts(300, draws=100, seed=4).astype(float)


@pytest.mark.parametrize("between", [0.0, 0.1, 0.3])
def test_an_interval_over_four_days_that_differ_holds_the_truth_95_times_of_a_hundred(between):
    rng = np.random.default_rng(round(100 * between))
    made = [mean_of(list(over_days(rng, between=between)), within=ANY_NUMBER).interval("a mean") for _ in range(400)]
    assert np.mean([low <= 1 <= high for low, high in made]) > 0.92


def test_households_alone_held_it_far_less_often_when_days_differ():
    rng = np.random.default_rng(30)
    made = [Resampled(over_days(rng, between=0.3).mean(axis=0)).interval("a mean") for _ in range(200)]
    assert np.mean([low <= 1 <= high for low, high in made]) < 0.7


def test_no_interval_over_days_is_narrower_than_households_alone_make_it():
    days = over_days(np.random.default_rng(2), between=0.0)
    days += (days[:, 0].mean() - days[:, 0])[:, None]  # by luck all four days are the same
    low, high = mean_of(list(days), within=ANY_NUMBER).interval("a mean")
    assert high - low == pytest.approx(2 * 1.96 * days[:, 1:].mean(axis=0).std(ddof=1), rel=1e-3)


def test_a_gain_over_days_is_paired_day_by_day():
    ours, theirs = (np.array([[1.0, 1.1, 0.9], [5.0, 5.1, 4.9]]) + shift for shift in (0.0, 0.5))
    gain = mean_of(list(theirs), within=ANY_NUMBER) - mean_of(list(ours), within=ANY_NUMBER)
    assert gain.interval("a gain") == pytest.approx((0.5, 0.5))
    assert "2 as-of days differ" in gain.how
    half = mean_of(list(ours), within=ANY_NUMBER).times(0.5) + mean_of(list(ours), within=ANY_NUMBER).times(0.5)
    assert half.interval("a mean") == pytest.approx(mean_of(list(ours), within=ANY_NUMBER).interval("a mean"))


def test_of_one_day_the_method_does_not_speak_of_days():
    assert (
        mean_of([np.array([1.0, 2.0, 3.0])], within=ANY_NUMBER).how
        == "percentile interval of 2 bootstrap draws of whole ⟨many⟩"
    )


def two_days(*values: float) -> list[np.ndarray]:
    """Each day its value, and three draws like it."""
    return [np.full(4, value) for value in values]


def test_two_days_that_differ_never_tell_of_a_share_above_one_or_below_nothing():
    assert mean_of(two_days(0.9, 0.8), within=ANY_NUMBER).interval("a share")[1] > 1
    assert mean_of(two_days(0.9, 0.8), within=SHARE).interval("a share")[1] == 1.0
    assert mean_of(two_days(0.2, 0.1), within=SHARE).interval("a share")[0] == 0.0


def test_a_width_or_an_error_over_few_days_is_never_below_nothing_and_has_no_upper_end():
    low, high = mean_of(two_days(2.0, 3.0), within=AMOUNT).interval("a width")
    assert low == 0.0
    assert high == mean_of(two_days(2.0, 3.0), within=ANY_NUMBER).interval("a width")[1]


def test_a_gain_may_be_below_nothing_and_the_mean_of_two_shares_is_a_share():
    ours, theirs = (mean_of(two_days(*days), within=SHARE) for days in ((0.9, 0.8), (0.7, 0.9)))
    assert (ours - theirs).interval("a gain")[0] < 0
    assert (ours + theirs).times(0.5).interval("a share")[1] == 1.0
