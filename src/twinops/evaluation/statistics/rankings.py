"""How good an order is: NDCG of a short list, AUC over pairs of household and thing, and who is captured at the top."""

import numpy as np

LIST = 10
EXACT = 2**24


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
    positive, households = truth > 0, draws.shape[1]
    positives, negatives = (np.bincount(cluster[of], minlength=households) for of in (positive, ~positive))
    ahead, weights = _ahead(positive, score, cluster, households), draws.astype(float)
    # whole numbers that fit into 24 bits are as exact in half the width, at half the cost
    small = np.float32 if len(draws) and ahead.sum(axis=0).max() * weights.max() < EXACT else np.float64
    ranked = np.einsum("ij,ij->i", weights.astype(small) @ ahead.astype(small), weights) / 2
    pairs = (weights @ positives) * (weights @ negatives)
    with np.errstate(invalid="ignore"):  # a draw of one class only has no pairs: 0 over 0 is not a number
        return np.asarray(ranked / pairs, dtype=float)


def _ahead(positive: np.ndarray, score: np.ndarray, cluster: np.ndarray, households: int) -> np.ndarray:
    """How often a positive of one household lies above a negative of another, counted twice, ties once.

    Households x households: with it every draw is a product of whole numbers, whatever the number of pairs.
    """
    first, second = (np.flatnonzero(of)[np.argsort(score[of], kind="stable")] for of in (positive, ~positive))
    left, right = (np.searchsorted(score[second], score[first], side=side) for side in ("left", "right"))
    whose, lower = cluster[first], cluster[second]
    if (left == right).all():
        return np.asarray(2 * _passed(whose, lower, left, households))
    return np.asarray(_passed(whose, lower, left, households) + _passed(whose, lower, right, households))


def _passed(whose: np.ndarray, lower: np.ndarray, until: np.ndarray, households: int) -> np.ndarray:
    """How many of the `lower` each household passed, whose they are; the first `until` of them, one by one."""
    out, below, done = np.zeros((households, households)), np.zeros(households), 0
    for household, end in zip(whose.tolist(), until.tolist(), strict=True):
        if end > done:
            below += np.bincount(lower[done:end], minlength=households)
            done = end
        out[household] += below
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
