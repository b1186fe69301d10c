"""What goes stale: the state of the households, or the heads that read it."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.canvas import BLUE, INK, ORANGE, canvas, panel_title, tell
from twinops.evaluation.scorecard.conclusions import oldest
from twinops.evaluation.scorecard.freshness import HEADS, STATE
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.rendering import written

PANELS = {
    "active_auc": "Who comes back: AUC lost",
    "baskets_poisson_deviance": "Baskets: Poisson deviance lost",
    "spend_mae": f"Median of spend: error added, {MONEY}",
}
LINES = {STATE: (ORANGE, f"state of the {MANY} is old"), HEADS: (BLUE, "heads are frozen, state is fresh")}


def freshness_picture(findings: Findings) -> Figure:
    """One panel a quantity, one line for each kind of age; ribbons are 95 % intervals of the paired loss."""
    measures = {m.name: m for m in findings.measures}
    figure, axes = canvas(columns=len(PANELS), size=(12, 4.4))
    for ax, (quantity, title) in zip(axes, PANELS.items(), strict=True):
        for what, (colour, label) in LINES.items():
            _line(ax, losses(measures, quantity, what), colour, label)
        ax.axhline(0, color=INK, linewidth=0.9)
        ax.set_xlabel("days old", fontsize=9)
        panel_title(ax, title)
    axes[0].legend(fontsize=8.5, frameon=False, loc="upper left")
    fresh = measures["freshness.spend_mae.fresh"]
    return tell(
        figure,
        finding=_finding(measures),
        rests_on=f"n = {fresh.n:,} {MANY}; {fresh.source}.\nLoss against both fresh, paired; {fresh.method}.",
    )


def losses(measures: dict[str, Measure], quantity: str, what: str) -> list[tuple[int, Measure]]:
    """Age in days and what is lost at it, in order."""
    start = f"freshness.{quantity}.{what}_"
    found = [
        (int(n.removeprefix(start).removesuffix(".loss")), m)
        for n, m in measures.items()
        if n.startswith(start) and n.endswith(".loss")
    ]
    return sorted(found, key=lambda pair: pair[0])


def _line(ax: Axes, found: list[tuple[int, Measure]], colour: str, label: str) -> None:
    ages = [0, *(age for age, _ in found)]
    value = [0.0, *(m.value for _, m in found)]
    low = [0.0, *(Estimate.of(m).low for _, m in found)]
    high = [0.0, *(Estimate.of(m).high for _, m in found)]
    ax.fill_between(ages, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(ages, value, "o-", color=colour, markersize=4.5, linewidth=1.8, label=label)


def _finding(measures: dict[str, Measure]) -> str:
    state, heads = oldest(measures, STATE), oldest(measures, HEADS)
    by_state = measures.get(f"freshness.spend_mae.state_{state}.loss")
    by_heads = measures.get(f"freshness.spend_mae.heads_{heads}.loss")
    parts = [f"a state {state} days old costs {written(by_state)} {MONEY}"] if by_state else []
    parts += [f"heads {heads} days old {written(by_heads)} {MONEY}"] if by_heads else []
    # the interval of what an old state loses lies above that of old heads
    surely = by_state and by_heads and Estimate.of(by_state).low > Estimate.of(by_heads).high
    return ("What must be fresh is the state: " if surely else "Of age: ") + "; ".join(parts)
