"""The same computation as the pipeline in one plain script: plain Parquet, no sealing, DVC, Papermill or MLflow.

It calls the functions the workflows call for statistics, heads and pictures, so that only what surrounds them differs.
Usage: python bench/plain.py FOLDER PARAMS. Writes into FOLDER, prints CPU seconds per step as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinops import params as params_file
from twinops.adapters.duckdb_engine import DuckDBEngine
from twinops.data.days import day_of
from twinops.data.door import Asked as FileAsked
from twinops.data.quality import part
from twinops.data.sources import demographics, transactions
from twinops.demo.consent import ledger
from twinops.evaluation.accuracy import TWIN, accuracy_findings, measure_accuracy
from twinops.evaluation.activity import activity
from twinops.evaluation.bootstrap import counts
from twinops.evaluation.calibration import measure_calibration
from twinops.evaluation.choice import choose_by
from twinops.evaluation.coefficients import measure_weights
from twinops.evaluation.decision import judged
from twinops.evaluation.declaration import read_decision
from twinops.evaluation.drift import measure_drift, windows
from twinops.evaluation.drift_findings import drift_findings
from twinops.evaluation.fairness_findings import fairness_findings
from twinops.pictures.accuracy import accuracy_picture
from twinops.pictures.activity import activity_picture
from twinops.pictures.calibration import calibration_picture
from twinops.pictures.canvas import save
from twinops.pictures.coefficients import coefficients_picture
from twinops.pictures.drift_distances import drift_distances_picture
from twinops.pictures.fairness_ratios import fairness_ratios_picture
from twinops.pictures.selection_rates import selection_rates_picture
from twinops.twin import features
from twinops.twin.champion import Recipe
from twinops.twin.examples import Examples, examples
from twinops.twin.permissions import Asked, permissions, read_consent
from twinops.twin.stored import from_text, to_text
from twinops.workflows.choose import trial
from twinops.workflows.evaluate import score
from twinops.workflows.fairness import assess_groups

STEPS = ("collect", "features", "choose", "train", "evaluate", "fairness", "drift")


class Plain:
    """One run of the plain script in one folder."""

    def __init__(self, folder: Path, params: Path) -> None:
        self.folder, self.project = folder, params.parent
        self.params = params_file.read(params)
        self.engine = DuckDBEngine(threads=self.params.compute.threads)

    def collect(self) -> None:
        """Read the shipped files, keep what fits their schema, make up the synthetic ledger."""
        months = [transactions.read(self.engine, FileAsked(m)).rows for m in self.params.months]
        lines = [transactions.sealed(part(m, transactions.SCHEMA).good) for m in months]
        self._write("transactions", _plain_sid(pa.concat_tables(lines)))
        people = demographics.sealed(
            part(demographics.read(self.engine, FileAsked("all")).rows, demographics.SCHEMA).good
        )
        self._write("demographics", _plain_sid(people))
        households = pc.unique(self._read("transactions")["sid"]).cast(pa.int64()).sort().to_pylist()
        made_up = self.params.consent
        said = ledger(households, seed=made_up.seed, excluded_share=made_up.excluded_share)
        self._write("consent", _plain_sid(said))

    def features(self) -> None:
        """Permissions, panel and labels."""
        lines, today = self._read("transactions"), day_of(self.params.as_of)
        sids = tuple(pc.unique(lines["sid"]).sort().to_pylist())
        asked = Asked(sids, features.as_of_days(self.params.features, known_until=today), today)
        answers = read_consent(self.engine, self._read("consent"), asked, transactions.LEGAL.bases)
        self.engine.register("permissions", permissions(self.engine, answers, today=today))
        self.engine.register("transactions", lines)
        panel = features.panel(self.engine, self.params.features, known_until=today)
        self._write("panel", panel)
        self._write("labels", features.labels(self.engine, panel))

    @cached_property
    def known(self) -> Examples:
        """Features joined with labels."""
        return examples(self.engine, self._read("panel"), self._read("labels"))

    @cached_property
    def recipe(self) -> Recipe:
        """How a model is made; `choose` may replace it."""
        return Recipe(self.params.features, self.params.train, self.params.challenger)

    def choose(self) -> None:
        """Every candidate on the earlier days, and the rule."""
        asked, grid = self.params.choose, self.params.features
        last = max(asked.cutoffs) + grid.horizon_days
        seen = self.known.seen_by(last, horizon_days=grid.horizon_days)
        days = [trial(seen, seen.scored_at(day), self.recipe) for day in asked.cutoffs]
        draws = counts(int(seen.household.max()) + 1, draws=asked.draws, seed=asked.seed)
        choice = choose_by(measure_accuracy(days, draws), asked)
        self.recipe = replace(self.recipe, champion=choice.name, recalibrate=choice.recalibrate)

    def train(self) -> None:
        """Fit the heads on all that is closed; draw them."""
        closed = self.known.all_closed()
        text = to_text(self.recipe.fit_with_intervals(closed))
        (self.folder / "twin.json").write_text(text, encoding="utf-8")
        model, grid = from_text(text), self.params.features
        self._save("coefficients", coefficients_picture(model, measure_weights(model, closed)))
        picture = activity_picture(activity(closed), first_day=grid.first_day, horizon_days=grid.horizon_days)
        self._save("activity", picture)

    def evaluate(self) -> None:
        """Refit for each held-out day, measure against the baselines, keep the predictions."""
        asked = self.params.evaluate
        scored = [self.known.scored_at(day) for day in asked.cutoffs]
        days = [score(self.known, rows, self.recipe) for rows in scored]
        draws = counts(int(self.known.household.max()) + 1, draws=asked.draws, seed=asked.seed)
        findings = accuracy_findings(measure_accuracy(days, draws), days, seed=asked.seed)
        self._findings("accuracy", findings.to_json())
        calibration = measure_calibration(days, draws)
        slope = next(m for m in findings.measures if m.name == "active_calibration_slope")
        self._save("accuracy", accuracy_picture(findings))
        self._save("calibration", calibration_picture(calibration, slope))
        said = ["sid", "cutoff", "may_offer", "may_assess_bias", "active", "spend_cents"]
        table = pa.concat_tables(rows.table.select(said) for rows in scored)
        spend = np.concatenate([d.predictions[TWIN].spend for d in days])
        self._write("predictions", table.append_column("expected_spend", pa.array(spend)))

    def fairness(self) -> None:
        """Replay the judged decision and assess it."""
        asked = self.params.fairness
        declared = read_decision(self.project / "compliance" / "intended_use.yaml")
        everyone = judged(self._read("predictions"), cutoff=asked.cutoff, share=asked.offer_share)
        assessable = everyone.only(everyone.assessable)
        found, mitigated = assess_groups(assessable, self._read("demographics"), declared, asked)
        findings = fairness_findings(everyone, found, mitigated, declared=declared, replay=asked)
        self._findings("fairness", findings.to_json())
        self._save("selection_rates", selection_rates_picture(found, share=asked.offer_share))
        self._save("fairness_ratios", fairness_ratios_picture(found, declared.fairness))

    def drift(self) -> None:
        """Compare two days."""
        asked = self.params.drift
        days = {"reference": asked.reference_cutoff, "current": asked.current_cutoff}
        pair = windows(self._read("panel"), features.WINDOWED, **days)
        measured = measure_drift(pair, draws=asked.draws, seed=asked.seed)
        self._findings("drift", drift_findings(measured, asked).to_json())
        self._save("drift_distances", drift_distances_picture(measured, asked))

    def _write(self, name: str, table: pa.Table) -> None:
        pq.write_table(table, self.folder / f"{name}.parquet", compression="zstd")

    def _read(self, name: str) -> pa.Table:
        return pq.read_table(self.folder / f"{name}.parquet")

    def _findings(self, name: str, text: str) -> None:
        (self.folder / f"{name}.json").write_text(text, encoding="utf-8")

    def _save(self, name: str, picture: object) -> None:
        save(picture, self.folder / f"{name}.png")


def _plain_sid(table: pa.Table) -> pa.Table:
    """The natural id as text, under the name the pipeline's subject id has."""
    sid = table["household_id"].cast(pa.string())
    return table.set_column(table.schema.get_field_index("household_id"), "sid", sid)


def main() -> None:
    """Run all steps and say what each cost."""
    plain, cost = Plain(Path(sys.argv[1]), Path(sys.argv[2])), {}
    for step in STEPS:
        started = process_time()
        getattr(plain, step)()
        cost[step] = process_time() - started
    print(json.dumps({**cost, "start": process_time() - sum(cost.values())}))


if __name__ == "__main__":
    main()
