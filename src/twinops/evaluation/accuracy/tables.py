"""Markdown tables for notebooks: measures with their intervals, side by side."""

from twinops.entities.baselines import best_baseline
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.accuracy.choice import SCORES
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
    ".naive": "last horizon again",
    ".zero": "nobody comes",
}
GAINS = {
    ".gain_over_best": "over the best plain baseline",
    ".gain_over_rfm": "over RFM",
    ".gain_over_bgnbd": "over BG/NBD",
    ".gain_over_naive": "over the last horizon",
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
    """What the choice looked at: a line a candidate, what it would have gained over the regression of each head."""
    measures = {m.name: m for m in findings.measures}
    start = {q: f"choice.{q}.gain_of_" for q in SCORES.values()}
    named = dict.fromkeys(n.removeprefix(s) for n in measures for s in start.values() if n.startswith(s))
    own = ["regression", *(_cell(measures.get(f"choice.{q}.regression")) for q in start)]
    gains = [
        [c.replace("_and_", " and "), *(written_gain(measures.get(s + c), missing="not asked") for s in start.values())]
        for c in named
    ]
    return table(["mean over earlier days, gains paired [95 %]", *(QUANTITIES[q] for q in start)], [own, *gains])


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
        numbers = (f"{pace.shape / pace.exposure * 7:.2f}", f"{pace.exposure:.1f}", f"{pace.basket_value:.2f}")
        rows.append([f"{speed}, {days} days", *numbers])
    return table(["memory", "baskets a week", "counts as days of history", f"{MONEY} a basket"], rows)


def _cell(m: Measure | None) -> str:
    return "not defined" if m is None else written(m)


def _number(value: float | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
