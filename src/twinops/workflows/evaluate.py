"""Measure the way the model is made, on held-out as-of days: refit for each on what was closed by then, and compare."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from twinops.data.seal import write_sealed
from twinops.entities.findings import Findings
from twinops.evaluation.accuracy import SLOPE, TWIN, ScoredDay, accuracy_findings, measure_accuracy
from twinops.evaluation.bootstrap import counts
from twinops.evaluation.calibration import Calibration, measure_calibration
from twinops.evaluation.conclusions import accuracy_conclusion
from twinops.params import EvaluateParams, FeaturesParams, TrainParams
from twinops.pictures.accuracy import accuracy_picture
from twinops.pictures.calibration import calibration_picture
from twinops.pictures.canvas import save
from twinops.ports import Engine, KeyStore
from twinops.twin.baselines import fit_naive, fit_rfm
from twinops.twin.examples import Examples, open_examples
from twinops.twin.fit import fit_twin
from twinops.twin.predictions import Forecaster
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Evaluated:
    """What the notebook may show: measures with their intervals, and the calibration bins."""

    findings: Findings
    calibration: Calibration

    @property
    def conclusion(self) -> str:
        """What the intervals allow us to say."""
        return accuracy_conclusion(self.findings)


def evaluate(  # noqa: PLR0913  the injected ports and sections; nothing passes them by hand
    places: Places,
    *,
    engine: Engine,
    keys: KeyStore,
    grid: FeaturesParams,
    penalties: TrainParams,
    held_out: EvaluateParams,
) -> Evaluated:
    """Write `reports/measures/accuracy.json`, the sealed held-out predictions, and two pictures.

    Raises:
        DataError: a held-out day cannot be measured, or nothing can be learned for it.
    """
    known = open_examples(engine, keys, panel=places.panel, labels=places.labels)
    scored = {day: known.scored_at(day) for day in held_out.cutoffs}
    who = np.unique(np.concatenate([rows.household for rows in scored.values()]))
    days = [score(known, rows, grid, penalties) for rows in scored.values()]
    days = [replace(d, household=np.searchsorted(who, d.household)) for d in days]
    draws = counts(len(who), draws=held_out.draws, seed=held_out.seed)
    findings = accuracy_findings(measure_accuracy(days, draws), days, seed=held_out.seed)
    calibration = measure_calibration(days, draws)
    keep(days, list(scored.values()), places, keys)
    places.measures("accuracy").parent.mkdir(parents=True, exist_ok=True)
    places.measures("accuracy").write_text(findings.to_json(), encoding="utf-8")
    slope = next((m for m in findings.measures if m.name == SLOPE), None)
    save(accuracy_picture(findings), places.figure("accuracy"))
    save(calibration_picture(calibration, slope), places.figure("calibration"))
    return Evaluated(findings, calibration)


def score(known: Examples, rows: Examples, grid: FeaturesParams, penalties: TrainParams) -> ScoredDay:
    """Fit the twin and the baselines for one day, on what was closed by then, and let each predict that day's rows."""
    day = int(rows.cutoff[0])
    past = known.known_at(day, horizon_days=grid.horizon_days)
    models: dict[str, Forecaster] = {
        TWIN: fit_twin(past, grid, penalties),
        "rfm": fit_rfm(past, penalties),
        "naive": fit_naive(past, horizon_days=grid.horizon_days),
    }
    predictions = {name: model.predict(rows.table) for name, model in models.items()}
    return ScoredDay(day, rows.household, rows.active, rows.baskets, rows.spend, predictions)


def keep(days: list[ScoredDay], rows: list[Examples], places: Places, keys: KeyStore) -> None:
    """Seal the twin's held-out predictions beside what came, for the measures that follow."""
    said = ["sid", "cutoff", "may_offer", "may_assess_bias", "active", "spend_cents"]
    table = pa.concat_tables(r.table.select(said) for r in rows)
    predicted = [d.predictions[TWIN] for d in days]
    table = table.append_column(
        "active_probability", pa.array(np.concatenate([p.active_probability for p in predicted]))
    )
    table = table.append_column("expected_spend", pa.array(np.concatenate([p.spend for p in predicted])))
    write_sealed(table, places.predictions, dataset="predictions", batch="holdout", keys=keys, subject="sid")
