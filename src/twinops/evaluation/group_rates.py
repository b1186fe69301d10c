"""What the decision does in each group: selection and error rates (Fairlearn), and predicted against actual spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.evaluation import wilson
from twinops.evaluation.bootstrap import LEVEL
from twinops.evaluation.decision import Judged
from twinops.evaluation.disparity import Cells
from twinops.evaluation.groups import Grouping

FEWEST = 10
"""No rate over fewer households is shown."""

Three = tuple[float, float, float]
"""A value and the ends of its interval."""


@dataclass(frozen=True)
class Rates:
    """Rates of one group with Wilson's intervals; None: fewer than ten households to take the rate over."""

    selection_rate: Three
    true_positive_rate: Three | None
    false_positive_rate: Three | None


def error_rates(people: Judged, grouped: Sequence[Grouping]) -> dict[tuple[str, str], Rates]:
    """Rates per (attribute, group); the truth is being in the top share by actual spend."""
    return {(g.attribute, label): rates for g in grouped for label, rates in _by_group(people, g).items()}


def _by_group(people: Judged, grouping: Grouping) -> dict[str, Rates]:
    from fairlearn import metrics  # heavy

    inside = grouping.inside
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
    n, positives = round(row["n"]), round(row["positives"])
    return Rates(
        selection_rate=wilson.share(round(row["selection"] * n), n),
        true_positive_rate=_shown(row["true_positive"], positives),
        false_positive_rate=_shown(row["false_positive"], n - positives),
    )


def _shown(rate: float, n: int) -> Three | None:
    return wilson.share(round(rate * n), n) if n >= FEWEST else None


def calibrations(people: Judged, cells: Cells, draws: np.ndarray) -> list[Three | None]:
    """Predicted over actual spend of each group, with percentile intervals over draws of households; 1 is right."""
    cents = [np.rint(people.expected_spend * 100), people.spend_cents]
    money = np.hstack([cells.inside * c[:, None] for c in cents]).astype(float)
    predicted, actual = np.split(draws.astype(float) @ money, 2, axis=1)  # whole cents, so exact in any order
    return [_percentiles(predicted[:, i], actual[:, i]) for i in range(predicted.shape[1])]


def _percentiles(predicted: np.ndarray, actual: np.ndarray) -> Three | None:
    if (actual <= 0).any():
        return None
    ratio = predicted / actual
    low, high = np.quantile(ratio[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(ratio[0]), float(low), float(high)
