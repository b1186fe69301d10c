"""Segments of consumers: how many, what they are expected to spend, and what they would spend if."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from twinops.entities.wording import MANY, MANY_FIRST, MONEY
from twinops.evaluation.canvas import BLUE, GREY, ORANGE, canvas, panel_title, tell
from twinops.evaluation.segments.measures import Segment


def segments_picture(segments: Sequence[Segment], *, what: str, horizon_days: int) -> Figure:
    """Expected spend per segment with its interval and number; beside it, with the action, where one is asked about."""
    shown = [s for s in segments if s.households is not None]
    figure, (left, right) = canvas(columns=2, size=(11, 1.6 + 0.55 * max(3, len(shown))), sharey=True)
    places = list(range(len(shown)))[::-1]
    _dots(left, places, [s.spend for s in shown], BLUE, "expected")
    answered = [(p, s.what_if.spend) for p, s in zip(places, shown, strict=True) if s.what_if and s.what_if.spend]
    if answered:
        _dots(left, [p - 0.22 for p, _ in answered], [m for _, m in answered], ORANGE, f"after {what}")
        left.legend(fontsize=8, frameon=False, loc="best")
    left.set_yticks(places, [f"{', '.join(s.name)}\nn about {s.households:,}" for s in shown], fontsize=9)
    left.set_xlim(left=0)
    left.xaxis.set_major_formatter(lambda money, _: f"{money:,.0f}")
    panel_title(left, f"Mean spend expected within {horizon_days} days, {MONEY}")
    redeemed = [(p, s.what_if.redeemed) for p, s in zip(places, shown, strict=True) if s.what_if and s.what_if.redeemed]
    if redeemed:
        _dots(right, [p for p, _ in redeemed], [m for _, m in redeemed], ORANGE, "redeem")
        panel_title(right, f"Redeem a coupon of {what}")
    else:
        _dots(right, places, [s.active for s in shown], GREY, "active")
        panel_title(right, f"Shop at all within {horizon_days} days")
    right.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    right.set_xlim(left=0)
    left_out = len(segments) - len(shown)
    suppressed = (
        f" {left_out} segment(s) suppressed: about ten or fewer, nobody, or needed to hide them." if left_out else ""
    )
    caveat = " Response, not uplift: nobody was chosen at random." if what else ""
    return tell(
        figure,
        finding=_finding(shown, what),
        rests_on=f"{MANY_FIRST} that allow scoring, newest as-of day; bars: 95 % intervals from drawing {MANY}, "
        "after noise that keeps one person back."
        f"{suppressed}{caveat}",
    )


def _dots(ax: Any, places: Sequence[float], means: Sequence[Any], colour: str, label: str) -> None:
    values = [m.value for m in means]
    errors = [[m.value - m.low for m in means], [m.high - m.value for m in means]]
    ax.errorbar(values, places, xerr=errors, fmt="o", color=colour, markersize=5, capsize=2, linewidth=1.4, label=label)


def _finding(shown: Sequence[Segment], what: str) -> str:
    most = max(shown, key=lambda s: s.households or 0, default=None)
    if most is None or most.spend is None:
        return "Every segment is too small to be shown"
    told = f"The largest segment ({', '.join(most.name)}) is expected to spend {most.spend.value:,.0f} {MONEY}"
    if most.what_if is not None and most.what_if.difference is not None:
        more = most.what_if.difference.value
        return f"{told}; after {what} {abs(more):,.0f} {MONEY} {'less' if more < 0 else 'more'}"
    return told
