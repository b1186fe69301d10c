"""Replay the judged decision for one day: who may receive an offer, and who would have got one."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class RankedHouseholds:
    """The households that may receive an offer on the day, one place each, and what was decided.

    `offered`: in the top share by `expected_spend` (predicted, currency units). `in_top`: in the top share by what was
    then spent. `assessable`: may be joined to demographics for assessing bias.
    """

    sids: np.ndarray
    offered: np.ndarray
    in_top: np.ndarray
    expected_spend: np.ndarray
    spend_cents: np.ndarray
    assessable: np.ndarray

    def __len__(self) -> int:
        return len(self.sids)

    def only(self, kept: np.ndarray) -> RankedHouseholds:
        """Those households; what was decided about them stays."""
        return RankedHouseholds(*(getattr(self, f.name)[kept] for f in fields(self)))


def replayed(predictions: pa.Table, *, cutoff: int, share: float) -> RankedHouseholds:
    """The decision of the as-of day `cutoff`: an offer to the top `share` by predicted spend.

    `predictions` has one row per household and as-of day: sid, cutoff, may_offer, may_assess_bias, expected_spend
    (currency units) and spend_cents. Only households that may receive an offer are ranked.
    """
    there = np.asarray(predictions["cutoff"]) == cutoff
    rows = predictions.filter(pa.array(there & np.asarray(predictions["may_offer"], dtype=bool)))
    sids = np.array(rows["sid"].to_pylist(), dtype=str)
    expected = np.asarray(rows["expected_spend"], dtype=float)
    spend = np.asarray(rows["spend_cents"], dtype=np.int64)
    return RankedHouseholds(
        sids=sids,
        offered=selected(expected, sids, share=share),
        in_top=selected(spend, sids, share=share),
        expected_spend=expected,
        spend_cents=spend,
        assessable=np.asarray(rows["may_assess_bias"], dtype=bool),
    )


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
