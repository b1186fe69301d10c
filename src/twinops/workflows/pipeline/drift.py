"""Compare the features of two as-of days, and the first days after the later one with what was expected of them."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.remembered import Remember, Remembered
from twinops.entities.findings import Findings
from twinops.evaluation.canvas import save
from twinops.evaluation.drift.distances_picture import drift_distances_picture
from twinops.evaluation.drift.early_warning import Watching, first_days
from twinops.evaluation.drift.early_warning_findings import (
    Early,
    early_findings,
    early_sentence,
    judge_early,
    weeks_of_days,
)
from twinops.evaluation.drift.early_warning_picture import early_warning_picture
from twinops.evaluation.drift.measures import (
    CalmPairs,
    Drift,
    calm_pairs,
    drift_findings,
    measure_drift,
    sentence,
    windows,
)
from twinops.governance.gates import early_warning
from twinops.params import DriftParams, FeaturesParams, TrainParams, changed
from twinops.twin.state.examples import open_examples
from twinops.twin.state.features import WINDOWED
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.kept_penalties import kept_penalties
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.receipts import reached

KEY = ("drift", "remembered")
"""Under which name the key store holds the key by which figures are known as this project's own."""
SPENT = ["sid", "day", "basket_id", "sales_cents"]
"""What the first days are watched by; no other column is kept open."""


@dataclass(frozen=True)
class DriftResult:
    """What the notebook may show: distances of features, the share that moved, the first days, and the conclusions."""

    findings: Findings
    drift: Drift
    found: str
    early: Early | None
    found_early: str


@dataclass(frozen=True)
class Moved:
    """How far each feature moved between two days, and how far on calm ones."""

    drift: Drift
    calm: CalmPairs
    days: DriftParams

    @property
    def shown(self) -> Drift:
        """What a notebook is given: distances."""
        return self.drift


@dataclass(frozen=True)
class DriftSteps:
    """The steps of looking for drift, in order: `compare`, `watch`, `keep`."""

    plane: DataPlane
    days: DriftParams
    grid: FeaturesParams
    penalties: TrainParams
    words: DeclaredWords = UNDECLARED

    def compare(
        self, *, reference_cutoff: int | None = None, current_cutoff: int | None = None, **drawn: int | None
    ) -> Moved:
        """Compare what was done before two as-of days, feature by feature; `draws` and `seed` are of the intervals."""
        days = changed(self.days, reference_cutoff=reference_cutoff, current_cutoff=current_cutoff, **drawn)
        panel = self.plane.tables.table(self.plane.places.panel)
        pair = windows(panel, WINDOWED, reference=days.reference_cutoff, current=days.current_cutoff)
        calm = calm_pairs(panel, WINDOWED, days, self.remembered)
        return Moved(measure_drift(pair, draws=days.draws, seed=days.seed), calm, days)

    def watch(self, **said: int | None) -> Early | None:
        """The first days after every as-of day that the data reach; None where the policy leaves the gate out.

        `early_days`, `early_from`, `early_draws`, `current_cutoff` and `seed` are those of `params.yaml` unless said.
        """
        days, penalties = changed(self.days, **said), kept_penalties(self.plane.places, self.penalties)
        how = Watching(days.early_days, self.grid, penalties, days.early_draws, days.seed)
        return _early(self.plane, how, days, self.remembered)

    @cached_property
    def remembered(self) -> Remembered:
        """Figures of days and of pairs of days, as far as an earlier run made them from the same rows."""
        return Remembered(self.plane.places.remembered("drift"), self.plane.keys.batch_key(*KEY))

    def keep(self, moved: Moved, early: Early | None) -> DriftResult:
        """Write `reports/measures/drift.json` and two pictures."""
        places, words, days = self.plane.places, self.words.wording, moved.days
        findings = drift_findings(moved.drift, days, moved.calm) + (early_findings(early) if early else Findings())
        places.keep("drift", findings, words)
        save(drift_distances_picture(moved.drift, days), places.figure("drift_distances"), words)
        save(early_warning_picture(early), places.figure("early_warning"), words)
        self.remembered.keep()
        said = early_sentence(early) if early else "The policy does not judge the first days, so they were not watched."
        return DriftResult(findings, moved.drift, sentence(moved.drift, days), early, said)


def drift(
    plane: DataPlane,
    days: DriftParams,
    grid: FeaturesParams,
    penalties: TrainParams,
    *,
    words: DeclaredWords = UNDECLARED,
) -> DriftResult:
    """Compare the declared days, watch the first days after each, and keep what was found."""
    steps = DriftSteps(plane, days, grid, penalties, words)
    return steps.keep(steps.compare(), steps.watch())


def _early(plane: DataPlane, how: Watching, days: DriftParams, remember: Remember) -> Early | None:
    """The first days after every as-of day that the data reach; None where the policy leaves the gate out."""
    places, grid = plane.places, how.grid
    limits = limits_of(places)
    if limits is None:
        return None
    known_until = reached(places, grid.days)
    watched = [c for c in grid.cutoffs if days.early_from <= c <= known_until - days.early_days]
    parts = (part.select(SPENT) for part in plane.tables.source_in_parts("transactions"))
    wanted = pa.concat_tables(part.filter(pc.greater_equal(part["day"], min(grid.cutoffs))) for part in parts)
    known = open_examples(plane.engine, plane.keys, panel=places.panel, labels=places.labels)
    seen = first_days(plane.engine, known, wanted, days=days.early_days)
    return judge_early(
        weeks_of_days(seen, how, cutoffs=watched, remember=remember),
        how,
        lambda ratios, weeks, calm: early_warning.answer(ratios, weeks, limits, calm).value,
        day=days.current_cutoff,
        limits={"warn": limits.warn, "alarm": limits.alarm},
    )


def limits_of(places: Places) -> early_warning.Limits | None:
    """The limits of the first gate of the policy that judges the first days; None: none does."""
    gates = policy_of(places).gates
    return next((g.checked_limits() for g in gates if g.gate == "early_warning"), None)
