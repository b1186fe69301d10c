"""Of 100 outcomes, how many the 80 % ranges held: overall, in each tier, and in each group."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREY, INK, ORANGE, Mark, canvas, dot, no_panel, panel_title, tell
from twinops.evaluation.scorecard.coverage import BOTH, NAME
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.rendering import written
from twinops.twin.model.intervals import COVERAGE, TIERS

COLOURS = {"baskets": BLUE, "spend": ORANGE}
LONGEST = 42


def coverage_picture(findings: Findings) -> Figure:
    """Left: overall and by tier. Middle: how wide, beside one range for everybody. Right: groups."""
    measures = {m.name: m for m in findings.measures}
    groups: list[dict[str, Any]] = next((f.value for f in findings.facts if f.name == "scorecard_groups"), [])
    figure, (left, middle, right) = canvas(columns=3, size=(13, 5.6), width_ratios=(1.1, 0.7, 1.3))
    _tiers(left, measures)
    panel_title(left, "By tier of expected activity")
    _score(middle, measures)
    panel_title(middle, "Score, twin over everybody's range\n(1: no sharper; lower is better)")
    _groups(right, groups)
    panel_title(right, "Spend, by group")
    whole = measures[NAME]
    return tell(
        figure,
        finding=_finding(measures),
        rests_on=f"n = {whole.n:,} {MANY}; {whole.source}.\n95 % intervals: {whole.method}. "
        "Groups: each by itself, of those who allow bias assessment.",
    )


def _tiers(ax: Axes, measures: dict[str, Measure]) -> None:
    rows = [("all", ""), *((tier, f".tier_{tier}") for tier in TIERS)]
    for place, (_, suffix) in enumerate(rows):
        for offset, q in zip((-0.14, 0.14), BOTH, strict=True):
            _dot(ax, place + offset, Estimate.of(measures[f"{NAME}.{q}{suffix}"]), COLOURS[q])
    ax.set_yticks(range(len(rows)), [name for name, _ in rows])
    ax.set_ylim(len(rows) - 0.5, -0.9)
    for offset, q in zip((-0.62, -0.42), BOTH, strict=True):
        ax.text(0.02, offset, q, color=COLOURS[q], fontsize=9, transform=ax.get_yaxis_transform(), va="center")
    _promise(ax)


def _score(ax: Axes, measures: dict[str, Measure]) -> None:
    """Below 1 the twin's ranges are sharper than one range for everybody."""
    for place, q in enumerate(BOTH):
        ours, theirs = measures[f"interval_winkler_80.{q}"], measures[f"interval_winkler_80.{q}.naive"]
        gain = measures[f"interval_winkler_80.{q}.gain_over_naive"]
        ax.barh(place, ours.value / theirs.value, color=COLOURS[q], height=0.5)
        ax.text(
            0.03, place - 0.36, f"{q}: {ours.value:.3g} beside {theirs.value:.3g}\ngain {written(gain)}", fontsize=8,
            va="center",
        )  # fmt: skip
    ax.axvline(1, color=INK, linewidth=0.9)
    ax.set_xlim(0, 1.08)
    ax.set_ylim(1.6, -0.75)
    ax.set_yticks([])


def _groups(ax: Axes, groups: list[dict[str, Any]]) -> None:
    shown = [g for g in groups if g.get("coverage_spend")]
    if not shown:
        no_panel(ax, "No group is told: nobody's profile is held who\nmay be assessed, or every group is too small.")
        return
    for place, g in enumerate(shown):
        held = Estimate(*g["coverage_spend"])
        _dot(ax, place, held, ORANGE if held.low <= COVERAGE <= held.high else INK)
    names = [f"{_short(g['attribute'].replace('_', ' ') + ': ' + g['group'])} ({g['households']:,})" for g in shown]
    ax.set_yticks(range(len(shown)), names, fontsize=7)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    _promise(ax)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _dot(ax: Axes, place: float, share: Estimate, colour: str) -> None:
    """Of 100."""
    dot(ax, place, Estimate(*(100 * v for v in share)), Mark(colour, width=2, size=5))


def _promise(ax: Axes) -> None:
    """The line at 80 of 100."""
    ax.axvline(100 * COVERAGE, color=GREY, linewidth=1, linestyle="--")
    ax.set_xlabel("outcomes inside their range, of 100", fontsize=9)


def _finding(measures: dict[str, Measure]) -> str:
    parts = [f"{100 * measures[f'{NAME}.{q}'].value:.1f} of 100 for {q}" for q in BOTH]
    return f"80 % ranges held {' and '.join(parts)}, on days they had not seen"
