"""Day after day: how much better the twin predicted than each plain baseline, with what was known by then."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, panel_title, tell
from twinops.evaluation.scorecard.measures import BASELINES

PANELS = {
    "active_auc": "Who comes back: AUC gained",
    "baskets_poisson_deviance": "Baskets: Poisson deviance gained",
    "spend_mae": f"Median of spend: error saved, {MONEY}",
    "spend_deviance": "Mean of spend: deviance gained",
}
NAMES = {
    "segment": (ORANGE, "over the segment's mean"),
    "rfm": (BLUE, "over the RFM regression"),
    "naive": (GREEN, "over the last horizon again"),
}
UNFAIR = {("naive", "baskets_poisson_deviance"), ("naive", "spend_deviance")}
"""Repeating a window predicts next to nothing for some who come back: that gain would hide all others in the panel."""


def rolling_picture(findings: Findings, *, held_out: Sequence[int]) -> Figure:
    """One panel a quantity, one line a baseline; ribbons are 95 % intervals of each day by itself."""
    days = next(f.value for f in findings.facts if f.name == "rolling_origin")
    figure, axes = canvas(columns=len(PANELS), size=(14.5, 4.4))
    for ax, (quantity, title) in zip(axes, PANELS.items(), strict=True):
        for baseline in BASELINES:
            if (baseline, quantity) not in UNFAIR:
                _line(ax, days, f"{quantity}.gain_over_{baseline}", baseline)
        _mark(ax, held_out)
        panel_title(ax, title)
    axes[0].legend(fontsize=8.5, frameon=False)
    return tell(
        figure,
        finding=_finding(days),
        rests_on=f"As-of days {days[0]['cutoff']} to {days[-1]['cutoff']}; the rows learned from grow from "
        f"{days[0]['learned_rows']:,} to {days[-1]['learned_rows']:,}. Marks: days held out from every choice.\n"
        f"Paired gain, above 0: twin better; 95 % percentile intervals of bootstrap draws of whole {MANY}, of "
        "each day alone.",
    )


def _line(ax: Axes, days: list[dict[str, Any]], key: str, baseline: str) -> None:
    # a day on which everybody did the same has no AUC
    known = [(d["cutoff"], *d[key]) for d in days if d.get(key)]
    if not known:
        return
    colour, label = NAMES[baseline]
    cutoff, value, low, high = zip(*known, strict=True)
    ax.fill_between(cutoff, low, high, color=colour, alpha=0.15, linewidth=0)
    ax.plot(cutoff, value, "o-", color=colour, markersize=3.5, linewidth=1.6, label=label)


def _mark(ax: Axes, held_out: Sequence[int]) -> None:
    """Days that nothing was chosen on."""
    ax.axhline(0, color=INK, linewidth=0.9)
    ax.plot(held_out, [0.02] * len(held_out), "^", color=GREY, markersize=5, transform=ax.get_xaxis_transform())
    ax.set_xlabel("as-of day", fontsize=9)


def _finding(days: list[dict[str, Any]]) -> str:
    sure = {}
    for quantity, label in (("active_auc", "activity"), ("spend_mae", "median of spend")):
        each = [[g for b in BASELINES if (g := d.get(f"{quantity}.gain_over_{b}"))] for d in days]
        sure[label] = sum(min(low for _, low, _ in gains) > 0 for gains in each if gains)
    said = ", ".join(f"{label} {n}" for label, n in sure.items())
    return f"Days on which the twin is surely better than every baseline here, of {len(days)}: {said}"
