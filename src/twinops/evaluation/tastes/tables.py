"""Markdown tables for the notebook of tastes: measures with their intervals, side by side."""

from twinops.entities.findings import Findings
from twinops.evaluation.statistics.rendering import table, written
from twinops.evaluation.tastes.social import ACTIVITY, MADE_UP, SENTIMENT

TASTES = {
    "category_ndcg_at_10": "what it will buy of: NDCG of ten",
    "new_category_auc": "what it newly tries: AUC",
    "category_brier": "chance to buy: Brier, lower is better",
}
COUPONS = {
    "coupon_auc": "who redeems: AUC",
    "coupon_capture_at_20": "redeemers in the best fifth",
    "coupon_brier": "chance to redeem: Brier, lower is better",
}
SOCIAL = {
    ACTIVITY: "interactions in the horizon: mean error",
    SENTIMENT: "mean mood of its texts, -1 to 1: mean error",
}


def tastes_table(findings: Findings) -> str:
    """One line a quantity, one column a model."""
    return _table(findings, TASTES, {"": "twin", "own_counts": "own counts", "popularity": "popularity",
                                     "naive": "last horizon again", "zero": "nobody buys",
                                     "lightgbm": "boosted trees"})  # fmt: skip


def coupons_table(findings: Findings) -> str:
    """One line a quantity, one column a model. Response, not uplift."""
    return _table(findings, COUPONS, {"": "twin", "rfm": "RFM regression", "beta_binomial": "own redemption rate",
                                      "type": "campaign type's rate", "zero": "nobody redeems",
                                      "lightgbm": "boosted trees"})  # fmt: skip


def social_table(findings: Findings) -> str:
    """One line a quantity; of made-up posts it says so."""
    made_up = any(m.name.startswith(MADE_UP) for m in findings.measures)
    asked = {f"{MADE_UP}{name}": f"{title} (synthetic)" for name, title in SOCIAL.items()} if made_up else SOCIAL
    return _table(findings, asked, {"": "head", "mean": "everybody's mean", "gain_over_mean": "gain, paired"})


def campaigns_table(findings: Findings) -> str:
    """The held-out campaigns; small counts are hidden."""
    found: list[dict[str, int | None]] = next((f.value for f in findings.facts if f.name == "coupon_campaigns"), [])
    rows = [[str(c["campaign"]), *("hidden" if c[k] is None else f"{c[k]:,}" for k in ("received", "redeemed"))]
            for c in found]  # fmt: skip
    return table(["campaign", "received", "redeemed within the horizon"], rows)


def _table(findings: Findings, quantities: dict[str, str], models: dict[str, str]) -> str:
    measures = {m.name: m for m in findings.measures}
    rows = []
    for quantity, title in quantities.items():
        cells = [measures.get(f"{quantity}.{m}" if m else quantity) for m in models]
        rows.append([title, *("not measured" if m is None else written(m) for m in cells)])
    return table(["held out [95 %]", *models.values()], rows)
