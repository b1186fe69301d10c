"""Choose who speaks for the twin, on earlier as-of days only: what is measured later cannot have been looked at."""

from dataclasses import dataclass, replace

import numpy as np

from twinops.entities.findings import Findings
from twinops.errors import DataError
from twinops.evaluation.accuracy.choice import (
    RECALIBRATED,
    SCORES,
    SIMPLE,
    Choice,
    choice_findings,
    choose_by,
    speakers_of,
    with_own,
    with_trees,
)
from twinops.evaluation.accuracy.measures import About, ScoredDay, measure_accuracy
from twinops.evaluation.statistics.bootstrap import counts
from twinops.params import ChooseParams
from twinops.twin.model.families import CLASSIC, HEADS, HURDLE, REGRESSION, TREES, Speakers
from twinops.twin.model.model import Answers, TwinModel, spoken
from twinops.twin.model.predictions import Predictions
from twinops.twin.model.recipe import Recipe
from twinops.twin.own_heads._shelf import FAMILY, own_heads
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
    chosen = chosen_on(learning.examples(), learning.plain, margins)
    learning.plane.places.keep("champion", chosen.findings, learning.words.wording)
    return chosen


def chosen_on(known: Examples, recipe: Recipe, margins: ChooseParams) -> Chosen:
    """The same from rows: of them, only what was known when the last day's horizon closed is looked at.

    Raises:
        DataError: a day to choose on cannot be measured, or nothing can be learned for it.
    """
    last = max(margins.cutoffs) + recipe.grid.horizon_days
    known = known.seen_by(last, horizon_days=recipe.grid.horizon_days)
    days = [trial(known, known.scored_at(day), recipe) for day in margins.cutoffs]
    who = np.unique(np.concatenate([d.household for d in days]))
    days = [replace(d, household=np.searchsorted(who, d.household)) for d in days]
    draws = counts(len(who), draws=margins.draws, seed=margins.seed)
    accuracy = measure_accuracy(_answered(days), draws, (*SCORES.values(), "active_brier"))
    choice = choose_by(accuracy)
    about = About.these(days, accuracy, seed=margins.seed, which="earlier")
    return Chosen(choice, choice_findings(choice, accuracy, about))


def trial(known: Examples, rows: Examples, recipe: Recipe) -> ScoredDay:
    """Every candidate for one day, each fitted on what was closed by then."""
    day = int(rows.cutoff[0])
    past = known.known_at(day, horizon_days=recipe.grid.horizon_days)
    regressions = recipe.fit(past)
    answers = _everybody(regressions, past, recipe).answers(rows.table)
    heads = spoken(answers, regressions.speakers)
    # with one window closed there is nothing to recalibrate on, and so nothing is gained
    windows = past.cutoff.max() - past.cutoff.min() >= recipe.grid.horizon_days
    straight = replace(recipe, recalibrate=True).fit(past).means(rows.table) if windows else heads
    return ScoredDay(
        day, rows.household, rows.active, rows.baskets, rows.spend, {RECALIBRATED: straight, **_candidates(answers)}
    )


def _everybody(regressions: TwinModel, past: Examples, recipe: Recipe) -> TwinModel:
    """The regressions with every other family; without BG/NBD where it cannot be fitted, as where nobody came twice."""
    own = {head: tuple(h.family for h in own_heads() if head in h.foretells) for head in HEADS}
    for more in ((CLASSIC, TREES), (TREES,)):
        amounts = (REGRESSION, HURDLE, *more)
        everybody = Speakers(
            (REGRESSION, *more, *own["activity"]), (*amounts, *own["baskets"]), (*amounts, *own["spend"])
        )
        try:
            return replace(recipe, speakers=everybody).joined(regressions, past)
        except DataError:
            if CLASSIC not in more:
                raise
    raise AssertionError


def _candidates(answers: Answers) -> dict[str, Predictions]:
    """What each candidate would say, of those whose families are there."""
    simple = [c for c in SIMPLE if CLASSIC in answers or CLASSIC not in c]
    named = list(dict.fromkeys([*simple, *(more for c in simple for more in with_trees(c))]))
    own = [family for family in answers if family.startswith(FAMILY)]
    named = list(dict.fromkeys([*named, *(more for c in named for more in with_own(c, own))]))
    return {c: spoken(answers, speakers_of(dict.fromkeys(HEADS, c))) for c in named}


def _answered(days: list[ScoredDay]) -> list[ScoredDay]:
    """The days with those candidates that answered on all of them."""
    common = [m for m in days[0].predictions if all(m in d.predictions for d in days)]
    return [replace(d, predictions={m: d.predictions[m] for m in common}) for d in days]
