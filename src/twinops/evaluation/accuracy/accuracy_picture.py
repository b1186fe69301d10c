"""The twin beside its baselines: a dot a model with its interval, and the paired gain over the best and the trees."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.baselines import BEST, CHALLENGER, best_baseline
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.accuracy.measures import ZERO
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, Mark, above, canvas, dot, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate

PANELS = {
    "active_auc": ("Who comes back: AUC", "higher is better"),
    "active_brier": ("Chance to come back: Brier", "lower is better"),
    "baskets_poisson_deviance": ("Baskets: Poisson deviance", "lower is better"),
    "spend_mae": (f"Median of spend: error, {MONEY}", "lower is better"),
    "spend_deviance": ("Mean of spend: deviance", "lower is better"),
}
MODELS = {
    ZERO: (GREY, "nobody comes"),
    "naive": (GREY, "last horizon again"),
    "bgnbd": (GREY, "BG/NBD"),
    "rfm": (ORANGE, "RFM regression"),
    "lightgbm": (GREEN, "LightGBM"),
    "": (BLUE, "twin"),
}


def accuracy_picture(findings: Findings) -> Figure:
    """Top: every model with its interval. Bottom: paired gain of the twin over the best plain baseline and the trees.

    Which baseline is the best is told quantity by quantity, by what was measured.
    """
    measures = {m.name: m for m in findings.measures}
    figure, axes = canvas(rows=2, columns=len(PANELS), size=(14.4, 6.2), height_ratios=(2.3, 1))
    for column, (quantity, (title, direction)) in enumerate(PANELS.items()):
        _models(axes[0][column], {m: measures.get(f"{quantity}.{m}" if m else quantity) for m in MODELS})
        panel_title(axes[0][column], f"{title}\n({direction})")
        rivals = [CHALLENGER, best_baseline(quantity, findings.measures)]
        _gains(axes[1][column], {r: g for r in rivals if r and (g := measures.get(f"{quantity}.gain_over_{r}"))})
        if column:
            axes[0][column].tick_params(labelleft=False)
    any_measure = measures["active_auc"]
    return tell(
        figure,
        finding=_finding(measures),
        rests_on=f"n = {any_measure.n:,} {MANY}; {any_measure.source}.\n95 % intervals: {any_measure.method}.",
    )


def _models(ax: Axes, found: dict[str, Measure | None]) -> None:
    for place, (model, measure) in enumerate(found.items()):
        # nobody comes lies so far off that all others would look the same beside it
        if measure is None or model == ZERO:
            said = "not defined" if measure is None else f"{measure.value:.3g}, off the scale"
            ax.text(0.02, place, said, va="center", fontsize=8, color=GREY, transform=ax.get_yaxis_transform())
        else:
            _dot(ax, place, measure, MODELS[model][0])
    ax.set_yticks(range(len(found)), [MODELS[m][1] for m in found])
    ax.set_ylim(-0.5, len(found) - 0.35)
    ax.margins(x=0.18)


def _gains(ax: Axes, gains: dict[str, Measure]) -> None:
    for place, gain in enumerate(gains.values()):
        better = BLUE if gain.value > 0 else ORANGE
        _dot(ax, place, gain, better if gain.excludes_zero else GREY)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_yticks(range(len(gains)), [f"over {SHORT.get(r, r)}" for r in gains])
    ax.set_ylim(-0.5, len(gains) - 0.2)
    ax.margins(x=0.25)
    ax.locator_params(axis="x", nbins=4)
    panel_title(ax, "gain of the twin, paired")


def _dot(ax: Axes, place: float, m: Measure, colour: str) -> None:
    dot(ax, place, Estimate.of(m), Mark(colour))
    above(ax, place, m.value, f"{m.value:.3g}", points=7)


def _finding(measures: dict[str, Measure]) -> str:
    """Where the twin stands on every quantity that was compared, by the intervals alone."""
    said = [f"{name}: {what}" for name, rival in RIVALS.items() if (what := _standing(measures, rival))]
    return f"The twin against {'; against '.join(said)}" if said else "There is no baseline to compare the twin with"


def _standing(measures: dict[str, Measure], rival: str) -> str:
    """`better on 1 of 5 (Brier), not told apart on 4`; nothing where nothing was compared."""
    gains = {label: gain for q, label in _SHORT.items() if (gain := measures.get(f"{q}.gain_over_{rival}"))}
    sure = {label: gain.value > 0 for label, gain in gains.items() if gain.excludes_zero}
    counted = {
        "better": [label for label, better in sure.items() if better],
        "worse": [label for label, better in sure.items() if not better],
        "not told apart": [label for label in gains if label not in sure],
    }
    parts = [(how, on) for how, on in counted.items() if on]
    first = [f" of {len(gains)}", *[""] * len(parts)]
    named = [f" ({', '.join(on)})" if how != "not told apart" else "" for how, on in parts]
    return ", ".join(f"{how} on {len(on)}{of}{who}" for (how, on), of, who in zip(parts, first, named, strict=False))


RIVALS = {"the best plain baseline": BEST, "LightGBM": CHALLENGER}
SHORT = {"rfm": "RFM", "bgnbd": "BG/NBD", "naive": "last again", "zero": "nobody", CHALLENGER: "LightGBM"}
_SHORT = {
    "active_auc": "AUC",
    "active_brier": "Brier",
    "baskets_poisson_deviance": "baskets",
    "spend_mae": "median spend",
    "spend_deviance": "mean spend",
}
