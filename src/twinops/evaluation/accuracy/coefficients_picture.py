"""The weights of the heads: each forecast is the sum of these, so this is the whole explanation."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.accuracy.coefficients import Weight
from twinops.evaluation.canvas import BLUE, GREY, INK, Mark, canvas, dot, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate
from twinops.twin.model.model import TwinModel
from twinops.twin.state.terms import MEANINGS, TERMS

AXES = {"activity": "log rate of visits", "baskets": "log baskets", "spend": f"log {MONEY}"}


def coefficients_picture(model: TwinModel, weights: dict[str, tuple[Weight, ...]]) -> Figure:
    """One panel a head, one line a term; grey where the interval holds zero."""
    figure, axes = canvas(columns=len(weights), size=(12, 6.6), sharey=True)
    for ax, (head, terms) in zip(axes, weights.items(), strict=True):
        _weights(ax, terms)
        panel_title(ax, f"{head.capitalize()}: added to {AXES[head]}")
    axes[0].set_yticks(range(len(TERMS)), [MEANINGS[t] for t in TERMS], fontsize=8.5)
    axes[0].invert_yaxis()
    seen = model.trained_on
    return tell(
        figure,
        finding=_finding(weights),
        rests_on=f"Trained on {seen.rows:,} {ONE}-days of {seen.households:,} {MANY}, as-of days "
        f"{seen.first_cutoff} to {seen.last_cutoff}. A weight is what one more standard deviation of a term adds.\n"
        f"95 % intervals: sandwich over {MANY}. Related terms share their effect: their sum is surer than each.",
    )


def _weights(ax: Axes, terms: tuple[Weight, ...]) -> None:
    for place, w in enumerate(terms):
        if not w.used:
            ax.text(0, place, " not used", va="center", fontsize=7.5, color=GREY)
            continue
        colour = GREY if w.low <= 0 <= w.high else BLUE
        dot(ax, place, Estimate(w.value, w.low, w.high), Mark(colour, width=2, size=5))
    ax.axvline(0, color=INK, linewidth=0.9)


def _finding(weights: dict[str, tuple[Weight, ...]]) -> str:
    strongest = {head: max(terms, key=lambda w: abs(w.value)).term for head, terms in weights.items()}
    said = {head: MEANINGS[term].split(",")[0].removesuffix(" (log)") for head, term in strongest.items()}
    if len(set(said.values())) == 1:
        return f"What weighs most in every forecast: {next(iter(said.values()))}"
    return "What weighs most: " + "; ".join(f"{term} for {head}" for head, term in said.items())
