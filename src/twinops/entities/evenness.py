"""Whether a decision reaches groups about as often as everyone else: one rule for the gate and for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.entities.verdict import Outcome

TOLD_SHARE = 0.8
"""An attribute is shown even when at least this share of its households is in groups that are."""


@dataclass(frozen=True)
class GroupReach:
    """How one group is reached beside its rest: the lower of the two rates over the higher.

    `low` is a one-sided bound of this group alone, `high` one of all groups together. `n` counts households; `enough`:
    so many that an exactly even decision would probably be shown to be so.
    """

    group: str
    n: int
    ratio: float
    low: float
    high: float
    enough: bool

    def outcome(self, limit: float) -> Outcome:
        """Shown below the limit, shown above it, or neither.

        >>> GroupReach("65+", 800, 0.7, 0.6, 0.78, True).outcome(0.8)
        <Outcome.FAILED: 'failed'>
        """
        if self.high < limit:
            return Outcome.FAILED
        return Outcome.PASSED if self.low > limit else Outcome.INCONCLUSIVE


def telling(groups: Sequence[GroupReach], outcome: Outcome, *, limit: float) -> tuple[GroupReach, ...]:
    """The groups by which an attribute has its outcome: those that fail, those shown even, or all where none tells."""
    return tuple(g for g in groups if outcome is Outcome.INCONCLUSIVE or g.outcome(limit) is outcome)


def attribute_outcome(groups: Sequence[GroupReach], *, set_aside: int | None, limit: float) -> Outcome:
    """One group shown below the limit fails the attribute; every group shown above it passes.

    *Passed* is an intersection-union test (Berger 1982, doi:10.2307/2530453): each group is tested at the full level,
    and no charge is made for their number, because all of them must be shown. What is too small to tell neither fails
    nor passes; with more than a fifth of the households in such groups nothing is told. `set_aside` households are in
    none; null: fewer than ten.
    """
    told = [g.outcome(limit) for g in groups]
    if Outcome.FAILED in told:
        return Outcome.FAILED
    shown = sum(g.n for g, outcome in zip(groups, told, strict=True) if outcome is Outcome.PASSED)
    everyone = sum(g.n for g in groups) + (SMALLEST_CELL - 1 if set_aside is None else set_aside)
    doubted = any(g.enough for g, outcome in zip(groups, told, strict=True) if outcome is not Outcome.PASSED)
    enough = bool(groups) and shown >= TOLD_SHARE * everyone and not doubted
    return Outcome.PASSED if enough else Outcome.INCONCLUSIVE
