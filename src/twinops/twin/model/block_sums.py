"""Sums over the rows of a regression, block by block in their order: the same digits wherever a block is summed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import isqrt

import numpy as np
import pyarrow as pa

from twinops.data.elsewhere import workers
from twinops.data.threads import one_thread
from twinops.ports import Held

BLOCK_ROWS = 131_072
"""Rows that are summed at one time; who has no more is summed here."""
_LINE = pa.list_(pa.float64())
GIVES = pa.schema(
    [("place", pa.int64()), ("rows", pa.float64()), ("loss", pa.float64()), ("gradient", _LINE), ("gram", _LINE)]
)
"""What comes of a block: its place among all, and its sums."""


@dataclass(frozen=True)
class StepSums:
    """What a Newton step needs of the rows: loss, its gradient and its Gram matrix."""

    rows: float
    loss: float
    gradient: np.ndarray
    gram: np.ndarray

    def __add__(self, other: StepSums) -> StepSums:
        return StepSums(
            self.rows + other.rows, self.loss + other.loss, self.gradient + other.gradient, self.gram + other.gram
        )


Sums = Callable[[np.ndarray, np.ndarray, np.ndarray], StepSums]
"""Of terms behind a column of ones, target, and where we stand: intercept and weights."""
At = Callable[[np.ndarray], StepSums]


@contextmanager
def placed(x: np.ndarray, target: np.ndarray, sums: Sums) -> Iterator[At]:
    """The sums at any weights, one pass over the rows each time, which lie where they are summed while it lasts."""
    if len(x) > BLOCK_ROWS and (elsewhere := workers()) is not None:
        with elsewhere.held(_packed(x, target)) as held:
            yield partial(_there, held, sums)
    else:
        yield partial(_here, x, target, sums)


def _here(x: np.ndarray, target: np.ndarray, sums: Sums, beta: np.ndarray) -> StepSums:
    found = sums(x[:BLOCK_ROWS], target[:BLOCK_ROWS], beta)
    for n in range(BLOCK_ROWS, len(x), BLOCK_ROWS):
        found += sums(x[n : n + BLOCK_ROWS], target[n : n + BLOCK_ROWS], beta)
    return found


def _there(held: Held, sums: Sums, beta: np.ndarray) -> StepSums:
    blocks = held(partial(block_sums, sums, beta), gives=GIVES).sort_by("place").to_pylist()
    each = [StepSums(b["rows"], b["loss"], np.array(b["gradient"]), _square(b["gram"])) for b in blocks]
    found = each[0]
    for more in each[1:]:
        found += more
    return found


def _packed(x: np.ndarray, target: np.ndarray) -> pa.Table:
    """A row per block: its place, how many rows it has, and their numbers as they lie in memory."""
    begins = range(0, len(x), BLOCK_ROWS)
    return pa.table(
        {
            "place": pa.array(range(len(begins)), pa.int64()),
            "rows": pa.array([len(target[n : n + BLOCK_ROWS]) for n in begins], pa.int64()),
            "x": pa.array([x[n : n + BLOCK_ROWS].astype(float).tobytes() for n in begins], pa.binary()),
            "target": pa.array([target[n : n + BLOCK_ROWS].astype(float).tobytes() for n in begins], pa.binary()),
        }
    )


def block_sums(sums: Sums, beta: np.ndarray, blocks: pa.Table) -> pa.Table:
    """What an executor does with its blocks, as they were packed: `GIVES`, a row each."""
    told = []
    with one_thread():
        for block in blocks.to_batches(max_chunksize=1):
            place, rows, x, target = (column[0].as_py() for column in block.columns)
            found = sums(np.frombuffer(x).reshape(rows, len(beta)), np.frombuffer(target), beta)
            told.append((place, found.rows, found.loss, found.gradient.tolist(), found.gram.ravel().tolist()))
    return pa.Table.from_pylist([dict(zip(GIVES.names, row, strict=True)) for row in told], schema=GIVES)


def _square(flat: list[float]) -> np.ndarray:
    side = isqrt(len(flat))
    return np.array(flat).reshape(side, side)
