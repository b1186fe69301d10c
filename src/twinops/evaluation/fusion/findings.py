"""Inferred segments against what the generator knows, and as the one fact that leaves the data plane."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from twinops.data.fusion.plan import HIGH
from twinops.entities import shown
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import NORMAL_95, Measure
from twinops.entities.shown import Section
from twinops.evaluation.statistics import wilson
from twinops.evaluation.statistics.bootstrap import TAILS
from twinops.evaluation.statistics.estimate import Estimate

SHOWN = shown.measures(
    {
        "fusion_segment_coverage_95": "Intervals that hold what the generator says",
        "fusion_segment_coverage_95.not_widened": "The same, had they not been widened for a shift of the panel",
        "fusion_segment_coverage_95.independence_assumed": "The same as it is, where conditional independence is "
        "assumed",
        "fusion_segment_error": "How far the inferred means are off",
        "fusion_bounds_hold": "Identification bounds that hold what the generator says",
    },
    section=Section.FUSION,
)

SOURCE = "inferred segments against what the generator says every customer would have answered; synthetic"
POINTS = "points of 100"


class AgainstTruth(NamedTuple):
    """One published figure beside the truth."""

    is_mean: bool
    assumed: bool
    off: float
    inside: bool
    inside_draws: bool
    within_bounds: bool
    width: float


def by_truth(fused: pa.Table, recipients: pa.Table, truth: Mapping[str, np.ndarray]) -> Findings:
    """How often intervals and bounds hold the truth, and how far off the values are.

    `truth` has an array per scale, in the recipients' order. `.independence_assumed`: segments that do not follow from
    what was matched on; `.not_widened`: of intervals that draws alone would give.
    """
    rows = [_against_truth(r, recipients, truth) for r in fused.to_pylist() if not r["suppressed"]]
    assumed = [r for r in rows if r.assumed]
    measures = [*_quality([r for r in rows if not r.assumed], ""), *_quality(assumed, ".independence_assumed")]
    if assumed:
        width = [r.width for r in assumed if r.is_mean]
        low, high = (float(v) for v in np.quantile(width, TAILS))
        found = Estimate.around(float(np.mean(width)), low, high)
        measures.append(_share("fusion_bounds_hold", [r.within_bounds for r in assumed]))
        how = "mean width, percentiles over segments and scales"
        measures.append(_points("fusion_bound_width", found, len(width), how))
    return Findings(tuple(measures), shown=SHOWN)


def _quality(rows: Sequence[AgainstTruth], suffix: str) -> list[Measure]:
    """Coverage and mean error; fewer than two figures have no spread, and so no interval."""
    off = [abs(r.off) for r in rows if r.is_mean]
    if len(off) < 2:
        return []
    middle, half = float(np.mean(off)), NORMAL_95 * float(np.std(off, ddof=1)) / len(off) ** 0.5
    error = Estimate(middle, max(middle - half, 0), middle + half)
    how = "mean absolute error, normal interval over segments"
    return [
        _share(f"fusion_segment_coverage_95{suffix}", [r.inside for r in rows]),
        _share(f"fusion_segment_coverage_95.not_widened{suffix}", [r.inside_draws for r in rows]),
        _points(f"fusion_segment_error{suffix}", error, len(off), how),
    ]


def _against_truth(row: Mapping[str, Any], recipients: pa.Table, truth: Mapping[str, np.ndarray]) -> AgainstTruth:
    """Set one published figure beside what the generator knows."""
    member = np.array(recipients[row["variable"]].cast(pa.string()).to_pylist(), dtype=object) == row["segment"]
    answers = truth[row["scale"]][member]
    true = float(answers.mean() if row["figure"] == "mean" else (answers >= HIGH).mean())
    low, high = (0.0, 100.0) if row["bound_low"] is None else (row["bound_low"], row["bound_high"])
    return AgainstTruth(
        row["figure"] == "mean",
        row["conditional_independence"] == "assumed",
        true - row["value"],
        row["low"] <= true <= row["high"],
        row["drawn_low"] <= true <= row["drawn_high"],
        low <= true <= high,
        high - low,
    )


def _points(name: str, found: Estimate, n: int, method: str) -> Measure:
    return found.measure(name, n, SOURCE, method, unit=POINTS, unit_of_n="segment and scale")


def _share(name: str, hits: Sequence[bool]) -> Measure:
    found, how = wilson.share(sum(hits), len(hits)), "Wilson score interval; segments of one run depend on each other"
    return found.measure(name, len(hits), SOURCE, how, unit_of_n="segment, scale and figure")


def as_facts(fused: pa.Table) -> Findings:
    """The published segments as one fact, small cells already emptied; with what was assumed."""
    said_once = ("status", "method", "donor_panel", "draws")
    rows = [{k: v for k, v in r.items() if k not in said_once} for r in fused.to_pylist()]
    first = fused.slice(0, 1).to_pylist()[0] if fused.num_rows else {}
    about = {k: first.get(k) for k in said_once}
    source = "statistical matching; inferred, not observed"
    return Findings(facts=(Fact("fusion_segments", {**about, "rows": rows}, Kind.MEASURED, source),))
