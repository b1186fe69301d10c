"""How good an order is: NDCG of a short list, AUC over pairs of household and thing, and who is captured at the top."""

import numpy as np
from scipy.sparse import csr_array

LIST = 10
LEVELS = 256
"""Levels of score that are counted at one time: what they need stays in the processor's cache."""


def ndcg_at_10(relevant: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Discounted gain of each row's ten highest scores over the best possible; not a number where nothing is relevant.

    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, ACM TOIS 20 (2002). Of equal scores the
    earlier column comes first.

    >>> ndcg_at_10(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), np.array([[2.0, 1.0]] * 3)).round(3).tolist()
    [1.0, 0.631, nan]
    """
    listed = min(LIST, relevant.shape[1])
    discount = 1 / np.log2(np.arange(2, listed + 2))
    first = np.argsort(-score, axis=1, kind="stable")[:, :listed]
    gained = np.take_along_axis(relevant, first, axis=1) @ discount
    best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant.sum(axis=1), listed).astype(int)]
    return np.asarray(np.divide(gained, best, out=np.full(len(gained), np.nan), where=best > 0))


def clustered_auc(truth: np.ndarray, score: np.ndarray, cluster: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Chance that a random positive scores above a random negative, ties counting half: one number per draw.

    `cluster` is the household of each pair, `draws` how often each household is drawn (draws x households). All sums
    are of whole numbers below 2^53, so the order they are added in does not matter.

    >>> two = np.array([[1, 1]])
    >>> clustered_auc(np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.1]), np.array([0, 0, 1]), two).tolist()
    [0.75]
    """
    positive, weights = truth > 0, np.ascontiguousarray(draws.T, dtype=float)
    above, below = (np.flatnonzero(of)[np.argsort(score[of], kind="stable")] for of in (positive, ~positive))
    level, starts = np.unique(score[above], return_index=True)
    # negatives between one level of the positives and the next, then those that tie with it, and so on
    ends = np.column_stack([np.searchsorted(score[below], level, side=side) for side in ("left", "right")])
    edges = np.concatenate([[0], ends.reshape(-1), [len(below)]])
    ranked, passed = np.zeros(len(draws)), np.zeros(len(draws))
    for first in range(0, len(level), LEVELS):
        last = min(first + LEVELS, len(level))
        won = _drawn(cluster[above], np.append(starts, len(above))[first : last + 1], weights)
        lower = passed + np.cumsum(_drawn(cluster[below], edges[2 * first : 2 * last + 1], weights), axis=0)
        ranked += np.einsum("ij,ij->j", won, lower[::2] + lower[1::2]) / 2
        passed = lower[-1]
    pairs = passed + _drawn(cluster[below], edges[-2:], weights)[0]
    pairs *= _drawn(cluster[above], np.array([0, len(above)]), weights)[0]
    with np.errstate(invalid="ignore"):  # a draw of one class only has no pairs: 0 over 0 is not a number
        return np.asarray(ranked / pairs, dtype=float)


def _drawn(cluster: np.ndarray, edges: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How often the pairs between one edge and the next are drawn; intervals x draws, `weights` households x draws."""
    inside = cluster[edges[0] : edges[-1]]
    shape = (len(edges) - 1, len(weights))
    return np.asarray(csr_array((np.ones(len(inside)), inside, edges - edges[0]), shape=shape) @ weights)


def captured(truth: np.ndarray, score: np.ndarray, weights: np.ndarray, *, shares: np.ndarray) -> np.ndarray:
    """Share of the positives among the rows of highest score; draws x shares.

    Of equal scores each counts in part: no order among them is known. `weights` is draws x rows.

    >>> truth, score = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.5, 0.1])
    >>> captured(truth, score, np.ones((1, 4)), shares=np.array([0.25, 0.5])).tolist()
    [[0.5, 0.75]]
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.diff(-score[order], prepend=-np.inf))
    taken = np.add.reduceat(weights[:, order], starts, axis=1).cumsum(axis=1)
    found = np.add.reduceat(weights[:, order] * truth[order], starts, axis=1).cumsum(axis=1)
    out = np.full((len(weights), len(shares)), np.nan)
    for draw, (rows, hits) in enumerate(zip(taken, found, strict=True)):
        if hits[-1] > 0:
            at = np.concatenate([[0.0], rows / rows[-1]])
            out[draw] = np.interp(shares, at, np.concatenate([[0.0], hits / hits[-1]]))
    return out
