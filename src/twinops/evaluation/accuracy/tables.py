"""Markdown tables for notebooks: measures with their intervals, side by side."""

from twinops.entities.baselines import best_baseline
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.statistics.rendering import table, written, written_gain
from twinops.twin.model.model import TwinModel

QUANTITIES = {
    "active_auc": "who comes back: AUC",
    "active_brier": "chance to come back: Brier",
    "active_log_loss": "chance to come back: log loss",
    "active_calibration_slope": "chance to come back: calibration slope",
    "active_ece": "chance to come back: calibration error",
    "baskets_poisson_deviance": "baskets: Poisson deviance",
    "spend_mae": f"median of spend: mean absolute error, {MONEY}",
    "spend_deviance": "mean of spend: Tweedie deviance",
    "spend_total_ratio": "mean of spend: predicted over actual total",
}
COLUMNS = {
    "": "twin",
    ".lightgbm": "LightGBM",
    ".rfm": "RFM regression",
    ".bgnbd": "BG/NBD",
    ".naive": "last 28 days again",
    ".zero": "nobody comes",
}
GAINS = {
    ".gain_over_best": "over the best plain baseline",
    ".gain_over_rfm": "over RFM",
    ".gain_over_bgnbd": "over BG/NBD",
    ".gain_over_naive": "over the last 28 days",
    ".gain_over_zero": "over nobody comes",
    ".gain_over_lightgbm": "over LightGBM",
}


def accuracy_table(findings: Findings) -> str:
    """One line a quantity, one column a model."""
    measures = {m.name: m for m in findings.measures}
    rows = [[title, *(_cell(measures.get(q + model)) for model in COLUMNS)] for q, title in QUANTITIES.items()]
    return table(["mean over held-out days [95 %]", *COLUMNS.values()], rows)


def gains_table(findings: Findings) -> str:
    """One line a quantity, one column a baseline: the paired gain, in bold where its interval excludes zero.

    The best baseline of each quantity stands first, with its name.
    """
    measures = {m.name: m for m in findings.measures}
    rows = [
        [title, best, *(written_gain(measures.get(q + baseline), missing="not defined") for baseline in GAINS)]
        for q, title in QUANTITIES.items()
        if (best := best_baseline(q, measures.values()))
    ]
    return table(["gain of the twin, paired [95 %]", "best plain baseline", *GAINS.values()], rows)


def choice_table(findings: Findings) -> str:
    """What the choice of the champion looked at: the regressions, and what the others would have gained."""
    measures = {m.name: m for m in findings.measures}
    columns = {
        ".glm": "regressions",
        ".gain_of_lightgbm": "gain of LightGBM",
        ".gain_of_average": "gain of the mean of both",
    }
    quantities = [q for q in QUANTITIES if f"choice.{q}.glm" in measures]
    rows = [[QUANTITIES[q], *(_cell(measures.get(f"choice.{q}{c}")) for c in columns)] for q in quantities]
    return table(["mean over earlier days [95 %]", *columns.values()], rows)


def days_table(findings: Findings) -> str:
    """The held-out days one by one."""
    days = next(f.value for f in findings.facts if f.name == "accuracy_by_cutoff")
    kept = {"households": MANY, "active_share": "came back"}
    for quantity, said in {"active_auc": "AUC", "spend_mae": f"spend error, {MONEY}"}.items():
        best = best_baseline(quantity, findings.measures)
        kept |= {quantity: said, f"{quantity}.{best}": f"{said}, {best}", f"{quantity}.lightgbm": f"{said}, LightGBM"}
    rows = [[f"day {d['cutoff']}", *(_number(d.get(key)) for key in kept)] for d in days]
    return table(["as-of day", *kept.values()], rows)


def priors_table(model: TwinModel) -> str:
    """What is believed about a household before its first basket, at each speed of forgetting."""
    rows = []
    for speed, days in zip(("quick", "steady", "slow"), model.decay_days, strict=True):
        pace = getattr(model.priors, speed)
        numbers = (f"{pace.shape / pace.exposure * 7:.2f}", f"{pace.exposure:.1f}", f"{pace.basket_usd:.2f}")
        rows.append([f"{speed}, {days} days", *numbers])
    return table(["memory", "baskets a week", "counts as days of history", f"{MONEY} a basket"], rows)


def _cell(m: Measure | None) -> str:
    return "not defined" if m is None else written(m)


def _number(value: float | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
