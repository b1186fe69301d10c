"""What the measures of tastes, coupons and social interaction allow us to say: decided by the intervals alone."""

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import ONE
from twinops.evaluation.statistics.rendering import written
from twinops.evaluation.tastes.social import ACTIVITY, MADE_UP

BASELINES = {
    "popularity": "popularity",
    "own_counts": "own counts",
    "naive": "the last horizon again",
    "zero": "nobody buys or redeems",
    "lightgbm": "boosted trees on the same terms",
    "type": "the campaign type's base rate",
    "rfm": "a regression on RFM and type",
    "beta_binomial": f"each {ONE}'s own redemption rate",
}
CLAIMS = {
    "category_ndcg_at_10": f"In ranking what a {ONE} will buy of",
    "category_brier": "In the chance to buy of each category (Brier score)",
    "new_category_auc": "In telling which categories it will newly try",
    "coupon_auc": "In telling who redeems a coupon (response, not uplift: recipients were not randomised)",
    "coupon_brier": "In the chance to redeem (Brier score)",
    "coupon_capture_at_20": "In finding redeemers among the best fifth (response, not uplift)",
}
GAIN = f"{ACTIVITY}.gain_over_mean"
MARGIN = 0.002
"""Boosted trees must be better by more than this to take a head's place."""


def tastes_conclusion(findings: Findings) -> str:
    """One line a quantity; what was not measured, and why."""
    measures = {m.name: m for m in findings.measures}
    lines = [_against_all(q, claim, measures) for q, claim in CLAIMS.items() if q in measures]
    lines += [_social(measures[name], name) for name in (f"{MADE_UP}{GAIN}", GAIN) if name in measures]
    missing: dict[str, str] = next((f.value for f in findings.facts if f.name == "tastes_not_measured"), {})
    lines += [f"Not measured: {what}. {why}" for what, why in missing.items()]
    return "\n".join(f"- {line}" for line in lines)


def _against_all(quantity: str, claim: str, measures: dict[str, Measure]) -> str:
    """One quantity: what is reached, and how it stands to each baseline."""
    gains = {words: g for name, words in BASELINES.items() if (g := measures.get(f"{quantity}.gain_over_{name}"))}
    better = [f"{words} ({written(g)})" for words, g in gains.items() if g.excludes_zero and g.value > 0]
    same = [f"{words} ({written(g)})" for words, g in gains.items() if not g.excludes_zero]
    worse = [f"{words} ({written(g)})" for words, g in gains.items() if g.excludes_zero and g.value < 0]
    parts = [f"the twin reaches {written(measures[quantity])}"]
    parts += [f"it is **better** than {', '.join(better)}"] if better else []
    parts += [f"it **cannot be told apart** from {', '.join(same)}"] if same else []
    parts += [f"it is **worse** than {', '.join(worse)}"] if worse else []
    return f"{claim} {'; '.join(parts)}."


def champions(measures: dict[str, Measure]) -> dict[str, str]:
    """Of each quantity, whether the regression keeps its place: boosted trees must be better by more than the margin.

    The heads were chosen before the held-out days were looked at; this says whether these days speak against it.
    """
    out = {}
    for quantity in ("category_ndcg_at_10", "new_category_auc", "coupon_auc"):
        gain = measures.get(f"{quantity}.gain_over_lightgbm")
        if gain is not None and gain.high is not None:
            better = gain.value < -MARGIN and gain.high < 0
            out[quantity] = f"boosted trees are better by more than {MARGIN}" if better else "regression stays"
    return out


def _social(gain: Measure, name: str) -> str:
    found = "finds again" if gain.excludes_zero and gain.value > 0 else "does not find again"
    whose, beware = ("account", "")
    if name.startswith(MADE_UP):
        whose = "made-up account"
        beware = " The posts are synthetic: this says something about our generator and nothing about people."
    return (
        f"The social head {found} how much each {whose} writes ({written(gain)} interactions less error than "
        f"everybody's mean).{beware}"
    )
