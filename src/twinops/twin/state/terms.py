"""From a household's sums to terms: how often, how much, how lately, each drawn towards the population by its prior."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from twinops.entities.wording import MONEY, ONE
from twinops.twin.state.features import BILLION, MILLION, SPEEDS, STATE
from twinops.twin.state.priors import Pace, Priors, columns, fit_priors, own_variance

__all__ = ["MEANINGS", "TERMS", "USED_BY", "Pace", "Priors", "columns", "fit_priors", "terms"]

FAMILIAR = 2
"""Tenure is capped at so many lapses. It grows by the calendar: uncapped, it extrapolates in every month to come."""

FOUR_WEEKS = 28.0
"""The numbers of days below were found for a lapse of four weeks; for another they are in proportion."""

NEW_DAYS = 45
"""How long a household counts as new: the term fades by the factor e in so many days, and stops moving."""

LIFETIME_DAYS = 10.0
MOST_SURPRISING = 20.0
"""exp(-20): a silence that would happen by chance once in five hundred million is as telling as any longer one."""

TERMS = (
    "pace", "warming", "momentum",
    "value", "value_warming", "value_momentum",
    "silence_quick", "silence_steady", "silence_slow",
    "recency", "overdue", "familiarity", "regularity", "basket_size", "basket_spread",
    "recency_squared", "overdue_squared", "surprise", "newness", "lapses",
)  # fmt: skip

MEANINGS = {
    "pace": "baskets a day, slow memory (log)",
    "warming": "pace: steady against slow memory (log ratio)",
    "momentum": "pace: quick against steady memory (log ratio)",
    "value": f"{MONEY} a basket, slow memory (log)",
    "value_warming": f"{MONEY} a basket: steady against slow (log ratio)",
    "value_momentum": f"{MONEY} a basket: quick against steady (log ratio)",
    "silence_quick": "chance of no basket in the horizon, quick memory",
    "silence_steady": "chance of no basket in the horizon, steady memory",
    "silence_slow": "chance of no basket in the horizon, slow memory",
    "recency": "days since the last basket (log)",
    "overdue": "baskets missed since the last one (log)",
    "familiarity": f"days since the first basket, up to {FAMILIAR} lapses (log)",
    "regularity": "share of days with a basket (log)",
    "basket_size": "mean log basket value",
    "basket_spread": "spread of log basket values",
    "recency_squared": "days since the last basket (log), squared",
    "overdue_squared": "baskets missed since the last one (log), squared",
    "surprise": "how unlikely this silence is at the pace of all its days",
    "newness": f"how new the {ONE} is, fading over {NEW_DAYS / FOUR_WEEKS:.1f} lapses",
    "lapses": "share of days that were part of a lapse (log)",
}
"""What each term says, for a reader of cards and pictures."""

USED_BY = {"activity": TERMS, "baskets": TERMS[:-2], "spend": TERMS[:-2]}
"""Terms of each head. Newness and lapses help to tell who stays; of amounts the one was worse on the development days
(0.35 USD), the other no better."""

VALUE_WEIGHT = 3.0
"""A household's own basket values count against the population's as if that had three baskets."""

REGULARITY_DAYS = 10.0
LAPSE_DAYS, LAPSES = 28.0, 3.0
"""Everybody's days count as if there were so many more, so many of them quiet."""


def terms(table: pa.Table, priors: Priors, *, horizon_days: int) -> np.ndarray:
    """The terms of each row, in the order of `TERMS`; rows x terms, before standardising.

    Finite for any state there can be, one without a basket included.
    """
    state = columns(table, STATE)
    made = {**_paces(state, priors, horizon_days), **_values(state, priors)}
    tenure, silence = np.maximum(state["tenure_days"], 1), np.maximum(state["recency_days"], 0)
    scale = priors.lapse_days / FOUR_WEEKS
    recency, overdue = np.log1p(silence), np.log1p(silence * np.exp(made["pace"]))
    made |= {
        "recency": recency,
        "overdue": overdue,
        "familiarity": np.log(np.minimum(tenure, FAMILIAR * priors.lapse_days)),
        "regularity": np.log((state["shopping_days"] + 1) / (tenure + REGULARITY_DAYS * scale)),
        "recency_squared": recency**2,
        "overdue_squared": overdue**2,
        "surprise": _surprise(state["shopping_days"], tenure, silence, LIFETIME_DAYS * scale),
        "newness": np.exp(-tenure / (NEW_DAYS * scale)),
        "lapses": np.log((state["quiet_days"] + LAPSES * scale) / (tenure + LAPSE_DAYS * scale)),
    }
    return np.column_stack([made[name] for name in TERMS])


def _paces(state: dict[str, np.ndarray], priors: Priors, horizon_days: int) -> dict[str, np.ndarray]:
    """How often and for how much, at three speeds, and the gamma-Poisson's chance of an empty horizon."""
    rate, usd, silence = {}, {}, {}
    for speed in SPEEDS:
        prior: Pace = getattr(priors, speed)
        baskets = prior.shape + state[f"baskets_{speed}"] / BILLION
        days = prior.exposure + state[f"exposure_{speed}"] / BILLION
        rate[speed] = baskets / days
        usd[speed] = (prior.shape * prior.basket_value + state[f"cents_{speed}"] / BILLION / 100) / baskets
        silence[speed] = np.exp(baskets * np.log(days / (days + horizon_days)))
    return {
        "pace": np.log(rate["slow"]),
        "warming": np.log(rate["steady"] / rate["slow"]),
        "momentum": np.log(rate["quick"] / rate["steady"]),
        "value": np.log(usd["slow"] + 1),
        "value_warming": np.log((usd["steady"] + 1) / (usd["slow"] + 1)),
        "value_momentum": np.log((usd["quick"] + 1) / (usd["steady"] + 1)),
        **{f"silence_{speed}": silence[speed] for speed in SPEEDS},
    }


def _values(state: dict[str, np.ndarray], priors: Priors) -> dict[str, np.ndarray]:
    """Mean and spread of log basket values, drawn towards the population's."""
    n = state["baskets_total"] + VALUE_WEIGHT
    squares = state["baskets_total"] * own_variance(state) + VALUE_WEIGHT * priors.log_value_variance
    return {
        "basket_size": (state["log_value_sum"] / MILLION + VALUE_WEIGHT * priors.log_value) / n,
        "basket_spread": np.sqrt(squares / n),
    }


def _surprise(shopping_days: np.ndarray, tenure: np.ndarray, silence: np.ndarray, lifetime: float) -> np.ndarray:
    """Minus the log chance that someone who shopped on so many days before now stays silent for so long.

    The gamma-Poisson's, and what BG/NBD weighs against the chance of having left (Fader, Hardie and Lee 2005).
    """
    shopped_for = np.maximum(tenure - silence, 0) + lifetime
    odds = (shopping_days + 1) * np.log((tenure + lifetime) / shopped_for)
    return np.asarray(np.minimum(np.maximum(odds, 0), MOST_SURPRISING))
