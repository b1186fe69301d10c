"""What a panel lets us infer about segments: value, interval, and what stays open whatever the data."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.evaluation.canvas import BLUE, GREY, ORANGE, Mark, canvas, dot, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate

Row = Mapping[str, Any]
Truth = Mapping[tuple[str, str], float]


def fusion_picture(fused: pa.Table, *, variable: str, order: Sequence[str] = (), truth: Truth | None = None) -> Figure:
    """Means of every scale by one variable's segments, in this order; `truth` (segment, scale), if any, as crosses."""
    rows = [r for r in fused.to_pylist() if r["variable"] == variable and r["figure"] == "mean"]
    scales = sorted({r["scale"] for r in rows})
    there = {r["segment"] for r in rows}
    segments = [*(s for s in order if s in there), *sorted(there - set(order))]
    columns = min(3, max(len(scales), 1))
    lines = max(-(-len(scales) // columns), 1)
    size = (11, 1.1 + lines * (1.0 + 0.32 * len(segments)))
    figure, axes = canvas(rows=lines, columns=columns, size=size, sharex=True, sharey=True, squeeze=False)
    for ax, scale in zip(axes.flat, scales, strict=False):
        _scale(ax, scale, [r for r in rows if r["scale"] == scale], segments, truth or {})
    for ax in axes.flat[len(scales) :]:
        ax.set_visible(False)
    return tell(figure, finding=_finding(rows, variable), rests_on=_rests_on(rows, truth))


def _scale(ax: Axes, scale: str, rows: Sequence[Row], segments: Sequence[str], truth: Truth) -> None:
    panel_title(ax, scale.replace("_", " "))
    for row in rows:
        place = segments.index(str(row["segment"]))
        if row["suppressed"]:
            ax.text(50, place, "too few to show", ha="center", va="center", fontsize=8, color=GREY)
            continue
        if row["bound_low"] is not None:
            bounds = [row["bound_low"], row["bound_high"]]
            ax.plot(bounds, [place, place], color=GREY, linewidth=6, alpha=0.35, solid_capstyle="butt")
        dot(ax, place, Estimate(row["value"], row["low"], row["high"]), Mark(BLUE, width=2.5, size=5))
        if (str(row["segment"]), scale) in truth:
            ax.plot([truth[(str(row["segment"]), scale)]], [place], "x", color=ORANGE, markersize=7, markeredgewidth=2)
    ax.set_yticks(range(len(segments)), segments)
    ax.set_ylim(len(segments) - 0.5, -0.5)
    ax.set_xlim(0, 100)


def _finding(rows: Sequence[Row], variable: str) -> str:
    name = variable.replace("_", " ")
    if not rows:
        return "Nothing is inferred: there is no panel, too few consumers, or nothing that may be matched on"
    if any(r["conditional_independence"] == "assumed" for r in rows):
        return f"By {name}, data leave the grey ranges open; the blue values rest on an untestable assumption"
    return f"Inferred, not observed: scales by {name}, from a panel of other people"


def _rests_on(rows: Sequence[Row], truth: object) -> str:
    if not rows:
        return "No figure rests on anything here."
    first = rows[0]
    cross = " Crosses: the generator's truth (synthetic)." if truth else ""
    how = f"{first['donor_panel']}: {first['method']}."
    marks = f"Points of 100, 95 % intervals; grey: bounds.{cross}"
    return f"{how}\n{marks}\nAssumed: {first['assumption']}."
