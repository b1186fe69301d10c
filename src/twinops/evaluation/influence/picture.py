"""How often groups that are easily exploited would be chosen, beside past campaigns and a choice by lot."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREY, INK, ORANGE, canvas, nothing, tell
from twinops.evaluation.influence.findings import MeasuredInfluence
from twinops.evaluation.influence.measures import GroupChoice


def influence_picture(found: MeasuredInfluence, *, most: float) -> Figure:
    """One row a group: the proposal with its interval, the past campaigns, and where 95 of 100 choices by lot lie."""
    shown = [(g, c) for g, c in found.chosen.items() if c is not None]
    figure, ax = canvas(size=(9, 0.62 * max(len(shown), 2) + 1.9))
    if not shown:
        return nothing(figure, finding=_finding(found, most), rests_on=_rests_on(found, most))
    for row, (_, c) in enumerate(reversed(shown)):
        _row(ax, row, c, most=most)
    ax.axvline(1, color=INK, linewidth=0.9)
    ax.axvline(most, color=ORANGE, linewidth=1, linestyle="--")
    ax.set_yticks(range(len(shown)), [f"{g.replace('_', ' ')} (n={c.members})" for g, c in reversed(shown)])
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.set_xlabel("chosen so many times as often as the rest", fontsize=9)
    ax.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return tell(figure, finding=_finding(found, most), rests_on=_rests_on(found, most))


def _row(ax: Axes, row: int, c: GroupChoice, *, most: float) -> None:
    first = row == 0
    ax.barh([row], [c.by_lot[1] - c.by_lot[0]], left=[c.by_lot[0]], height=0.5, color=GREY, alpha=0.25,
            label="by lot, 95 of 100" if first else None)  # fmt: skip
    for place, found, marker, colour, label in (
        (row + 0.1, c.ratio, "o", ORANGE if c.ratio.low > most else BLUE, "the proposal"),
        (row - 0.14, c.past, "s", GREY, "past"),
    ):
        if found is not None:
            ax.plot(found[1:], [place] * 2, color=colour, linewidth=1.6)
            ax.plot([found.value], [place], marker, color=colour, markersize=5, label=label if first else None)


def _finding(found: MeasuredInfluence, most: float) -> str:
    known = [c for c in found.chosen.values() if c is not None]
    above, unsure = sum(c.ratio.low > most for c in known), sum(c.ratio.high > most for c in known)
    if not known:
        return "No group could be measured"
    if above:
        return f"{above} of {len(known)} groups chosen over {most:g} times as often as the rest"
    cannot = f"; {unsure} unsure" if unsure else ""
    return f"No group surely chosen over {most:g} times as often as the rest{cannot}"


def _rests_on(found: MeasuredInfluence, most: float) -> str:
    p, past = found.pressure, found.pressure.past_over
    on_top = "none" if past is None else f"{past.value:.1%} [{past.low:.1%}, {past.high:.1%}]"
    return (
        f"Day {found.day}: {p.offers:,} offers, {p.households:,} {MANY} that allow them; dashed: limit {most:g}. "
        "95 % intervals.\n"
        f"Contacts on top of {p.cap} in {p.window_days} days: {on_top} of past ones, {p.against_guard} of the proposal."
    )
