"""The linkage model: how often records of one person, of strangers and of relatives agree (Fellegi and Sunter 1969).

Nothing about a person is in it: levels of agreement and their shares, rounded before they are used, so that the model
that is kept is the model that decided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twinops.data.linkage.comparisons import BY_NAME
from twinops.entities.canonical import rounded

DIGITS = 6
NEVER_ALL = 0.98
"""No source is taken to hold more than this share of another's persons."""
Levels = dict[str, tuple[float, ...]]
"""Per comparison one number per level: best level first, `different` last."""


@dataclass(frozen=True)
class Model:
    """What was learnt from the records alone.

    m, u, k: shares of each level among pairs of one person, of strangers, of relatives. `prior`: share of all pairs
    that are one person's. `lift`: how much oftener strangers of one surname share the given name (names go with
    regions). `kin`: per source, pairs of relatives to one pair of duplicates. `expected`: per pair of sources, how
    many pairs are one person's; `records`: how many records each source has.
    """

    prior: float
    m: Levels
    u: Levels
    k: Levels
    lift: float = 1.0
    kin: dict[str, float] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)

    def weights(self, name: str) -> tuple[float, ...]:
        """Match weight in bits of every level, against strangers: log2(m/u)."""
        return _bits(self.m[name], self.u[name])

    def kin_weights(self, name: str) -> tuple[float, ...]:
        """The same against relatives: log2(m/k)."""
        return _bits(self.m[name], self.k[name])

    def start_bits(self, one: str, other: str) -> float:
        """Log2 odds of any two records of these sources, before a field is compared."""
        expected, sizes = self.expected[f"{one}/{other}"], (self.records[one], self.records[other])
        return inside_bits(expected, sizes[0]) if one == other else between_bits(expected, sizes)

    def level_of(self, name: str, weights: np.ndarray) -> np.ndarray:
        """Which level each weight stands for: 0 not known, 1 the best."""
        known = np.array((0.0, *self.weights(name)))
        return np.asarray(np.abs(weights[:, None] - known).argmin(axis=1), dtype=np.int8)

    def rounded(self) -> Model:
        """All numbers to six significant digits."""
        m, u, k = (
            {n: tuple(rounded(v, DIGITS) for v in values) for n, values in side.items()}
            for side in (self.m, self.u, self.k)
        )
        return replace(self, prior=rounded(self.prior, DIGITS), lift=rounded(self.lift, DIGITS), m=m, u=u, k=k)

    def to_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        levels = {
            n: [
                dict(zip(("level", "m", "u", "k"), row, strict=True))
                for row in zip(BY_NAME[n].words, self.m[n], self.u[n], self.k[n], strict=True)
            ]
            for n in self.m
        }
        others = {name: getattr(self, name) for name in ("prior", "lift", "kin", "expected", "records")}
        return {"schema": "twinops.linkage/1", **others, "comparisons": levels}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Model:
        """Read what `to_dict` wrote."""
        m, u, k = ({n: tuple(level[s] for level in levels) for n, levels in raw["comparisons"].items()} for s in "muk")
        return cls(raw["prior"], m, u, k, raw["lift"], raw["kin"], raw["expected"], raw["records"])


def inside_bits(expected: float, size: int) -> float:
    """Log2 odds of two records of one source of this size, if so many pairs in it are one person twice."""
    return odds_bits(expected / (size * (size - 1) / 2))


def between_bits(expected: float, sizes: tuple[int, int]) -> float:
    """Log2 odds that two records of two sources belong together, against both being without partner.

    So many pairs are expected; each record has one partner at most (Sadinle, JASA 112, 2017).
    """
    left, right = (min(expected / n, NEVER_ALL) for n in sizes)
    return math.log2(left / sizes[1] / ((1 - left) * (1 - right)))


def odds_bits(share: float) -> float:
    """A share as log2 odds."""
    return math.log2(share / (1 - share))


def chance(bits: np.ndarray) -> np.ndarray:
    """Log2 odds as a probability."""
    return np.asarray(1 / (1 + np.exp2(-np.clip(bits, -60, 60))))


def _bits(above: tuple[float, ...], below: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(math.log2(a / b) for a, b in zip(above, below, strict=True))
