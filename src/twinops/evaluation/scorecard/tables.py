"""Markdown tables of the scorecard: gains over everything at once, day by day, and group by group."""

from typing import Any

from twinops.entities.findings import Findings
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.scorecard.origins import QUANTITIES
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.rendering import table, written, written_gain

SAID = {
    "active_auc": "who comes back: AUC",
    "baskets_poisson_deviance": "baskets: Poisson deviance",
    "spend_mae": f"median of spend: mean absolute error, {MONEY}",
    "spend_deviance": "mean of spend: Tweedie deviance",
}
BASELINES = {
    "best": "over the best plain baseline",
    "segment": "over the segment's mean",
    "naive": "over the last horizon",
    "rfm": "over RFM",
    "bgnbd": "over BG/NBD",
    "zero": "over nobody comes",
    "lightgbm": "over LightGBM",
}


def baselines_table(scorecard: Findings, accuracy: Findings) -> str:
    """One line a quantity, one column a baseline: the paired gain, in bold where its interval excludes zero."""
    measures = {m.name: m for m in (*accuracy.measures, *scorecard.measures)}
    rows = [
        [SAID[q], *(written_gain(measures.get(f"{q}.gain_over_{r}"), missing="not measured") for r in BASELINES)]
        for q in QUANTITIES
    ]
    return table(["gain of the twin, paired [95 %]", *BASELINES.values()], rows)


def days_table(scorecard: Findings) -> str:
    """Every as-of day: how much was learned from, and how well it was predicted."""
    rows = []
    for d in _fact(scorecard, "rolling_origin"):
        told = [_written(d.get(q)) for q in QUANTITIES]
        rows.append([f"day {d['cutoff']}", f"{d['learned_rows']:,}", f"{d['households']:,}", *told])
    return table(["as-of day", "rows learned from", MANY, *SAID.values()], rows)


def groups_table(scorecard: Findings) -> str:
    """Every group that is large enough."""
    shown = {
        "coverage_baskets": "baskets in range",
        "coverage_spend": "spend in range",
        "spend_mae": f"spend error, {MONEY}",
        "predicted_over_actual_spend": "predicted over actual spend",
    }
    rows = [
        [g["attribute"].replace("_", " "), g["group"], f"{g['households']:,}", *(_written(g.get(k)) for k in shown)]
        for g in _fact(scorecard, "scorecard_groups")
    ]
    return table(["attribute", "group", MANY, *shown.values()], rows)


def _fact(findings: Findings, name: str) -> list[dict[str, Any]]:
    return next((f.value for f in findings.facts if f.name == name), [])


def _written(found: list[float] | None) -> str:
    """Value, low, high as facts hold them."""
    return written(Estimate(*found)) if found else "not defined"
