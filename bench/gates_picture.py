"""How often the fairness test finds a level that is reached less often, by how much less and among how many."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from power import LESS, Alarms, Row

from twinops.evaluation.canvas import BLUE, GREEN, INK, ORANGE, canvas, tell


def power_picture(alarms: Sequence[Alarms], rows: Sequence[Row]) -> Figure:
    """One line per number of households, its intervals, and where the test itself says it would find eight in ten."""
    figure, ax = canvas(size=(9, 4.6))
    for even, colour in zip(alarms, (ORANGE, BLUE, GREEN), strict=False):
        uneven = sorted((r for r in rows if r.n == even.n and r.ratio < 1), key=lambda r: r.ratio)
        ratio = [*(r.ratio for r in uneven), 1.0]
        share, low, high = zip(*(r.share("failed") for r in uneven), even.share, strict=True)
        ax.fill_between(ratio, low, high, color=colour, alpha=0.18, linewidth=0)
        ax.plot(ratio, share, "o-", color=colour, markersize=4, label=f"{even.n:,} households")
        told = [r for r in uneven if r.stated]
        ax.plot([r.ratio for r in told], [r.share("failed")[0] for r in told], "D", color=INK)
    ax.plot([], [], "D", color=INK, label="the ratio the test states as detectable")
    for height, text, where in ((0.8, "eight in ten", 1.0), (0.05, "one in twenty", 0.49)):
        ax.axhline(height, color=INK, linewidth=0.8, linestyle="--")
        ax.annotate(text, (where, height), (0, 3), textcoords="offset points", fontsize=8, ha="right")
    ax.set_xlabel(f"true ratio: offers to ‘{LESS[1]}’, as a multiple of everyone else's (1: no gap)", fontsize=9)
    ax.set_ylabel("share of populations called uneven", fontsize=9)
    ax.set_ylim(-0.02, 1.03)
    ax.legend(fontsize=8, frameon=False, loc="upper right", bbox_to_anchor=(1.0, 0.78))
    return tell(figure, finding=_finding(alarms), rests_on=_rests_on(alarms, rows))


def _finding(alarms: Sequence[Alarms]) -> str:
    highest = max((a.share[2] for a in alarms), default=1.0)
    return f"Few households hide large gaps; false alarms come in at most {highest:.1%} of even decisions"


def _rests_on(alarms: Sequence[Alarms], rows: Sequence[Row]) -> str:
    even, uneven = ({r.runs for r in found} for found in (alarms, rows))
    runs = [" or ".join(f"{n:,}" for n in sorted(numbers)) for numbers in (even, uneven)]
    return f"Simulated households: {runs[0]} populations without a gap, {runs[1]} with each; bands are 95 % intervals."
