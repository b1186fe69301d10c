"""Measure how often households are contacted, and whether the twin's choice falls more on groups easily exploited.

No attribute of a group is a feature, but features can stand in for it. So the choice itself is looked at: who would get
the campaign, compared with the rest, beside the past campaigns and beside a choice by lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.evaluation import bootstrap, wilson
from twinops.evaluation.decision import Judged

Definition = Mapping[str, Sequence[str]]
"""Who belongs to a group: all whose attribute has one of these levels, for every attribute named."""

Interval = tuple[float, float, float]
"""Value, low end, high end."""

FEWEST_MEMBERS = 10
"""A smaller group is not shown, so nothing is measured of it."""

_APART = 1_000_000
"""Days between households on one line, so that no window reaches from one into another."""


@dataclass(frozen=True)
class Contacts:
    """Past contacts of `households` people: whose (a number below that), and on which day it began."""

    household: np.ndarray
    day: np.ndarray
    households: int

    def within(self, first: int, end: int) -> np.ndarray:
        """How often each household was contacted on days first <= day < end."""
        there = (first <= self.day) & (self.day < end)
        return np.bincount(self.household[there], minlength=self.households)

    def on_top(self, *, cap: int, window_days: int) -> np.ndarray:
        """How many of each household's contacts came when it had had `cap` or more in the days before.

        >>> sent = Contacts(np.array([0, 0, 0, 1]), np.array([1, 5, 9, 9]), 2)
        >>> sent.on_top(cap=2, window_days=28).tolist(), sent.on_top(cap=2, window_days=6).tolist()
        ([1, 0], [0, 0])
        """
        line = np.sort(self.household * _APART + self.day)
        before = np.searchsorted(line, line, "left") - np.searchsorted(line, line - window_days, "left")
        over = line[before >= cap]
        return np.bincount((over + _APART // 2) // _APART, minlength=self.households)


def contacts(sent: pa.Table, sids: np.ndarray, *, until: int) -> Contacts:
    """Contacts of these households that began before a day. `sent`: one row per contact, `sid, start_day`."""
    place = pc.index_in(sent["sid"].cast(pa.string()), pa.array(sids, pa.string()))
    known = pc.and_(pc.is_valid(place), pc.less(sent["start_day"], until))
    whose, day = (c.filter(known).to_numpy().astype(np.int64) for c in (place, sent["start_day"]))
    return Contacts(whose, day, len(sids))


def proposed(people: Judged, free: np.ndarray) -> np.ndarray:
    """Who would get the campaign: as many as the decision selects, best score first, among those who are free."""
    best_first = np.lexsort((people.sids, -people.expected_spend))
    ranked = best_first[free[best_first]]
    chosen = np.zeros(len(people), dtype=bool)
    chosen[ranked[: int(people.offered.sum())]] = True
    return chosen


def members(demographics: pa.Table, sids: np.ndarray, definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Who belongs to the group, and of whom it is known: every attribute named was told.

    An attribute that the table does not have is known of nobody.
    """
    place = pc.index_in(pa.array(sids, pa.string()), demographics["sid"].cast(pa.string()).combine_chunks())
    inside, known = np.ones(len(sids), dtype=bool), np.ones(len(sids), dtype=bool)
    for attribute, levels in definition.items():
        there = attribute in demographics.column_names
        told = (demographics[attribute] if there else pa.nulls(demographics.num_rows, pa.string())).cast(pa.string())
        values = told.take(place)
        known &= pc.is_valid(values).to_numpy(zero_copy_only=False)
        inside &= pc.is_in(values, pa.array(list(levels), pa.string())).to_numpy(zero_copy_only=False)
    return inside & known, known


@dataclass(frozen=True)
class Chosen:
    """How often the choice falls on a group, as a ratio to the rest of those of whom it is known.

    `past`: the same of past contacts. `by_lot`: between which ends 95 of 100 choices by lot lie. `auc`: how well the
    score tells the group from the rest; one half is not at all.
    """

    members: int
    known: int
    chosen: int
    ratio: Interval
    past: Interval | None
    by_lot: tuple[float, float]
    auc: float


def choice(  # noqa: PLR0913  two kinds of contact to the same people
    chosen: np.ndarray,
    had: np.ndarray,
    score: np.ndarray,
    group: tuple[np.ndarray, np.ndarray],
    *,
    draws: int,
    seed: int,
) -> Chosen | None:
    """Compare a group with the rest; None when either is smaller than ten, or nobody is chosen."""
    inside, rest = group[0], group[1] & ~group[0]
    sizes, hits = (int(inside.sum()), int(rest.sum())), (int(chosen[inside].sum()), int(chosen[rest].sum()))
    if min(sizes) < FEWEST_MEMBERS or sum(hits) == 0:
        return None
    past = _mean_ratio(had[group[1]], inside[group[1]], draws=draws, seed=seed)
    auc = _auc(score[inside], score[rest])
    lot = _by_lot(sizes, sum(hits), draws=draws, seed=seed)
    return Chosen(sizes[0], sum(sizes), hits[0], rate_ratio(hits, sizes), past, lot, auc)


def rate_ratio(hits: tuple[int, int], of: tuple[int, int]) -> Interval:
    """One share over another, with a 95 % interval that stays honest when a share is zero.

    Half a hit is added to each share on the scale of logarithms (Walter, Biometrics 31, 1975); the plain ratio is told,
    and is the half-hit one where the rest has none.

    >>> [round(v, 2) for v in rate_ratio((20, 20), (100, 100))]
    [1.0, 0.58, 1.73]
    """
    a, b = (h + 0.5 for h in hits)
    m, n = (size + 0.5 for size in of)
    middle, spread = np.log((a / m) / (b / n)), (1 / a - 1 / m + 1 / b - 1 / n) ** 0.5
    ends = np.exp(middle + np.array([-1, 1]) * wilson.NORMAL_95 * spread)
    plain = (hits[0] / of[0]) / (hits[1] / of[1]) if hits[1] else float(np.exp(middle))
    return plain, min(float(ends[0]), plain), max(float(ends[1]), plain)


def mean(values: np.ndarray, *, draws: int, seed: int) -> Interval:
    """A mean over households, by drawing households."""
    counts = bootstrap.counts(len(values), draws=draws, seed=seed)
    return _interval((counts @ values) / counts.sum(axis=1))


def share(parts: np.ndarray, wholes: np.ndarray, *, draws: int, seed: int) -> Interval | None:
    """A share of contacts, by drawing households with all of theirs; None when there was no contact."""
    if not wholes.sum():
        return None
    counts = bootstrap.counts(len(wholes), draws=draws, seed=seed)
    return _interval((counts @ parts) / np.maximum(counts @ wholes, 1))


def _mean_ratio(had: np.ndarray, inside: np.ndarray, *, draws: int, seed: int) -> Interval | None:
    if not had[~inside].sum():
        return None
    counts = bootstrap.counts(len(had), draws=draws, seed=seed)
    rates = [(counts @ (had * who)) / np.maximum(counts @ who.astype(int), 1) for who in (inside, ~inside)]
    return _interval(rates[0] / np.maximum(rates[1], 1e-9))


def _interval(drawn: np.ndarray) -> Interval:
    tail = (1 - bootstrap.LEVEL) / 2
    low, high = np.quantile(drawn[1:], [tail, 1 - tail])
    return float(drawn[0]), min(float(low), float(drawn[0])), max(float(high), float(drawn[0]))


def _by_lot(sizes: tuple[int, int], chosen: int, *, draws: int, seed: int) -> tuple[float, float]:
    """The ratio when as many are chosen by lot."""
    hits = np.random.default_rng(seed).hypergeometric(*sizes, chosen, size=draws)
    rest = np.maximum(chosen - hits, 0.5) / sizes[1]
    low, high = np.quantile(hits / sizes[0] / rest, [(1 - bootstrap.LEVEL) / 2, (1 + bootstrap.LEVEL) / 2])
    return float(low), float(high)


def _auc(inside: np.ndarray, rest: np.ndarray) -> float:
    """The chance that somebody of the group has the higher score; equal scores count half."""
    ordered = np.sort(rest)
    below, upto = (np.searchsorted(ordered, inside, side) for side in ("left", "right"))
    return float((below + upto).sum() / (2 * len(inside) * len(rest)))
