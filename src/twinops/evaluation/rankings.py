"""How good an order is: NDCG of a short list, AUC over pairs of household and thing, and who is captured at the top."""

from __future__ import annotations

import numpy as np

LIST = 10
_CHUNK = 64


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

    `cluster` is the household of each pair, `draws` how often each household is drawn (draws x households).

    >>> two = np.array([[1, 1]])
    >>> clustered_auc(np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.1]), np.array([0, 0, 1]), two).tolist()
    [0.75]
    """
    positive = truth > 0
    order = np.argsort(score[~positive], kind="stable")
    below, negatives = score[~positive][order], cluster[~positive][order]
    left = np.searchsorted(below, score[positive], side="left")
    right = np.searchsorted(below, score[positive], side="right")
    out = np.full(len(draws), np.nan)
    for start in range(0, len(draws), _CHUNK):
        drawn = draws[start : start + _CHUNK]
        lower = np.zeros((len(drawn), len(below) + 1))
        np.cumsum(drawn[:, negatives], axis=1, out=lower[:, 1:])
        mass = drawn[:, cluster[positive]]
        ranked = (mass * (lower[:, left] + lower[:, right]) / 2).sum(axis=1)
        pairs = mass.sum(axis=1) * lower[:, -1]
        out[start : start + _CHUNK] = np.divide(ranked, pairs, out=np.full(len(drawn), np.nan), where=pairs > 0)
    return out


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
