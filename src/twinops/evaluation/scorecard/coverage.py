"""Whether ranges that promise 80 of 100 hold 80 of 100: overall, in each tier, and beside the range of everybody."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities import shown
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, mean_of
from twinops.evaluation.statistics.setting import Setting
from twinops.twin.model.intervals import COVERAGE, TIERS, Intervals, Ranges
from twinops.twin.model.outcomes import Scatter
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.examples import Examples

SHOWN = (
    *shown.measures(
        {
            "interval_coverage_80": "Outcomes inside their 80 % range, as a share",
            "interval_coverage_80.baskets": "The same, of baskets",
            "interval_coverage_80.spend": "The same, of spend",
            "interval_coverage_80.tier_low": f"Of {MANY} with low expected activity",
            "interval_coverage_80.tier_mid": f"Of {MANY} with middling expected activity",
            "interval_coverage_80.tier_high": f"Of {MANY} with high expected activity",
            "interval_width_80.spend": "Mean width of the range of spend",
            "interval_width_80.spend.naive": "One range for everybody would be as wide as",
        },
        section=Section.DOUBT,
    ),
    *shown.pictures(
        {"coverage": "How many outcomes fell inside their range: overall, by tier of activity and by group"},
        section=Section.DOUBT,
    ),
)

NAME = "interval_coverage_80"
BOTH = ("baskets", "spend")
UNITS = {"baskets": "baskets", "spend": MONEY}
NAIVE = "naive"
SHARPNESS = {"width": "mean width of the range", "winkler": "width, and ten times how far what came lies outside"}
"""What is measured beside coverage, which alone would praise a range that holds everything."""


@dataclass(frozen=True)
class Covered:
    """One as-of day: whose rows, which tier each is in, and per quantity whether it was held, width and score."""

    cutoff: int
    household: np.ndarray
    tier: np.ndarray
    inside: dict[str, np.ndarray]
    width: dict[str, np.ndarray]
    winkler: dict[str, np.ndarray]


def covered(rows: Examples, p: Predictions, intervals: Intervals, *, scatter: Scatter) -> tuple[Covered, Covered]:
    """What the twin's ranges held, and beside it what the range of everybody held (the naive interval)."""
    tier = intervals.tier(p)
    # a range that is wide enough holds everything: what counts is to be sharper than one range for all
    everybody = Ranges(*(np.broadcast_to(end, len(rows)) for end in _ends(intervals.newcomer())))
    return _covered(rows, tier, intervals.of(p, scatter)), _covered(rows, tier, everybody)


def coverage_measures(
    twin: Sequence[Covered], naive: Sequence[Covered], draws: np.ndarray, setting: Setting
) -> list[Measure]:
    """`interval_coverage_80`, `.baskets`, `.spend`, `.tier_low`, `.spend.tier_low`, `.naive`, widths and scores."""
    method = "share of outcomes inside their range, both ends included, mean over as-of days"
    shares = _shares(twin, draws)
    out = [setting.measure(NAME + part, share, method) for part, share in shares.items()]
    theirs = _shares(naive, draws)[""]
    out.append(setting.measure(f"{NAME}.{NAIVE}", theirs, f"{method}; everybody has the same range"))
    for q in BOTH:
        for what in SHARPNESS:
            out += _sharpness(what, q, _mean(what, q, twin, draws), _mean(what, q, naive, draws), setting)
    return out


def winkler(low: np.ndarray, high: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Width, and ten times how far what was observed lies outside: lower is better (Winkler, JASA 67, 1972).

    >>> winkler(np.array([1.0]), np.array([4.0]), np.array([5.0])).round(6).tolist()
    [13.0]
    """
    outside = np.maximum(low - observed, 0) + np.maximum(observed - high, 0)
    return np.asarray(high - low + 2 / (1 - COVERAGE) * outside)


def _covered(rows: Examples, tier: np.ndarray, r: Ranges) -> Covered:
    """Of one day what some ranges held, how wide they are, and their Winkler scores."""
    ends = {"baskets": (r.baskets_low, r.baskets_high), "spend": (r.spend_low, r.spend_high)}
    observed = {"baskets": rows.baskets, "spend": rows.spend}
    return Covered(
        int(rows.cutoff[0]),
        rows.household,
        tier,
        {q: ((observed[q] >= low) & (observed[q] <= high)).astype(float) for q, (low, high) in ends.items()},
        {q: high - low for q, (low, high) in ends.items()},
        {q: winkler(low, high, observed[q]) for q, (low, high) in ends.items()},
    )


def _ends(r: Ranges) -> tuple[np.ndarray, ...]:
    return r.baskets_low, r.baskets_high, r.spend_low, r.spend_high


def _shares(days: Sequence[Covered], draws: np.ndarray) -> dict[str, Resampled]:
    """Suffix -> coverage; the name alone is the mean of both quantities."""
    out: dict[str, Resampled] = {}
    for suffix, k in (("", None), *((f".tier_{name}", k) for k, name in enumerate(TIERS))):
        by = {q: mean_of([_share(d, q, draws, k) for d in days]) for q in BOTH}
        out[suffix] = (by[BOTH[0]] + by[BOTH[1]]).times(0.5)
        out |= {f".{q}{suffix}": by[q] for q in BOTH}
    return out


def _share(day: Covered, quantity: str, draws: np.ndarray, tier: int | None) -> np.ndarray:
    """Of one day the share of outcomes inside their range, in one tier or in all."""
    mask = np.ones(len(day.tier), dtype=bool) if tier is None else day.tier == tier
    return weighted.mean(day.inside[quantity][mask], draws[:, day.household[mask]].astype(float))


def _mean(what: str, quantity: str, days: Sequence[Covered], draws: np.ndarray) -> Resampled:
    return mean_of([weighted.mean(getattr(d, what)[quantity], draws[:, d.household].astype(float)) for d in days])


def _sharpness(what: str, quantity: str, ours: Resampled, theirs: Resampled, setting: Setting) -> list[Measure]:
    """The twin's, that of everybody's range, and how much better the twin's is."""
    said, name, unit = SHARPNESS[what], f"interval_{what}_80.{quantity}", UNITS[quantity]
    return [
        setting.measure(name, ours, f"{said}, mean over as-of days", unit=unit),
        setting.measure(f"{name}.{NAIVE}", theirs, f"{said}, everybody has the same range", unit=unit),
        setting.measure(f"{name}.gain_over_{NAIVE}", theirs - ours, f"{said}; positive: better, paired", unit=unit),
    ]
