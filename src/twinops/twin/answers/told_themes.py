"""Which themes a forecast is told by: each by itself where that can be trusted, else all of them as one factor.

A head may weigh inputs that only mean something together by large figures that cancel. Those share one heading of
`explain.yaml`. What still cannot be told apart (a factor out of any range that the answer is in, or one that points
against what the consumer's own figures say) is told as the whole, which is the answer over the average's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.twin.answers.explain import explain_heads
from twinops.twin.model.families import CLASSIC
from twinops.twin.model.model import TwinModel
from twinops.twin.state.features import BILLION
from twinops.twin.state.priors import columns
from twinops.twin.state.terms import TERMS

BOUND = 20.0
"""No factor is told that is further from one than this, unless the answer over the average's is itself."""

BEYOND = 1.5
"""Of an answer beyond the bound, how much further a factor may go: its logarithm, so many times the answer's."""

NEARLY = 0.1
"""Baskets whose worth is no further from the average's speak for neither direction."""

HARDLY_ANY = 0.05
"""Visits in steady memory over those in slow: below it nothing is told of baskets there hardly were."""

HARDLY = 0.02
"""A theme that multiplies by less than this from one is not worth a direction."""

RHYTHM, BASKET, NEWCOMER, WHOLE = "rhythm", "basket", "newcomer", "whole"
LEAST = 1e-9
HALF_A_CENT, ALIKE, MOST = 0.006, 1e-6, 700.0
"""An answer that is no further from its parts' product than this is theirs, rounded; exp(700) is finite."""

NOTHING = 1e-3
"""An answer below this is told as nothing; its factors as if it were this."""

_COLUMNS = (
    "recency_days", "baskets_slow", "exposure_slow", "cents_slow", "baskets_steady", "exposure_steady", "cents_steady",
    "cents_total", "baskets_total",
)  # fmt: skip


@dataclass(frozen=True)
class ToldThemes:
    """Per row, how much each theme multiplies the spend expected of the average; NaN where it is not told.

    `average` times the product of a row is its answer. `factors`: rows x names.
    """

    average: float
    names: tuple[str, ...]
    factors: np.ndarray


@dataclass(frozen=True)
class Answered:
    """Of each row, in money: what is told, what the model said before, and whether newcomers' misses corrected it."""

    told: np.ndarray
    said: np.ndarray
    newcomer: np.ndarray


def told_themes(model: TwinModel, states: pa.Table, answered: Answered) -> ToldThemes:
    """The themes of what is expected that each row spends."""
    parts = explain_heads(model, states, "spend").grouped
    # a newcomer's forecast is corrected by what the heads missed of earlier newcomers: that is a reason too
    ratio = answered.told / np.maximum(answered.said, LEAST)
    corrected = np.where(answered.newcomer, np.log(np.maximum(ratio, LEAST)), 0.0)
    logs, average = np.column_stack([parts.parts, corrected]), float(np.exp(parts.base))
    sums = logs.sum(axis=1)
    over = np.log(np.maximum(answered.told, NOTHING) / average)
    missed = average * np.exp(np.minimum(sums, MOST)) - answered.told
    held = np.abs(missed) > HALF_A_CENT + ALIKE * np.abs(answered.told)
    # what rounding the answer leaves goes to the largest part, so that the product is the answer that is told
    rows, largest = np.arange(len(logs)), np.abs(logs).argmax(axis=1)
    logs[rows, largest] += np.where(held, 0.0, over - sums)
    whole = held | _out_of_range(logs, over) | _against_sense(parts.names, logs, model, states)
    apart = np.where(whole[:, None], np.nan, logs)
    apart[:, -1] = np.where(answered.newcomer, apart[:, -1], np.nan)
    told = np.column_stack([apart, np.where(whole, over, np.nan)])
    return ToldThemes(average, (*parts.names, NEWCOMER, WHOLE), np.exp(told))


def _out_of_range(logs: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Whether some factor is further from one than a reader can make sense of."""
    bound = np.log(BOUND)
    limit = np.where(np.abs(over) > bound, BEYOND * np.abs(over), bound)
    return np.asarray((np.abs(logs) > limit[:, None]).any(axis=1))


def _against_sense(names: tuple[str, ...], logs: np.ndarray, model: TwinModel, states: pa.Table) -> np.ndarray:
    """Whether some theme is told to lower what its figures raise, all above the average's; or the other way round.

    Who comes often and was here lately never hears that this lowers a forecast, whatever the head's weights are.
    """
    own, usual = figures_of(states, model), usual_figures(model)
    signs = {
        RHYTHM: (np.sign(own.a_day - usual.a_day), np.sign(usual.silence - own.silence)),
        # of baskets as large as the average's either way is credible
        BASKET: (_apart(own.money, usual.money), _apart(own.money_of_late, usual.money)),
    }
    found = np.zeros(len(logs), dtype=bool)
    for name, each in signs.items():
        if name in names:
            moved = logs[:, names.index(name)]
            moved = np.where(np.abs(np.expm1(np.clip(moved, -MOST, MOST))) < HARDLY, 0, moved)
            found |= np.logical_and.reduce([s >= 0 for s in each]) & (moved < 0)
            found |= np.logical_and.reduce([s <= 0 for s in each]) & (moved > 0)
    return found


def _apart(own: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """The sign of own over usual; NaN where they are near each other."""
    over = own / np.maximum(usual, LEAST) - 1
    return np.asarray(np.where(np.abs(over) < NEARLY, np.nan, np.sign(over)))


@dataclass(frozen=True)
class Figures:
    """What is told beside the factors: baskets a day, money a basket, days since the last basket."""

    a_day: np.ndarray
    money: np.ndarray
    silence: np.ndarray
    oftener: np.ndarray
    """Baskets a day, steady over slow memory."""
    larger: np.ndarray
    """Money a basket, steady over slow memory."""
    money_of_late: np.ndarray
    """Money a basket in steady memory; where hardly any are in it, `money`."""


def figures_of(states: pa.Table, model: TwinModel) -> Figures:
    """Those of each row, in slow memory; where BG/NBD speaks, money of all baskets, which is what it reads."""
    s = columns(states, _COLUMNS)
    cents, baskets = ("cents_total", "baskets_total") if counts_all(model) else ("cents_slow", "baskets_slow")
    pace = {m: s[f"baskets_{m}"] / np.maximum(s[f"exposure_{m}"], 1) for m in ("steady", "slow")}
    usd = {m: s[f"cents_{m}"] / np.maximum(s[f"baskets_{m}"], 1) / 100 for m in ("steady", "slow")}
    money = s[cents] / np.maximum(s[baskets], 1) / 100
    oftener = _ratio(pace)
    of_late = np.where(oftener < HARDLY_ANY, money, usd["steady"])
    return Figures(pace["slow"], money, s["recency_days"], oftener, _ratio(usd), of_late)


def counts_all(model: TwinModel) -> bool:
    """Whether money a basket is told of all baskets alike, which is what BG/NBD reads, and not of slow memory."""
    return CLASSIC in model.speakers.of("spend")


def usual_figures(model: TwinModel) -> Figures:
    """Those of whoever is average in every term: the one that an explanation starts from."""
    usual, one = dict(zip(TERMS, model.scaling.centres, strict=True)), np.array(1.0)
    money = np.expm1(usual["value"])
    return Figures(np.exp(usual["pace"]), money, np.expm1(usual["recency"]), one, one, money)


def _ratio(of: Mapping[str, np.ndarray]) -> np.ndarray:
    some = of["slow"] > 1 / BILLION
    return np.asarray(np.where(some, of["steady"] / np.where(some, of["slow"], 1.0), 1.0))
