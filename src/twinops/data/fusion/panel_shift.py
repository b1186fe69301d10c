"""How far panelists may be other people than ours in what was not matched on: as far as they are in what was.

The match assumes that whoever is alike in what was matched on answers alike. No data here can show it, and draws do not
tell of it. So the part that can be compared stands for the part that cannot (as in Altonji, Elder and Taber 2005,
doi:10.1086/426036): a shift of so many standard deviations of what the match leaves unexplained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twinops.data.fusion.plan import HIGH
from twinops.data.fusion.predictive_mean_matching import MatchGroup, regression
from twinops.entities.measure import NORMAL_95


@dataclass(frozen=True)
class Shift:
    """`size`: in standard deviations; `unexplained`: standard deviation per number of the scale and figure."""

    size: float
    unexplained: Mapping[tuple[int, str], float]

    def half(self, scale: int, figure: str) -> float:
        """Half of the 95 % interval that such a shift alone would need, in the figure's unit."""
        return NORMAL_95 * self.size * self.unexplained[scale, figure]


def shift(matched: Sequence[MatchGroup], answers: np.ndarray) -> Shift:
    """The root mean square of the standardised differences in all that was matched on, and what it leaves unexplained.

    `matched` are groups of recipients with their donors, `answers` the donors' points (a row each, a column per scale).
    Groups count by their recipients.
    """
    weight = np.array([len(g.recipients) for g in matched], dtype=float)
    size = np.sqrt(np.average([_apart(g) for g in matched], weights=weight))
    kinds = {"mean": answers, "share_high": (answers >= HIGH).astype(float)}
    left = {
        figure: np.sqrt(
            np.average([regression(g.donor_x, y[g.donors])[1] ** 2 for g in matched], axis=0, weights=weight)
        )
        for figure, y in kinds.items()
    }
    return Shift(round(float(size), 4), {(i, f): float(s) for f, spread in left.items() for i, s in enumerate(spread)})


def _apart(group: MatchGroup) -> float:
    """Mean square of the standardised differences between a group's recipients and their donors."""
    ours, theirs = group.recipient_x[:, 1:], group.donor_x[:, 1:]  # the first column is a constant
    spread = theirs.std(axis=0)
    varies = spread > 0
    if not varies.any():
        return 0.0
    return float(np.mean(((ours.mean(axis=0) - theirs.mean(axis=0))[varies] / spread[varies]) ** 2))
