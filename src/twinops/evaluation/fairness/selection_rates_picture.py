"""Whom the judged decision selects, group by group, and whether their spend was predicted right."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.legal import DataSheet
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREEN, GREY, Mark, canvas, dot, nothing, panel_title, tell
from twinops.evaluation.fairness.declaration import Decision, spoken
from twinops.evaluation.fairness.groups import HELD
from twinops.evaluation.fairness.measures import AttributeComparison
from twinops.evaluation.statistics.estimate import Estimate


def selection_rates_picture(comparisons: Sequence[AttributeComparison], *, decision: Decision, of: DataSheet) -> Figure:
    """Left: share of each group that would get an offer. Right: predicted over actual spend. 95 % intervals."""
    told = [c for c in comparisons if c.groups]
    if not told:
        return nothing_to_compare()
    rows = sum(len(c.groups) + 1.6 for c in told)
    figure, axes = canvas(
        rows=len(told), columns=2, size=(9.5, 0.27 * rows + 1.3), sharex="col", squeeze=False,
        gridspec_kw={"height_ratios": [len(c.groups) + 0.6 for c in told], "width_ratios": [1.5, 1]},
    )  # fmt: skip
    for comparison, (left, right) in zip(told, axes, strict=True):
        _dots(left, [g.selection_rate for g in comparison.groups], BLUE)
        left.axvline(comparison.overall, color=GREY, linewidth=1, linestyle="--")
        panel_title(left, comparison.attribute.replace("_", " "))
        left.set_yticks(range(len(comparison.groups)), [f"{g.label} (n={g.n:,})" for g in comparison.groups])
        _dots(right, [g.calibration for g in comparison.groups], GREEN)
        right.axvline(1, color=GREY, linewidth=1, linestyle="--")
        right.set_yticks(range(len(comparison.groups)), [""] * len(comparison.groups))
    axes[-1][0].xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes[-1][0].set_xlabel(f"would get an offer (dashed: all {MANY} of the panel)", fontsize=9)
    axes[-1][1].set_xlabel("predicted / actual spend", fontsize=9)
    return tell(figure, finding=_finding(told), rests_on=_rests_on(decision, of))


def nothing_to_compare() -> Figure:
    """What is drawn when no two groups are large enough."""
    figure, _ = canvas(size=(8, 1.6))
    return nothing(figure, finding="No two groups are large enough to compare", rests_on=f"Too few {MANY}.")


def _dots(ax: Axes, estimates: Sequence[Estimate | None], colour: str) -> None:
    for place, estimate in enumerate(estimates):
        if estimate is not None:
            dot(ax, place, estimate, Mark(colour, width=2, size=5))
    ax.set_ylim(len(estimates) - 0.4, -0.6)


def _finding(told: Sequence[AttributeComparison]) -> str:
    """The attribute whose groups differ most; whether anything is held says nothing about a household."""
    widest = max(told, key=lambda c: (c.attribute != HELD, -c.reach.ratio.value))
    rates = sorted(widest.groups, key=lambda g: g.selection_rate.value)
    few, many = (f"{g.selection_rate.value:.0%} of ‘{g.label}’" for g in (rates[0], rates[-1]))
    return f"By {widest.attribute.replace('_', ' ')}, an offer would reach {few} and {many}"


def _rests_on(decision: Decision, of: DataSheet) -> str:
    return (
        f"Top {decision.share:.0%} by {spoken(decision)}, replayed on held-out predictions; {MANY} that "
        f"allow offers and bias assessment.\n{of.noted} "
        f"Intervals: 95 %, Wilson (left), bootstrap of {MANY} (right)."
    )
