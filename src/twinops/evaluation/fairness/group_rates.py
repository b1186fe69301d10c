"""What the decision does in each group: selection and error rates (Fairlearn), and predicted against actual spend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.disparity import GroupMatrix, Reach, bounds
from twinops.evaluation.fairness.groups import Grouping
from twinops.evaluation.statistics import wilson
from twinops.evaluation.statistics.bootstrap import percentiles
from twinops.evaluation.statistics.estimate import Estimate


@dataclass(frozen=True)
class Rates:
    """Rates of one group with Wilson's intervals; None: fewer than ten households to take the rate over."""

    selection_rate: Estimate
    true_positive_rate: Estimate | None
    false_positive_rate: Estimate | None


def error_rates(people: RankedHouseholds, grouped: Sequence[Grouping]) -> dict[tuple[str, str], Rates]:
    """Rates per (attribute, group); the truth is being in the top share by actual spend."""
    return {(g.attribute, label): rates for g in grouped for label, rates in _by_group(people, g).items()}


def _by_group(people: RankedHouseholds, grouping: Grouping) -> dict[str, Rates]:
    from fairlearn import metrics  # heavy

    inside = grouping.inside
    # what counts as right: among the top by actual spend, as many as get an offer
    truth, decided = people.in_top[inside].astype(int), people.offered[inside].astype(int)
    frame = metrics.MetricFrame(
        metrics={
            "n": metrics.count,
            "positives": lambda truth, _: int(truth.sum()),
            "selection": metrics.selection_rate,
            "true_positive": metrics.true_positive_rate,
            "false_positive": metrics.false_positive_rate,
        },
        y_true=truth,
        y_pred=decided,
        sensitive_features=grouping.labels[inside].astype(str),
    )
    return {str(label): _rates(row) for label, row in frame.by_group.to_dict("index").items()}


def _rates(row: dict[str, float]) -> Rates:
    """Fairlearn gives rates; numbers of households are had back by rounding."""
    n, positives = round(row["n"]), round(row["positives"])
    return Rates(
        selection_rate=wilson.share(round(row["selection"] * n), n),
        true_positive_rate=_shown(row["true_positive"], positives),
        false_positive_rate=_shown(row["false_positive"], n - positives),
    )


def _shown(rate: float, n: int) -> Estimate | None:
    """None over fewer than ten households."""
    return wilson.share(round(rate * n), n) if n >= SMALLEST_CELL else None


def shown_ratios(counts: Reach, *, alpha: float) -> list[Estimate | None]:
    """Selection rate of each group over that of its rest; None: either has fewer than ten, or nobody was selected."""
    some = np.minimum(counts.n, counts.n_rest) >= SMALLEST_CELL
    safe = Reach(*(np.where(some, x, 1.0) for x in counts))
    found, ends = safe.ratio, bounds(safe, alpha=alpha)
    told = some & np.isfinite(found)
    ratios = zip(found.tolist(), ends.low.tolist(), ends.high.tolist(), strict=True)
    return [Estimate(*ratio) if known else None for ratio, known in zip(ratios, told.tolist(), strict=True)]


def calibrations(people: RankedHouseholds, cells: GroupMatrix, draws: np.ndarray) -> list[Estimate | None]:
    """Predicted over actual spend of each group, with percentile intervals over draws of households; 1 is right."""
    cents = [np.rint(people.expected_spend * 100), people.spend_cents]
    money = np.hstack([cells.inside * c[:, None] for c in cents]).astype(float)
    predicted, actual = np.split(draws.astype(float) @ money, 2, axis=1)  # whole cents, so exact in any order
    return [_ratio(predicted[:, i], actual[:, i]) for i in range(predicted.shape[1])]


def _ratio(predicted: np.ndarray, actual: np.ndarray) -> Estimate | None:
    """None where in some draw nothing was spent."""
    return None if (actual <= 0).any() else percentiles(predicted / actual)
