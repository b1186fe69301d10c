"""What was predicted against what was observed, in ten bins each for activity and spend."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.accuracy.calibration import Bin, Calibration
from twinops.evaluation.accuracy.measures import LARGE, SLOPE, TOTAL
from twinops.evaluation.canvas import BLUE, GREY, canvas, panel_title, tell
from twinops.evaluation.statistics.rendering import written


def calibration_picture(calibration: Calibration, measures: Mapping[str, Measure]) -> Figure:
    """A dot on the diagonal happened as often as predicted; its bar is a 95 % interval. `measures` by name."""
    figure, (left, right) = canvas(columns=2, size=(9.5, 4.9))
    _bins(left, calibration.active, of="share that bought", expected="predicted chance to buy within the horizon")
    panel_title(left, "Activity")
    _bins(right, calibration.spend, of=f"mean {MONEY} spent", expected=f"predicted {MONEY} within the horizon")
    panel_title(right, "Spend")
    total = measures.get(TOTAL)
    said = [
        _said(name, bins) for name, bins in (("activity", calibration.active), ("spend", calibration.spend)) if bins
    ]
    whole = [f"spend foretold over spent: {written(total)}"] if total else []
    finding = "; ".join(said + whole) or "Too few to say whether what was foretold came"
    return tell(figure, finding=finding[0].upper() + finding[1:], rests_on=_rests_on(calibration, measures))


def _said(name: str, bins: tuple[Bin, ...]) -> str:
    """How many bins hold what was foretold, and on which side of it the others lie."""
    over, under = sum(b.predicted < b.low for b in bins), sum(b.predicted > b.high for b in bins)
    agree = f"{name}: {len(bins) - over - under} of {len(bins)} bins agree with what was foretold"
    sides = ((over, "above"), (under, "below"))
    return ", ".join([agree, *(f"{n} {'lies' if n == 1 else 'lie'} {side}" for n, side in sides if n)])


def _bins(ax: Axes, bins: tuple[Bin, ...], *, of: str, expected: str) -> None:
    top = max([b.high for b in bins] + [b.predicted for b in bins], default=1.0)
    ax.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle="--")
    for b in bins:
        ax.plot([b.predicted, b.predicted], [b.low, b.high], color=BLUE, linewidth=2, solid_capstyle="round")
    ax.plot([b.predicted for b in bins], [b.observed for b in bins], "o", color=BLUE, markersize=5)
    ax.set_xlabel(expected, fontsize=9)
    ax.set_ylabel(of, fontsize=9)


def _rests_on(calibration: Calibration, measures: Mapping[str, Measure]) -> str:
    doubt = f"95 % intervals from bootstrap draws of whole {MANY}; bins of fewer than ten {MANY} are left out."
    slope, large = measures.get(SLOPE), measures.get(LARGE)
    if slope is None:
        return f"The slope is not defined on these days.\n{doubt}"
    rows = calibration.active[0].rows if calibration.active else 0
    came = f"; came over foretold, log-odds: {written(large)} (0 is right)" if large else ""
    return (
        f"Slope of chances {written(slope)} (1 is right){came}; n = {slope.n:,} {MANY}, about {rows:,} "
        f"{ONE}-days a bin; {slope.source}.\n{doubt}"
    )
