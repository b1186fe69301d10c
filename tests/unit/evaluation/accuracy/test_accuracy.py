from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinops.entities.findings import Findings
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.entities.wording import MANY, MONEY
from twinops.errors import DataError
from twinops.evaluation.accuracy.calibration import measure_calibration
from twinops.evaluation.accuracy.measures import ScoredDay, accuracy_findings, measure_accuracy
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import counts
from twinops.twin.model.predictions import Predictions


def constant(n: int, p: float = 0.5, baskets: float = 1.0, spend: float = 10.0) -> Predictions:
    return Predictions.of(np.full(n, p), np.full(n, baskets), np.full(n, spend))


def day(cutoff: int, truth: list[float], twin: Predictions, n_known: int = 0) -> ScoredDay:
    active, n = np.array(truth), len(truth)
    models = {"twin": twin, "rfm": constant(n), "naive": constant(n)}
    return ScoredDay(cutoff, np.arange(n) + n_known, active, active * 2, active * 10, models)


def found(days: list[ScoredDay], households: int, draws: int = 60) -> dict:
    accuracy = measure_accuracy(days, counts(households, draws=draws, seed=1))
    return {m.name: m for m in accuracy_findings(accuracy, days, seed=1).measures}


def crowd(cutoff: int, seed: int, n: int = 400) -> ScoredDay:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    truth = (rng.random(n) < p).astype(float)
    return day(cutoff, truth.tolist(), Predictions.of(p, 2 * p, 10 * p))


def test_brier_and_spend_error_by_hand():
    # two came back: (1 - .9)^2, (0 - .2)^2, (1 - .8)^2, (0 - .1)^2 -> mean .025; |error| of spend 1, 2, 2, 1 -> 1.5
    twin = Predictions.of(np.array([0.9, 0.2, 0.8, 0.1]), np.full(4, 1.0), np.array([9.0, 2.0, 8.0, 1.0]))
    one = [day(57, [1, 0, 1, 0] * 25, Predictions.of(*(np.tile(v, 25) for v in vars(twin).values())))]
    measures = found(one, 100)
    assert measures["active_brier"].value == pytest.approx(0.025)
    assert measures["active_auc"].value == 1.0
    assert measures["spend_mae"].value == 1.5
    assert measures["spend_mae"].unit == MONEY


def test_a_gain_is_positive_when_the_twin_is_better_whichever_way_the_measure_points():
    measures = found([crowd(57 + 28 * seed, seed) for seed in range(4)], 400)
    for name in ("active_auc", "active_brier", "active_log_loss", "spend_mae", "spend_deviance"):
        gain = measures[f"{name}.gain_over_rfm"]
        assert gain.low is not None
        assert gain.low > 0
        assert gain.value == pytest.approx(abs(measures[name].value - measures[f"{name}.rfm"].value), rel=1e-3)


def test_the_best_baseline_is_found_quantity_by_quantity_and_the_challenger_is_none():
    one = crowd(57, 0)
    near = Predictions.of(np.clip(0.9 * one.active + 0.05, 0, 1), 2 * one.active + 0.1, np.full(400, 1.0))
    half = Predictions.of(np.full(400, 0.5), np.full(400, 1.0), np.full(400, 5.0), 10 * one.active)
    one = replace(one, predictions={**one.predictions, "rfm": near, "naive": half, "lightgbm": near})
    measures = found([one], 400)
    assert "compared with rfm, the best" in measures["active_auc.gain_over_best"].method
    assert "compared with naive, the best" in measures["spend_mae.gain_over_best"].method
    assert measures["spend_mae.gain_over_best"].value == measures["spend_mae.gain_over_naive"].value < 0
    assert "active_calibration_slope.gain_over_best" not in measures


def test_the_median_answers_to_absolute_error_and_the_mean_to_deviance_and_total():
    one = crowd(57, 0)
    said = replace(one.predictions["twin"], spend=np.full(400, 4.0), spend_median=10 * one.active)
    measures = found([replace(one, predictions={**one.predictions, "twin": said})], 400)
    assert measures["spend_mae"].value == 0.0
    assert measures["spend_total_ratio"].value == pytest.approx(4 / (10 * one.active.mean()), rel=1e-5)
    spread = weighted.tweedie_deviance(10 * one.active, np.full(400, 4.0)).mean()
    assert measures["spend_deviance"].value == pytest.approx(spread, rel=1e-5)


def test_nothing_at_all_is_a_baseline_where_a_loss_can_be_told():
    one = crowd(57, 0)
    nothing = Predictions.of(*[np.zeros(400)] * 3)
    measures = found([replace(one, predictions={**one.predictions, "zero": nothing})], 400)
    assert measures["spend_mae.zero"].value == pytest.approx((10 * one.active).mean())
    assert {"active_auc.zero", "spend_deviance.zero", "baskets_poisson_deviance.zero"}.isdisjoint(measures)


def test_a_paired_gain_is_surer_than_the_two_measures_apart():
    measures = found([crowd(57, 0)], 400)
    gain, twin = measures["spend_mae.gain_over_rfm"], measures["spend_mae"]
    assert gain.high - gain.low < 2 * (twin.high - twin.low)


def test_the_value_is_the_plain_mean_over_as_of_days_whatever_their_size():
    small, large = crowd(57, 0, n=50), crowd(85, 1, n=400)
    each = [found([d], 400)["active_brier"].value for d in (small, large)]
    assert found([small, large], 400)["active_brier"].value == pytest.approx(np.mean(each), abs=1e-5)


def test_every_measure_has_an_interval_a_count_and_says_how():
    days = [crowd(57, 0), crowd(85, 1)]
    measures = found(days, 400)
    assert {"active_auc", "active_calibration_slope", "baskets_poisson_deviance", "spend_mae.naive"} <= set(measures)
    for m in measures.values():
        assert m.low <= m.value <= m.high
        assert m.n == 400
        assert f"whole {MANY}" in m.method or m.name == "active_ece_noise_floor"
        assert "mean over 2 as-of days" in m.method
        assert "57, 85" in m.source


def test_what_is_not_defined_is_absent_and_not_zero():
    measures = found([crowd(57, 0)], 400)
    assert "active_calibration_slope.naive" not in measures
    assert "active_calibration_slope.gain_over_rfm" not in measures


def test_each_day_is_reported_by_itself():
    days = [crowd(57, 0), crowd(85, 1)]
    findings = accuracy_findings(measure_accuracy(days, counts(400, draws=50, seed=1)), days, seed=1)
    by_day = findings.facts[0].value
    assert [d["cutoff"] for d in by_day] == [57, 85]
    assert {"active_auc", "spend_mae.rfm", "households"} <= set(by_day[0])
    in_order = replace(findings, measures=tuple(sorted(findings.measures, key=lambda m: m.name)))
    assert Findings.from_json(findings.to_json()) == in_order


def test_a_day_on_which_all_came_back_is_a_clear_data_error():
    with pytest.raises(DataError, match="cannot be measured"):
        found([day(57, [1.0] * 60, constant(60))], 60)


def test_calibration_bins_hold_every_row_once_and_their_truth():
    days = [crowd(57, 0), crowd(85, 1)]
    bins = measure_calibration(days, counts(400, draws=60, seed=1)).active
    assert sum(b.rows for b in bins) == 800
    assert [b.predicted for b in bins] == sorted(b.predicted for b in bins)
    assert sum(b.low <= b.predicted <= b.high for b in bins) >= 8


def test_a_calibration_error_by_hand():
    # two bins: .2 said and none of two came, .8 said and both came
    said, came = np.array([0.2, 0.2, 0.8, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])
    assert weighted.calibration_error(came, said, np.ones((1, 4)), bins=2).tolist() == pytest.approx([0.2])
    assert weighted.calibration_in_the_large(came, said, np.ones((1, 4)))[0] == pytest.approx(0, abs=1e-9)
    # half came where a quarter was expected: the log-odds must rise by log 3
    quarter = weighted.calibration_in_the_large(np.array([0.0, 1.0]), np.full(2, 0.25), np.ones((1, 2)))
    assert quarter[0] == pytest.approx(np.log(3))


def test_perfectly_right_chances_have_a_calibration_error_by_luck_that_falls_with_numbers():
    rng = np.random.default_rng(0)
    few, many = (weighted.noise_floor(rng.random(n), draws=60, seed=1).mean() for n in (100, 10_000))
    assert few == pytest.approx(10 * many, rel=0.3)


def test_a_bin_of_few_households_is_not_shown():
    bins = measure_calibration([crowd(57, 0, n=50)], counts(50, draws=60, seed=1)).active
    assert bins == ()
    assert SMALLEST_CELL == 10


def test_no_interval_over_two_days_leaves_what_the_quantity_can_be():
    near, far = constant(40, p=0.95, spend=10.0), constant(40, p=0.3, spend=200.0)
    truth = [1.0] * 38 + [0.0] * 2
    measures = found([day(0, truth, near), day(7, truth, far)], 40)
    brier, error, total = (measures[name] for name in ("active_brier", "spend_mae", "spend_total_ratio"))
    assert (brier.low, brier.high) == (0.0, 1.0)
    assert (error.low, total.low) == (0.0, 0.0)
