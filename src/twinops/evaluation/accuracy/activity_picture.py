"""What households did after each as-of day: how many came back, and how much they spent."""

from datetime import date, timedelta

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.evaluation.accuracy.activity import Period
from twinops.evaluation.canvas import BLUE, GREEN, canvas, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate


def activity_picture(periods: tuple[Period, ...], *, first_day: date, horizon_days: int) -> Figure:
    """Share of households that bought, and mean spend, in the horizon after each as-of day."""
    figure, (left, right) = canvas(columns=2, size=(10, 3.9))
    _band(left, periods, [p.active for p in periods], BLUE)
    left.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panel_title(left, f"Bought within {horizon_days} days")
    _band(right, periods, [p.spend for p in periods], GREEN)
    right.yaxis.set_major_formatter(lambda usd, _: f"${usd:,.0f}")
    panel_title(right, f"Mean spend within {horizon_days} days")
    for ax in (left, right):
        _months(ax, periods, first_day)
    shares = [f"{p.active.value:.0%}" for p in sorted(periods, key=lambda p: p.active.value)]
    fewest, most = min(p.households for p in periods), max(p.households for p in periods)
    return tell(
        figure,
        finding=f"Between {shares[0]} and {shares[-1]} of the households come back within {horizon_days} days",
        rests_on=f"n = {fewest:,} to {most:,} households with training consent and an earlier basket, {len(periods)} "
        f"as-of days in {first_day + timedelta(days=periods[0].cutoff):%Y}; calendar dates are assigned.\n"
        "Bands: 95 % intervals (Wilson; normal for the mean).",
    )


def _band(ax: Axes, periods: tuple[Period, ...], values: list[Estimate], colour: str) -> None:
    days = [p.cutoff for p in periods]
    ax.plot(days, [v.value for v in values], "o-", color=colour, markersize=4, linewidth=1.5)
    ax.fill_between(days, [v.low for v in values], [v.high for v in values], color=colour, alpha=0.2, linewidth=0)


def _months(ax: Axes, periods: tuple[Period, ...], first_day: date) -> None:
    """A tick at the first day of each month, or of every second one when they are many."""
    span = range(periods[0].cutoff, periods[-1].cutoff + 1)
    starts = [d for d in span if (first_day + timedelta(days=d)).day == 1]
    shown = starts[:: 1 + len(starts) // 12]
    ax.set_xticks(shown, [f"{first_day + timedelta(days=d):%b}" for d in shown])
