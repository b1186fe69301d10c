"""What other decisions would reach against what they would cost, and what more offers would do."""

from collections.abc import Sequence
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.verdict import Outcome
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, nothing, panel_title, tell
from twinops.evaluation.fairness.declaration import GROUP_RANK_BLEND, LOTTERY, RANK_BLEND, Assessed, spoken
from twinops.evaluation.fairness.family import DECLARED, PLAIN, SHARE, Member
from twinops.evaluation.fairness.threshold_optimizer import THRESHOLDS

_STYLE = {LOTTERY: (BLUE, "o"), RANK_BLEND: (GREEN, "s"), GROUP_RANK_BLEND: (GREY, "^"), THRESHOLDS: (GREY, "x")}
_COLOURS = {Outcome.FAILED: ORANGE, Outcome.PASSED: GREEN, Outcome.INCONCLUSIVE: BLUE}


def reach_against_price_picture(family: Sequence[Member], rule: Assessed) -> Figure:
    """Left: mitigations with as many offers; grey ones need an attribute to decide. Right: other shares."""
    told = [m for m in family if m.ratio is not None]
    if not told:
        figure, _ = canvas(size=(8, 1.6))
        return nothing(figure, finding="No other decision could be compared", rests_on=f"Too few {MANY}.")
    figure, axes = canvas(columns=2, size=(10.5, 4.8), sharey=True, gridspec_kw={"width_ratios": [1.7, 1]})
    left, right = axes
    _prices(left, [m for m in told if m.kind != SHARE])
    _shares(right, [m for m in told if m.kind in (SHARE, PLAIN)], rule)
    for ax in axes:
        ax.axhline(rule.ratio, color=INK, linewidth=1, linestyle="--")
        ax.set_ylim(-0.03, 1.08)
    left.set_ylabel("smallest ratio of a group to its rest", fontsize=9)
    rests = (
        f"Bars: score bounds (up, down) and 95 % bootstrap of {MANY} (left, right). Dashed: the limit.\n"
        f"Ratios over the attributes that the policy names: {', '.join(rule.deciding)}."
    )
    return tell(figure, finding=_finding(told, rule), rests_on=rests)


def _prices(ax: Axes, told: Sequence[Member]) -> None:
    panel_title(ax, "with as many offers")
    drawn: set[str] = set()
    mitigated = sorted((m for m in told if m.kind in _STYLE), key=_line)
    for (kind, what), members in groupby(mitigated, key=_line):
        (colour, mark), label = _STYLE[kind], _called(kind, what)
        _points(ax, list(members), colour, f"{mark}-", label="_" if label in drawn else label)
        drawn.add(label)
    for kind, colour, label in ((PLAIN, INK, "plain score"), (DECLARED, ORANGE, "as declared")):
        _points(ax, [m for m in told if m.kind == kind], colour, "D", label=label)
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    ax.set_xlabel("lost of the score's worth: points of everybody's actual spend", fontsize=9)
    ax.legend(fontsize=7, frameon=False, loc="lower right")


def _line(m: Member) -> tuple[str, str]:
    how = m.how.mitigation
    return m.kind, how.toward or how.attribute or ""


def _called(kind: str, what: str) -> str:
    """How a line is called; those of one kind that need an attribute are called once."""
    if kind == RANK_BLEND:
        return f"rank blend with {what.replace('_', ' ')}"
    said = {LOTTERY: "lottery", GROUP_RANK_BLEND: "rank within groups", THRESHOLDS: "thresholds by Fairlearn"}[kind]
    return f"{said} (needs the attribute)" if what else said


def _points(ax: Axes, members: Sequence[Member], colour: str, style: str, *, label: str) -> None:
    kept = [(m, m.ratio) for m in members if m.ratio is not None]
    if not kept:
        return
    x, y = [m.price.value for m, _ in kept], [r.value for _, r in kept]
    up = [[r.value - r.low for _, r in kept], [r.high - r.value for _, r in kept]]
    side = [[m.price.value - m.price.low for m, _ in kept], [m.price.high - m.price.value for m, _ in kept]]
    ax.errorbar(x, y, yerr=up, xerr=side, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.35)
    ax.plot(x, y, style, color=colour, markersize=5, linewidth=1, label=label)


def _shares(ax: Axes, told: Sequence[Member], rule: Assessed) -> None:
    panel_title(ax, "the plain score, more or fewer offers")
    for m in told:
        if m.ratio is not None:
            colour, r = _COLOURS[m.outcome(rule.deciding)], m.ratio
            ax.errorbar([m.how.share], [r.value], yerr=[[r.value - r.low], [r.high - r.value]], fmt="o", color=colour)
    for outcome, colour in _COLOURS.items():
        ax.plot([], [], "o", color=colour, label=outcome.value)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share that gets an offer", fontsize=9)
    ax.legend(fontsize=7, frameon=False, loc="lower right")


def _finding(told: Sequence[Member], rule: Assessed) -> str:
    """What would pass at the least price, of what needs no attribute."""
    declared = next((m for m in told if m.kind == DECLARED), told[0])
    words = f"As declared ({spoken(declared.how)}): {declared.outcome(rule.deciding).value}"
    passing = [m for m in told if m.needs is None and m.outcome(rule.deciding) is Outcome.PASSED and m is not declared]
    mitigated = [m for m in passing if m.kind in _STYLE]
    if mitigated:
        least = min(mitigated, key=lambda m: m.price.value)
        return f"{words}; {spoken(least.how)} would pass for {100 * least.price.value:.1f} points"
    shares = [m.how.share for m in passing if m.kind == SHARE]
    return f"{words}; " + (f"offers to {min(shares):.0%} would pass" if shares else "no other here would pass")
