from __future__ import annotations

import pytest

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.evaluation.accuracy.accuracy_picture import accuracy_picture
from twinops.evaluation.accuracy.coefficients import Weight
from twinops.evaluation.accuracy.conclusions import CLAIMS, accuracy_conclusion, weights_conclusion
from twinops.evaluation.accuracy.tables import accuracy_table, gains_table
from twinops.evaluation.statistics.rendering import written


def measure(name: str, value: float, low: float, high: float) -> Measure:
    return Measure(name, value, low=low, high=high, n=100, source="s", method="m")


def findings(low: float, high: float, slope: tuple[float, float] | None = None) -> Findings:
    gains = [measure(f"{q}.gain_over_rfm", (low + high) / 2, low, high) for q in CLAIMS]
    slopes = [measure("active_calibration_slope", sum(slope) / 2, *slope)] if slope else []
    return Findings((*gains, *slopes))


@pytest.mark.parametrize(
    ("interval", "word"),
    [((0.1, 0.3), "**better**"), ((-0.3, -0.1), "**worse**"), ((-0.1, 0.3), "**cannot be told apart**")],
)
def test_the_interval_decides_the_word(interval, word):
    assert accuracy_conclusion(findings(*interval)).count(word) == len(CLAIMS)


@pytest.mark.parametrize(
    ("slope", "word"),
    [((1.1, 1.3), "too timid:"), ((0.7, 0.9), "too bold:"), ((0.9, 1.1), "neither"), (None, "cannot")],
)
def test_the_slope_is_said_in_words(slope, word):
    assert word in accuracy_conclusion(findings(0.1, 0.3, slope)).splitlines()[-1]


def test_a_value_is_written_with_the_digits_its_interval_deserves():
    assert written(measure("a", 66.5187, 64.41, 68.77)) == "66.5 [64.4, 68.8]"
    assert written(measure("a", 0.00267, -0.00012, 0.00552)) == "0.0027 [-0.0001, 0.0055]"
    assert written(measure("a", 1.0, 1.0, 1.0)) == "1.000 [1.000, 1.000]"


def test_a_measure_that_is_absent_is_not_defined_in_the_table():
    assert accuracy_table(findings(0.1, 0.3)).count("not defined") == 54


def test_a_gain_that_excludes_zero_is_bold_in_the_table():
    assert gains_table(findings(0.1, 0.3)).count("**") == 2 * len(CLAIMS)
    assert "**" not in gains_table(findings(-0.1, 0.3))


def test_rivals_are_named_with_where_the_twin_stands():
    rivals = [
        measure("active_auc.gain_over_bgnbd", 0.3, 0.2, 0.4),
        measure("active_auc.gain_over_lightgbm", -0.2, -0.3, -0.1),
    ]
    first = accuracy_conclusion(Findings((*findings(0.1, 0.3).measures, *rivals))).splitlines()[0]
    assert "ahead of BG/NBD with gamma-gamma, 0.30 [0.20, 0.40]" in first
    assert "**better** than the RFM regression (the best baseline): gain" in first
    assert "behind LightGBM, -0.20 [-0.30, -0.10]" in first


def test_the_calibration_error_is_said_beside_what_luck_makes():
    error = [measure("active_ece", 0.02, 0.01, 0.03), measure("active_ece_noise_floor", 0.015, 0.01, 0.019)]
    last = accuracy_conclusion(Findings((*findings(0.1, 0.3, (0.9, 1.1)).measures, *error))).splitlines()[-1]
    assert "by 0.020 on average over ten bins, above the 0.015 (up to 0.019)" in last


def test_a_term_that_is_not_used_is_not_counted():
    weights = {"spend": (Weight("pace", 2.0, 1.0, 3.0), Weight("newness", 0.0, 0.0, 0.0))}
    assert "0 of 1 weights" in weights_conclusion(weights)


def test_weights_that_hold_zero_are_counted():
    weights = {"activity": (Weight("pace", 2.0, 1.0, 3.0), Weight("value", 0.1, -0.1, 0.3))}
    assert "1 of 2 weights cannot be told from zero" in weights_conclusion(weights)


def test_the_title_of_the_picture_tells_of_every_quantity_and_not_only_of_those_that_gained():
    gains = [measure(f"{q}.gain_over_best", 0.1, -0.1, 0.3) for q in CLAIMS if q != "active_brier"]
    sure = measure("active_brier.gain_over_best", 0.2, 0.1, 0.3)
    figure = accuracy_picture(Findings((measure("active_auc", 0.8, 0.7, 0.9), sure, *gains)))
    told = "The twin against the best plain baseline: better on 1 of 5 (Brier), not told apart on 4"
    assert figure.get_suptitle() == told
