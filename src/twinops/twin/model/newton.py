"""Newton's method for generalised linear models with an L2 penalty: the same digits for any order of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twinops.data.threads import one_thread
from twinops.errors import DataError
from twinops.twin.model.block_sums import StepSums, Sums, placed
from twinops.twin.model.predictions import LARGEST_LOG, VISIT_SHAPE

MOST_STEPS = 100
SETTLED = 1e-11
"""A step that could lower the mean loss by less than this is the last."""

WORST_CONDITION = 1e12


@dataclass(frozen=True)
class Problem:
    """What is minimised: the sums of the rows at any weights, and the penalty per weight."""

    at: Callable[[np.ndarray], StepSums]
    ridge: np.ndarray

    def cost(self, beta: np.ndarray, found: StepSums) -> float:
        """Loss and penalty."""
        return found.loss + float(self.ridge @ beta**2) / 2


def activity_sums(x: np.ndarray, active: np.ndarray, beta: np.ndarray) -> StepSums:
    """Minus the log-likelihood of who came, and its derivatives; `beta` is intercept and weights."""
    eta = beta[0] + x[:, 1:] @ beta[1:]
    chance = 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
    loss = np.logaddexp(0, eta) - active * eta
    return _sums(x, loss, chance - active, chance * (1 - chance))


def visit_sums(x: np.ndarray, active: np.ndarray, beta: np.ndarray) -> StepSums:
    """The same where visits are gamma-Poisson (`predictions.visiting`), the curvature expected (Fisher's scoring)."""
    eta = beta[0] + x[:, 1:] @ beta[1:]
    apart = np.clip(eta, -500, 500) - np.log(VISIT_SHAPE)
    none = VISIT_SHAPE * np.logaddexp(0, apart)  # minus the log chance of no visit
    slope = VISIT_SHAPE / (1 + np.exp(-apart))
    chance = -np.expm1(-none)
    loss = np.where(active > 0, -np.log(chance), none)
    return _sums(x, loss, slope * (1 - active / chance), np.exp(-none) * slope**2 / chance)


def rate_sums(x: np.ndarray, amount: np.ndarray, beta: np.ndarray) -> StepSums:
    """Minus the Poisson quasi-log-likelihood of amounts, and its derivatives."""
    eta = beta[0] + x[:, 1:] @ beta[1:]
    mean = np.exp(np.minimum(eta, 2 * LARGEST_LOG))
    return _sums(x, mean - amount * eta, mean - amount, mean)


def minimised(z: np.ndarray, target: np.ndarray, sums: Sums, *, penalty: float, start: Sequence[float]) -> np.ndarray:
    """Intercept and weights at the bottom of loss plus penalty |w|^2 / 2, on one thread; weights not in `start` are 0.

    Raises:
        DataError: two terms say the same and nothing tells them apart, or the steps do not settle.
    """
    beta, ridge = np.zeros(1 + z.shape[1]), np.full(1 + z.shape[1], penalty)
    beta[: len(start)], ridge[0] = start, 0.0
    with one_thread(), placed(np.column_stack([np.ones(len(z)), z]), target, sums) as at:
        problem = Problem(at, ridge)
        here = problem.at(beta)
        for _ in range(MOST_STEPS):
            gradient, gram = here.gradient + ridge * beta, here.gram + np.diag(ridge)
            step = _solved(gram, gradient)
            gain = float(gradient @ step) / here.rows
            if gain < SETTLED:
                return np.asarray(beta - step)
            beta, here = _walked(problem, beta, step, here)
    raise _unfit("its steps do not settle")


def _walked(problem: Problem, beta: np.ndarray, step: np.ndarray, here: StepSums) -> tuple[np.ndarray, StepSums]:
    """As much of the step as lowers the loss."""
    share = 1.0
    for _ in range(40):
        there = beta - share * step
        found = problem.at(there)
        if np.isfinite(found.loss) and problem.cost(there, found) <= problem.cost(beta, here) + 1e-9 * abs(here.loss):
            return there, found
        share /= 2
    raise _unfit("no step lowers its loss")


def _sums(x: np.ndarray, loss: np.ndarray, pull: np.ndarray, mass: np.ndarray) -> StepSums:
    return StepSums(float(len(x)), float(loss.sum()), x.T @ pull, (x * mass[:, None]).T @ x)


def _solved(gram: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    scaled = gram / size[:, None] / size
    if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > WORST_CONDITION:
        raise _unfit("two terms cannot be told apart")
    return np.asarray(np.linalg.solve(scaled, gradient / size) / size)


def _unfit(why: str) -> DataError:
    return DataError(
        f"A head could not be fitted: {why}.",
        hint="Collect more consumers, or lower train.activity_c and raise train.spend_alpha.",
    )
