"""From a household's sums to terms: how often, how much, how lately, each drawn towards the population by its prior."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.features import BILLION, MILLION, SPEEDS, STATE

FAMILIAR_DAYS = 56
"""Tenure is capped here. It grows with the calendar, so an uncapped term extrapolates in every month to come."""

TERMS = (
    "pace", "warming", "momentum",
    "value", "value_warming", "value_momentum",
    "silence_quick", "silence_steady", "silence_slow",
    "recency", "overdue", "familiarity", "regularity", "basket_size", "basket_spread",
)  # fmt: skip

MEANINGS = {
    "pace": "baskets a day, slow memory (log)",
    "warming": "pace: steady against slow memory (log ratio)",
    "momentum": "pace: quick against steady memory (log ratio)",
    "value": "USD a basket, slow memory (log)",
    "value_warming": "USD a basket: steady against slow (log ratio)",
    "value_momentum": "USD a basket: quick against steady (log ratio)",
    "silence_quick": "chance of no basket in the horizon, quick memory",
    "silence_steady": "chance of no basket in the horizon, steady memory",
    "silence_slow": "chance of no basket in the horizon, slow memory",
    "recency": "days since the last basket (log)",
    "overdue": "baskets missed since the last one (log)",
    "familiarity": f"days since the first basket, up to {FAMILIAR_DAYS} (log)",
    "regularity": "share of days with a basket (log)",
    "basket_size": "mean log basket value",
    "basket_spread": "spread of log basket values",
}
"""What each term says, for a reader of cards and pictures."""

VALUE_WEIGHT = 3.0
"""A household's own basket values count against the population's as if that had three baskets."""

REGULARITY_DAYS = 10.0


@dataclass(frozen=True)
class Pace:
    """Population prior at one speed: baskets a day ~ Gamma(shape, exposure in days), and USD a basket."""

    shape: float
    exposure: float
    basket_usd: float


@dataclass(frozen=True)
class Priors:
    """What is believed before a household's first basket; empirical Bayes, so it comes from the population."""

    quick: Pace
    steady: Pace
    slow: Pace
    log_value: float
    log_value_variance: float


def columns(table: pa.Table, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Columns as floats.

    Raises:
        DataError: a column is missing, not a number, or has holes.
    """
    absent = [n for n in names if n not in table.column_names]
    if absent:
        raise DataError(f"The table has no column {', '.join(absent)}.", hint="Run the features stage again.")
    try:
        out = {n: table[n].to_numpy().astype(float) for n in names}
    except (TypeError, ValueError):
        raise DataError("A column of the state is not numeric.", hint="Run the features stage again.") from None
    if not all(np.isfinite(v).all() for v in out.values()):
        raise DataError("The state holds values that are absent or not finite.", hint="Run the features stage again.")
    return out


def fit_priors(table: pa.Table, *, decay_days: tuple[int, int, int]) -> Priors:
    """Method of moments on the rows' decayed sums; sums are exact, so the order of rows does not matter."""
    state = columns(table, STATE)
    quick, steady, slow = (_fit_pace(state, speed, tau) for speed, tau in zip(SPEEDS, decay_days, strict=True))
    log_value = _sum(state["log_value_sum"]) / MILLION / _sum(state["baskets_total"])
    variance = _sum(_own_variance(state)) / len(state["baskets_total"])
    return Priors(quick, steady, slow, rounded(log_value), rounded(max(variance, 1e-6)))


def terms(table: pa.Table, priors: Priors, *, horizon_days: int) -> np.ndarray:
    """The 15 terms of each row, in the order of `TERMS`; rows x terms, before standardising."""
    state = columns(table, STATE)
    rate, usd, silence = {}, {}, {}
    for speed in SPEEDS:
        prior: Pace = getattr(priors, speed)
        baskets = prior.shape + state[f"baskets_{speed}"] / BILLION
        days = prior.exposure + state[f"exposure_{speed}"] / BILLION
        rate[speed] = baskets / days
        usd[speed] = (prior.shape * prior.basket_usd + state[f"cents_{speed}"] / BILLION / 100) / baskets
        # the gamma-Poisson's chance of an empty horizon
        silence[speed] = np.exp(baskets * np.log(days / (days + horizon_days)))
    n = state["baskets_total"] + VALUE_WEIGHT
    made = {
        "pace": np.log(rate["slow"]),
        "warming": np.log(rate["steady"] / rate["slow"]),
        "momentum": np.log(rate["quick"] / rate["steady"]),
        "value": np.log(usd["slow"] + 1),
        "value_warming": np.log((usd["steady"] + 1) / (usd["slow"] + 1)),
        "value_momentum": np.log((usd["quick"] + 1) / (usd["steady"] + 1)),
        **{f"silence_{speed}": silence[speed] for speed in SPEEDS},
        "recency": np.log1p(state["recency_days"]),
        "overdue": np.log1p(state["recency_days"] * rate["slow"]),
        "familiarity": np.log(np.minimum(state["tenure_days"], FAMILIAR_DAYS)),
        "regularity": np.log((state["shopping_days"] + 1) / (state["tenure_days"] + REGULARITY_DAYS)),
        "basket_size": (state["log_value_sum"] / MILLION + VALUE_WEIGHT * priors.log_value) / n,
        "basket_spread": np.sqrt(
            (state["baskets_total"] * _own_variance(state) + VALUE_WEIGHT * priors.log_value_variance) / n
        ),
    }
    return np.column_stack([made[name] for name in TERMS])


def _fit_pace(state: dict[str, np.ndarray], speed: str, tau: int) -> Pace:
    """Gamma prior by moments: the spread of rates between households, less what chance within them explains.

    A decayed Poisson count with rate r and exposure e = tau(1-q) has variance r e (1+q)/2, hence 1 - e/(2 tau) below.
    """
    count, exposure = state[f"baskets_{speed}"] / BILLION, state[f"exposure_{speed}"] / BILLION
    mean = _sum(count) / _sum(exposure)
    if mean <= 0:
        raise DataError(
            "No basket is recent enough to tell how often households shop.", hint="Raise features.decay_days."
        )
    spread = _sum(exposure * (count / exposure - mean) ** 2) / _sum(exposure)
    chance = mean * _sum(1 - exposure / (2 * tau)) / _sum(exposure)
    between = max(spread - chance, mean**2 / 1000)
    basket_usd = _sum(state[f"cents_{speed}"]) / _sum(state[f"baskets_{speed}"]) / 100
    return Pace(rounded(mean**2 / between), rounded(mean / between), rounded(basket_usd))


def _own_variance(state: dict[str, np.ndarray]) -> np.ndarray:
    """Variance of a household's log basket values, from its sums."""
    n = state["baskets_total"]
    mean = state["log_value_sum"] / MILLION / n
    return np.asarray(np.maximum(state["log_value_squares"] / MILLION**2 / n - mean**2, 0))


def _sum(values: np.ndarray) -> float:
    """A sum that does not depend on the order of the rows."""
    return math.fsum(values)
