"""Replay the judged decision for one day: who may receive an offer, and who would have got one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from twinops.evaluation.fairness.declaration import GROUP_RANK_BLEND, LOTTERY, RANK_BLEND, Decision


@dataclass(frozen=True)
class RankedHouseholds:
    """The households that may receive an offer on the day, one place each, and what was decided.

    `priority`: the order of the decision, the highest first; `offered`: in the top share by it. `in_top`: in the top
    share by what was then spent. `shopped`: came at all in the horizon, so could have used an offer. `expected_spend`
    is predicted, in currency units. `assessable`: may be joined to demographics for assessing bias.
    """

    sids: np.ndarray
    priority: np.ndarray
    offered: np.ndarray
    in_top: np.ndarray
    shopped: np.ndarray
    expected_spend: np.ndarray
    spend_cents: np.ndarray
    assessable: np.ndarray

    def __len__(self) -> int:
        return len(self.sids)

    def only(self, kept: np.ndarray) -> RankedHouseholds:
        """Those households; what was decided about them stays."""
        return RankedHouseholds(*(getattr(self, f.name)[kept] for f in fields(self)))


@dataclass(frozen=True)
class Candidates:
    """Who may receive an offer on a day, before anything is decided: one row per household of the predictions."""

    rows: pa.Table
    day: int

    @classmethod
    def on(cls, predictions: pa.Table, *, cutoff: int) -> Candidates:
        """Those of the as-of day `cutoff` whose consent allows offers.

        `predictions` has one row per household and as-of day: sid, cutoff, may_offer, may_assess_bias, the scores, and
        spend_cents.
        """
        there = np.asarray(predictions["cutoff"]) == cutoff
        return cls(predictions.filter(pa.array(there & np.asarray(predictions["may_offer"], dtype=bool))), cutoff)

    @property
    def sids(self) -> np.ndarray:
        """Subject ids, which are random."""
        return np.array(self.rows["sid"].to_pylist(), dtype=str)

    def column(self, name: str) -> np.ndarray:
        """One score, or what came."""
        return np.asarray(self.rows[name], dtype=float)

    def rank(self, score: str) -> np.ndarray:
        """Near 0 the lowest, near 1 the highest; equal scores: the smaller subject id is the higher."""
        return ranked(self.column(score), self.sids)

    def decided(self, decision: Decision, groups: np.ndarray | None = None) -> RankedHouseholds:
        """Whom the decision selects; `groups` has a label or None per household, for a mitigation that asks for one."""
        sids, priority = self.sids, self._priority(decision, groups)
        spend = np.asarray(self.rows["spend_cents"], dtype=np.int64)
        return RankedHouseholds(
            sids=sids,
            priority=priority,
            offered=selected(priority, sids, share=decision.share),
            in_top=selected(spend, sids, share=decision.share),
            shopped=spend > 0,
            expected_spend=self.column("expected_spend"),
            spend_cents=spend,
            assessable=np.asarray(self.rows["may_assess_bias"], dtype=bool),
        )

    def _priority(self, decision: Decision, groups: np.ndarray | None) -> np.ndarray:
        how, plain = decision.mitigation, self.rank(decision.score)
        if how.kind == LOTTERY:
            return self._by_lot(plain, decision.share, how.strength)
        if how.kind == RANK_BLEND:
            return _blend(plain, self.rank(str(how.toward)), how.strength)
        if how.kind == GROUP_RANK_BLEND and groups is not None:
            return _blend(plain, self._within(decision.score, plain, groups), how.strength)
        return plain

    def _by_lot(self, plain: np.ndarray, share: float, strength: float) -> np.ndarray:
        """Part of the places by score, and all that remain by a lot that nobody can choose: day and random id."""
        sure = selected(plain, self.sids, share=(1 - strength) * share)
        drawn = [hashlib.sha256(f"{self.day}:{sid}".encode()).digest()[:6] for sid in self.sids.tolist()]
        lots = np.array([int.from_bytes(d, "big") / 2**48 for d in drawn])
        return np.where(sure, 2 + plain, lots)

    def _within(self, score: str, plain: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """The rank within the household's own group; who has none keeps the plain rank."""
        within, column, sids = plain.copy(), self.column(score), self.sids
        for group in {g for g in groups.tolist() if g is not None}:
            here = groups == group
            within[here] = ranked(column[here], sids[here])
        return within


def _blend(plain: np.ndarray, other: np.ndarray, strength: float) -> np.ndarray:
    """Rounded, because a blend of ranks that are equal on paper differs in the last bits; ties: the plain rank."""
    return np.asarray(np.round((1 - strength) * plain + strength * other, 9) + 1e-10 * plain)


def ranked(score: np.ndarray, sids: np.ndarray) -> np.ndarray:
    """Rank by score: near 0 the lowest, near 1 the highest; equal scores: the smaller subject id is the higher.

    >>> ranked(np.array([5.0, 9.0]), np.array(["a", "b"])).tolist()
    [0.25, 0.75]
    """
    rank = np.empty(len(score))
    rank[np.lexsort((sids, -np.asarray(score)))] = 1 - (np.arange(len(score)) + 0.5) / max(len(score), 1)
    return rank


def selected(score: np.ndarray, sids: np.ndarray, *, share: float) -> np.ndarray:
    """Who is among the top `share` by score, as booleans in the order given; equal scores: the smaller subject id.

    Subject ids are random, so that rule favours nobody; the number selected is `share` of all, rounded half up.

    >>> selected(np.array([5, 9, 9, 1]), np.array(["a", "c", "b", "d"]), share=0.25).tolist()
    [False, False, True, False]
    """
    # equal scores need a rule that favours nobody; ids are random, places in a file are not
    best_first = np.lexsort((sids, -np.asarray(score)))
    chosen = np.zeros(len(sids), dtype=bool)
    chosen[best_first[: int(np.floor(share * len(sids) + 0.5))]] = True
    return chosen
