"""A table in which nobody is alone: strict Mondrian partitioning on the code-book's bands.

k: every class has k households (LeFevre, DeWitt and Ramakrishnan 2006, doi:10.1109/ICDE.2006.101).
l: its sensitive bands are as mixed as l equally frequent ones (entropy l-diversity; Machanavajjhala et al. 2007,
doi:10.1145/1217299.1217302): a class of 19 alike and 2 others has 3 different bands and hides nobody.
t: these are spread as everybody's, within t by ordered earth mover's distance (Li, Li and Venkatasubramanian 2007,
doi:10.1109/ICDE.2007.367856).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twinops.data.release.codebook import CodeBand
from twinops.errors import DataError


@dataclass(frozen=True)
class Rule:
    """What every class must hold: k households, sensitive bands mixed as l, at most t from everybody's spread."""

    k: int
    l: float  # noqa: E741 - the name the literature gives it
    t: float


@dataclass(frozen=True)
class Generalised:
    """Rows x bands: the lowest and the highest code of the row's class; the sensitive band stays as it is.

    `kept` are the rows of the table given, in the order of these; `classes` is the class of each.
    """

    low: np.ndarray
    high: np.ndarray
    classes: np.ndarray
    kept: np.ndarray
    rule: Rule
    reached: Rule

    @property
    def middle(self) -> np.ndarray:
        """What an attacker takes a range for."""
        return np.asarray((self.low + self.high) / 2)

    def lines(self, bands: tuple[CodeBand, ...]) -> list[list[str]]:
        """The table in words, a row each; the order of rows tells nothing but their class."""
        return [
            [band.label(int(low), int(high)) for band, low, high in zip(bands, lows, highs, strict=True)]
            for lows, highs in zip(self.low, self.high, strict=True)
        ]


def generalise(codes: np.ndarray, bands: tuple[CodeBand, ...], rule: Rule) -> Generalised:
    """Cut the households into classes as small as the rule allows, and give each class its ranges.

    Raises:
        DataError: even one class of everybody breaks the rule.
    """
    secret = next(i for i, band in enumerate(bands) if band.sensitive)
    whole = np.bincount(codes[:, secret], minlength=bands[secret].size)
    cutter = _Cutter(codes, secret, whole, rule)
    if not cutter.stands(np.arange(len(codes))):
        raise DataError(
            f"{len(codes)} consumers cannot be generalised to classes of {rule.k} with {rule.l} sensitive bands.",
            hint="Release from more consumers, or lower release.k or release.l in params.yaml.",
        )
    parts = [np.array(sorted(part, key=lambda r: codes[r, secret])) for part in cutter.cut(np.arange(len(codes)))]
    # the order of classes must not tell the order of households
    parts.sort(key=lambda part: (codes[part].min(axis=0).tolist(), codes[part].max(axis=0).tolist()))
    low, high = (np.concatenate([np.tile(f(codes[p], axis=0), (len(p), 1)) for p in parts]) for f in (np.min, np.max))
    kept = np.concatenate(parts)
    low[:, secret] = high[:, secret] = codes[kept, secret]
    reached = Rule(
        min(len(p) for p in parts),
        min(cutter.mixed(p) for p in parts),
        max(cutter.distance(p) for p in parts),
    )
    classes = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    return Generalised(low, high, classes, kept, rule, reached)


@dataclass(frozen=True)
class _Cutter:
    codes: np.ndarray
    secret: int
    whole: np.ndarray
    rule: Rule

    def cut(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """The smallest classes, by halving the widest range first (without recursion: a table may be deep)."""
        waiting = [rows]
        while waiting:
            part = waiting.pop()
            halves = self._halves(part)
            if halves is None:
                yield part
            else:
                waiting.extend(halves)

    def _halves(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        values = self.codes[rows]
        span = values.max(axis=0) - values.min(axis=0)
        span[self.secret] = 0
        for column in np.argsort(-span, kind="stable"):
            if span[column] == 0:
                return None
            of = values[:, column]
            for edge in _edges(of):
                left, right = rows[of <= edge], rows[of > edge]
                if self.stands(left) and self.stands(right):
                    return left, right
        return None

    def stands(self, rows: np.ndarray) -> bool:
        """Whether these rows may be a class."""
        if len(rows) < self.rule.k:
            return False
        return self.mixed(rows) >= self.rule.l - 1e-9 and self.distance(rows) <= self.rule.t

    def mixed(self, rows: np.ndarray) -> float:
        """As how many equally frequent sensitive bands the class is mixed: e to the entropy of their shares."""
        _, counts = np.unique(self.codes[rows, self.secret], return_counts=True)
        shares = counts / counts.sum()
        return float(np.exp(-(shares * np.log(shares)).sum()))

    def distance(self, rows: np.ndarray) -> float:
        """Ordered earth mover's distance of the class's sensitive bands from everybody's, 0 .. 1."""
        here = np.bincount(self.codes[rows, self.secret], minlength=len(self.whole))
        gap = np.cumsum(here / here.sum() - self.whole / self.whole.sum())
        return float(np.abs(gap).sum() / (len(self.whole) - 1))


def _edges(values: np.ndarray) -> list[int]:
    """Where a column may be cut, nearest to the median first."""
    middle = float(np.median(values))
    return sorted(np.unique(values)[:-1].tolist(), key=lambda edge: (abs(edge + 0.5 - middle), edge))
