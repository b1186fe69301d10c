"""Measure which features no longer look as they did on an earlier as-of day, what share of them, and say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from twinops.data.remembered import Figures, Remember, afresh, by_day, digest_of
from twinops.entities import shown
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY
from twinops.evaluation.drift.distances import Apart, Sample, apart
from twinops.evaluation.drift.evidently_report import drift_report
from twinops.evaluation.statistics import bootstrap, calm
from twinops.params import DriftParams

Q_LIMIT = 0.05
DISTANCE_LIMIT = 0.1
"""A feature is flagged when q is below the one and the normed distance above the other: with thousands of households
significance alone flags trifles, and distance alone flags noise. No false alarm over nine pairs of months."""

FEWEST_HOUSEHOLDS = 50
"""With fewer in either window nothing is measured."""


@dataclass(frozen=True)
class Windows:
    """The same columns as of two days. `reference` and `current` say which household (a number) each row is."""

    columns: tuple[str, ...]
    reference: np.ndarray
    current: np.ndarray
    reference_rows: pd.DataFrame
    current_rows: pd.DataFrame

    @property
    def households(self) -> int:
        """How many there are in either window."""
        return len(np.union1d(self.reference, self.current))


@dataclass(frozen=True)
class Feature:
    """One feature in the two windows. `distance` and `q` are None where one of the windows has no value at all.

    `missing_reference` and `missing_current` are the shares of households without a value.
    """

    name: str
    distance: float | None
    q: float | None
    flagged: bool
    missing_reference: float
    missing_current: float


@dataclass(frozen=True)
class Drift:
    """What was found. `share` of the features is flagged; see `measure_drift` for `low` and `high`.

    None: nothing could be measured, and `why_not` says why.
    """

    features: tuple[Feature, ...]
    households_reference: int
    households_current: int
    households: int
    share: float | None = None
    low: float | None = None
    high: float | None = None
    why_not: str = ""


def windows(panel: pa.Table, columns: Sequence[str], *, reference: int, current: int) -> Windows:
    """The two as-of days of a panel, rows whose household may be scored only."""
    # who may not be scored is not watched either (GDPR art. 6: no purpose, no use)
    asked = pc.is_in(panel["cutoff"], pa.array([reference, current], panel["cutoff"].type))
    rows = panel.filter(pc.and_(panel["may_score"], asked))
    day = np.asarray(rows["cutoff"])
    _, household = np.unique(np.array(rows["sid"].to_pylist(), dtype=str), return_inverse=True)
    values = rows.select(list(columns)).to_pandas().astype(float).replace([np.inf, -np.inf], np.nan)
    then, now = day == reference, day == current
    return Windows(tuple(columns), household[then], household[now], _own_index(values, then), _own_index(values, now))


def measure_drift(pair: Windows, *, draws: int, seed: int) -> Drift:
    """Flag features, and resample households (with both their days) for the interval of the flagged share.

    Its low end counts features that are far and beyond chance, its high end all that are far: with few households
    nothing is beyond chance, and that must not look like calm. Drawing adds noise, so both lean towards more drift.
    """
    sizes = (len(pair.reference), len(pair.current), pair.households)
    if min(sizes) < FEWEST_HOUSEHOLDS:
        return Drift((), *sizes, why_not=f"fewer than {FEWEST_HOUSEHOLDS} {MANY} in a window")
    both = (pair.reference_rows, pair.current_rows)
    measurable = [c for c in pair.columns if all(rows[c].notna().any() for rows in both)]
    distance, reaches, q = _as_they_are(pair, measurable)
    features = tuple(_feature(pair, c, distance.get(c), q.get(c), flagged=reaches.get(c)) for c in pair.columns)
    known = [f for f in features if f.missing_reference < 1 or f.missing_current < 1]
    if not known:
        return Drift(features, *sizes, why_not="no feature has a value in either window")
    # a feature without values in one window has no distance, but its loss is drift
    vanished = sum(f.distance is None for f in known)
    certain, far = _per_draw(pair, measurable, draws=draws, seed=seed)
    low = (np.quantile(certain, (1 - bootstrap.LEVEL) / 2, method="lower") + vanished) / len(known)
    high = (np.quantile(far, (1 + bootstrap.LEVEL) / 2, method="higher") + vanished) / len(known)
    return Drift(features, *sizes, share=sum(f.flagged for f in known) / len(known), low=float(low), high=float(high))


CALM_DRAWS = 20
WARN_RATE, FAIL_RATE = 1 / 4, 1 / 8
"""Of calm pairs of days, how many at most lie beyond the limits that calm pairs set: to be looked at, to be refused."""


@dataclass(frozen=True)
class CalmPairs:
    """What earlier pairs of days, as far apart, showed: the share that was flagged, and how high it may have been."""

    shares: tuple[float, ...]
    highs: tuple[float, ...]

    @property
    def limits(self) -> dict[str, float]:
        """What few pairs like them exceed; empty: there are too few."""
        found = {
            "look_above": calm.upper(self.shares, rate=WARN_RATE),
            "at_most": calm.upper(self.shares, rate=FAIL_RATE),
            "wide": calm.upper(self.highs, rate=WARN_RATE),
        }
        return {name: limit for name, limit in found.items() if limit is not None}


NO_PAIRS = CalmPairs((), ())


def calm_pairs(panel: pa.Table, columns: Sequence[str], days: DriftParams, remember: Remember = afresh) -> CalmPairs:
    """Compare every earlier as-of day with the one as long before it as the reference is before the current day.

    A pair follows from the rows of its two days alone.
    """
    rows = by_day(panel.filter(panel["may_score"]), ["sid", "may_score", *columns], day="cutoff")
    digests = {day: digest_of(of) for day, of in rows.items()}
    gap = days.current_cutoff - days.reference_cutoff
    enough = [d for d, of in rows.items() if of.num_rows >= FEWEST_HOUSEHOLDS]
    found = []
    for day in (d for d in enough if d < days.current_cutoff and d - gap in enough):
        two = (rows[day - gap], rows[day])
        about = ("calm pair", digests[day - gap], digests[day], days.seed, CALM_DRAWS)
        found += remember(about, partial(_of_two, two, columns, at=(day - gap, day), seed=days.seed))
    shares, highs = (tuple(pair[k] for pair in found) for k in (0, 1))
    return CalmPairs(shares, highs)


def _of_two(two: Sequence[pa.Table], columns: Sequence[str], *, at: tuple[int, int], seed: int) -> Figures:
    """What two days show; of each the rows of those who may be scored."""
    pair = windows(pa.concat_tables(two), columns, reference=at[0], current=at[1])
    return [[*_quickly(pair, seed=seed)]]


def _quickly(pair: Windows, *, seed: int) -> tuple[float, float]:
    """The share that the same rule flags, and the high end of its interval over few draws."""
    both = (pair.reference_rows, pair.current_rows)
    columns = [c for c in pair.columns if all(rows[c].notna().any() for rows in both)]
    everyone = np.union1d(pair.reference, pair.current)
    certain, _ = _counted(_apart(pair, columns, np.ones((1, len(everyone)), dtype=np.int64)))
    far = _far(_apart(pair, columns, bootstrap.counts(len(everyone), draws=CALM_DRAWS, seed=seed)[1:])).sum(axis=0)
    n = max(len(columns), 1)
    return float(certain[0]) / n, float(np.quantile(far, (1 + bootstrap.LEVEL) / 2, method="higher")) / n


def _own_index(values: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    return values[rows].reset_index(drop=True)


def _as_they_are(pair: Windows, columns: list[str]) -> tuple[dict[str, float], dict[str, bool], dict[str, float]]:
    """Distance and whether it reaches the limit, as Evidently says; q by Benjamini and Hochberg over all features."""
    if not columns:
        return {}, {}, {}
    reference, current = pair.reference_rows[columns], pair.current_rows[columns]
    found = drift_report(current, reference, limit=DISTANCE_LIMIT)
    p = [stats.ks_2samp(reference[c].dropna(), current[c].dropna(), method="asymp").pvalue for c in columns]
    q = dict(zip(columns, stats.false_discovery_control(p), strict=True))
    flagged = {c: found[c].reaches_limit and bool(q[c] < Q_LIMIT) for c in columns}
    return {c: found[c].distance for c in columns}, flagged, q


def _feature(pair: Windows, name: str, distance: float | None, q: float | None, *, flagged: bool | None) -> Feature:
    """A feature without a value in one window only has vanished or appeared: drift of no measurable distance."""
    missing = [float(rows[name].isna().mean()) for rows in (pair.reference_rows, pair.current_rows)]
    if distance is None or q is None or flagged is None:
        return Feature(name, None, None, min(missing) < 1, *missing)
    return Feature(name, float(distance), float(q), flagged, *missing)


def _per_draw(pair: Windows, columns: list[str], *, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How many features the same rule flags in each draw of the households, and how many are far, certain or not."""
    if not columns:
        return np.zeros(draws), np.zeros(draws)
    households = len(np.union1d(pair.reference, pair.current))
    return _counted(_apart(pair, columns, bootstrap.counts(households, draws=draws, seed=seed)[1:]))


def _apart(pair: Windows, columns: list[str], weights: np.ndarray) -> list[Apart]:
    """How far each feature moved, for weights of households: one row a draw."""
    everyone = np.union1d(pair.reference, pair.current)
    places = [np.searchsorted(everyone, who) for who in (pair.reference, pair.current)]
    return [
        apart(_sample(pair.reference_rows[c], places[0]), _sample(pair.current_rows[c], places[1]), weights)
        for c in columns
    ]


def _far(found: list[Apart]) -> np.ndarray:
    """Which features lie at least the limit apart: one row a feature, one column a draw."""
    return np.stack([f.distance for f in found]) >= DISTANCE_LIMIT


def _counted(found: list[Apart]) -> tuple[np.ndarray, np.ndarray]:
    """How many features the rule flags in each draw, and how many are far."""
    far = _far(found)
    certain = np.zeros(far.shape[1], dtype=int)
    # where no feature is far, none is flagged, whatever p is: it takes longer than all else
    asked = np.atleast_1d(far.any(axis=0))
    if asked.any():
        # a draw that leaves a window empty shows nothing: p is 1
        q = stats.false_discovery_control(np.nan_to_num(np.stack([f.p(asked) for f in found]), nan=1.0), axis=0)
        certain[asked] = ((q < Q_LIMIT) & far[:, asked]).sum(axis=0)
    return certain, far.sum(axis=0)


def _sample(values: pd.Series, household: np.ndarray) -> Sample:
    """The rows with a value, and whose they are."""
    known = values.notna().to_numpy()
    return Sample(values.to_numpy()[known], household[known])


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
    f"Wasserstein distance of at least {DISTANCE_LIMIT:g} (Evidently); percentile bootstrap of {MANY}, "
    "its high end by the distance alone"
)


def drift_findings(drift: Drift, days: DriftParams, before: CalmPairs = NO_PAIRS) -> Findings:
    """The share is absent when nothing could be measured: a missing measure is missing, not zero."""
    source = f"features of day {days.current_cutoff} against day {days.reference_cutoff}, {MANY} that may be scored"
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
    own = {
        "pairs": len(before.shares),
        "flagged": sum(share > 0 for share in before.shares),
        "calm_pairs": {name: rounded(limit) for name, limit in before.limits.items()},
        "rates": {"look_above": WARN_RATE, "at_most": FAIL_RATE},
    }
    told = f"as-of days before day {days.current_cutoff}, each against the one as long before it, all taken as calm"
    facts = (Fact("drift_features", value, Kind.MEASURED, source), Fact("drift_limits", own, Kind.MEASURED, told))
    return Findings(measures, facts, SHOWN)


def sentence(drift: Drift, days: DriftParams) -> str:
    """The conclusion, in words."""
    if drift.share is None:
        return f"Nothing could be measured: {drift.why_not}."
    flagged = sorted((f for f in drift.features if f.flagged), key=lambda f: -(f.distance or float("inf")))
    between = f"between day {days.reference_cutoff} and day {days.current_cutoff}"
    doubt = f"{drift.share:.0%} of the features, interval {drift.low:.0%} to {drift.high:.0%}"
    if not flagged:
        furthest = max((f for f in drift.features if f.distance is not None), key=lambda f: f.distance or 0.0)
        chance = "" if (furthest.distance or 0.0) < DISTANCE_LIMIT else f"; with so few {MANY} that may be chance"
        return (
            f"No feature moved further than the limit beyond chance {between} ({doubt}). The furthest is "
            f"{furthest.name}, at {furthest.distance:.3f} (limit {DISTANCE_LIMIT:g}){chance}."
        )
    names = ", ".join(f.name for f in flagged)
    return f"{len(flagged)} of {len(drift.features)} features moved {between} ({doubt}): {names}."


def _row(f: Feature) -> dict[str, Any]:
    numbers = {name: getattr(f, name) for name in ("distance", "q", "missing_reference", "missing_current")}
    return {"name": f.name, "flagged": f.flagged, **{k: None if v is None else rounded(v) for k, v in numbers.items()}}
