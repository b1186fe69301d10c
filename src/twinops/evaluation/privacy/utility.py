"""What a released table is still good for: how far its counts are from those of the households it stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

Spread = Sequence[Sequence[np.ndarray]]
"""Rows x columns: how a cell is shared out over the codes of its column."""


@dataclass(frozen=True)
class Utility:
    """Mean total variation distance of single columns and of pairs; `apart`: between the households in and those out.

    A table as far from its households as strangers are is as good as it need be.
    """

    single: float
    pairs: float
    single_apart: float
    pairs_apart: float
    n: int


def utility(members: np.ndarray, control: np.ndarray, spread: Spread, sizes: Sequence[int]) -> Utility:
    """Distances over all columns and pairs; `spread[i][c]` shares row i of the table over the codes of column c."""
    # a released range stands for all of its codes alike: nothing is known of where in it a household lies
    table = [np.array([row[c] for row in spread]) for c in range(len(sizes))]
    people, strangers = ([_one_hot(x[:, c], size) for c, size in enumerate(sizes)] for x in (members, control))
    columns, both = range(len(sizes)), list(combinations(range(len(sizes)), 2))
    return Utility(
        float(np.mean([_far(_single(people[c]), _single(table[c])) for c in columns])),
        float(np.mean([_far(_pair(people, *p), _pair(table, *p)) for p in both])),
        float(np.mean([_far(_single(people[c]), _single(strangers[c])) for c in columns])),
        float(np.mean([_far(_pair(people, *p), _pair(strangers, *p)) for p in both])),
        len(members),
    )


def spread_of(low: np.ndarray, high: np.ndarray, sizes: Sequence[int]) -> Spread:
    """A range of codes as equal shares of each code in it."""
    rows = zip(low, high, strict=True)
    return [[_shared(a, b, size) for a, b, size in zip(x, y, sizes, strict=True)] for x, y in rows]


def _shared(low: int, high: int, size: int) -> np.ndarray:
    code = np.arange(size)
    return np.asarray(np.where((code >= low) & (code <= high), 1 / (high - low + 1), 0.0))


def _one_hot(codes: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(np.eye(size)[codes])


def _single(column: np.ndarray) -> np.ndarray:
    return np.asarray(column.mean(axis=0))


def _pair(table: Sequence[np.ndarray], one: int, other: int) -> np.ndarray:
    return np.asarray(table[one].T @ table[other] / len(table[0]))


def _far(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance of two tables of shares."""
    return float(np.abs(one - other).sum() / 2)
