"""Each head of the twin beside every rival, on the demonstration's panel and on three shops it was not made for.

On every shop the heads are chosen on earlier days by the shipped rule, then measured on later ones: paired differences,
with whole customers drawn and the days taken as random (`between`). Usage: `make bench PART=heads` writes rows
`heads.SHOP.HEAD` and docs/heads.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from heads_page import page
from scratch import ROOT
from shop_panels import FOREIGN, Shop, demo, foreign

from twinops.evaluation.accuracy.measures import TWIN, ZERO, ScoredDay
from twinops.evaluation.scorecard.coverage import winkler
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, counts, mean_of
from twinops.evaluation.statistics.bounds import AMOUNT
from twinops.params import ChallengerParams, ChooseParams, TrainParams
from twinops.twin.baselines.recency_frequency_value import fit_naive, fit_rfm
from twinops.twin.model.boosted_trees import fit_challenger
from twinops.twin.model.intervals import Ranges, fit_intervals
from twinops.twin.model.outcomes import fit_scatter, with_scatter
from twinops.twin.model.predictions import Forecaster, Predictions
from twinops.twin.model.recipe import Recipe, classic_of
from twinops.twin.state.examples import Examples
from twinops.workflows.pipeline.choose import chosen_on
from twinops.workflows.pipeline.evaluate import score

Row = dict[str, object]
DRAWS, SEED = 300, 7
CHOOSE_DRAWS = 200
PENALTIES = TrainParams(activity_c=0.2, spend_alpha=0.01)
TREES = ChallengerParams()
RIVALS = ("rfm", "bgnbd", "lightgbm", "naive", "zero")


@dataclass(frozen=True)
class Measured:
    """One as-of day: per model, what it said and its ranges."""

    day: ScoredDay
    ranges: dict[str, Ranges]


def heads() -> list[Row]:
    """Measure every shop, and write the page."""
    rows = [row for name in ("demo", *FOREIGN) for row in of_shop(demo(ROOT) if name == "demo" else foreign(name))]
    (ROOT / "docs" / "heads.md").write_text(page(rows), encoding="utf-8")
    return [_kept(row) for row in rows]


def _kept(row: Row) -> Row:
    """As the results of all benches are kept: the rest in a note."""
    gain = f"{row['gain']:+.4g} [{row['low']:+.4g}, {row['high']:+.4g}]"
    families = f"; {row['families']} speaks" if row["families"] else ""
    note = f"lower is better; gain over {row['peer']}, the best rival, {gain}, paired{families}"
    return {**{k: row[k] for k in ("name", "value", "unit", "peer", "ratio", "n")}, "note": note}


def of_shop(shop: Shop) -> list[Row]:
    """Choose, measure, compare: a row a head."""
    recipe = Recipe(shop.grid, PENALTIES, TREES)
    choice = chosen_on(shop.known, recipe, ChooseParams(cutoffs=shop.choose, draws=CHOOSE_DRAWS)).choice
    made = Recipe(shop.grid, PENALTIES, TREES, choice.speakers, choice.recalibrate)
    days = [_measured(shop, made, day) for day in shop.evaluate]
    who = np.unique(np.concatenate([d.day.household for d in days]))
    draws = counts(len(who), draws=DRAWS, seed=SEED)
    told = {"activity": "activity", "baskets": "baskets", "spend_mean": "spend"}
    return [
        {
            "name": f"heads.{shop.name}.{head}",
            "n": len(who),
            "families": "+".join(choice.speakers.of(told[head])) if head in told else "",
            **_compared(loss, days, who, draws),
        }
        for head, loss in LOSSES.items()
    ]


def _measured(shop: Shop, recipe: Recipe, day: int) -> Measured:
    rows = shop.known.scored_at(day)
    past = shop.known.known_at(day, horizon_days=shop.grid.horizon_days)
    tried = score(shop.known, rows, recipe)
    fits = {TWIN: recipe.fit, **_rivals(shop, recipe)}
    ranges = {ZERO: Ranges(*(np.zeros(len(rows)) for _ in range(4)))}
    for name, fit in fits.items():
        said = tried.models[name].predict(past.table)
        calibrated = fit_intervals(past, fit, horizon_days=shop.grid.horizon_days)
        scatter = fit_scatter(said, past.baskets, past.spend)
        ranges[name] = calibrated.of(tried.day.predictions[name], scatter)
    return Measured(tried.day, ranges)


def _rivals(shop: Shop, recipe: Recipe) -> dict[str, Callable[[Examples], Forecaster]]:
    """How each is made of other rows, as `evaluate` makes it: for ranges that promise as much as the twin's."""
    horizon = shop.grid.horizon_days
    return {
        "rfm": lambda past: with_scatter(fit_rfm(past, recipe.penalties), past),
        "bgnbd": lambda past: with_scatter(classic_of(past, horizon_days=horizon), past),
        "lightgbm": lambda past: with_scatter(fit_challenger(past, recipe.grid, recipe.trees), past),
        "naive": fit_naive,
    }


def _compared(loss: Callable, days: list[Measured], who: np.ndarray, draws: np.ndarray) -> Row:
    """The twin's loss, that of the rival which is hardest to beat, and the gain over it with its interval."""
    found: dict[str, Resampled] = {}
    for model in (TWIN, *RIVALS):
        each = [loss(d.day, d.day.predictions[model], d.ranges[model]) for d in days]
        if all(np.isfinite(e).all() for e in each):
            at = [np.searchsorted(who, d.day.household) for d in days]
            by_day = [weighted.mean(e, draws[:, i].astype(float)) for e, i in zip(each, at, strict=True)]
            found[model] = mean_of(by_day, within=AMOUNT)
    best = min((m for m in found if m != TWIN), key=lambda m: found[m].value)
    gains = {m: found[m] - found[TWIN] for m in found if m != TWIN}
    low, high = gains[best].interval("A gain")
    worse = [m for m, g in gains.items() if g.interval("A gain")[1] < 0]
    return {
        "value": found[TWIN].value,
        "unit": "loss",
        "ratio": found[TWIN].value / found[best].value if found[best].value else None,
        "peer": best,
        "gain": gains[best].value,
        "low": low,
        "high": high,
        "worse_than": worse,
        "rivals": {m: r.value for m, r in found.items() if m != TWIN},
    }


def _rate(day: ScoredDay, p: Predictions, _: Ranges) -> np.ndarray:
    if not (p.baskets > 0).all():
        return np.full(len(day.baskets), np.inf)
    return weighted.poisson_deviance(day.baskets, p.baskets)


def _chance(day: ScoredDay, p: Predictions, _: Ranges) -> np.ndarray:
    # of a certain nothing no likelihood can be told
    told = weighted.log_loss(day.active, p.active_probability)
    return told if p.active_probability.any() else np.full(len(told), np.inf)


def _mean(day: ScoredDay, p: Predictions, _: Ranges) -> np.ndarray:
    return weighted.tweedie_deviance(day.spend, p.spend) if p.spend.any() else np.full(len(day.spend), np.inf)


LOSSES: dict[str, Callable] = {
    "activity": _chance,
    "activity_brier": lambda day, p, _: (p.active_probability - day.active) ** 2,
    "baskets": _rate,
    "spend_mean": _mean,
    "spend_median": lambda day, p, _: np.abs(p.spend_median - day.spend),
    "baskets_range": lambda day, _, r: winkler(r.baskets_low, r.baskets_high, day.baskets),
    "spend_range": lambda day, _, r: winkler(r.spend_low, r.spend_high, day.spend),
}
"""Lower is better; of each the best answer is the right one."""
