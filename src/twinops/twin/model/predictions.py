"""What a model expects of each household in the next horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

LARGEST_LOG = 14.0
"""exp(14) is 1.2 million baskets or USD in one horizon: beyond it a predictor is out of its depth, not right."""

SMALLEST_CHANCE = 1e-6
VISIT_SHAPE = 3.0
"""How alike are households with the same terms: the spread of their rates is the rate over the root of this.

On the development days 1, 2, 3, 5 and no spread at all were tried: 3 was best or a hair from it (docs/adr/0009)."""


@dataclass(frozen=True)
class Predictions:
    """One number per row: chance to buy at all, number of baskets, USD spent as a mean, and as a median.

    Rounded (6, 6, 4 and 4 decimals), so that another processor's last bits do not show; what is rounded is what is
    measured, stored and served.
    """

    active_probability: np.ndarray
    baskets: np.ndarray
    spend: np.ndarray
    spend_median: np.ndarray

    @classmethod
    def of(
        cls, chance: np.ndarray, baskets: np.ndarray, spend: np.ndarray, spend_median: np.ndarray | None = None
    ) -> Predictions:
        """Round and keep, as answers that fit together; whoever has one answer for spend gives it to both questions.

        Who comes brings one basket or more, so no fewer are expected than the chance to come; and where nobody
        comes, nothing is spent.
        """
        comes, median = np.asarray(chance) > 0, spend if spend_median is None else spend_median
        # what is not impossible is not rounded to it: of a certain nothing no likelihood can be told
        chance = np.maximum(np.round(chance, 6), SMALLEST_CHANCE) * comes
        return cls(
            chance,
            np.maximum(np.round(baskets, 6), chance) * comes,
            np.round(spend, 4) * comes,
            np.round(median, 4) * comes,
        )

    def at(self, rows: np.ndarray) -> Predictions:
        """Those of some rows, by number."""
        return Predictions(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class Forecaster(Protocol):
    """The twin, or a baseline."""

    def predict(self, table: pa.Table) -> Predictions:
        """One prediction per row of the panel, in order."""


def logistic(log_odds: np.ndarray) -> np.ndarray:
    """Probabilities from log-odds.

    >>> float(logistic(np.array([0.0]))[0])
    0.5
    """
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def visiting(log_rate: np.ndarray) -> np.ndarray:
    """Chance of at least one visit, when visits are gamma-Poisson of `VISIT_SHAPE` with rates of these logarithms.

    The negative binomial's chance of anything but nothing. With shape 1 it would be `logistic`, without an end the
    Poisson's.

    >>> round(float(visiting(np.array([0.0]))[0]), 6) == round(1 - (3 / 4) ** 3, 6)
    True
    """
    return np.asarray(-np.expm1(-VISIT_SHAPE * np.logaddexp(0, np.clip(log_rate, -30, 30) - np.log(VISIT_SHAPE))))


def exponential(log_rate: np.ndarray) -> np.ndarray:
    """Rates from their logarithms, held below 1.2 million."""
    return np.asarray(np.exp(np.clip(log_rate, -LARGEST_LOG, LARGEST_LOG)))
