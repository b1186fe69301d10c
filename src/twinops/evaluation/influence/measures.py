"""Measure how often households are contacted, and whether the twin's choice falls more on groups easily exploited.

No attribute of a group is a feature, but features can stand in for it. So the choice itself is looked at: who would get
the campaign, compared with the rest, beside the past campaigns and beside a choice by lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.measure import NORMAL_95
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.statistics import bootstrap, weighted
from twinops.evaluation.statistics.estimate import Estimate

Definition = Mapping[str, Sequence[str]]
"""Who belongs to a group: all whose attribute has one of these levels, for every attribute named."""

_APART = 1_000_000
"""Days between households on one line, so that no window reaches from one into another."""


@dataclass(frozen=True)
class PastContacts:
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

        >>> sent = PastContacts(np.array([0, 0, 0, 1]), np.array([1, 5, 9, 9]), 2)
        >>> sent.on_top(cap=2, window_days=28).tolist(), sent.on_top(cap=2, window_days=6).tolist()
        ([1, 0], [0, 0])
        """
        # all households on one line, so far apart that sorting once serves them all
        line = np.sort(self.household * _APART + self.day)
        before = np.searchsorted(line, line, "left") - np.searchsorted(line, line - window_days, "left")
        over = line[before >= cap]
        return np.bincount((over + _APART // 2) // _APART, minlength=self.households)


def contacts(sent: pa.Table, sids: np.ndarray, *, until: int) -> PastContacts:
    """Contacts of these households that began before a day. `sent`: one row per contact, `sid, start_day`."""
    place = pc.index_in(sent["sid"].cast(pa.string()), pa.array(sids, pa.string()))
    known = pc.and_(pc.is_valid(place), pc.less(sent["start_day"], until))
    whose, day = (c.filter(known).to_numpy().astype(np.int64) for c in (place, sent["start_day"]))
    return PastContacts(whose, day, len(sids))


def proposed(people: RankedHouseholds, free: np.ndarray) -> np.ndarray:
    """Who would get the campaign: as many as the decision selects, best score first, among those who are free."""
    best_first = np.lexsort((people.sids, -people.priority))
    # whom the guard refuses is passed over, and the next best moves up: the number of offers stays
    ranked = best_first[free[best_first]]
    chosen = np.zeros(len(people), dtype=bool)
    chosen[ranked[: int(people.offered.sum())]] = True
    return chosen


@dataclass(frozen=True)
class Members:
    """Who belongs to a group, and of whom it is known; booleans, one place per household."""

    inside: np.ndarray
    known: np.ndarray

    @property
    def rest(self) -> np.ndarray:
        """Of whom it is known that they do not."""
        return np.asarray(self.known & ~self.inside)

    @property
    def empty(self) -> bool:
        """Enough answered, and none of them belongs to it."""
        return not self.inside.any() and int(self.known.sum()) >= SMALLEST_CELL

    def only(self, kept: np.ndarray) -> Members:
        """Nothing is known of the others any more."""
        return Members(self.inside & kept, self.known & kept)


def members(demographics: pa.Table, sids: np.ndarray, definition: Definition) -> Members:
    """Who belongs to the group; known of those who answered for every attribute named.

    An attribute that the table does not have is known of nobody.
    """
    place = pc.index_in(pa.array(sids, pa.string()), demographics["sid"].cast(pa.string()).combine_chunks())
    inside, known = np.ones(len(sids), dtype=bool), np.ones(len(sids), dtype=bool)
    for attribute, levels in definition.items():
        there = attribute in demographics.column_names
        answers = demographics[attribute] if there else pa.nulls(demographics.num_rows, pa.string())
        values = answers.cast(pa.string()).take(place)
        known &= pc.is_valid(values).to_numpy(zero_copy_only=False)
        inside &= pc.is_in(values, pa.array(list(levels), pa.string())).to_numpy(zero_copy_only=False)
    return Members(inside & known, known)


@dataclass(frozen=True)
class Candidates:
    """Per household: whether it is chosen, how often it was contacted before, and the score it is ranked by."""

    chosen: np.ndarray
    past_contacts: np.ndarray
    score: np.ndarray


class Hits(NamedTuple):
    """How many were hit, of how many."""

    hits: int
    n: int

    @classmethod
    def among(cls, hit: np.ndarray, who: np.ndarray) -> Hits:
        """Count the hits of some of the households."""
        return cls(int(hit[who].sum()), int(who.sum()))


@dataclass(frozen=True)
class GroupChoice:
    """How often the choice falls on a group, as a ratio to the rest of those of whom it is known.

    `past`: the same of past contacts. `by_lot`: between which ends 95 of 100 choices by lot lie. `auc`: how well the
    score tells the group from the rest; one half is not at all.
    """

    members: int
    known: int
    chosen: int
    ratio: Estimate
    past: Estimate | None
    by_lot: tuple[float, float]
    auc: float


def choice(candidates: Candidates, group: Members, *, draws: int, seed: int) -> GroupChoice | None:
    """Compare a group with the rest; None when either is smaller than ten, or nobody is chosen."""
    inside, rest = (Hits.among(candidates.chosen, who) for who in (group.inside, group.rest))
    chosen = inside.hits + rest.hits
    # a smaller group is not shown, so nothing is measured of it
    if min(inside.n, rest.n) < SMALLEST_CELL or chosen == 0:
        return None
    past = _mean_ratio(candidates.past_contacts[group.known], group.inside[group.known], draws=draws, seed=seed)
    # the chance that somebody of the group has the higher score; equal scores count half
    once = np.ones((1, int(group.known.sum())))
    auc = float(weighted.auc(group.inside[group.known], candidates.score[group.known], once)[0])
    lot = _by_lot(inside.n, rest.n, chosen, rng=np.random.default_rng(seed), draws=draws)
    return GroupChoice(inside.n, inside.n + rest.n, inside.hits, rate_ratio(inside, rest), past, lot, auc)


def rate_ratio(group: Hits, rest: Hits) -> Estimate:
    """One share over another, with a 95 % interval that stays honest when a share is zero.

    Half a hit is added to each share on the scale of logarithms (Walter, Biometrics 31, 1975); the plain ratio is told,
    and is the half-hit one where the rest has none.

    >>> [round(v, 2) for v in rate_ratio(Hits(20, 100), Hits(20, 100))]
    [1.0, 0.58, 1.73]
    """
    a, b = (side.hits + 0.5 for side in (group, rest))
    m, n = (side.n + 0.5 for side in (group, rest))
    middle, spread = np.log((a / m) / (b / n)), (1 / a - 1 / m + 1 / b - 1 / n) ** 0.5
    low, high = (float(end) for end in np.exp(middle + np.array([-1, 1]) * NORMAL_95 * spread))
    plain = (group.hits / group.n) / (rest.hits / rest.n) if rest.hits else float(np.exp(middle))
    return Estimate.around(plain, low, high)


def mean(values: np.ndarray, *, draws: int, seed: int) -> Estimate | None:
    """A mean over households, by drawing households; None when there is none."""
    if not len(values):
        return None
    counts = bootstrap.counts(len(values), draws=draws, seed=seed)
    return _interval((counts @ values) / counts.sum(axis=1))


def share(parts: np.ndarray, wholes: np.ndarray, *, draws: int, seed: int) -> Estimate | None:
    """A share of contacts, by drawing households with all of theirs; None when there was no contact."""
    if not wholes.sum():
        return None
    counts = bootstrap.counts(len(wholes), draws=draws, seed=seed)
    return _interval((counts @ parts) / np.maximum(counts @ wholes, 1))


def _mean_ratio(had: np.ndarray, inside: np.ndarray, *, draws: int, seed: int) -> Estimate | None:
    """Mean contacts inside over those outside; None where nobody outside had any."""
    if not had[~inside].sum():
        return None
    counts = bootstrap.counts(len(had), draws=draws, seed=seed)
    rates = [(counts @ (had * who)) / np.maximum(counts @ who.astype(int), 1) for who in (inside, ~inside)]
    return _interval(rates[0] / np.maximum(rates[1], 1e-9))


def _interval(drawn: np.ndarray) -> Estimate:
    return Estimate.around(*bootstrap.percentiles(drawn))


def _by_lot(inside: int, rest: int, chosen: int, *, rng: np.random.Generator, draws: int) -> tuple[float, float]:
    """Between which ends the ratio of a group to its rest lies when as many are chosen by lot."""
    hits = rng.hypergeometric(inside, rest, chosen, size=draws)
    low, high = np.quantile(hits / inside / (np.maximum(chosen - hits, 0.5) / rest), bootstrap.TAILS)
    return float(low), float(high)
