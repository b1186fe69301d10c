"""Whether ranges that promise 80 of 100 hold 80 of 100: overall, in each tier, and beside the range of everybody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities import shown
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, mean_of
from twinops.evaluation.statistics.bounds import AMOUNT, SHARE
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
ATTAINABLE = "attainable"
"""What a range holds beyond 80 of 100 although no narrower one would do is not counted (docs/adr/0022)."""
BOTH = ("baskets", "spend")
UNITS = {"baskets": "baskets", "spend": MONEY}
NAIVE = "naive"
SHARPNESS = {"width": "mean width of the range", "winkler": "width, and ten times how far what came lies outside"}
"""What is measured beside coverage, which alone would praise a range that holds everything."""


@dataclass(frozen=True)
class RangeEnds:
    """Of each row whether what came is the range's end, whether that end may move, and which ranges are alike.

    An end may not move where the range would lose its mean or median. `alike` numbers ranges of the same kind.
    """

    at_low: np.ndarray
    at_high: np.ndarray
    low_moves: np.ndarray
    high_moves: np.ndarray
    alike: np.ndarray


@dataclass(frozen=True)
class Covered:
    """One as-of day: whose rows, which tier each is in, and per quantity whether it was held, width and score."""

    cutoff: int
    household: np.ndarray
    tier: np.ndarray
    inside: dict[str, np.ndarray]
    width: dict[str, np.ndarray]
    winkler: dict[str, np.ndarray]
    ends: dict[str, RangeEnds]


def covered(rows: Examples, p: Predictions, intervals: Intervals, *, scatter: Scatter) -> tuple[Covered, Covered]:
    """What the twin's ranges held, and beside it what the range of everybody held (the naive interval)."""
    tier = intervals.tier(p)
    # a range that is wide enough holds everything: what counts is to be sharper than one range for all
    everybody = Ranges(*(np.broadcast_to(end, len(rows)) for end in _ends(intervals.newcomer())))
    middle = {
        "baskets": (p.baskets, p.baskets),
        "spend": (np.minimum(p.spend, p.spend_median), np.maximum(p.spend, p.spend_median)),
    }
    return _covered(rows, tier, intervals.of(p, scatter), middle), _covered(rows, tier, everybody, middle)


def coverage_measures(
    twin: Sequence[Covered], naive: Sequence[Covered], draws: np.ndarray, setting: Setting
) -> list[Measure]:
    """`interval_coverage_80`, `.baskets`, `.spend`, `.tier_low`, `.spend.tier_low`, `.naive`, widths and scores."""
    method = "share of outcomes inside their range, both ends included, mean over as-of days"
    shares = _shares(twin, draws)
    out = [setting.measure(NAME + part, share, method) for part, share in shares.items()]
    told = f"{method}; where no narrower range would hold {COVERAGE:.0%}, what it holds beyond is not counted"
    out += [
        setting.measure(f"{NAME}{part}.{ATTAINABLE}", s, told) for part, s in _shares(twin, draws, _attained).items()
    ]
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


Middle = dict[str, tuple[np.ndarray, np.ndarray]]
"""Per quantity what a range must hold: its lower and its upper figure (mean, median) of each row."""


def _covered(rows: Examples, tier: np.ndarray, r: Ranges, middle: Middle) -> Covered:
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
        {q: _range_ends(observed[q], ends[q], middle[q], step=STEPS[q]) for q in BOTH},
    )


STEPS = {"baskets": 1.0, "spend": 0.01}
"""By how much an end moves at least."""


def _range_ends(
    observed: np.ndarray, ends: tuple[np.ndarray, np.ndarray], middle: tuple[np.ndarray, np.ndarray], *, step: float
) -> RangeEnds:
    """Ranges are alike that begin and end alike; long ones by where they begin and how long they are, roughly."""
    low, high = (np.round(np.broadcast_to(end, len(observed)), 2) for end in ends)
    # a hair is left, so that a range that ends at its rounded mean counts as one that may not move
    low_moves, high_moves = low + step <= middle[0] + 1e-9, high - step >= middle[1] - 1e-9
    begins, long = np.minimum(low / step, 3), np.minimum((high - low) / step, 6)
    kinds = np.column_stack([begins, long, low_moves, high_moves])
    alike = np.unique(kinds, axis=0, return_inverse=True)[1].reshape(-1)
    return RangeEnds(observed == low, observed == high, low_moves, high_moves, alike)


def _ends(r: Ranges) -> tuple[np.ndarray, ...]:
    return r.baskets_low, r.baskets_high, r.spend_low, r.spend_high


Hold = Callable[[Covered, str, np.ndarray, np.ndarray], np.ndarray]
"""Of some rows of a day and a quantity the share that was held, on everybody and on every draw."""


def _held(day: Covered, quantity: str, draws: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The share of outcomes inside their range."""
    return weighted.mean(day.inside[quantity][mask], draws[:, day.household[mask]].astype(float))


def _attained(day: Covered, quantity: str, draws: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same, but of ranges alike what is nearest to 80 % between what they hold and what the next narrower would.

    The next narrower loses the rarer of the two ends that may move; where neither may, nothing narrower is to be had.
    """
    ends, weight = day.ends[quantity], draws[:, day.household].astype(float)
    total, found = weight[:, mask].sum(axis=1), np.zeros(len(draws))
    for kind in np.unique(ends.alike[mask]):
        rows = mask & (ends.alike == kind)
        mine = weight[:, rows]
        held = weighted.mean(day.inside[quantity][rows], mine)
        lost = [
            weighted.mean(at[rows].astype(float), mine)
            for at, moves in ((ends.at_low, ends.low_moves), (ends.at_high, ends.high_moves))
            if moves[rows][0]
        ]
        narrower = held - np.minimum.reduce(lost) if lost else np.zeros(len(draws))
        found += np.nan_to_num(np.clip(COVERAGE, np.minimum(narrower, held), held)) * mine.sum(axis=1)
    return np.asarray(np.divide(found, total, out=np.full(len(draws), np.nan), where=total > 0))


def _shares(days: Sequence[Covered], draws: np.ndarray, hold: Hold = _held) -> dict[str, Resampled]:
    """Suffix -> coverage; the name alone is the mean of both quantities."""
    out: dict[str, Resampled] = {}
    for suffix, k in (("", None), *((f".tier_{name}", k) for k, name in enumerate(TIERS))):
        by = {q: mean_of([hold(d, q, draws, _in_tier(d, k)) for d in days], within=SHARE) for q in BOTH}
        out[suffix] = (by[BOTH[0]] + by[BOTH[1]]).times(0.5)
        out |= {f".{q}{suffix}": by[q] for q in BOTH}
    return out


def _in_tier(day: Covered, tier: int | None) -> np.ndarray:
    return np.ones(len(day.tier), dtype=bool) if tier is None else day.tier == tier


def _mean(what: str, quantity: str, days: Sequence[Covered], draws: np.ndarray) -> Resampled:
    by_day = [weighted.mean(getattr(d, what)[quantity], draws[:, d.household].astype(float)) for d in days]
    return mean_of(by_day, within=AMOUNT)


def _sharpness(what: str, quantity: str, ours: Resampled, theirs: Resampled, setting: Setting) -> list[Measure]:
    """The twin's, that of everybody's range, and how much better the twin's is."""
    said, name, unit = SHARPNESS[what], f"interval_{what}_80.{quantity}", UNITS[quantity]
    return [
        setting.measure(name, ours, f"{said}, mean over as-of days", unit=unit),
        setting.measure(f"{name}.{NAIVE}", theirs, f"{said}, everybody has the same range", unit=unit),
        setting.measure(f"{name}.gain_over_{NAIVE}", theirs - ours, f"{said}; positive: better, paired", unit=unit),
    ]
