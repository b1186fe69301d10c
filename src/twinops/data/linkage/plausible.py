"""How probable it is that two records are one person, given all other records that might be.

Splink weighs each pair alone. Here the pairs meet: who is held once in a source can be only one of its candidates, and
how many persons two sources share is learnt from the pairs themselves (expectation maximisation over one-to-one links).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pyarrow as pa

from twinops.data.linkage.model import DIGITS, Model, between_bits, inside_bits
from twinops.data.linkage.scoring import Pairs
from twinops.entities.canonical import rounded
from twinops.plugins import text_beside
from twinops.ports import Engine

ROUNDS = 30
UNLIKELY = 0.02
"""Pairs inside a source below this are not taken for one person when rivals are counted."""


@dataclass(frozen=True)
class Plausible:
    """Per pair log2 odds before rivals and probability after them (0: contradicted); the model with its priors."""

    odds: np.ndarray
    probability: np.ndarray
    model: Model


def plausible(engine: Engine, pairs: Pairs, source: np.ndarray, model: Model) -> Plausible:
    """Settle how many persons the sources share, then how probable each pair is. `source`: each record's source."""
    names = sorted(set(source.tolist()))
    size = {n: int((source == n).sum()) for n in names}
    odds, probability = np.zeros(len(pairs)), np.zeros(len(pairs))
    kin, expected = {}, {}
    for name in names:
        rows = np.flatnonzero((source[pairs.left] == name) & (source[pairs.right] == name))
        if len(rows):
            inside = _Inside(pairs.some(rows), model, size[name])
            kin[name], expected[f"{name}/{name}"] = inside.settled()
            odds[rows], probability[rows] = inside.judged(kin[name], expected[f"{name}/{name}"])
    twins = np.flatnonzero((source[pairs.left] == source[pairs.right]) & (probability > UNLIKELY))
    for one, other in combinations(names, 2):
        rows = np.flatnonzero((source[pairs.left] == one) & (source[pairs.right] == other))
        if len(rows):
            between = _Between(
                pairs.some(rows),
                (size[one], size[other]),
                _forgiven(engine, pairs.some(rows), pairs.some(twins), probability[twins]),
            )
            expected[f"{one}/{other}"] = between.settled()
            odds[rows], probability[rows] = between.judged(expected[f"{one}/{other}"])
    return Plausible(
        np.round(odds, DIGITS),
        np.round(probability, DIGITS) + 0.0,
        replace(model, kin=kin, expected=expected, records=size),
    )


@dataclass(frozen=True)
class _Inside:
    """Pairs inside one source: one person twice, strangers, or relatives."""

    pairs: Pairs
    model: Model
    size: int

    def settled(self) -> tuple[float, float]:
        """Pairs of relatives to one pair of duplicates, and how many pairs of duplicates there are."""
        home = self.pairs.at("surname", 1, 2) & self.pairs.at("place", 1)
        relatives = max(int((home & self.pairs.at("given", len(self.model.m["given"]))).sum()), 1)
        kin, expected = 1.0, self.size / 50
        for _ in range(ROUNDS):
            probability = self.judged(kin, expected)[1]
            kin, expected = relatives / max(float(probability[home].sum()), 1.0), max(float(probability.sum()), 0.5)
        return rounded(kin), rounded(expected)

    def judged(self, kin: float, expected: float) -> tuple[np.ndarray, np.ndarray]:
        """Log2 odds against strangers, and the probability against strangers and relatives."""
        odds = self.pairs.bits + inside_bits(expected, self.size)
        against_kin = sum(
            np.array((0.0, *self.model.kin_weights(n)))[level] for n, level in self.pairs.levels.items()
        ) - np.log2(kin)
        probability = 1 / (1 + np.exp2(-odds.clip(-60, 60)) + np.exp2(-against_kin.clip(-60, 60)))
        return odds, np.where(self.pairs.contradicted(), 0.0, probability)


@dataclass(frozen=True)
class _Between:
    """Pairs between two sources: each record belongs to one record of the other at most, or to none."""

    pairs: Pairs
    sizes: tuple[int, int]
    forgiven: tuple[np.ndarray, np.ndarray, np.ndarray]

    def settled(self) -> float:
        """How many pairs of one person there are: the number at which the probabilities add up to itself."""
        expected = min(self.sizes) / 2
        for _ in range(ROUNDS):
            expected = max(float(self.judged(expected)[1].sum()), 0.5)
        return rounded(expected)

    def judged(self, expected: float) -> tuple[np.ndarray, np.ndarray]:
        """Log2 odds of the pair against both being without partner, and the probability against all rivals."""
        odds = self.pairs.bits + between_bits(expected, self.sizes)
        weight = np.where(self.pairs.contradicted(), 0.0, np.exp2(odds.clip(-60, 60)))
        sums = [np.bincount(side, weight) for side in (self.pairs.left, self.pairs.right)]
        rivals = sums[0][self.pairs.left] + sums[1][self.pairs.right] - 2 * weight - self._no_rivals(weight)
        return odds, weight / (1 + weight + rivals.clip(0))

    def _no_rivals(self, weight: np.ndarray) -> np.ndarray:
        """What the other candidates weigh that are probably the same person as this one."""
        pair, rival, share = self.forgiven
        return np.bincount(pair, share * weight[rival], minlength=len(weight))


def _forgiven(
    engine: Engine, crossing: Pairs, twins: Pairs, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which pairs are no rivals of which, and how probably; places among `crossing`."""
    engine.register(
        "crossing", pa.table({"place": np.arange(len(crossing)), "left_id": crossing.left, "right_id": crossing.right})
    )
    both = {
        "place": np.tile(np.arange(len(twins)), 2),
        "one": np.r_[twins.left, twins.right],
        "other": np.r_[twins.right, twins.left],
    }
    engine.register("twins", pa.table(both))
    found = engine.query(text_beside(__package__, "rivals.sql"))
    return found["pair"].to_numpy(), found["rival"].to_numpy(), share[found["twin"].to_numpy()]
