"""Say what the comparison of two as-of days found: one measure, one fact, and a plain sentence."""

from typing import Any

from twinops.entities import shown
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.evaluation.drift.measures import DISTANCE_LIMIT, Q_LIMIT, Drift, Feature
from twinops.params import DriftParams

SHOWN = (
    *shown.measures(
        {"drift_share": "The share of features that moved"}, section=Section.MONITORING, headlines=("drift_share",)
    ),
    *shown.pictures(
        {"drift_distances": "How far each feature moved between the two days compared"}, section=Section.MONITORING
    ),
)

METHOD = (
    f"share of windowed features with Benjamini-Hochberg q < {Q_LIMIT:g} (two-sample Kolmogorov-Smirnov) and normed "
    f"Wasserstein distance of at least {DISTANCE_LIMIT:g} (Evidently); percentile bootstrap of households, "
    "its high end by the distance alone"
)


def drift_findings(drift: Drift, days: DriftParams) -> Findings:
    """The share is absent when nothing could be measured: a missing measure is missing, not zero."""
    source = f"features of day {days.current_cutoff} against day {days.reference_cutoff}, households that may be scored"
    measures: tuple[Measure, ...] = ()
    if drift.share is not None:
        found = (drift.share, drift.households, source, METHOD, drift.low, drift.high)
        measures = (Measure("drift_share", *found, seed=days.seed),)
    value = {
        "reference_day": days.reference_cutoff,
        "current_day": days.current_cutoff,
        "households_reference": drift.households_reference,
        "households_current": drift.households_current,
        "rule": {"q_below": Q_LIMIT, "distance_at_least": DISTANCE_LIMIT},
        "not_measured": drift.why_not or None,
        "features": [_row(f) for f in drift.features],
    }
    return Findings(measures, (Fact("drift_features", value, Kind.MEASURED, source),), SHOWN)


def sentence(drift: Drift, days: DriftParams) -> str:
    """The conclusion, in words."""
    if drift.share is None:
        return f"Nothing could be measured: {drift.why_not}."
    flagged = sorted((f for f in drift.features if f.flagged), key=lambda f: -(f.distance or float("inf")))
    between = f"between day {days.reference_cutoff} and day {days.current_cutoff}"
    doubt = f"{drift.share:.0%} of the features, interval {drift.low:.0%} to {drift.high:.0%}"
    if not flagged:
        furthest = max((f for f in drift.features if f.distance is not None), key=lambda f: f.distance or 0.0)
        chance = "" if (furthest.distance or 0.0) < DISTANCE_LIMIT else "; with so few households that may be chance"
        return (
            f"No feature moved further than the limit beyond chance {between} ({doubt}). The furthest is "
            f"{furthest.name}, at {furthest.distance:.3f} (limit {DISTANCE_LIMIT:g}){chance}."
        )
    names = ", ".join(f.name for f in flagged)
    return f"{len(flagged)} of {len(drift.features)} features moved {between} ({doubt}): {names}."


def _row(f: Feature) -> dict[str, Any]:
    numbers = {name: getattr(f, name) for name in ("distance", "q", "missing_reference", "missing_current")}
    return {"name": f.name, "flagged": f.flagged, **{k: None if v is None else rounded(v) for k, v in numbers.items()}}
