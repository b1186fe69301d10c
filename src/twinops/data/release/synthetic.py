"""A table of people who do not exist, drawn from noisy counts: a tree of pairs under differential privacy.

The method is MST (McKenna, Miklau and Sheldon 2021, doi:10.29012/jpc.778) in small: counts of each column, a tree of
the pairs that depend most, counts of those pairs. All noise and the choice of pairs come from OpenDP; everything after
it is post-processing. One household is one row, made of its own data alone, so adding or removing a household changes
one cell of each table by one. Scores are whole numbers: rounding of floats would exceed their sensitivity (Mironov
2012, doi:10.1145/2382196.2382264). Noise must not be foreseeable: no seed is taken, and two releases differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from twinops.data.release.codebook import CodeBand
from twinops.errors import DataError, ParamsError

Pair = tuple[int, int]
FEWEST = 100
"""Below this many households the noise drowns the counts."""


@dataclass(frozen=True)
class Synthetic:
    """Rows x bands of codes; the chosen pairs; and what was spent, in zero-concentrated privacy loss and as epsilon."""

    codes: np.ndarray
    pairs: tuple[Pair, ...]
    rho: float
    epsilon: float
    delta: float


def rho_of(epsilon: float, delta: float) -> float:
    """The zero-concentrated loss that epsilon and delta allow (Bun and Steinke 2016, doi:10.1007/978-3-662-53641-4_24).

    >>> round(epsilon_of(rho_of(1.0, 1e-6), 1e-6), 9)
    1.0
    """
    if not (0 < epsilon <= 20 and 0 < delta <= 1e-3):
        raise ParamsError(f"Epsilon {epsilon:g} and delta {delta:g} promise nothing.", hint="Take 0 < epsilon <= 20.")
    log = math.log(1 / delta)
    return (math.sqrt(log + epsilon) - math.sqrt(log)) ** 2


def epsilon_of(rho: float, delta: float) -> float:
    """Epsilon at this delta of a zero-concentrated loss."""
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))


def synthesise(codes: np.ndarray, bands: tuple[CodeBand, ...], *, epsilon: float, delta: float) -> Synthetic:
    """Measure with noise, then draw as many rows as the noisy counts add up to.

    Raises:
        DataError: too few households for any count to survive the noise.
    """
    if len(codes) < FEWEST:
        raise DataError(
            f"{len(codes)} consumers are too few for a synthetic table; at least {FEWEST} are needed.",
            hint="Release from more consumers.",
        )
    sizes = [band.size for band in bands]
    # a third each for columns, choice of pairs, and pairs; a hair less, so that rounding never overspends
    third = rho_of(epsilon, delta) * (1 - 1e-9) / 3
    spent: list[float] = []
    noisy = [_counts(_table(codes, (i,), sizes), third / len(sizes), spent) for i in range(len(sizes))]
    pairs = _tree(codes, sizes, noisy, third, spent)
    joint = {pair: _counts(_table(codes, pair, sizes), third / len(pairs), spent) for pair in pairs}
    rho = math.fsum(spent)
    # the exact number of households is protected too
    rows = max(1, round(float(np.median([table.sum() for table in noisy]))))
    drawn = _draw(rows, sizes, [np.maximum(t, 0) for t in noisy], {p: np.maximum(t, 0) for p, t in joint.items()})
    return Synthetic(drawn, tuple(pairs), rho, epsilon_of(rho, delta), delta)


def _table(codes: np.ndarray, columns: tuple[int, ...], sizes: list[int]) -> np.ndarray:
    """Exact counts of one column or a pair."""
    shape = [sizes[c] for c in columns]
    flat = np.ravel_multi_index(tuple(codes[:, c] for c in columns), shape)
    return np.bincount(flat, minlength=math.prod(shape)).reshape(shape)


def _counts(exact: np.ndarray, rho: float, spent: list[float]) -> np.ndarray:
    """Counts with discrete Gaussian noise that spends at most `rho`."""
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=int)
    measure = _within(lambda scale: dp.m.make_gaussian(*space, scale=scale), rho)
    spent.append(float(measure.map(1)))
    return np.array(measure(exact.ravel().tolist()), dtype=float).reshape(exact.shape)


def _tree(codes: np.ndarray, sizes: list[int], noisy: list[np.ndarray], rho: float, spent: list[float]) -> list[Pair]:
    """The pairs that differ most from independence, one by one, never closing a circle."""
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.linf_distance(T=int)
    choose = _within(
        lambda scale: dp.m.make_noisy_max(*space, dp.zero_concentrated_divergence(), scale=scale),
        rho / (len(sizes) - 1),
    )
    score = {pair: _dependence(codes, pair, sizes, noisy) for pair in combinations(range(len(sizes)), 2)}
    group = list(range(len(sizes)))
    tree: list[Pair] = []
    while len(tree) < len(sizes) - 1:
        open_pairs = [p for p in score if group[p[0]] != group[p[1]]]
        spent.append(float(choose.map(1)))
        pair = open_pairs[choose([score[p] for p in open_pairs])]
        joined, gone = group[pair[0]], group[pair[1]]
        group = [joined if g == gone else g for g in group]
        tree.append(pair)
    return tree


def _dependence(codes: np.ndarray, pair: Pair, sizes: list[int], noisy: list[np.ndarray]) -> int:
    """L1 distance of a pair's counts from what the noisy single counts say; one household changes it by just one."""
    one, other = (np.maximum(noisy[c], 0) for c in pair)
    expected = np.outer(one, other) / max(one.sum(), other.sum(), 1.0)
    return int(np.abs(_table(codes, pair, sizes) - np.rint(expected).astype(np.int64)).sum())


def _within(make: Callable[[float], Any], rho: float) -> Any:
    """The mechanism with the least noise that spends at most `rho` when one household comes or goes."""
    dp = _opendp()
    scale = dp.binary_search(lambda s: make(s).map(1) <= rho, bounds=(1e-3, 1e6))
    return make(scale)


def _draw(rows: int, sizes: list[int], single: list[np.ndarray], joint: dict[Pair, np.ndarray]) -> np.ndarray:
    """Rows along the tree, each column given the one it hangs on."""
    # unseeded on purpose: foreseeable noise protects nobody
    rng = np.random.default_rng()
    out = np.zeros((rows, len(sizes)), dtype=np.int64)
    out[:, 0] = rng.choice(sizes[0], size=rows, p=_shares(single[0]))
    done, waiting = {0}, list(joint)
    while waiting:
        pair = next(p for p in waiting if (p[0] in done) != (p[1] in done))
        waiting.remove(pair)
        known, new = pair if pair[0] in done else pair[::-1]
        table = joint[pair] if known == pair[0] else joint[pair].T
        for code in range(sizes[known]):
            here = np.flatnonzero(out[:, known] == code)
            shares = _shares(table[code]) if table[code].sum() > 0 else _shares(single[new])
            out[here, new] = rng.choice(sizes[new], size=len(here), p=shares)
        done.add(new)
    return out


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum()
    return counts / total if total > 0 else np.full(len(counts), 1 / len(counts))


def _opendp() -> Any:
    """OpenDP, with the parts it asks to be named: its noise for whole numbers and its choice of the largest."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp
