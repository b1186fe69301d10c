"""Measures of a scored day under many weightings at once: `weights` is draws x rows, the answer one number per draw.

Not a number where a measure does not exist, such as an AUC when a draw holds one class only.
"""

import numpy as np

_CHUNK = 64


def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of one value per row.

    >>> mean(np.array([1.0, 3.0]), np.array([[1.0, 1.0], [3.0, 1.0]])).tolist()
    [2.0, 1.5]
    """
    return _ratio(weights @ values, weights.sum(axis=1))


def auc(truth: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Chance that a random positive scores above a random negative, ties counting half (Mann-Whitney).

    >>> auc(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.2, 0.9]), np.ones((1, 3))).tolist()
    [0.75]
    """
    order = np.argsort(score, kind="stable")
    bought = truth[order] > 0
    positive, negative = order[bought], order[~bought]
    left, right = (np.searchsorted(score[negative], score[positive], side=side) for side in ("left", "right"))
    tied = bool((left != right).any())
    ranked, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    # so many draws at a time that they stay in the processor's cache
    for start in range(0, len(weights), _CHUNK):
        drawn = weights[start : start + _CHUNK]
        lower, mass = np.zeros((len(drawn), len(negative) + 1)), drawn[:, positive]
        np.cumsum(drawn[:, negative], axis=1, out=lower[:, 1:])
        below = (lower[:, left] + lower[:, right]) / 2 if tied else lower[:, left]
        ranked[start : start + _CHUNK] = np.einsum("ij,ij->i", mass, below)
        pairs[start : start + _CHUNK] = mass.sum(axis=1) * lower[:, -1]
    return _ratio(ranked, pairs)


def calibration_slope(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slope of a logistic regression of what happened on the predicted log-odds: 1 is right, below 1 too extreme.

    Cox, Two further applications of a model for binary regression, Biometrika 45 (1958). Newton's method, all draws at
    once; a draw that does not settle is not a number.
    """
    # a chance of exactly 0 or 1 has no log-odds
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    x = np.log(p / (1 - p))
    parts = [weights[start : start + _CHUNK] for start in range(0, len(weights), _CHUNK)]
    return np.concatenate([_slope(truth, x, part) for part in parts])


def _slope(truth: np.ndarray, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """For so many draws at a time that they stay in the processor's cache."""
    intercept, slope = np.zeros(len(weights)), np.ones(len(weights))
    step = np.full(len(weights), np.inf)
    with np.errstate(all="ignore"):
        for _ in range(25):
            fitted = 1 / (1 + np.exp(-(intercept[:, None] + slope[:, None] * x)))
            pull, mass = weights * (truth - fitted), weights * fitted * (1 - fitted)
            a, b, c = mass.sum(axis=1), mass @ x, mass @ (x * x)
            g, h = pull.sum(axis=1), pull @ x
            det = a * c - b * b
            up, turn = (c * g - b * h) / det, (a * h - b * g) / det
            intercept, slope, step = intercept + up, slope + turn, np.abs(up) + np.abs(turn)
            if not (step > 1e-8).any():
                break
    return np.where(np.isfinite(slope) & (step < 1e-6), slope, np.nan)


def calibration_in_the_large(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What must be added to all log-odds for as many to come back as predicted: 0 is right, below 0 too high."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    x = np.log(p / (1 - p))
    shift = np.zeros(len(weights))
    for _ in range(25):
        fitted = 1 / (1 + np.exp(-np.clip(shift[:, None] + x, -30, 30)))
        step = _ratio((weights * (truth - fitted)).sum(axis=1), (weights * fitted * (1 - fitted)).sum(axis=1))
        shift = shift + np.clip(step, -2, 2)
        if not (np.abs(step) > 1e-9).any():
            break
    return np.where(np.abs(step) < 1e-6, shift, np.nan)


def calibration_error(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray, *, bins: int = 10) -> np.ndarray:
    """Expected calibration error: mean distance of predicted and observed over equally filled bins.

    It cannot be 0 with finitely many rows, however right the probabilities: compare it with `noise_floor`.
    """
    order = np.argsort(probability, kind="stable")
    total, gap = weights.sum(axis=1), np.zeros(len(weights))
    for rows in np.array_split(order, bins):
        gap += np.abs(weights[:, rows] @ (probability[rows] - truth[rows]))
    return _ratio(gap, total)


def log_loss(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Minus the logarithm of the chance that was given to what happened, per row."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(-np.log(np.where(truth > 0, p, 1 - p)))


def noise_floor(probability: np.ndarray, *, draws: int, seed: int, bins: int = 10) -> np.ndarray:
    """The calibration error of perfectly right probabilities, by chance alone: one number per draw of outcomes."""
    rng = np.random.default_rng(seed)
    order = np.array_split(np.argsort(probability, kind="stable"), bins)
    happened = rng.random((draws, len(probability))) < probability
    gaps = [np.abs((probability[rows] - happened[:, rows]).sum(axis=1)) for rows in order]
    return np.asarray(np.sum(gaps, axis=0) / len(probability))


def poisson_deviance(count: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Deviance of each row's count: 2 (k log(k/m) - k + m); 0 where the expectation m is the count k."""
    safe = np.where(count > 0, count, 1.0)
    return np.asarray(2 * (np.where(count > 0, count * np.log(safe / expected), 0.0) - count + expected))


TWEEDIE = 1.5
"""Between a count's deviance and an amount's: nothing bought has a chance, and what is bought is an amount."""

SMALLEST_USD = 0.01


def tweedie_deviance(amount: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Deviance of each row's amount, of power 1.5: lowest on average where the mean is right (Jorgensen 1987).

    >>> tweedie_deviance(np.array([4.0, 0.0]), np.array([4.0, 4.0])).tolist()
    [0.0, 8.0]
    """
    root = np.sqrt(np.maximum(expected, SMALLEST_USD))
    return np.asarray(4 * (np.sqrt(np.maximum(amount, 0)) - root) ** 2 / root)


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Not a number where nothing is divided by."""
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0))
