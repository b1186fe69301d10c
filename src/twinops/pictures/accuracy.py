"""The twin beside its baselines: a dot per model with its interval, and the paired gain over the strongest."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.pictures.canvas import BLUE, GREY, INK, ORANGE, canvas, panel_title, tell

PANELS = {
    "active_auc": ("Who comes back: AUC", "higher is better"),
    "active_brier": ("Chance to come back: Brier", "lower is better"),
    "baskets_poisson_deviance": ("Baskets: Poisson deviance", "lower is better"),
    "spend_mae": ("Spend: mean error, USD", "lower is better"),
}
MODELS = {"naive": (GREY, "last 28 days again"), "rfm": (ORANGE, "RFM regression"), "": (BLUE, "twin")}


def accuracy_picture(findings: Findings) -> Figure:
    """Top: every model with its interval. Bottom: paired gain of the twin over the RFM regression."""
    measures = {m.name: m for m in findings.measures}
    figure, axes = canvas(rows=2, columns=len(PANELS), size=(12, 4.9), height_ratios=(2, 1))
    for column, (quantity, (title, direction)) in enumerate(PANELS.items()):
        _models(axes[0][column], {m: measures.get(f"{quantity}.{m}" if m else quantity) for m in MODELS})
        panel_title(axes[0][column], f"{title}\n({direction})")
        _gain(axes[1][column], measures[f"{quantity}.gain_over_rfm"])
        if column:
            axes[0][column].tick_params(labelleft=False)
    any_measure = measures["active_auc"]
    return tell(
        figure,
        finding=_finding(measures),
        rests_on=f"n = {any_measure.n:,} households; {any_measure.source}.\n95 % intervals: {any_measure.method}.",
    )


def _models(ax: Axes, found: dict[str, Measure | None]) -> None:
    for place, (model, measure) in enumerate(found.items()):
        if measure is None:
            ax.text(0.02, place, "not defined", va="center", fontsize=8, color=GREY, transform=ax.get_yaxis_transform())
        else:
            _dot(ax, place, measure, MODELS[model][0])
    ax.set_yticks(range(len(found)), [MODELS[m][1] for m in found])
    ax.set_ylim(-0.5, len(found) - 0.35)
    ax.margins(x=0.18)


def _gain(ax: Axes, gain: Measure) -> None:
    _dot(ax, 0, gain, BLUE if gain.excludes_zero else GREY)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_ylim(-0.5, 0.75)
    ax.set_yticks([])
    ax.margins(x=0.25)
    panel_title(ax, "gain over RFM, paired")


def _dot(ax: Axes, place: float, m: Measure, colour: str) -> None:
    low, high = m.low if m.low is not None else m.value, m.high if m.high is not None else m.value
    ax.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="round")
    ax.plot([m.value], [place], "o", color=colour, markersize=6)
    ax.annotate(
        f"{m.value:.3g}", (m.value, place), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8.5
    )


def _finding(measures: dict[str, Measure]) -> str:
    better = [
        label
        for q, label in _SHORT.items()
        if measures[f"{q}.gain_over_rfm"].excludes_zero and measures[f"{q}.gain_over_rfm"].value > 0
    ]
    worse = [
        label
        for q, label in _SHORT.items()
        if measures[f"{q}.gain_over_rfm"].excludes_zero and measures[f"{q}.gain_over_rfm"].value < 0
    ]
    if not better and not worse:
        return "The twin and the RFM regression cannot be told apart"
    parts = [f"{how} on {' and '.join(what)}" for how, what in (("better", better), ("worse", worse)) if what]
    same = len(_SHORT) - len(better) - len(worse)
    return f"Against the RFM regression the twin is {', '.join(parts)}" + (
        "; the rest cannot be told apart" if same else ""
    )


_SHORT = {"active_auc": "AUC", "active_brier": "Brier", "baskets_poisson_deviance": "baskets", "spend_mae": "spend"}
