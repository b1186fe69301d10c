"""Measure the way the model is made, on held-out as-of days: refit for each on what was closed by then, and compare."""

from collections.abc import Sequence
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
from twinops.evaluation.accuracy.conclusions import accuracy_conclusion, turned_conclusion
from twinops.evaluation.accuracy.measures import TWIN, ZERO, ScoredDay, accuracy_findings, measure_accuracy
from twinops.evaluation.canvas import save
from twinops.evaluation.statistics.bootstrap import counts
from twinops.params import APART, EvaluateParams, HoldoutParams, changed
from twinops.ports import KeyStore
from twinops.twin.baselines.recency_frequency_value import Zero, fit_naive, fit_rfm
from twinops.twin.model.bgnbd import fit_classic
from twinops.twin.model.boosted_trees import Challenger, fit_challenger, ready
from twinops.twin.model.outcomes import with_scatter
from twinops.twin.model.predictions import Forecaster
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples
from twinops.whole_files import write
from twinops.workflows.learning import Learning
from twinops.workflows.looks import count_tried
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Evaluated:
    """What the notebook may show: measures with their intervals, the calibration bins, and who was chosen."""

    findings: Findings
    calibration: Calibration
    choice: Choice
    made_otherwise: str = ""

    @property
    def conclusion(self) -> str:
        """What the intervals allow us to say."""
        return accuracy_conclusion(self.findings)


@dataclass(frozen=True)
class Trials:
    """What every model foretold on each held-out day beside what came; `days` holds no ids."""

    days: list[ScoredDay]
    tried: "list[Tried]"
    rows: list[Examples]
    households: int

    @property
    def shown(self) -> list[ScoredDay]:
        """What a notebook is given: rows without ids."""
        return self.days


@dataclass(frozen=True)
class Measured:
    """Measures with their intervals, the calibration bins, and the trials they were made of."""

    findings: Findings
    calibration: Calibration
    trials: Trials

    @property
    def shown(self) -> tuple[Findings, Calibration]:
        """What a notebook is given: aggregates."""
        return self.findings, self.calibration


@dataclass(frozen=True)
class EvaluateSteps:
    """The steps of evaluation, in order: `trials`, `measure`, `keep`."""

    learning: Learning
    held_out: EvaluateParams
    apart: HoldoutParams = APART

    def trials(self, cutoffs: Sequence[int] | None = None) -> Trials:
        """Make the model anew for each held-out day, on what was closed by then, and the others beside it.

        A candidate that was not measured on these days before is one line more in the ledger of looks, written before
        anything is seen.

        Raises:
            DataError: nobody was chosen, a held-out day cannot be measured, or nothing can be learned for it.
        """
        days, known, recipe = self._days(cutoffs), self.learning.examples(), self.learning.recipe
        scored = [known.scored_at(day) for day in days]
        who = np.unique(np.concatenate([rows.household for rows in scored]))
        count_tried(self.learning, days, self.apart)
        ready()
        tried = side_by_side([partial(score, known, rows, recipe) for rows in scored])
        found = [replace(t.day, household=np.searchsorted(who, t.day.household)) for t in tried]
        return Trials(found, tried, scored, len(who))

    def measure(self, trials: Trials, *, draws: int | None = None, seed: int | None = None) -> Measured:
        """Hold what was foretold against what came; intervals are of drawn households and of how the days differ."""
        asked = changed(self.held_out, draws=draws, seed=seed)
        drawn = counts(trials.households, draws=asked.draws, seed=asked.seed)
        findings = accuracy_findings(measure_accuracy(trials.days, drawn), trials.days, seed=asked.seed)
        return Measured(findings, measure_calibration(trials.days, drawn), trials)

    def keep(self, measured: Measured) -> Evaluated:
        """Write the measures, the sealed held-out predictions, the last day's trees and two pictures."""
        places, words, trials = self.learning.plane.places, self.learning.words.wording, measured.trials
        keep(trials.days, trials.rows, places, self.learning.plane.keys)
        # the scorecard looks into the trees of the last day, and growing them takes longer than all it does
        last = max(trials.tried, key=lambda t: t.day.cutoff)
        write(places.held_out_trees, to_json(last.challenger.to_record()))
        findings, calibration = measured.findings, measured.calibration
        places.keep("accuracy", findings, words)
        save(accuracy_picture(findings), places.figure("accuracy"), words)
        save(
            calibration_picture(calibration, {m.name: m for m in findings.measures}),
            places.figure("calibration"),
            words,
        )
        said = turned_conclusion(self.learning.chosen, self.learning.recipe)
        return Evaluated(findings, calibration, self.learning.choice, said)

    def _days(self, cutoffs: Sequence[int] | None) -> tuple[int, ...]:
        return changed(self.held_out, cutoffs=None if cutoffs is None else tuple(cutoffs)).cutoffs


def evaluate(learning: Learning, held_out: EvaluateParams, apart: HoldoutParams = APART) -> Evaluated:
    """Measure what is made, on the held-out days, and keep what was found.

    Raises:
        DataError: nobody was chosen, a held-out day cannot be measured, or nothing can be learned for it.
    """
    steps = EvaluateSteps(learning, held_out, apart)
    return steps.keep(steps.measure(steps.trials()))


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
