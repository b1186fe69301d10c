"""How often a group is reached compared with the rest, and what is shown of it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from twinops.entities.legal import DataSheet
from twinops.entities.verdict import Outcome
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, Mark, canvas, dot, tell
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.measures import AttributeComparison
from twinops.evaluation.fairness.selection_rates_picture import nothing_to_compare
from twinops.evaluation.statistics.estimate import Estimate

LOWEST_DRAWN = 0.03
"""Ratios below, down to 0, are drawn here: the axis is logarithmic."""
COLOURS = {Outcome.FAILED: ORANGE, Outcome.PASSED: GREEN, Outcome.INCONCLUSIVE: BLUE}


def fairness_ratios_picture(comparisons: Sequence[AttributeComparison], rule: Assessed, *, of: DataSheet) -> Figure:
    """One row per attribute: its worst group's ratio, its bounds, and the limit; what does not decide is grey."""
    told = sorted((c for c in comparisons if c.groups), key=lambda c: (not c.decides, c.reach.ratio.value))
    if not told:
        return nothing_to_compare()
    figure, ax = canvas(size=(9.5, 0.62 * len(told) + 1.9))
    for place, comparison in enumerate(told):
        _row(ax, place, comparison)
    ax.axvline(rule.ratio, color=INK, linewidth=1, linestyle="--")
    where = (rule.ratio, len(told) - 0.45)
    ax.annotate(f"limit {rule.ratio:g}", where, (4, 0), textcoords="offset points", fontsize=8)
    ax.set_ylim(len(told) - 0.2, -0.7)
    ax.set_xscale("log")
    ticks = [t for t in (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0) if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks], minor=False)
    ax.minorticks_off()
    ax.set_yticks(range(len(told)), [_name(c) for c in told])
    ax.set_xlabel("offers to the side reached less often, as a multiple of the other (1: as often)", fontsize=9)
    return tell(figure, finding=_finding(told, rule), rests_on=_rests_on(rule, of))


def _row(ax: Axes, place: int, comparison: AttributeComparison) -> None:
    colour = COLOURS[comparison.outcome] if comparison.decides else GREY
    ratio = comparison.reach.ratio
    # the axis is logarithmic: 0 would lie infinitely far to the left
    drawn = Estimate(*(max(x, LOWEST_DRAWN) for x in ratio))
    dot(ax, place, drawn, Mark(colour, width=2.5, size=7))
    said = comparison.outcome.value if comparison.decides else "for information"
    higher = ax.transData + ScaledTranslation(0, 8 / 72, ax.figure.dpi_scale_trans)
    text = f"{ratio.value:.2f}, {said}"
    shown = ax.text(drawn.value, place, text, fontsize=8, color=colour, transform=higher, backgroundcolor="white")
    shown.set(ha="center", va="bottom")


def _name(comparison: AttributeComparison) -> str:
    worst = comparison.reach.worst
    return f"{comparison.attribute.replace('_', ' ')}\n‘{worst.reached_less}’ (n={worst.n_reached_less:,})"


def _finding(told: Sequence[AttributeComparison], rule: Assessed) -> str:
    judged = [c for c in told if c.decides]
    low = [c.attribute.replace("_", " ") for c in judged if c.outcome is Outcome.FAILED]
    if low:
        return f"Offers are shown to reach some less than {rule.ratio:g} times as often: by {', by '.join(low)}"
    if judged and all(c.outcome is Outcome.PASSED for c in judged):
        return f"Groups are shown to be reached more than {rule.ratio:g} times as often as the rest"
    return f"No group is shown to be below {rule.ratio:g}; too few {MANY} to say that none is"


def _rests_on(rule: Assessed, of: DataSheet) -> str:
    return (
        f"Score bounds of the ratio: the left end shows one group above the limit (one-sided {1 - rule.alpha:.0%}), "
        f"the right end any of\nall judged groups below it (together {1 - rule.alpha:.0%}). {of.noted_shortly}"
    )
