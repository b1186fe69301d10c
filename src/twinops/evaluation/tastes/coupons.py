"""How well the coupon head predicts who redeems, on held-out campaigns: response, not uplift.

Recipients were chosen by the shop and not by lot. Whoever redeems might have bought without a coupon too.
"""

from dataclasses import dataclass

import numpy as np

from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.small_cells import hidden
from twinops.evaluation.statistics.bootstrap import TAILS, Resampled
from twinops.evaluation.statistics.rankings import captured
from twinops.evaluation.statistics.weighted import auc, mean
from twinops.evaluation.tastes.categories import ZERO, TasteSetting

AUC, BRIER = "coupon_auc", "coupon_brier"
CURVE = np.linspace(0, 1, 51)
RESPONSE = "response, not uplift: recipients were not randomised"


@dataclass(frozen=True)
class ScoredCampaigns:
    """Receipts of held-out campaigns: who (a running number), which campaign, whether redeemed, each model's chance."""

    campaign: np.ndarray
    household: np.ndarray
    responded: np.ndarray
    scores: dict[str, np.ndarray]


@dataclass(frozen=True)
class Curve:
    """Share of redeemers found among so many best-scored recipients (`CURVE`), with a 95 % band."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def measure_coupons(scored: ScoredCampaigns, draws: np.ndarray, *, seed: int, top: float) -> list[Measure]:
    """AUC, share of redeemers in the top, and Brier score, pooled over campaigns; and the twin's paired gains."""
    weights = draws[:, scored.household].astype(float)
    found = {}
    for model, score in scored.scores.items():
        if model != ZERO:  # it ranks nobody
            at_top = captured(scored.responded, score, weights, shares=np.array([top]))[:, 0]
            found[model, AUC] = Resampled(auc(scored.responded, score, weights))
            found[model, f"coupon_capture_at_{top:.0%}".removesuffix("%")] = Resampled(at_top)
        found[model, BRIER] = Resampled(mean((score - scored.responded) ** 2, weights))
    campaigns = len(np.unique(scored.campaign))
    about = TasteSetting(
        n=len(np.unique(scored.household)),
        seed=seed,
        source=f"{len(scored.campaign):,} receipts of {campaigns} held-out campaigns, {int(scored.responded.sum())} "
        "redeemed within the horizon; heads refitted for each campaign on those that were over",
        over=f"{RESPONSE}; pooled over campaigns",
    )
    return about.measures(found, lower=(BRIER,))


def curves(scored: ScoredCampaigns, draws: np.ndarray) -> dict[str, Curve]:
    """Of each model, how many redeemers are found among the best-scored recipients."""
    weights = draws[:, scored.household].astype(float)
    out = {}
    for model, score in scored.scores.items():
        if model == ZERO:
            continue
        drawn = captured(scored.responded, score, weights, shares=CURVE)
        low, high = np.nanquantile(drawn[1:], TAILS, axis=0)
        out[model] = Curve(drawn[0], low, high)
    return out


def coupon_facts(scored: ScoredCampaigns) -> list[Fact]:
    """The held-out campaigns, small counts hidden, and what the figures cannot say."""
    value = []
    for campaign in np.unique(scored.campaign):
        of = scored.campaign == campaign
        answered = int(scored.responded[of].sum())
        # two counts: were the one shown beside the sum, the small one could be had by subtraction
        counts = hidden({"redeemed": answered, "not": int(of.sum()) - answered})
        shown = None not in counts.values()
        value.append({"campaign": int(campaign), "received": int(of.sum()) if shown else None, **counts})
    return [
        Fact("coupon_campaigns", value, Kind.MEASURED, "tastes: held-out campaigns"),
        Fact("coupon_reading", RESPONSE, Kind.DECLARED, "src/twinops/evaluation/tastes/coupons.py"),
    ]
