"""What is believed before a household's first basket.

Empirical Bayes by moments: how different households are, less what chance within each explains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.state.features import BILLION, MILLION, SPEEDS, STATE, lapse_days
from twinops.twin.strict_json import Days, NotNegative, Number, Positive, declared

SMALLEST_VARIANCE = 1e-6


@declared
@dataclass(frozen=True)
class Pace:
    """Population prior at one speed: baskets a day ~ Gamma(shape, exposure in days), and USD a basket."""

    shape: Positive
    exposure: Positive
    basket_value: NotNegative


@declared
@dataclass(frozen=True)
class Priors:
    """What is believed before a household's first basket; empirical Bayes, so it comes from the population.

    `lapse_days`: how long a silence is a lapse (`features.lapse_days`), which other spans of days are in proportion to.
    """

    quick: Pace
    steady: Pace
    slow: Pace
    log_value: Number
    log_value_variance: NotNegative
    lapse_days: Days = 28


@dataclass(frozen=True)
class PaceSums:
    """What one speed's prior needs of the rows: sums of days, baskets and USD."""

    count: float
    exposure: float
    count_squared_per_day: float
    faded: float
    usd: float

    @classmethod
    def of(cls, state: dict[str, np.ndarray], speed: str, tau: int) -> Self:
        """The rows' sums; each is exact, so the order of rows does not matter."""
        count, exposure = state[f"baskets_{speed}"] / BILLION, state[f"exposure_{speed}"] / BILLION
        return cls(
            count=math.fsum(count),
            exposure=math.fsum(exposure),
            count_squared_per_day=math.fsum(count**2 / exposure),
            faded=math.fsum(1 - exposure / (2 * tau)),
            usd=math.fsum(state[f"cents_{speed}"] / BILLION / 100),
        )

    def pace(self) -> Pace:
        """Gamma prior by moments: the spread of rates between households, less what chance within them explains.

        A decayed Poisson count with rate r and exposure e = tau(1-q) has variance r e (1+q)/2, hence 1 - e/(2 tau).

        Raises:
            DataError: there is no recent basket.
        """
        if self.count <= 0:
            raise DataError(
                "No basket is recent enough to tell how often consumers shop.", hint="Raise features.decay_days."
            )
        mean = self.count / self.exposure
        spread = self.count_squared_per_day / self.exposure - mean**2
        # chance may explain more than the whole spread: households then count as nearly alike, never as exactly so
        between = max(spread - mean * self.faded / self.exposure, mean**2 / 1000)
        return Pace(rounded(mean**2 / between), rounded(mean / between), rounded(self.usd / self.count))


def fit_priors(table: pa.Table, *, decay_days: tuple[int, int, int]) -> Priors:
    """Method of moments on the rows' decayed sums (columns `features.STATE`), to six digits.

    Each sum is exact, so the order of rows does not matter.
    """
    state = columns(table, STATE)
    quick, steady, slow = (PaceSums.of(state, s, tau).pace() for s, tau in zip(SPEEDS, decay_days, strict=True))
    log_value = math.fsum(state["log_value_sum"]) / MILLION / math.fsum(state["baskets_total"])
    variance = math.fsum(own_variance(state)) / table.num_rows
    return Priors(
        quick, steady, slow, rounded(log_value), rounded(max(variance, SMALLEST_VARIANCE)), lapse_days(decay_days)
    )


def columns(table: pa.Table, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Columns as floats.

    Raises:
        DataError: a column is missing, not a number, or has holes.
    """
    there = frozenset(table.column_names)  # asked of the table, each is the work of all
    absent = [n for n in names if n not in there]
    if absent:
        raise DataError(f"The table has no column {', '.join(absent)}.", hint="Run the features stage again.")
    try:
        out = {n: table[n].to_numpy().astype(float) for n in names}
    except (TypeError, ValueError):
        raise DataError("A column of the state is not numeric.", hint="Run the features stage again.") from None
    if not all(np.isfinite(v).all() for v in out.values()):
        raise DataError("The state holds values that are absent or not finite.", hint="Run the features stage again.")
    return out


def own_variance(state: dict[str, np.ndarray]) -> np.ndarray:
    """Variance of a household's log basket values, from its sums; 0 where there is no basket."""
    n = np.maximum(state["baskets_total"], 1)
    mean = state["log_value_sum"] / MILLION / n
    return np.asarray(np.maximum(state["log_value_squares"] / MILLION**2 / n - mean**2, 0))
