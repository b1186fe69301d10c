"""Measure the candidate on the final hold-out, if the ledger of looks says that it was opened for it; else say so."""

from dataclasses import dataclass

from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.accuracy.final import final_findings
from twinops.evaluation.accuracy.measures import TWIN, ScoredDay
from twinops.governance.looks import OPENED, told
from twinops.params import EvaluateParams, HoldoutParams
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples, open_examples
from twinops.workflows.learning import Learning
from twinops.workflows.looks import candidate_of, looks_of, split_of


@dataclass(frozen=True)
class HeldApart:
    """How often the hold-out was opened on these days, and what was found; no measure where it stays closed."""

    looks: int
    findings: Findings


def holdout(learning: Learning, held_out: EvaluateParams, rule: HoldoutParams) -> HeldApart:
    """Write `reports/measures/holdout.json`.

    An ordinary run opens nothing: outcomes of the households that stand apart are read for one candidate, the one that
    `twinops holdout open` wrote into the ledger before anybody could see a figure.

    Raises:
        IntegrityError: the ledger of looks was changed or shortened.
    """
    places, days, split = learning.plane.places, held_out.cutoffs, split_of(rule)
    looks, candidate = looks_of(places), candidate_of(learning, days)
    fact = Fact("looks", told(looks, days, split, candidate), Kind.MEASURED, "reports/looks.jsonl")
    found = Findings(facts=(fact,))
    if looks.knows(OPENED, candidate):
        found += final_findings(measured(learning, days), held_out, looks=looks.opened_of(split))
    places.keep("holdout", found, learning.words.wording)
    return HeldApart(len(looks.openings(days)), found)


def measured(learning: Learning, days: tuple[int, ...]) -> list[ScoredDay]:
    """The twin as `evaluate` makes it for each day, asked about households it never saw."""
    plane, known = learning.plane, learning.examples()
    places, apart = plane.places, plane.places.apart
    outside = open_examples(plane.engine, plane.keys, panel=apart(places.panel), labels=apart(places.labels))
    return [_scored(known, outside.scored_at(day), learning.recipe) for day in days]


def _scored(known: Examples, rows: Examples, recipe: Recipe) -> ScoredDay:
    day = int(rows.cutoff[0])
    twin = recipe.fit(known.known_at(day, horizon_days=recipe.grid.horizon_days))
    return ScoredDay(day, rows.household, rows.active, rows.baskets, rows.spend, {TWIN: twin.predict(rows.table)})
