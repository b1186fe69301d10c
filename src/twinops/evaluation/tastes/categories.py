"""How well the taste heads predict which categories a household buys of, and newly tries, on held-out days."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.small_cells import hidden
from twinops.evaluation.statistics.bootstrap import Resampled, mean_of
from twinops.evaluation.statistics.bounds import SHARE
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.rankings import clustered_auc, ndcg_at_10
from twinops.evaluation.statistics.weighted import mean
from twinops.evaluation.statistics.wilson import share

TWIN, NAIVE, ZERO = "twin", "naive", "zero"
NDCG, NEW, BRIER = "category_ndcg_at_10", "new_category_auc", "category_brier"
TOP_SHARE = 0.1


@dataclass(frozen=True)
class ScoredTastes:
    """One held-out day: who (a running number over all days), what was bought, what was new, and each model's scores.

    Matrices are households x categories. Own counts order and are no chances.
    """

    cutoff: int
    household: np.ndarray
    chosen: np.ndarray
    new: np.ndarray
    scores: dict[str, np.ndarray]


@dataclass(frozen=True)
class TasteSetting:
    """What all measures of one evaluation share: n households, the seed, and on what it rests."""

    n: int
    seed: int
    source: str
    over: str

    def measures(self, found: dict[tuple[str, str], Resampled], *, lower: tuple[str, ...]) -> list[Measure]:
        """Every quantity of every model, and the paired gains of the twin; `lower` are those where less is better."""
        out = []
        for (model, quantity), resampled in found.items():
            out.append(self._measure(quantity if model == TWIN else f"{quantity}.{model}", resampled))
            if model != TWIN:
                ours = found[TWIN, quantity]
                gain = resampled - ours if quantity in lower else ours - resampled
                out.append(self._measure(f"{quantity}.gain_over_{model}", gain, over=model))
        return out

    def _measure(self, name: str, found: Resampled, *, over: str = "") -> Measure:
        paired = f"twin compared with {over}, positive: twin better; paired, " if over else ""
        how = f"{paired}{self.over}; {found.how}, the same draws for every model"
        return found.estimate(name).measure(name, self.n, self.source, how, seed=self.seed)


def measure_tastes(days: list[ScoredTastes], draws: np.ndarray, *, seed: int) -> list[Measure]:
    """NDCG, Brier score and AUC of new categories, of each model and as paired gains; means over the days."""
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for day in days:
        for model in day.scores:
            for quantity, values in _quantities(day, model, draws).items():
                found.setdefault((model, quantity), []).append(values)
    about = TasteSetting(
        n=len(np.unique(np.concatenate([d.household for d in days]))),
        seed=seed,
        source=f"held-out as-of days {', '.join(str(d.cutoff) for d in days)}; heads refitted for each on closed rows",
        over=f"mean over {len(days)} as-of days",
    )
    # an order, an area, a squared error of chances: none is below nothing or above one
    return about.measures({k: mean_of(v, within=SHARE) for k, v in found.items()}, lower=(BRIER,))


def _quantities(day: ScoredTastes, model: str, draws: np.ndarray) -> dict[str, np.ndarray]:
    """What is measured of one model on one day: one number per draw."""
    score, weights = day.scores[model], draws[:, day.household]
    ranked = ndcg_at_10(day.chosen, score)
    bought = np.isfinite(ranked)  # who bought of nothing has no best order
    who = np.broadcast_to(day.household[:, None], day.chosen.shape)
    made = {}
    # nobody comes ranks nothing, and the last horizon again say nothing of what is new
    if model != ZERO:
        made[NDCG] = mean(ranked[bought], weights[:, bought].astype(float))
    if model not in (ZERO, NAIVE):
        made[NEW] = clustered_auc(day.chosen[day.new], score[day.new], who[day.new], draws)
    # counts order, but are no chances: a Brier score of them would mean nothing
    if model != "own_counts":
        made[BRIER] = mean(((score - day.chosen) ** 2).mean(axis=1), weights.astype(float))
    return made


@dataclass(frozen=True)
class Tried:
    """One category, over all held-out days, among households that had not bought it lately (`pairs` household-days).

    `everyone`: share that bought it in the horizon; `likely`: the same among the tenth the twin thought likeliest; each
    with a 95 % interval.
    """

    category: str
    pairs: int
    everyone: Estimate
    likely: Estimate


def newly_tried(days: list[ScoredTastes], names: tuple[str, ...]) -> tuple[Tried, ...]:
    """Categories with enough tries to be shown, the most tried first."""
    found = [_tried(days, place, name) for place, name in enumerate(names)]
    return tuple(sorted((t for t in found if t is not None), key=lambda t: (-t.everyone.value, t.category)))


def _tried(days: list[ScoredTastes], place: int, name: str) -> Tried | None:
    """One category; None where any of the four counts is too small to show."""
    new = [d.new[:, place] for d in days]
    tried = np.concatenate([d.chosen[n, place] for d, n in zip(days, new, strict=True)])
    top = np.concatenate([_top(d.scores[TWIN][n, place]) for d, n in zip(days, new, strict=True)])
    hits, likely = int(tried.sum()), int(tried[top].sum())
    counts = {"tried": hits, "not": len(tried) - hits, "likely": likely, "likely_not": int(top.sum()) - likely}
    if not len(tried) or None in hidden(counts).values():
        return None
    return Tried(name, len(tried), share(hits, len(tried)), share(likely, int(top.sum())))


def _top(chance: np.ndarray) -> np.ndarray:
    """The tenth with the highest chance, as booleans in the order given."""
    order = np.argsort(-chance, kind="stable")
    chosen = np.zeros(len(chance), dtype=bool)
    chosen[order[: int(np.ceil(TOP_SHARE * len(chance)))]] = True
    return chosen


def taste_facts(days: list[ScoredTastes], names: tuple[str, ...], tried: tuple[Tried, ...]) -> list[Fact]:
    """The categories, and how the days differ."""
    by_day: list[dict[str, Any]] = []
    for d in days:
        ranked = {f"{NDCG}.{m}": float(np.nanmean(ndcg_at_10(d.chosen, score))) for m, score in d.scores.items()}
        figures = {name: round(value, 4) for name, value in ranked.items()}
        by_day.append({"cutoff": d.cutoff, "households": len(d.household), **figures})
    shown = [
        {"category": t.category, "pairs": t.pairs, "tried": t.everyone.value, "likely": t.likely.value} for t in tried
    ]
    source = "tastes: held-out as-of days"
    return [
        Fact("tastes_by_cutoff", by_day, Kind.MEASURED, source),
        Fact("taste_categories", list(names), Kind.MEASURED, "categories chosen before the first held-out horizon"),
        Fact("newly_tried", shown, Kind.MEASURED, source),
    ]
