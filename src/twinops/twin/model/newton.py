"""Newton's method on summed Gram matrices: all that a step needs of the rows is a sum, so they may lie in any parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np

from twinops.data.threads import one_thread
from twinops.errors import DataError
from twinops.twin.model.predictions import LARGEST_LOG, VISIT_SHAPE

Parts = Sequence[tuple[np.ndarray, np.ndarray]]
"""Standardised terms (rows x terms) and the target of the same rows, part by part."""

MOST_STEPS = 100
SETTLED = 1e-11
"""A step that could lower the mean loss by less than this is the last."""

WORST_CONDITION = 1e12


@dataclass(frozen=True)
class StepSums:
    """What a Newton step needs of any number of rows: loss, its gradient and its Gram matrix; parts add up."""

    rows: float
    loss: float
    gradient: np.ndarray
    gram: np.ndarray

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.rows + other.rows,
            self.loss + other.loss,
            self.gradient + other.gradient,
            self.gram + other.gram,
        )


Sums = Callable[..., StepSums]
"""Of terms, target, where we stand and, if at hand, the terms behind a column of ones."""
Move = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Where we stand, the step, and the penalty per weight."""
_Whole = Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
"""The parts, each with its terms behind a column of ones, which is the same at every step."""


def activity_sums(z: np.ndarray, active: np.ndarray, beta: np.ndarray, x: np.ndarray | None = None) -> StepSums:
    """Minus the log-likelihood of who came, and its derivatives; `beta` is intercept and weights."""
    x, eta = _with_one(z) if x is None else x, beta[0] + z @ beta[1:]
    chance = 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
    loss = np.logaddexp(0, eta) - active * eta
    return _sums(x, loss, chance - active, chance * (1 - chance))


def visit_sums(z: np.ndarray, active: np.ndarray, beta: np.ndarray, x: np.ndarray | None = None) -> StepSums:
    """Minus the log-likelihood of who came, when visits are gamma-Poisson (`predictions.visiting`), its slope, and its
    expected curvature (Fisher's scoring).
    """
    x, eta = _with_one(z) if x is None else x, beta[0] + z @ beta[1:]
    apart = np.clip(eta, -500, 500) - np.log(VISIT_SHAPE)
    none = VISIT_SHAPE * np.logaddexp(0, apart)  # minus the log chance of no visit
    slope = VISIT_SHAPE / (1 + np.exp(-apart))
    chance = -np.expm1(-none)
    loss = np.where(active > 0, -np.log(chance), none)
    return _sums(x, loss, slope * (1 - active / chance), np.exp(-none) * slope**2 / chance)


def rate_sums(z: np.ndarray, amount: np.ndarray, beta: np.ndarray, x: np.ndarray | None = None) -> StepSums:
    """Minus the Poisson quasi-log-likelihood of amounts, and its derivatives."""
    x, eta = _with_one(z) if x is None else x, beta[0] + z @ beta[1:]
    mean = np.exp(np.minimum(eta, 2 * LARGEST_LOG))
    return _sums(x, mean - amount * eta, mean - amount, mean)


def minimised(parts: Parts, sums: Sums, *, penalty: float, start: float) -> np.ndarray:
    """Intercept and weights at the bottom of loss plus penalty |w|^2 / 2, on one thread; `start` is the intercept's.

    Raises:
        DataError: two terms say the same and nothing tells them apart, or the steps do not settle.
    """
    beta = np.zeros(1 + parts[0][0].shape[1])
    beta[0] = start
    ridge = np.full(len(beta), penalty)
    ridge[0] = 0.0
    with one_thread():
        whole = [(z, target, _with_one(z)) for z, target in parts]
        here = _all(whole, sums, beta)
        for _ in range(MOST_STEPS):
            gradient, gram = here.gradient + ridge * beta, here.gram + np.diag(ridge)
            step = _solved(gram, gradient)
            gain = float(gradient @ step) / here.rows
            if gain < SETTLED:
                return np.asarray(beta - step)
            beta, here = _walked(whole, sums, (beta, step, ridge), here)
    raise _unfit("its steps do not settle")


def _walked(parts: _Whole, sums: Sums, move: Move, here: StepSums) -> tuple[np.ndarray, StepSums]:
    """As much of the step as lowers the loss."""
    beta, step, ridge = move

    def cost(at: np.ndarray, found: StepSums) -> float:
        return found.loss + float(ridge @ at**2) / 2

    share = 1.0
    for _ in range(40):
        there = beta - share * step
        found = _all(parts, sums, there)
        if np.isfinite(found.loss) and cost(there, found) <= cost(beta, here) + 1e-9 * abs(here.loss):
            return there, found
        share /= 2
    raise _unfit("no step lowers its loss")


def _all(parts: _Whole, sums: Sums, beta: np.ndarray) -> StepSums:
    return reduce(lambda a, b: a + b, (sums(z, target, beta, x) for z, target, x in parts))


def _sums(x: np.ndarray, loss: np.ndarray, pull: np.ndarray, mass: np.ndarray) -> StepSums:
    return StepSums(float(len(x)), float(loss.sum()), x.T @ pull, (x * mass[:, None]).T @ x)


def _with_one(z: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(z)), z])


def _solved(gram: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scaled = gram / size[:, None] / size
    if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > WORST_CONDITION:
        raise _unfit("two terms cannot be told apart")
    return np.asarray(np.linalg.solve(scaled, gradient / size) / size)


def _unfit(why: str) -> DataError:
    return DataError(
        f"A head could not be fitted: {why}.",
        hint="Collect more households, or lower train.activity_c and raise train.spend_alpha.",
    )
