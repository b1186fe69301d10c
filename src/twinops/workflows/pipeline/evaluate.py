"""Measure the way the model is made, on held-out as-of days: refit for each on what was closed by then, and compare."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from twinops.data.threads import side_by_side
from twinops.data.vault.seal import write_sealed
from twinops.entities.baselines import CHALLENGER
from twinops.entities.canonical import to_json
from twinops.entities.findings import Findings
from twinops.evaluation.accuracy.accuracy_picture import accuracy_picture
from twinops.evaluation.accuracy.calibration import Calibration, measure_calibration
from twinops.evaluation.accuracy.calibration_picture import calibration_picture
from twinops.evaluation.accuracy.choice import Choice
from twinops.evaluation.accuracy.conclusions import accuracy_conclusion
from twinops.evaluation.accuracy.measures import SLOPE, TWIN, ZERO, ScoredDay, accuracy_findings, measure_accuracy
from twinops.evaluation.canvas import save
from twinops.evaluation.statistics.bootstrap import counts
from twinops.params import APART, EvaluateParams, HoldoutParams
from twinops.ports import KeyStore
from twinops.twin.baselines.recency_frequency_value import Zero, fit_naive, fit_rfm
from twinops.twin.model.bgnbd import fit_classic
from twinops.twin.model.boosted_trees import Challenger, fit_challenger, ready
from twinops.twin.model.outcomes import with_scatter
from twinops.twin.model.predictions import Forecaster
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples
from twinops.workflows.learning import Learning
from twinops.workflows.looks import count_tried
from twinops.workflows.places import Places, write


@dataclass(frozen=True)
class Evaluated:
    """What the notebook may show: measures with their intervals, the calibration bins, and who was chosen."""

    findings: Findings
    calibration: Calibration
    choice: Choice

    @property
    def conclusion(self) -> str:
        """What the intervals allow us to say."""
        return accuracy_conclusion(self.findings)


def evaluate(learning: Learning, held_out: EvaluateParams, apart: HoldoutParams = APART) -> Evaluated:
    """Write `reports/measures/accuracy.json`, the sealed held-out predictions, the last day's trees and two pictures.

    A candidate that was not measured on these days before is one line more in the ledger of looks.

    Raises:
        DataError: nobody was chosen, a held-out day cannot be measured, or nothing can be learned for it.
    """
    places, recipe, choice = learning.plane.places, learning.recipe, learning.choice
    known = learning.examples()
    scored = {day: known.scored_at(day) for day in held_out.cutoffs}
    who = np.unique(np.concatenate([rows.household for rows in scored.values()]))
    ready()
    tried = side_by_side([partial(score, known, rows, recipe) for rows in scored.values()])
    days = [replace(t.day, household=np.searchsorted(who, t.day.household)) for t in tried]
    draws = counts(len(who), draws=held_out.draws, seed=held_out.seed)
    findings = accuracy_findings(measure_accuracy(days, draws), days, seed=held_out.seed)
    calibration = measure_calibration(days, draws)
    keep(days, list(scored.values()), places, learning.plane.keys)
    # the scorecard looks into the trees of the last day, and growing them takes longer than all it does
    last = max(tried, key=lambda t: t.day.cutoff)
    write(places.held_out_trees, to_json(last.challenger.to_record()))
    count_tried(learning, held_out.cutoffs, apart)
    places.keep("accuracy", findings, learning.words.wording)
    slope = next((m for m in findings.measures if m.name == SLOPE), None)
    save(accuracy_picture(findings), places.figure("accuracy"), learning.words.wording)
    save(calibration_picture(calibration, slope), places.figure("calibration"), learning.words.wording)
    return Evaluated(findings, calibration, choice)


@dataclass(frozen=True)
class Tried:
    """What every model foretold for one day, and the models; the challenger's trees among them."""

    day: ScoredDay
    models: dict[str, Forecaster]
    challenger: Challenger


def score(known: Examples, rows: Examples, recipe: Recipe) -> Tried:
    """Fit the twin and everything beside it for one day, on what was closed by then, and let each predict its rows.

    BG/NBD learns from histories and needs no labels, so it gets the histories up to the day itself.
    """
    day, horizon_days = int(rows.cutoff[0]), recipe.grid.horizon_days
    past = known.known_at(day, horizon_days=horizon_days)
    twin = recipe.fit(past)
    challenger = fit_challenger(past, recipe.grid, recipe.trees)
    models: dict[str, Forecaster] = {
        TWIN: twin,
        "rfm": with_scatter(fit_rfm(past, recipe.penalties), past),
        "bgnbd": with_scatter(fit_classic(known.history_at(day), horizon_days=horizon_days), past),
        "naive": fit_naive(past),
        ZERO: Zero(),
        CHALLENGER: with_scatter(challenger, past),
    }
    predictions = {name: model.predict(rows.table) for name, model in models.items()}
    return Tried(ScoredDay(day, rows.household, rows.active, rows.baskets, rows.spend, predictions), models, challenger)


def keep(days: list[ScoredDay], rows: list[Examples], places: Places, keys: KeyStore) -> None:
    """Seal the twin's held-out predictions beside what came, for the measures that follow."""
    said = ["sid", "cutoff", "may_offer", "may_assess_bias", "active", "spend_cents"]
    table = pa.concat_tables(r.table.select(said) for r in rows)
    chance = np.concatenate([d.predictions[TWIN].active_probability for d in days])
    spend = np.concatenate([d.predictions[TWIN].spend for d in days])
    baskets = np.concatenate([d.predictions[TWIN].baskets for d in days])
    median = np.concatenate([d.predictions[TWIN].spend_median for d in days])
    scores = {
        "active_probability": chance,
        "expected_baskets": baskets,
        "expected_spend": spend,
        "expected_spend_median": median,
    }
    for name, score in scores.items():
        table = table.append_column(name, pa.array(score))
    write_sealed(table, places.predictions, dataset="predictions", keys=keys, subject="sid")
