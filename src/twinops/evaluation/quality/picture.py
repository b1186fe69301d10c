"""How complete and valid each source is, month by month."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.evaluation.canvas import INK, ORANGE, canvas, panel_title, tell
from twinops.evaluation.quality.measures import WHOLE

SKY = "#8ec7ea"
_COLOURS = LinearSegmentedColormap.from_list("quality", [ORANGE, "#f5f5f5", SKY])
_NEWEST = 24
"""So many months are drawn; the findings hold all of them."""
_LOWEST = 0.8
"""Where the scale begins: below, every month is as bad as can be."""


def quality_picture(findings: Findings) -> Figure:
    """Left: completeness, right: validity; a row per source, a column per month; last the whole source."""
    facts = {f.name: f.value for f in findings.facts}
    table = facts["quality_by_month"]
    months = sorted({m for by in table.values() for m in by} - {WHOLE})[-_NEWEST:]
    figure, (left, right) = canvas(columns=2, size=(13, 0.42 * max(len(table), 3) + 2.2), sharey=True)
    for ax, dimension in ((left, "completeness"), (right, "validity")):
        whole = {m.name: m.value for m in findings.measures if m.name.endswith(f".{dimension}")}
        rows = [
            [*(_cell(by, m, dimension) for m in months), whole.get(f"quality.{n}.{dimension}", np.nan)]
            for n, by in table.items()
        ]
        _heat(ax, np.array(rows, dtype=float).reshape(len(table), -1))
        ax.set_xticks(range(len(months) + 1), [*months, "whole"], rotation=60, ha="right", fontsize=8)
        panel_title(ax, dimension)
    left.set_yticks(range(len(table)), [name.replace("_", " ") for name in table])
    wrong = sum((c["contradicting"] or 0) for c in facts["contradictions"])
    read = sum((m["rows"] or 0) for by in table.values() for m in by.values())
    worst = min((m for m in findings.measures if m.name.endswith(".completeness")), key=lambda m: m.value, default=None)
    name = worst.name.split(".")[1].replace("_", " ") if worst else ""
    least = f"; least complete: {name}, {worst.value:.1%}" if worst else ""
    return tell(
        figure,
        finding=f"{len(table)} sources, {wrong:,} rows contradicted by another{least}",
        rests_on=f"n = {read:,} rows read. In per cent, last {_NEWEST} months; blank: fewer than ten rows; "
        f"whole: rejected rows of unknown month too. Orange: {_LOWEST:.0%} or less.",
    )


def _cell(by: dict[str, dict[str, float | None]], month: str, dimension: str) -> float:
    value = by.get(month, {}).get(dimension)
    return float("nan") if value is None else value


def _heat(ax: Axes, values: np.ndarray) -> None:
    """Only a share of exactly 1 is written as 100: 99.96 must not look whole."""
    ax.imshow(values, cmap=_COLOURS, vmin=_LOWEST, vmax=1.0, aspect="auto")
    ax.grid(visible=False)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            shown = f"{100 * value:.0f}" if value in (0.0, 1.0) else f"{min(100 * value, 99.9):.1f}"
            ax.annotate(shown, (column, row), ha="center", va="center", fontsize=6, color=INK)
