"""Merge levels until groups are large enough to compare, by a rule that is declared before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from twinops.errors import DataError

NOT_STATED = "not stated"


class LevelRun(NamedTuple):
    """Levels that make one group, and how many households they hold."""

    n: int
    levels: tuple[str, ...]

    def with_next(self, other: LevelRun) -> LevelRun:
        """Both together."""
        return LevelRun(self.n + other.n, self.levels + other.levels)


def merged(
    counts: Mapping[str | None, int], *, order: Sequence[str] | None, least: float
) -> dict[str | None, str | None]:
    """The group of every level, in the order of the groups; None: its group stays too small to compare.

    Ordered levels: as long as a group is too small, the smallest joins the smaller of its neighbours. Levels without an
    order: the too small ones join each other, and the next smallest until they are enough. The level None, "not
    stated", joins no one. Only sizes decide, never an outcome.

    >>> merged({"a": 9, "b": 60, "c": 70, None: 8}, order=("a", "b", "c"), least=50)
    {'a': 'a to b', 'b': 'a to b', 'c': 'c', None: None}

    Raises:
        DataError: an ordered attribute holds a level that is not declared.
    """
    stated = {level: n for level, n in counts.items() if level is not None and n}
    runs = _ordered(stated, order, least=least) if order is not None else _nominal(stated, least=least)
    between = " to " if order is not None else " or "
    out: dict[str | None, str | None] = {}
    for run in runs:
        out |= dict.fromkeys(run.levels, _label(run, between) if run.n >= least else None)
    # who did not state it is a group of its own: to leave them out would hide how they are reached
    if counts.get(None):
        out[None] = NOT_STATED if counts[None] >= least else None
    return out


def _ordered(counts: Mapping[str, int], order: Sequence[str], *, least: float) -> list[LevelRun]:
    """Neighbours join, so that a group is a range."""
    strange = sorted(set(counts) - set(order))
    if strange:
        what = f"Level(s) {', '.join(map(repr, strange))} are not declared."
        raise DataError(what, hint="Add them to intended_use.yaml, in their order.")
    runs = [LevelRun(counts[level], (level,)) for level in order if level in counts]
    while len(runs) > 1 and min(runs).n < least:
        first = _pair_to_join([run.n for run in runs])
        runs[first : first + 2] = [runs[first].with_next(runs[first + 1])]
    return runs


def _pair_to_join(sizes: list[int]) -> int:
    """The place of the first of two neighbours: the smallest of all, and the smaller one beside it."""
    small = sizes.index(min(sizes))
    beside = [i for i in (small - 1, small + 1) if 0 <= i < len(sizes)]
    return min(small, min(beside, key=lambda i: sizes[i]))


def _nominal(counts: Mapping[str, int], *, least: float) -> list[LevelRun]:
    """The small ones join each other: among levels without order no two are nearer than others."""
    runs = sorted(LevelRun(n, (level,)) for level, n in counts.items())
    small = sum(run.n < least for run in runs)
    while len(runs) > 1 and (small > 1 or runs[0].n < least):
        runs[:2] = [runs[0].with_next(runs[1])]
        small -= 1
    return sorted(runs, key=lambda run: _label(run, " or "))


def _label(run: LevelRun, between: str) -> str:
    """A run in order is called by its ends, others by all their levels."""
    if between == " or ":
        return between.join(sorted(run.levels))
    return run.levels[0] if len(run.levels) == 1 else f"{run.levels[0]} to {run.levels[-1]}"
