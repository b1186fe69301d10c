"""One twin: how often it shops at three speeds of memory, what is expected with its range and if, and why."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, above, canvas, nothing, panel_title, tell
from twinops.twin.answers.forecast import Forecast
from twinops.twin.answers.portrait import Portrait
from twinops.twin.answers.what_if import Simulated


def portrait_picture(portrait: Portrait | None, simulated: Sequence[Simulated]) -> Figure:
    """Three panels; all figures as the portrait has them, so a banded portrait gives a banded picture."""
    # fewer than ten alike would single somebody out
    if portrait is None or portrait.expected is None:
        figure, _ = canvas(size=(8, 1.2))
        return nothing(figure, finding=f"No twin is shown: no ten {MANY} are alike enough", rests_on="")
    figure, (left, middle, right) = canvas(columns=3, size=(13, 4.1), width_ratios=[1, 1.5, 1.2])
    _pace(left, portrait)
    _expected(middle, portrait.expected, simulated)
    _why(right, portrait)
    e = portrait.expected
    chance = "" if e.active_probability is None else f"{_likely(e.active_probability)} to shop and "
    return tell(
        figure,
        finding=f"{portrait.name.capitalize()}: {chance}expected to spend {e.spend:,.0f} {MONEY} "
        f"in {e.horizon_days} days",
        rests_on=f"As of {portrait.as_of.isoformat()}, opened for {portrait.purpose.replace('_', ' ')}; figures are "
        f"rounded, and ten {MANY} or more share the banded habits. Ranges hold 80 of 100 like cases.\n"
        f"What-ifs are response, not uplift: nobody was chosen at random; their ranges are those of {MANY} of like "
        "activity.",
    )


def _likely(chance: float) -> str:
    """Rounded figures must not claim certainty."""
    return "nearly certain" if chance > 0.95 else "unlikely" if chance < 0.05 else f"{chance:.0%} likely"


def _pace(ax: Any, portrait: Portrait) -> None:
    """A bar for each speed of forgetting."""
    pace = portrait.habits.baskets_a_week
    bars = ax.bar(range(len(pace)), list(pace.values()), color=BLUE, width=0.6)
    ax.bar_label(bars, fmt="%.1f", fontsize=9)
    ax.set_xticks(range(len(pace)), [f"about {k}" for k in pace], fontsize=8)
    ax.margins(y=0.15)
    panel_title(ax, "Baskets a week, by length of memory")


def _expected(ax: Any, e: Forecast, simulated: Sequence[Simulated]) -> None:
    rows: list[tuple[str, float, float, float, str]] = [("as it is", e.spend, *e.spend_range, BLUE)]
    for s in simulated:
        if s.with_action is not None:
            d = s.with_action
            rows.append((_action(s), d.spend, *d.spend_range, ORANGE))
    for place, (_, middle, low, high, colour) in enumerate(reversed(rows)):
        ax.plot([low, high], [place, place], color=colour, linewidth=5, alpha=0.35, solid_capstyle="round")
        ax.plot([middle], [place], "o", color=colour, markersize=7)
        above(ax, place, middle, f"{middle:,.0f}", points=9, fontsize=8)
    ax.set_yticks(range(len(rows)), [r[0] for r in reversed(rows)], fontsize=9)
    ax.set_ylim(-0.6, len(rows) - 0.3)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda money, _: f"{money:,.0f}")
    panel_title(ax, f"Spend in {e.horizon_days} days, {MONEY}: expected, 80 % range, and if")


def _action(s: Simulated) -> str:
    a = s.action
    return {
        "campaign": f"if campaign {a.campaign} is sent",
        "basket": f"if one more basket of {a.amount:,.0f}",
        "silence": f"if {a.amount:.0f} days of silence",
    }[a.kind]


def _why(ax: Any, portrait: Portrait) -> None:
    """Each theme multiplies the average household's spend."""
    reasons = portrait.reasons[::-1]
    colours = [GREEN if r.factor >= 1 else GREY for r in reasons]
    ax.barh(range(len(reasons)), [r.factor - 1 for r in reasons], left=1, color=colours, height=0.5)
    ax.axvline(1, color=INK, linewidth=0.8)
    for place, reason in enumerate(reasons):
        ax.annotate(f"{reason.theme}: x {reason.factor:.1f}", (0.02, place + 0.36), xycoords=("axes fraction", "data"),
                    fontsize=8, color=INK)  # fmt: skip
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(4))
    factors = [r.factor for r in reasons]
    ax.set_xlim(min(0.5, *factors) - 0.1, max(1.5, *factors) + 0.1)
    ax.set_ylim(-0.6, len(reasons) - 0.2)
    ax.xaxis.set_major_formatter(lambda factor, _: f"x {factor:.2g}")
    panel_title(ax, f"Why: times the average {ONE}'s spend")
