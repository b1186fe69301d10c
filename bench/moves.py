"""What the drift test does with the shipped households: over pairs of months as they were, and with changes planted.

Planted into the last month: lines that cost a tenth less, one household in twenty gone, a feed silent for a week.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.seal import read_sealed, with_text_sid
from twinops.entities.evidence import Evidence
from twinops.evaluation.drift import measures as drift
from twinops.evaluation.drift.measures import drift_findings
from twinops.governance.gates import drift as gate
from twinops.twin.state import features
from twinops.wiring import Project
from twinops.workflows.policy_file import policy_of

LATEST, MONTH, PAIRS = 337, 28, 9
GONE, GAP_DAYS, FALL = 0.05, 7, 0.9
AS_IT_WAS = "as it was"


@dataclass(frozen=True)
class Pair:
    """One pair of as-of days: which features the test flags, their share with its interval, and what the gate says."""

    what: str
    days: tuple[int, int]
    households: int
    flagged: tuple[str, ...]
    share: float
    low: float
    high: float
    gate: str

    def to_json(self) -> dict[str, object]:
        """As it stands in the file."""
        return {**asdict(self), "days": list(self.days), "flagged": list(self.flagged)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Pair:
        """As it stood in the file."""
        then, now = raw["days"]
        return cls(**{**raw, "days": (then, now), "flagged": tuple(raw["flagged"])})


def moves(project: Project) -> Iterator[Pair]:
    """The pairs of months as they were, then each planted change."""
    tables = Tables(project)
    plain = tables.panel(tables.lines)
    grid = set(project.params.features.cutoffs)
    for day in range(LATEST, LATEST - PAIRS * MONTH, -MONTH):
        if {day - MONTH, day} <= grid:
            yield tables.compared(plain, plain, (day - MONTH, day), AS_IT_WAS)
    for what, lines in tables.planted().items():
        yield tables.compared(plain, tables.panel(lines), (LATEST - MONTH, LATEST), what)


class Tables:
    """The shipped receipts, and panels made of changed ones: nothing of it is kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.limits = _limits(project)
        batches = project.places.raw_batches("transactions")
        self.lines = with_text_sid(read_sealed(batches, dataset="transactions", keys=project.keys))
        self.sids = pc.unique(self.lines["sid"]).sort().to_pylist()

    def planted(self) -> dict[str, pa.Table]:
        """The receipts with each change."""
        day = self.lines["day"].to_numpy()
        last = day >= LATEST - MONTH
        chosen = np.random.default_rng(7).choice(self.sids, round(GONE * len(self.sids)), replace=False).tolist()
        gone = pc.is_in(self.lines["sid"], pa.array(chosen)).to_numpy()
        silent = (day >= LATEST - GAP_DAYS) & (day < LATEST)
        return {
            "spend 10 % lower": self._cheaper(last),
            "5 % of households vanish": self.lines.filter(pa.array(~(last & gone))),
            "a feed silent for 7 days": self.lines.filter(pa.array(~silent)),
        }

    def _cheaper(self, when: np.ndarray) -> pa.Table:
        cents = self.lines["sales_cents"].to_numpy()
        lower = np.where(when, np.rint(FALL * cents).astype(np.int64), cents)
        return self.lines.set_column(self.lines.column_names.index("sales_cents"), "sales_cents", pa.array(lower))

    def panel(self, lines: pa.Table) -> pa.Table:
        """Features of all households, as if all allowed it."""
        grid, engine = self.project.params.features, self.project.engine
        days = features.as_of_days(grid, known_until=365)
        allowed = {
            "sid": np.repeat(self.sids, len(days)),
            "cutoff": np.tile(days, len(self.sids)).astype(np.int64),
            **{p: np.ones(len(days) * len(self.sids), dtype=bool) for p in features.PERMISSIONS},
        }
        engine.register("permissions", pa.table(allowed))
        engine.register("transactions", lines)
        return features.panel(engine, grid, known_until=365)

    def compared(self, then: pa.Table, now: pa.Table, days: tuple[int, int], what: str) -> Pair:
        """Two as-of days, each of its own panel."""
        rows = [table.filter(pc.equal(table["cutoff"], day)) for table, day in zip((then, now), days, strict=True)]
        pair = drift.windows(pa.concat_tables(rows), features.WINDOWED, reference=days[0], current=days[1])
        asked = self.project.params.drift.model_copy(update={"reference_cutoff": days[0], "current_cutoff": days[1]})
        found = drift.measure_drift(pair, draws=asked.draws, seed=asked.seed)
        (measure,) = drift_findings(found, asked).measures
        evidence = Evidence("twin", "0" * 64, self.project.params.as_of, (measure,))
        flagged = tuple(f.name for f in found.features if f.flagged)
        said = gate.check(evidence, self.limits).outcome.value
        ends = [float(v or 0) for v in (measure.value, measure.low, measure.high)]
        return Pair(what, days, found.households_current, flagged, *ends, gate=said)


def _limits(project: Project) -> gate.Limits:
    """What the shipped policy lets the gate accept."""
    found = next(g.checked_limits() for g in policy_of(project.places).gates if g.gate == "drift")
    return gate.Limits.model_validate(found.model_dump())
