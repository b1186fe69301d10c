"""Who redeems a coupon: redeemers found among the best-scored recipients, and the heads' AUC. Response, not uplift."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, dots, nothing, panel_title, tell
from twinops.evaluation.tastes.categories import TWIN
from twinops.evaluation.tastes.categories_picture import TOO_LITTLE
from twinops.evaluation.tastes.coupons import AUC, CURVE, Curve

MODELS = {
    "type": (GREY, "campaign type's rate"),
    "rfm": (ORANGE, "RFM regression"),
    "beta_binomial": ("#cc79a7", "own redemption rate"),
    "lightgbm": (GREEN, "boosted trees"),
    TWIN: (BLUE, "twin"),
}


def coupons_picture(drawn: Mapping[str, Curve] | None, measures: Mapping[str, Measure], *, top: float) -> Figure:
    """Left: redeemers captured against recipients contacted. Right: AUC of every model, and the twin's paired gains."""
    figure, (left, middle, right) = canvas(columns=3, size=(12, 4.4), width_ratios=(5, 3, 3))
    if drawn is None:
        return nothing(figure, finding="Who answers a campaign was not measured", rests_on=TOO_LITTLE)
    _curves(left, drawn, top)
    found = {m: measures.get(AUC if m == TWIN else f"{AUC}.{m}") for m in MODELS}
    dots(middle, found, MODELS, digits=".2f", margin=0.18)
    panel_title(middle, "AUC (higher is better)")
    gains = {m: measures.get(f"{AUC}.gain_over_{m}") for m in MODELS if m != TWIN}
    dots(right, gains, MODELS, digits=".2f", margin=0.18)
    right.axvline(0, color=INK, linewidth=0.9)
    panel_title(right, "twin's gain in AUC, paired")
    auc = measures[AUC]
    at_top = float(drawn[TWIN].value[round(top * (len(CURVE) - 1))])
    return tell(
        figure,
        finding=f"The best-scored {top:.0%} of recipients hold {at_top:.0%} of those who redeem: response, not uplift",
        rests_on=f"n = {auc.n:,} {MANY}; {auc.source}.\n95 % intervals: {auc.method}.",
    )


def _curves(ax: Axes, drawn: Mapping[str, Curve], top: float) -> None:
    for model, (colour, words) in MODELS.items():
        if model in drawn:
            ax.plot(CURVE, drawn[model].value, color=colour, linewidth=2.4 if model == TWIN else 1.3, label=words)
    ax.fill_between(CURVE, drawn[TWIN].low, drawn[TWIN].high, color=BLUE, alpha=0.15, linewidth=0)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    ax.axvline(top, color=INK, linewidth=0.8, linestyle="--")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda v, _: f"{v:.0%}")
    ax.set_xlabel("recipients, best-scored first", fontsize=9)
    ax.set_ylabel("of all who redeemed", fontsize=9)
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    panel_title(ax, "Redeemers captured")
