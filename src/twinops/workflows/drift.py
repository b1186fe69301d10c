"""Compare the features of two as-of days, and say which moved."""

from __future__ import annotations

from dataclasses import dataclass

from twinops.data.seal import read_sealed
from twinops.entities.findings import Findings
from twinops.evaluation.drift import Drift, measure_drift, windows
from twinops.evaluation.drift_findings import drift_findings, sentence
from twinops.params import DriftParams
from twinops.pictures.canvas import save
from twinops.pictures.drift_distances import drift_distances_picture
from twinops.ports import KeyStore
from twinops.twin.features import WINDOWED
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Compared:
    """What the notebook may show: distances of features, the share that moved, and the conclusion."""

    findings: Findings
    drift: Drift
    found: str


def drift(places: Places, *, keys: KeyStore, days: DriftParams) -> Compared:
    """Write `reports/measures/drift.json` and a picture."""
    panel = read_sealed(places.panel, dataset="panel", keys=keys)
    pair = windows(panel, WINDOWED, reference=days.reference_cutoff, current=days.current_cutoff)
    measured = measure_drift(pair, draws=days.draws, seed=days.seed)
    findings = drift_findings(measured, days)
    places.measures("drift").parent.mkdir(parents=True, exist_ok=True)
    places.measures("drift").write_text(findings.to_json(), encoding="utf-8")
    save(drift_distances_picture(measured, days), places.figure("drift_distances"))
    return Compared(findings, measured, sentence(measured, days))
