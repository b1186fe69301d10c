"""The title of a picture says what its figures say, and reassures against none of them."""

import pytest
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.evaluation.accuracy.calibration import Bin, Calibration
from twinops.evaluation.accuracy.calibration_picture import calibration_picture
from twinops.evaluation.accuracy.conclusions import accuracy_conclusion
from twinops.evaluation.scorecard.newcomers_picture import newcomers_picture


def _measure(name: str, value: float, low: float, high: float) -> Measure:
    return Measure(name, value, 1499, "held-out days", "made up", low, high)


def _texts(figure: Figure) -> str:
    return " ".join(" ".join(t.get_text().split()) for t in figure.texts)


def _bins(*came_over_foretold: float) -> tuple[Bin, ...]:
    return tuple(
        Bin(0.1 * i, 0.1 * i * r, 0.1 * i * r * 0.95, 0.1 * i * r * 1.05, 200, 150)
        for i, r in enumerate(came_over_foretold, start=1)
    )


SLOPE, LARGE, TOTAL = "active_calibration_slope", "active_calibration_in_the_large", "spend_total_ratio"
MEASURES = {
    SLOPE: _measure(SLOPE, 1.14, 0.43, 1.85),
    LARGE: _measure(LARGE, 0.31, -3.7, 4.3),
    TOTAL: _measure(TOTAL, 0.78, 0.0, 2.2),
}


def test_a_forecast_that_is_too_small_in_most_bins_is_titled_so():
    figure = calibration_picture(Calibration(_bins(1.2, 1.2, 1.0, 1.3), _bins(1.4, 1.4, 1.4, 0.8)), MEASURES)
    said = _texts(figure)
    assert "Activity: 1 of 4 bins agree with what was foretold, 3 lie above" in said
    assert "spend: 0 of 4 bins agree with what was foretold, 3 lie above, 1 lies below" in said
    assert "spend foretold over spent: 0.8 [0.0, 2.2]" in said
    assert "log-odds: 0.3 [-3.7, 4.3]" in said


def test_a_forecast_that_came_in_every_bin_is_titled_so_and_nothing_measured_says_nothing():
    said = _texts(calibration_picture(Calibration(_bins(1.0, 1.0), _bins(1.0)), MEASURES))
    assert "Activity: 2 of 2 bins agree with what was foretold; spend: 1 of 1 bins agree" in said
    assert "Too few to say" in _texts(calibration_picture(Calibration((), ()), {}))


@pytest.mark.parametrize(("value", "word"), [(0.31, "More"), (-0.31, "Fewer")])
def test_an_error_beyond_luck_says_on_which_side_however_wide_the_interval(value, word):
    found = [
        *MEASURES.values(),
        _measure("active_ece", 0.073, 0.0, 0.7),
        _measure("active_ece_noise_floor", 0.03, 0.02, 0.04),
    ]
    found = [m for m in found if m.name != LARGE] + [_measure(LARGE, value, -3.7, 4.3)]
    assert f"{word} came back on these days than it says" in accuracy_conclusion(Findings(tuple(found)))


def test_ranges_that_hold_least_are_in_the_picture_and_in_its_title():
    stages = {"0_days": 0.8, "42_days": 0.7, "established": 0.43}
    found = [_measure(f"newcomer_coverage_80.{s}", v, v - 0.02, v + 0.02) for s, v in stages.items()]
    found += [_measure(f"newcomer_relative_width.{s}", 3.0, 2.9, 3.1) for s in stages]
    figure = newcomers_picture(Findings(tuple(found)))
    assert figure.axes[0].get_ylim()[0] < 0.41
    assert "hold in 70% to 80% of cases, those of who is long known in 43%" in _texts(figure)
