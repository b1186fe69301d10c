"""How well the twin predicts, beside its baselines, on days it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import isfinite

import numpy as np

from twinops.data.threads import one_thread
from twinops.entities import shown
from twinops.entities.baselines import BEST, GAIN, best_baseline
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import TAILS, Resampled, mean_of
from twinops.evaluation.statistics.bounds import AMOUNT, ANY_NUMBER, SHARE
from twinops.twin.model.predictions import Predictions

SHOWN = (
    *shown.measures(
        meanings := {
            "active_auc": f"tells {MANY} that will shop from those that will not; higher is better",
            "active_brier": "squared error of the chance to shop; lower is better",
            "active_calibration_slope": "one when chances are neither too bold nor too timid",
            "baskets_poisson_deviance": "misfit of the number of baskets; lower is better",
            "spend_mae": "mean absolute error of the predicted median of spend; lower is better",
            "spend_deviance": "misfit of the predicted mean of spend (Tweedie 1.5); lower is better",
            "spend_total_ratio": "predicted over actual spend of all together; one is right",
        },
        section=Section.ACCURACY,
        headlines=meanings,
    ),
    *shown.pictures(
        {
            "activity": f"What the training {MANY} did, period by period",
            "coefficients": "Weights of the shipped heads, with their doubt",
        },
        section=Section.MODEL,
    ),
    *shown.pictures(
        {
            "accuracy": "Held-out accuracy of the twin beside its baselines, with intervals",
            "calibration": "How often what was predicted came true, by predicted chance and amount",
        },
        section=Section.ACCURACY,
    ),
)

TWIN = "twin"
SLOPE, LARGE, ERROR = "active_calibration_slope", "active_calibration_in_the_large", "active_ece"
TOTAL = "spend_total_ratio"
CALIBRATION = (SLOPE, LARGE, ERROR, TOTAL)
"""Of these no gain is stated: nearer to what is right is better, not more or less."""

LOWER_IS_BETTER = ("active_brier", "active_log_loss", "baskets_poisson_deviance", "spend_mae", "spend_deviance")
UNITS = {"spend_mae": MONEY, LARGE: "log-odds"}
WITHIN = {"active_auc": SHARE, "active_brier": SHARE, ERROR: SHARE, SLOPE: ANY_NUMBER, LARGE: ANY_NUMBER}
"""What a quantity can be; all others are amounts."""
ZERO = "zero"
UNDEFINED = {
    ("naive", SLOPE),
    *((ZERO, q) for q in (SLOPE, TOTAL, "active_auc", "active_log_loss", "baskets_poisson_deviance", "spend_deviance")),
}
"""Two values have no slope; of a certain nothing no likelihood can be told, and it ranks nobody."""


@dataclass(frozen=True)
class ScoredDay:
    """One as-of day: who (a running number over all days), what happened, and what each model expected."""

    cutoff: int
    household: np.ndarray
    active: np.ndarray
    baskets: np.ndarray
    spend: np.ndarray
    predictions: dict[str, Predictions]


@dataclass(frozen=True)
class Accuracy:
    """Every quantity of every model, resampled together. Keys are (model, quantity)."""

    over_days: dict[tuple[str, str], Resampled]
    by_day: dict[tuple[str, str], list[float]]

    def gain(self, quantity: str, *, of: str = TWIN, over: str) -> Resampled:
        """How much better one model is than another, draw by draw: positive is better, whichever way it points."""
        ours, theirs = self.over_days[of, quantity], self.over_days[over, quantity]
        return theirs - ours if quantity in LOWER_IS_BETTER else ours - theirs


def measure_accuracy(days: list[ScoredDay], draws: np.ndarray, only: Collection[str] = ()) -> Accuracy:
    """Measure each model on each day, on the households as they are and on every draw of them (`bootstrap.counts`).

    `only`: these quantities; all of them where nothing is named.
    """
    models = list(days[0].predictions)
    quantities: dict[tuple[str, str], list[np.ndarray]] = {}
    # BLAS in several threads sums in another order each time: the last bits would differ from run to run
    with one_thread():
        for day in days:
            # a household that is drawn twice counts twice on every day, so months of one household stay together
            weights = draws[:, day.household].astype(float)
            for model in models:
                for quantity, values in _quantities(day, model, weights, only).items():
                    quantities.setdefault((model, quantity), []).append(values)
    return Accuracy(
        over_days={k: mean_of(v, within=WITHIN.get(k[1], AMOUNT)) for k, v in quantities.items()},
        by_day={k: [float(day[0]) for day in v] for k, v in quantities.items()},
    )


def accuracy_findings(accuracy: Accuracy, days: list[ScoredDay], *, seed: int) -> Findings:
    """Measures as the contract names them: `active_auc`, `active_auc.rfm`, `active_auc.gain_over_rfm`, and so on."""
    about = About.these(days, accuracy, seed=seed)
    # a slope does not exist for a model that says the same of everyone, or is never wrong: missing, not zero
    stated = {k: r for k, r in accuracy.over_days.items() if k[1] not in CALIBRATION or r.known}
    measures = [about.measure(_name(model, q), r, q) for (model, q), r in stated.items()]
    for model, quantity in accuracy.over_days:
        if model != TWIN and quantity not in CALIBRATION:
            gain = accuracy.gain(quantity, over=model)
            measures.append(about.measure(f"{quantity}{GAIN}{model}", gain, quantity, better=TWIN, than=model))
    best = {q: name for q in dict.fromkeys(q for _, q in accuracy.over_days) if (name := best_baseline(q, measures))}
    for quantity, model in best.items():
        gain, than = accuracy.gain(quantity, over=model), f"{model}, the best of its plain baselines here"
        measures.append(about.measure(f"{quantity}{GAIN}{BEST}", gain, quantity, better=TWIN, than=than))
    return Findings((*measures, about.floor(days)), (_by_day(accuracy, days),), SHOWN)


@dataclass(frozen=True)
class About:
    """What all measures of one evaluation share."""

    n: int
    draws: int
    cutoffs: list[int]
    seed: int
    which: str = "held-out"

    @classmethod
    def these(cls, days: list[ScoredDay], accuracy: Accuracy, *, seed: int, which: str = "held-out") -> About:
        """Households are counted once, whatever the number of days."""
        n = len(np.unique(np.concatenate([d.household for d in days])))
        draws = len(next(iter(accuracy.over_days.values())).draws) - 1
        return cls(n, draws, [d.cutoff for d in days], seed, which)

    @property
    def source(self) -> str:
        """Which data."""
        days = ", ".join(map(str, self.cutoffs))
        return f"{self.which} as-of days {days}; models refitted for each on closed rows only"

    def measure(self, name: str, quantity: Resampled, of: str, *, better: str = "", than: str = "") -> Measure:
        """One quantity with its interval; of a gain, who is better when it is positive, and than whom."""
        paired = f"{better} compared with {than}, positive: {better} better; paired, " if than else ""
        how = (
            f"{paired}mean over {len(self.cutoffs)} as-of days; {quantity.how}, the same draws on every day and for "
            "every model"
        )
        found = quantity.estimate(name)
        return found.measure(name, self.n, self.source, how, unit=UNITS.get(of), seed=self.seed)

    def floor(self, days: list[ScoredDay]) -> Measure:
        """The calibration error that perfectly right chances would show by luck alone."""
        chances = [d.predictions[TWIN].active_probability for d in days]
        by_day = [weighted.noise_floor(p, draws=self.draws, seed=self.seed + i) for i, p in enumerate(chances)]
        floor = np.mean(by_day, axis=0)
        low, high = (float(end) for end in np.quantile(floor, TAILS))
        how = (
            f"mean over {len(self.cutoffs)} as-of days of the calibration error in ten bins, where outcomes are "
            f"drawn from the twin's own chances; middle 95 % of {self.draws} draws"
        )
        name = f"{ERROR}_noise_floor"
        return Measure(name, float(floor.mean()), self.n, self.source, how, low, high, seed=self.seed)


def _quantities(day: ScoredDay, model: str, weights: np.ndarray, only: Collection[str]) -> dict[str, np.ndarray]:
    """Every quantity of one model on one day: one number per draw."""
    p = day.predictions[model]
    chance = p.active_probability
    made: dict[str, Callable[[], np.ndarray]] = {
        "active_auc": lambda: weighted.auc(day.active, chance, weights),
        "active_brier": lambda: weighted.mean((chance - day.active) ** 2, weights),
        "active_log_loss": lambda: weighted.mean(weighted.log_loss(day.active, chance), weights),
        SLOPE: lambda: weighted.calibration_slope(day.active, chance, weights),
        "baskets_poisson_deviance": lambda: weighted.mean(weighted.poisson_deviance(day.baskets, p.baskets), weights),
        "spend_mae": lambda: weighted.mean(np.abs(p.spend_median - day.spend), weights),
        "spend_deviance": lambda: weighted.mean(weighted.tweedie_deviance(day.spend, p.spend), weights),
        TOTAL: lambda: weighted.mean(p.spend, weights) / weighted.mean(day.spend, weights),
    }
    if model == TWIN:
        made[LARGE] = lambda: weighted.calibration_in_the_large(day.active, chance, weights)
        made[ERROR] = lambda: weighted.calibration_error(day.active, chance, weights)
    asked = [name for name in made if (model, name) not in UNDEFINED and (name in only or not only)]
    return {name: made[name]() for name in asked}


def _name(model: str, quantity: str) -> str:
    """The twin's measures bear the quantity's name alone."""
    return quantity if model == TWIN else f"{quantity}.{model}"


def _by_day(accuracy: Accuracy, days: list[ScoredDay]) -> Fact:
    """The same quantities day by day, to see whether the mean hides a bad month."""
    value = [
        {
            "cutoff": day.cutoff,
            "households": len(day.household),
            "active_share": round(float(day.active.mean()), 4),
            "mean_spend_usd": round(float(day.spend.mean()), 2),
            **{_name(m, q): rounded(v[i]) if isfinite(v[i]) else None for (m, q), v in accuracy.by_day.items()},
        }
        for i, day in enumerate(days)
    ]
    return Fact("accuracy_by_cutoff", value, Kind.MEASURED, "evaluate: each held-out as-of day by itself")
