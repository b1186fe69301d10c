"""The twin's scorecard: day after day beside plain baselines, how much of the spread it sees, and group by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twinops.entities import shown
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY
from twinops.evaluation.fairness.groups import GroupLabel
from twinops.evaluation.scorecard.coverage import BOTH, Covered
from twinops.evaluation.scorecard.origins import QUANTITIES, UNITS, Origins, quantities, worse
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, mean_of
from twinops.evaluation.statistics.bounds import AMOUNT, ANY_NUMBER, AT_MOST_ONE
from twinops.evaluation.statistics.setting import Setting
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.examples import Examples

SPREAD = shown.measures(
    {"variance_ratio.spend": "Spread of predicted over that of actual spend; below one is right"}, section=Section.DOUBT
)
SHOWN = shown.pictures(
    {
        "rolling_origin": "How much better than plain baselines the twin was, day after day",
        "importance": "What moves forecasts, by the twin's terms and by the challenger's trees",
    },
    section=Section.DOUBT,
)

BASELINES = ("segment", "rfm", "naive")
SPREADS = ("baskets", "spend")


@dataclass(frozen=True)
class Scored:
    """One held-out day: who, what was observed, and what the twin predicted."""

    rows: Examples
    said: Predictions


@dataclass(frozen=True)
class Origin:
    """One as-of day of the rolling origin: how much was known, and how much better than each baseline, paired."""

    cutoff: int
    learned_rows: int
    households: int
    value: dict[str, Resampled]
    gain: dict[tuple[str, str], Resampled]


def measure_origin(origins: Origins, day: int, draws: np.ndarray) -> Origin:
    """Every quantity of the twin on this day, and its gain over each baseline, on the households and on every draw."""
    rows = origins.rows(day)
    weights = draws[:, rows.household].astype(float)
    predicted = {m: origins.model(m, day).predict(rows.table) for m in (*BASELINES, origins.heads)}
    found = {m: quantities(rows, p, weights) for m, p in predicted.items()}
    ours = found.pop(origins.heads)
    gain = {(m, q): Resampled(worse(q, theirs[q], ours[q])) for m, theirs in found.items() for q in QUANTITIES}
    return Origin(day, len(origins.past(day)), len(rows), {q: Resampled(ours[q]) for q in QUANTITIES}, gain)


def gain_measures(measured: Sequence[Origin], setting: Setting, *, baseline: str) -> list[Measure]:
    """`active_auc.gain_over_segment` and so on: the mean over the origins given, paired."""
    method = f"twin compared with {baseline}, positive: twin better; paired, mean over {len(measured)} as-of days"
    gains = {q: mean_of([o.gain[baseline, q].draws for o in measured], within=ANY_NUMBER) for q in QUANTITIES}
    return [setting.measure(f"{q}.gain_over_{baseline}", gains[q], method, unit=UNITS.get(q)) for q in QUANTITIES]


def rolling_fact(measured: Sequence[Origin]) -> Fact:
    """Every origin with intervals, for the picture and for whoever wants to see whether a mean hides a bad month."""
    value = [
        {
            "cutoff": o.cutoff,
            "learned_rows": o.learned_rows,
            "households": o.households,
            **{q: _with_interval(o.value[q]) for q in QUANTITIES},
            **{f"{q}.gain_over_{m}": _with_interval(gain) for (m, q), gain in o.gain.items()},
        }
        for o in measured
    ]
    return Fact("rolling_origin", value, Kind.MEASURED, "scorecard: each as-of day by itself; training grows")


def spread_measures(days: Sequence[Scored], draws: np.ndarray, setting: Setting) -> list[Measure]:
    """`variance_ratio.spend`: standard deviation of the predicted over that of the observed, between households.

    Below 1 is right for anyone who cannot see the future: the best forecast has the square root of the share of
    variance that can be explained, which stands beside it as `explained_share.spend`.
    """
    out = []
    for q in SPREADS:
        ratios, shares = [], []
        for day in days:
            weights = draws[:, day.rows.household].astype(float)
            said, came = getattr(day.said, q), getattr(day.rows, q)
            # over households of a day: over days the seasons would be counted as spread
            variance = _variance(came, weights)
            ratios.append(np.sqrt(_variance(said, weights) / variance))
            shares.append(1 - weighted.mean((came - said) ** 2, weights) / variance)
        told = f"standard deviation of predicted over that of actual {q}, between {MANY}, mean over as-of days"
        out.append(setting.measure(f"variance_ratio.{q}", mean_of(ratios, within=AMOUNT), told))
        told = f"share of the variance of {q} between {MANY} that the prediction explains, mean over as-of days"
        out.append(setting.measure(f"explained_share.{q}", mean_of(shares, within=AT_MOST_ONE), told))
    return out


def group_fact(
    days: Sequence[Scored], held: Sequence[Covered], draws: np.ndarray, groups: Mapping[str, np.ndarray]
) -> Fact:
    """Coverage, error and bias of each group; `groups` gives each household number its group, or None."""
    value = [
        {"attribute": attribute, "group": group.name, **_group(days, held, draws, _members(labels, group))}
        for attribute, labels in groups.items()
        for group in sorted({g for g in labels.tolist() if g is not None})
    ]
    source = f"scorecard: {MANY} that allow bias assessment; groups of fewer {MANY} are merged or left out"
    return Fact("scorecard_groups", value, Kind.MEASURED, source)


def _group(days: Sequence[Scored], held: Sequence[Covered], draws: np.ndarray, member: np.ndarray) -> dict[str, Any]:
    """Pooled over the days; ratios of sums, so a household counts as often as it is scored."""
    parts = [(d, c, member[d.rows.household] & _assessable(d.rows)) for d, c in zip(days, held, strict=True)]
    who = np.concatenate([d.rows.household[m] for d, _, m in parts])
    weights = draws[:, who].astype(float)
    said, half = (np.concatenate([getattr(d.said, q)[m] for d, _, m in parts]) for q in ("spend", "spend_median"))
    came = np.concatenate([d.rows.spend[m] for d, _, m in parts])
    inside = {q: np.concatenate([c.inside[q][m] for _, c, m in parts]) for q in BOTH}
    figures = {
        **{f"coverage_{q}": Resampled(weighted.mean(inside[q], weights)) for q in BOTH},
        "spend_mae": Resampled(weighted.mean(np.abs(half - came), weights)),
        "predicted_over_actual_spend": Resampled(weighted.mean(said, weights) / weighted.mean(came, weights)),
    }
    known = {name: _with_interval(r) for name, r in figures.items() if r.known}
    return {"households": len(np.unique(who)), "rows": len(who), **known}


def _members(labels: np.ndarray, group: GroupLabel) -> np.ndarray:
    return np.array([label == group for label in labels.tolist()], dtype=bool)


def _assessable(rows: Examples) -> np.ndarray:
    return np.asarray(rows.table["may_assess_bias"].to_numpy(zero_copy_only=False))


def _with_interval(quantity: Resampled) -> list[float] | None:
    """Value, low, high; None where it does not exist."""
    return quantity.estimate("A quantity").listed() if quantity.known else None


def _variance(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Under every weighting at once."""
    mean = weighted.mean(values, weights)
    return np.asarray(weighted.mean(values**2, weights) - mean**2)
