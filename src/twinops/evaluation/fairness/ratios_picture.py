"""How often a group is reached compared with the rest, what is certain about it, and what could have been seen."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from twinops.entities.legal import DataSheet
from twinops.evaluation.canvas import BLUE, GREY, INK, ORANGE, Mark, canvas, dot, tell
from twinops.evaluation.fairness.conclusions import short_p
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.measures import AttributeComparison
from twinops.evaluation.fairness.selection_rates_picture import nothing_to_compare
from twinops.evaluation.statistics.estimate import Estimate

LOWEST_DRAWN = 0.03
"""Ratios below, down to 0, are drawn here: the axis is logarithmic."""


def fairness_ratios_picture(comparisons: Sequence[AttributeComparison], rule: Assessed, *, of: DataSheet) -> Figure:
    """One row per attribute: its worst group's ratio, the simultaneous interval, the limit, the detectable ratio."""
    told = sorted((c for c in comparisons if c.groups), key=lambda c: c.ratio.value)
    if not told:
        return nothing_to_compare()
    figure, ax = canvas(size=(9.5, 0.62 * len(told) + 1.9))
    for place, comparison in enumerate(told):
        _row(ax, place, comparison)
    ax.axvline(rule.ratio_limit, color=INK, linewidth=1, linestyle="--")
    where = (rule.ratio_limit, len(told) - 0.45)
    ax.annotate(f"limit {rule.ratio_limit:g}", where, (4, 0), textcoords="offset points", fontsize=8)
    found = "a true ratio left of this would be found with a chance of .8"
    ax.plot([], [], "|", color=GREY, markersize=13, markeredgewidth=2, label=found)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=8, frameon=False)
    ax.set_ylim(len(told) - 0.2, -0.7)
    ax.set_xscale("log")
    ticks = [t for t in (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0) if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks], minor=False)
    ax.minorticks_off()
    ax.set_yticks(range(len(told)), [_name(c) for c in told])
    ax.set_xlabel("offers to the side reached less often, as a multiple of the other (1: as often)", fontsize=9)
    return tell(figure, finding=_finding(told, rule), rests_on=_rests_on(rule, of))


def _row(ax: Axes, place: int, comparison: AttributeComparison) -> None:
    colour = ORANGE if comparison.uneven else BLUE
    worst = comparison.worst
    # the axis is logarithmic: 0 would lie infinitely far to the left
    drawn = Estimate(*(max(x, LOWEST_DRAWN) for x in comparison.ratio))
    dot(ax, place, drawn, Mark(colour, width=2.5, size=7))
    text = f"{comparison.ratio.value:.2f}, p {short_p(worst.p_adjusted)}"
    higher = ax.transData + ScaledTranslation(0, 8 / 72, ax.figure.dpi_scale_trans)
    shown = ax.text(drawn.value, place, text, fontsize=8, color=colour, transform=higher, backgroundcolor="white")
    shown.set(ha="center", va="bottom")
    if comparison.detectable_ratio is not None:
        ax.plot([comparison.detectable_ratio], [place], "|", color=GREY, markersize=13, markeredgewidth=2)


def _name(comparison: AttributeComparison) -> str:
    worst = comparison.worst
    return f"{comparison.attribute.replace('_', ' ')}\n‘{worst.reached_less}’ (n={worst.n_reached_less:,})"


def _finding(told: Sequence[AttributeComparison], rule: Assessed) -> str:
    low = [c.attribute.replace("_", " ") for c in told if c.uneven]
    if low:
        return f"Beyond chance, offers reach some much less often: by {', by '.join(low)}"
    if all(c.shown_even for c in told):
        return f"Every group is shown to be reached more than {rule.ratio_limit:g} times as often as the rest"
    return "No group is reached less often beyond chance; too few households to say that none is"


def _rests_on(rule: Assessed, of: DataSheet) -> str:
    return (
        f"Groups merged until {rule.min_group} households and {rule.min_expected_selections} expected offers. Exact "
        "permutation p, Holm-adjusted over all groups;\nintervals hold for all groups together (95 %, max-t bootstrap "
        f"of households). {of.noted_shortly}"
    )
