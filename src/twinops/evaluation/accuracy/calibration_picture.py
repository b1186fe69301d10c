"""What was predicted against what was observed, in ten bins each for activity and spend."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.accuracy.calibration import Bin, Calibration
from twinops.evaluation.canvas import BLUE, GREY, canvas, panel_title, tell


def calibration_picture(calibration: Calibration, slope: Measure | None) -> Figure:
    """A dot on the diagonal happened as often as predicted; its bar is a 95 % interval."""
    figure, (left, right) = canvas(columns=2, size=(9.5, 4.9))
    _bins(left, calibration.active, of="share that bought", expected="predicted chance to buy within the horizon")
    panel_title(left, "Activity")
    _bins(right, calibration.spend, of=f"mean {MONEY} spent", expected=f"predicted {MONEY} within the horizon")
    panel_title(right, "Spend")
    inside = sum(b.low <= b.predicted <= b.high for b in calibration.active)
    return tell(
        figure,
        finding=f"{_reading(slope)}; {inside} of {len(calibration.active)} activity bins agree with what was observed",
        rests_on=_rests_on(calibration, slope),
    )


def _bins(ax: Axes, bins: tuple[Bin, ...], *, of: str, expected: str) -> None:
    top = max([b.high for b in bins] + [b.predicted for b in bins], default=1.0)
    ax.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle="--")
    for b in bins:
        ax.plot([b.predicted, b.predicted], [b.low, b.high], color=BLUE, linewidth=2, solid_capstyle="round")
    ax.plot([b.predicted for b in bins], [b.observed for b in bins], "o", color=BLUE, markersize=5)
    ax.set_xlabel(expected, fontsize=9)
    ax.set_ylabel(of, fontsize=9)


def _rests_on(calibration: Calibration, slope: Measure | None) -> str:
    doubt = f"95 % intervals from bootstrap draws of whole {MANY}; bins of fewer than ten {MANY} are left out."
    if slope is None:
        return f"The slope is not defined on these days.\n{doubt}"
    rows = calibration.active[0].rows if calibration.active else 0
    return (
        f"Slope {slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}], n = {slope.n:,} {MANY}, about {rows:,} "
        f"{ONE}-days a bin; {slope.source}.\n{doubt}"
    )


def _reading(slope: Measure | None) -> str:
    """What the slope says: above 1 the log-odds are too near to even, below 1 too far."""
    if slope is None:
        return "Too few to say whether chances are bold or timid"
    if slope.low is not None and slope.low > 1:
        return "Chances lean timid"
    if slope.high is not None and slope.high < 1:
        return "Chances lean bold"
    return "Chances are neither shown bold nor timid"
