"""Choose who speaks for the twin, on earlier as-of days only: what is measured later cannot have been looked at."""

from dataclasses import dataclass, replace

import numpy as np

from twinops.entities.findings import Findings
from twinops.evaluation.accuracy.choice import RECALIBRATED, Choice, choice_findings, choose_by
from twinops.evaluation.accuracy.measures import About, ScoredDay, measure_accuracy
from twinops.evaluation.statistics.bootstrap import counts
from twinops.params import ChooseParams
from twinops.twin.model.boosted_trees import fit_challenger
from twinops.twin.model.champion import Recipe, spoken_by
from twinops.twin.model.model import AVERAGE, GLM, LIGHTGBM
from twinops.twin.state.examples import Examples
from twinops.workflows.learning import Learning


@dataclass(frozen=True)
class Chosen:
    """The choice, and every figure it rests on."""

    choice: Choice
    findings: Findings


def choose(learning: Learning, margins: ChooseParams) -> Chosen:
    """Write `reports/measures/champion.json`.

    Raises:
        DataError: a day to choose on cannot be measured, or nothing can be learned for it.
    """
    known, recipe = learning.examples(), learning.plain
    last = max(margins.cutoffs) + recipe.grid.horizon_days
    known = known.seen_by(last, horizon_days=recipe.grid.horizon_days)
    days = [trial(known, known.scored_at(day), recipe) for day in margins.cutoffs]
    who = np.unique(np.concatenate([d.household for d in days]))
    days = [replace(d, household=np.searchsorted(who, d.household)) for d in days]
    accuracy = measure_accuracy(days, counts(len(who), draws=margins.draws, seed=margins.seed))
    choice = choose_by(accuracy)
    about = About.these(days, accuracy, seed=margins.seed, which="earlier")
    findings = choice_findings(choice, accuracy, about)
    learning.plane.places.keep("champion", findings, learning.words.wording)
    return Chosen(choice, findings)


def trial(known: Examples, rows: Examples, recipe: Recipe) -> ScoredDay:
    """Every candidate for one day, each fitted on what was closed by then."""
    day = int(rows.cutoff[0])
    past = known.known_at(day, horizon_days=recipe.grid.horizon_days)
    regressions, challenger = recipe.fit(past), fit_challenger(past, recipe.grid, recipe.trees)
    heads = regressions.predict(rows.table)
    spoken = {c: spoken_by(c, regressions, challenger, past).predict(rows.table) for c in (LIGHTGBM, AVERAGE)}
    # with one window closed there is nothing to recalibrate on, and so nothing is gained
    windows = past.cutoff.max() - past.cutoff.min() >= recipe.grid.horizon_days
    straight = replace(recipe, recalibrate=True).fit(past).predict(rows.table) if windows else heads
    candidates = {GLM: heads, **spoken, RECALIBRATED: straight}
    return ScoredDay(day, rows.household, rows.active, rows.baskets, rows.spend, candidates)
