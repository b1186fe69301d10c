"""What the fairness test says of a level that is reached less often, by how much less and among how many."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from power import LIMIT, ONE, Row

from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, panel_title, tell

COLOURS = (GREY, ORANGE, BLUE, GREEN)


def power_picture(before: Sequence[Row], rows: Sequence[Row]) -> Figure:
    """Left what fails, right what passes; one line per number of households. Dashed: the rule of before."""
    figure, axes = canvas(columns=2, size=(11, 4.6), sharey=True)
    sizes = sorted({r.n for r in rows})
    for ax, outcome in zip(axes, ("failed", "passed"), strict=True):
        for n, colour in zip(sizes, COLOURS, strict=False):
            _line(ax, [r for r in rows if (r.n, r.planted) == (n, "one")], outcome, colour)
            _before(ax, [r for r in before if r.n == n], outcome, colour)
        ax.axvline(LIMIT, color=INK, linewidth=0.8, linestyle=":")
        for height, text in ((0.8, "eight in ten"), (0.05, "one in twenty")):
            ax.axhline(height, color=INK, linewidth=0.8, linestyle="--")
            ax.annotate(text, (0.4, height), (0, 3), textcoords="offset points", fontsize=8)
        panel_title(ax, f"share of populations {outcome}")
        ax.set_xlabel("true ratio (dotted: the limit; 1: no gap)", fontsize=9)
        ax.set_ylim(-0.02, 1.03)
    axes[1].plot([], [], "--", color=GREY, label="dashed: the rule of before")
    axes[1].legend(fontsize=8, frameon=False, loc="center left")
    return tell(figure, finding=_finding(rows), rests_on=_rests_on(rows))


def _line(ax: Axes, rows: Sequence[Row], outcome: str, colour: str) -> None:
    told = sorted(rows, key=lambda r: r.ratio)
    ratio = [r.ratio for r in told]
    share, low, high = zip(*(r.share(outcome) for r in told), strict=True)
    ax.fill_between(ratio, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(ratio, share, "o-", color=colour, markersize=4, label=f"{told[0].n:,} households")


def _before(ax: Axes, rows: Sequence[Row], outcome: str, colour: str) -> None:
    told = sorted(rows, key=lambda r: r.ratio)
    ax.plot([r.ratio for r in told], [r.share(outcome)[0] for r in told], "--", color=colour, linewidth=1)


def _finding(rows: Sequence[Row]) -> str:
    many = max(r.n for r in rows)
    even = next(r for r in rows if (r.n, r.ratio, r.planted) == (many, 1.0, "one"))
    shares = f"{even.share('passed')[0]:.0%} of even decisions pass with {many:,} households"
    return f"{shares}; few households can tell neither"


def _rests_on(rows: Sequence[Row]) -> str:
    runs = " to ".join(f"{n:,}" for n in sorted({min(r.runs for r in rows), max(r.runs for r in rows)}))
    who = next(iter(ONE.values()))
    return f"Simulated households, {runs} populations a point; ‘{who}’ is reached less often. Bands: 95 % intervals."
