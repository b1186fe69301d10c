"""What households did after each as-of day: how many came back, and how much they spent."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.measure import NORMAL_95
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.canvas import BLUE, GREEN, canvas, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.wilson import share
from twinops.twin.state.examples import Examples


@dataclass(frozen=True)
class Period:
    """One as-of day: share of households that bought in the horizon and mean USD spent, each with a 95 % interval."""

    cutoff: int
    households: int
    active: Estimate
    spend: Estimate


def activity(examples: Examples) -> tuple[Period, ...]:
    """Every as-of day whose horizon is closed, in order."""
    return tuple(_period(int(c), examples.where(examples.cutoff == c)) for c in np.unique(examples.cutoff))


def _period(cutoff: int, rows: Examples) -> Period:
    """Wilson for the share; the normal approximation for the mean."""
    mean = float(rows.spend.mean())
    doubt = NORMAL_95 * float(rows.spend.std()) / len(rows) ** 0.5
    active = share(int(rows.active.sum()), len(rows))
    return Period(cutoff, len(rows), active, Estimate(mean, mean - doubt, mean + doubt))


def activity_picture(periods: tuple[Period, ...], *, first_day: date, horizon_days: int) -> Figure:
    """Share of households that bought, and mean spend, in the horizon after each as-of day."""
    figure, (left, right) = canvas(columns=2, size=(10, 3.9))
    _band(left, periods, [p.active for p in periods], BLUE)
    left.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panel_title(left, f"Bought within {horizon_days} days")
    _band(right, periods, [p.spend for p in periods], GREEN)
    right.yaxis.set_major_formatter(lambda money, _: f"{money:,.0f}")
    panel_title(right, f"Mean spend within {horizon_days} days, {MONEY}")
    for ax in (left, right):
        _months(ax, periods, first_day)
    shares = [f"{p.active.value:.0%}" for p in sorted(periods, key=lambda p: p.active.value)]
    fewest, most = min(p.households for p in periods), max(p.households for p in periods)
    return tell(
        figure,
        finding=f"Between {shares[0]} and {shares[-1]} of the {MANY} come back within {horizon_days} days",
        rests_on=f"n = {fewest:,} to {most:,} {MANY} with training consent and an earlier basket, {len(periods)} "
        f"as-of days from {_on(first_day, periods[0])} to {_on(first_day, periods[-1])}.\n"
        "Bands: 95 % intervals (Wilson; normal for the mean).",
    )


def _on(first_day: date, period: Period) -> str:
    return f"{first_day + timedelta(days=period.cutoff):%Y-%m-%d}"


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
