"""What it would cost to reach the groups of an attribute more evenly. Offered with its price, never applied.

Every mitigation here needs the attribute when the decision is made: whether it may be used so is a legal question
(GDPR arts. 6 and 9, and equal-treatment law), and households that did not state it cannot take part.
"""

from dataclasses import dataclass

import numpy as np

from twinops.evaluation.fairness import disparity
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.groups import Grouping
from twinops.evaluation.fairness.measures import smallest, to_rest
from twinops.evaluation.statistics.bootstrap import LEVEL, percentiles
from twinops.evaluation.statistics.estimate import Estimate

BLENDS = (AS_IS, HALF_WAY, ALL_THE_WAY) = (0.0, 0.5, 1.0)
"""Weights of the rank within the group."""


@dataclass(frozen=True)
class Mitigated:
    """The same number of offers, chosen by a blend of overall rank and rank within the group.

    `blend` is the weight of the rank within the group. `ratio` is the smallest of group versus rest,
    `spend_share` the part of the compared households' actual spend that the selected made, and `spend_change` its
    paired difference to the decision as it is.
    """

    attribute: str
    blend: float
    n: int
    ratio: Estimate
    spend_share: Estimate
    spend_change: Estimate


def mitigate(people: RankedHouseholds, grouping: Grouping, *, blend: float, draws: np.ndarray) -> Mitigated | None:
    """Choose again among the compared households, as many as were selected; None when nothing was spent."""
    inside = grouping.inside
    chosen = rechosen(people, grouping, blend=blend)
    counts, drawn = disparity.reach(grouping.cells, chosen, draws)
    bounds = disparity.simultaneous(counts, drawn, level=LEVEL)
    money = (people.spend_cents * inside)[:, None] * np.stack([chosen, people.offered, np.ones_like(chosen)], axis=1)
    reached, before, total = (draws.astype(float) @ money.astype(float)).T
    if (total <= 0).any():
        return None
    return Mitigated(
        attribute=grouping.attribute,
        blend=blend,
        n=int(inside.sum()),
        ratio=smallest([disparity.evenness(to_rest(counts, bounds, i)) for i in range(len(grouping.groups))]),
        spend_share=percentiles(reached / total),
        spend_change=percentiles((reached - before) / total),
    )


def rechosen(people: RankedHouseholds, grouping: Grouping, *, blend: float) -> np.ndarray:
    """Who would be selected by the blend of two ranks; equal blends: the better overall rank, then subject id."""
    inside = np.flatnonzero(grouping.inside)
    within = np.empty(len(inside))
    labels = grouping.labels[inside]
    for group in grouping.groups:
        within[labels == group] = _rank(people, inside[labels == group])
    overall = _rank(people, inside)
    # rounded, because a blend of two ranks that are equal on paper differs in the last bits
    best_first = np.lexsort((people.sids[inside], -overall, -np.round((1 - blend) * overall + blend * within, 12)))
    chosen = np.zeros(len(people), dtype=bool)
    chosen[inside[best_first[: int(people.offered[inside].sum())]]] = True
    return chosen


def _rank(people: RankedHouseholds, rows: np.ndarray) -> np.ndarray:
    """Rank by predicted spend among these households: near 0 the lowest, near 1 the highest."""
    best_first = np.lexsort((people.sids[rows], -people.expected_spend[rows]))
    rank = np.empty(len(rows))
    rank[best_first] = 1 - (np.arange(len(rows)) + 0.5) / len(rows)
    return rank
