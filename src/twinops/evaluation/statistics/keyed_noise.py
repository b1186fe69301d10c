"""Noise that repeats for the same people and nobody can foresee: drawn with a secret key from what a figure is about.

Two tables, one made before somebody left and one after, would otherwise differ by exactly that person. So a figure of
a group is not that of its people but of a random re-weighting of them, near one draw of the Bayesian bootstrap (Rubin
1981, doi:10.1214/aos/1176345338), and counts get two-sided geometric noise (Ghosh, Roughgarden and Sundararajan 2012,
doi:10.1137/09076828X). Each is drawn twice. One part is drawn anew whenever anybody of the *table* comes, goes or
changes, so that every group moves and none shows whom it was about; the other only when somebody of the *group* does,
so that what others do never averages it away. All questions about the same people get the same weights: asking again,
or what if, tells no more.

This is no differential privacy of the table: bounds and hidden cells follow from the same people, the model learned
from them, and nobody keeps an account of how many tables were made.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from twinops.entities.small_cells import SMALLEST_CELL

EPSILON = (1.0, 0.4)
"""What one count tells of one person at most by its group's part and by its table's (the two-sided geometric's)."""
SHAPE = (4.0, 1.0)
"""Of both parts of a weight (gamma, 1 on the mean): together a variance of 1.5, where the Bayesian bootstrap has 1. The
group's is the smaller: it moves where somebody left, and nowhere else.
"""
SUBJECT, PLACE = "sid", "household"
"""Who a row is about; and which row of a table, which is nobody's own and moves when others leave."""


@dataclass(frozen=True)
class KeyedNoise:
    """Noise for groups of the rows of one table (one per subject, with `sid`), under a key that is kept secret."""

    key: bytes
    told: np.ndarray
    """Per row a digest of who it is about and all that is held there, 32 bytes each."""

    @classmethod
    def of(cls, table: pa.Table, key: bytes, *flags: np.ndarray) -> KeyedNoise:
        """For the rows of this table, and what else parts them; their order does not matter."""
        columns = [table[f.name] for f in table.schema if f.name != PLACE and pt.is_primitive(f.type)]
        numbers = [np.asarray(c.to_numpy(), dtype=np.float64) for c in columns]
        rows = np.ascontiguousarray(np.column_stack([np.zeros(table.num_rows), *numbers, *flags]))
        told = [hashlib.sha256(s.encode() + r.tobytes()).digest() for s, r in zip(_sids(table), rows, strict=True)]
        return cls(key, np.frombuffer(b"".join(told), dtype=np.uint8).reshape(-1, 32))

    def weights(self, rows: np.ndarray, name: str) -> np.ndarray:
        """One weight per row (indices), positive and 1 on the mean, for all that is told of this group."""
        order = self._order(rows)
        out = np.ones(len(rows))
        for drawing, shape in zip(self._drawings(rows[order], f"weights {name}"), SHAPE, strict=True):
            out[order] *= drawing.gamma(shape, 1 / shape, len(rows))
        return out

    def count(self, rows: np.ndarray, name: str) -> int | None:
        """About how many they are: the smallest number that is told, or more; None where they are too few to tell."""
        about = max(SMALLEST_CELL, len(rows) + self._moved(rows, f"count {name}"))
        return about if self.fewer(rows, name) >= SMALLEST_CELL else None

    def fewer(self, rows: np.ndarray, name: str) -> int:
        """As many or some fewer, by chance: what is compared with the smallest number that is told.

        Who watches a group vanish does not learn that it was of just ten.
        """
        return max(1, len(rows) - abs(self._moved(rows, f"hidden {name}"))) if len(rows) else 0

    def _moved(self, rows: np.ndarray, name: str) -> int:
        both = zip(self._drawings(rows[self._order(rows)], name), EPSILON, strict=True)
        pairs = (drawing.geometric(1 - math.exp(-epsilon), 2) for drawing, epsilon in both)
        return sum(int(one - other) for one, other in pairs)

    def _order(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.lexsort(self.told[rows].T[::-1]))

    @cached_property
    def _everyone(self) -> bytes:
        whole = self.told[self._order(np.arange(len(self.told)))]
        return hashlib.sha256(whole.tobytes()).digest()

    def _drawings(self, rows: np.ndarray, name: str) -> tuple[np.random.Generator, np.random.Generator]:
        """The part that these people's states decide, and the part that everybody's do."""
        group = hashlib.sha256(self.told[rows].tobytes()).digest()
        return self._drawing(name, group), self._drawing(name, self._everyone + group)

    def _drawing(self, name: str, told: bytes) -> np.random.Generator:
        seed = hmac.digest(self.key, name.encode() + b"\0" + told, hashlib.sha512)
        return np.random.default_rng(int.from_bytes(seed, "big"))


def _sids(table: pa.Table) -> list[str]:
    return [str(sid) for sid in table[SUBJECT].to_pylist()]


def bounded(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The values, none beyond what ten people (of a hundred or fewer: a tenth) reach, in two digits rounded outward.

    >>> bounded(np.array([3.0, 5_000.0]), np.arange(1.0, 101.0)).tolist()
    [10.0, 91.0]
    """
    beyond = min(SMALLEST_CELL, len(among) // 10)
    if beyond == 0:
        return values
    ordered = np.sort(among)
    return np.asarray(np.clip(values, _outward(ordered[beyond - 1], math.floor), _outward(ordered[-beyond], math.ceil)))


def _outward(value: float, to: Callable[[float], int]) -> float:
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(to(round(value / step, 9)) * step)
