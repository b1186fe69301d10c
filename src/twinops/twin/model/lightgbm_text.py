"""Boosted trees read from LightGBM's text with numpy alone, as if an enemy had written it: no library parses it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

MOST_TREES = 2_000
MOST_LEAVES = 64
LARGEST = 1e9
ROWS_AT_ONCE = 8_192
"""Rows that go down all trees together: what they need stays in the processor's cache."""
PLAIN = (0, 2)
"""LightGBM's marks of a split on a number in which nothing is missing; the default side then does not matter."""


@dataclass(frozen=True)
class Tree:
    """Splits in LightGBM's order: at or below the threshold goes left; a child below zero is leaf ~child."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The leaf's value of each row."""
        if not len(self.feature):
            return np.full(len(x), self.leaf[0])
        node, rows = np.zeros(len(x), dtype=np.int64), np.arange(len(x))
        while len(rows):
            at = node[rows]
            goes_left = x[rows, self.feature[at]] <= self.threshold[at]
            node[rows] = np.where(goes_left, self.left[at], self.right[at])
            rows = rows[node[rows] >= 0]
        return np.asarray(self.leaf[~node])


@dataclass(frozen=True)
class Forest:
    """The sum of its trees: log-odds or a log-rate."""

    trees: tuple[Tree, ...]

    def predictor(self, x: np.ndarray) -> np.ndarray:
        """Rows x features in, one number per row out; added up tree by tree, so a row alone gets the same bits."""
        out = np.zeros(len(x))
        for begin in range(0, len(x), ROWS_AT_ONCE):
            rows = slice(begin, begin + ROWS_AT_ONCE)
            for tree in self.trees:
                out[rows] += tree(x[rows])
        return out


def parsed(text: str, *, features: int) -> Forest:
    """Read LightGBM's text of one model.

    Raises:
        ValueError: it is anything else than numeric splits on so many features, ending in finite leaves.
    """
    blocks = re.split(r"^Tree=\d+$", text.partition("end of trees")[0], flags=re.MULTILINE)[1:]
    if not 1 <= len(blocks) <= MOST_TREES:
        raise ValueError(f"there are not 1 to {MOST_TREES} trees")
    return Forest(tuple(_tree(block, features) for block in blocks))


def _tree(block: str, features: int) -> Tree:
    said = dict(line.split("=", 1) for line in block.strip().splitlines() if "=" in line)
    leaves = _numbers(said, "leaf_value", None)
    splits = len(leaves) - 1
    if not 1 <= len(leaves) <= MOST_LEAVES or said.get("num_cat") != "0":
        raise ValueError("a tree has no leaves, too many, or splits on categories")
    tree = Tree(
        feature=_whole(said, "split_feature", splits, (0, features - 1)),
        threshold=_numbers(said, "threshold", splits, least=-math.inf),
        left=_whole(said, "left_child", splits, (-len(leaves), splits - 1)),
        right=_whole(said, "right_child", splits, (-len(leaves), splits - 1)),
        leaf=leaves,
    )
    if not set(_whole(said, "decision_type", splits, (0, max(PLAIN))).tolist()) <= set(PLAIN):
        raise ValueError("a tree splits on what is missing")
    own = np.arange(splits)
    # children come after their parent, so no walk goes round in circles
    if any(((side >= 0) & (side <= own)).any() for side in (tree.left, tree.right)):
        raise ValueError("a tree goes round in circles")
    return tree


def _numbers(said: dict[str, str], name: str, length: int | None, *, least: float = -LARGEST) -> np.ndarray:
    values = np.array([float(v) for v in said.get(name, "").split()])
    if (length is not None and len(values) != length) or np.isnan(values).any() or (np.abs(values) > abs(least)).any():
        raise ValueError(f"a tree's {name} is not what it should be")
    return values


def _whole(said: dict[str, str], name: str, length: int, span: tuple[int, int]) -> np.ndarray:
    values = [int(v) for v in said.get(name, "").split()]
    if len(values) != length or not all(span[0] <= v <= span[1] for v in values):
        raise ValueError(f"a tree's {name} is not what it should be")
    return np.array(values, dtype=np.int64)
