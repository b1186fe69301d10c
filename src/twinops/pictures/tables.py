"""Markdown tables for notebooks: measures with their intervals, side by side."""

from __future__ import annotations

from collections.abc import Iterable

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.evaluation.conclusions import written
from twinops.twin.model import TwinModel

QUANTITIES = {
    "active_auc": "who comes back: AUC",
    "active_brier": "chance to come back: Brier",
    "active_calibration_slope": "chance to come back: calibration slope",
    "baskets_poisson_deviance": "baskets: Poisson deviance",
    "spend_mae": "spend: mean absolute error, USD",
}
COLUMNS = {
    "": "twin",
    ".rfm": "RFM regression",
    ".naive": "last 28 days again",
    ".gain_over_rfm": "gain over RFM, paired",
}


def accuracy_table(findings: Findings) -> str:
    """One line a quantity, one column a model, and the paired gain over the strongest baseline."""
    measures = {m.name: m for m in findings.measures}
    rows = [[title, *(_cell(measures.get(q + model)) for model in COLUMNS)] for q, title in QUANTITIES.items()]
    return table(["mean over held-out days [95 %]", *COLUMNS.values()], rows)


def days_table(findings: Findings) -> str:
    """The held-out days one by one."""
    days = next(f.value for f in findings.facts if f.name == "accuracy_by_cutoff")
    kept = {"households": "households", "active_share": "came back", "active_auc": "AUC", "active_auc.rfm": "AUC, RFM",
            "spend_mae": "spend error, USD", "spend_mae.rfm": "spend error, RFM"}  # fmt: skip
    rows = [[f"day {d['cutoff']}", *(_number(d[key]) for key in kept)] for d in days]
    return table(["as-of day", *kept.values()], rows)


def priors_table(model: TwinModel) -> str:
    """What is believed about a household before its first basket, at each speed of forgetting."""
    speeds = zip(("quick", "steady", "slow"), model.decay_days, strict=True)
    rows = []
    for speed, days in speeds:
        pace = getattr(model.priors, speed)
        rows.append(
            [
                f"{speed}, {days} days",
                f"{pace.shape / pace.exposure * 7:.2f}",
                f"{pace.exposure:.1f}",
                f"{pace.basket_usd:.2f}",
            ]
        )
    return table(["memory", "baskets a week", "counts as days of history", "USD a basket"], rows)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(m: Measure | None) -> str:
    return "not defined" if m is None else written(m)


def _number(value: float | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
