"""What every candidate pair weighs by itself: its levels of agreement, and their sum in bits against strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from twinops.data.linkage.comparisons import COMPARISONS, SAME_NAME
from twinops.data.linkage.model import DIGITS, Model, odds_bits
from twinops.data.linkage.splinking import AT_A_TIME, splink_with
from twinops.ports import Engine

LEAST_BITS = -10.0
"""Pairs below are of strangers and are not kept."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of records as arrays: places, weight in bits against strangers without any prior, level per comparison."""

    left: np.ndarray
    right: np.ndarray
    bits: np.ndarray
    levels: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def joined(cls, parts: Sequence[Pairs]) -> Pairs:
        """One after the other."""
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, nothing.astype(float), {c.name: nothing.astype(np.int8) for c in COMPARISONS})
        levels = {c.name: np.concatenate([p.levels[c.name] for p in parts]) for c in COMPARISONS}
        left, right, bits = (
            np.concatenate(side) for side in zip(*((p.left, p.right, p.bits) for p in parts), strict=True)
        )
        return cls(left, right, bits, levels)

    def some(self, rows: np.ndarray) -> Pairs:
        """The pairs of these rows."""
        return Pairs(
            self.left[rows], self.right[rows], self.bits[rows], {n: level[rows] for n, level in self.levels.items()}
        )

    def at(self, name: str, *levels: int) -> np.ndarray:
        """Where a comparison is at one of these levels (1 the best)."""
        return np.isin(self.levels[name], levels)

    def contradicted(self) -> np.ndarray:
        """Pairs that a person must look at however high they score: another given name or another birthday."""
        given, born = (len(c.words) for c in COMPARISONS if c.name in ("given", "born"))
        return np.asarray((self.at("given", given) & ~self.at("born", 1)) | self.at("born", born))


WEIGHED = pa.schema(
    [("left_id", pa.int64()), ("right_id", pa.int64())]
    + [(name, pa.float64()) for name in ("match_weight", *(c.name for c in COMPARISONS))]
)
"""What Splink says of a pair: its match weight, and the weight of each comparison's level."""


def scored(
    engine: Engine, records: pa.Table, candidates: pa.Table, model: Model, *, least_bits: float | None = LEAST_BITS
) -> Pairs:
    """Weigh every candidate pair; strangers are dropped. Bits have 6 digits: runs differ in the last ones.

    A pair needs nothing of the others, so an engine may spread them: each part has a Splink with all records.
    """
    work = partial(_weights, records=records, model=model, least_bits=least_bits)
    found = engine.spread(candidates, work, gives=WEIGHED)
    parts = (found.slice(start, AT_A_TIME) for start in range(0, found.num_rows, AT_A_TIME))
    return Pairs.joined([_weighed(part, model) for part in parts])


def _weights(candidates: pa.Table, *, records: pa.Table, model: Model, least_bits: float | None) -> pa.Table:
    with splink_with(records) as desk:
        found = list(desk.scored(model, candidates, least_bits=least_bits))
    return pa.concat_tables([WEIGHED.empty_table(), *(part.cast(WEIGHED) for part in found)])


def _weighed(found: pa.Table, model: Model) -> Pairs:
    """Splink's weights as bits without prior and levels; what names of one region share by chance is taken off."""
    levels = {c.name: model.level_of(c.name, found[c.name].to_numpy()) for c in COMPARISONS}
    bits = found["match_weight"].to_numpy() - odds_bits(model.prior)
    pairs = Pairs(found["left_id"].to_numpy(), found["right_id"].to_numpy(), bits, levels)
    named = np.logical_and.reduce([pairs.at(name, *same) for name, same in SAME_NAME.items()])
    return replace(pairs, bits=np.round(bits - named * np.log2(model.lift), DIGITS))
