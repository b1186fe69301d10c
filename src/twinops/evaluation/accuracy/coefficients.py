"""How sure each weight of a head is, when a household's months count as one witness and not as twenty."""

from dataclasses import dataclass

import numpy as np

from twinops.data.threads import one_thread
from twinops.entities.canonical import rounded
from twinops.entities.measure import NORMAL_95
from twinops.twin.model.families import HEADS
from twinops.twin.model.glm import Head
from twinops.twin.model.model import TwinModel
from twinops.twin.model.predictions import VISIT_SHAPE, exponential, visiting
from twinops.twin.state.examples import Examples
from twinops.twin.state.terms import TERMS


@dataclass(frozen=True)
class Weight:
    """What one more standard deviation of a term adds to a head's log-rate, with a 95 % interval."""

    term: str
    value: float
    low: float
    high: float

    @property
    def used(self) -> bool:
        """The head uses the term; else its weight is nothing at all, without doubt."""
        return not self.value == self.low == self.high == 0


def measure_weights(model: TwinModel, examples: Examples) -> dict[str, tuple[Weight, ...]]:
    """Every weight of every head, in the order of `TERMS`."""
    z = model.standardised(examples.table)
    with one_thread():
        return {name: _weights(getattr(model, name), name, z, examples) for name in HEADS}


def _weights(head: Head, name: str, z: np.ndarray, seen: Examples) -> tuple[Weight, ...]:
    """`name` is the head's; a term that it does not use has no weight and no doubt."""
    if name == "activity":
        residual, variance = _visits(head.predictor(z), seen.active)
    else:
        variance = exponential(head.predictor(z))
        residual = getattr(seen, name) - variance
    used = np.flatnonzero(head.weights)
    errors = np.zeros(len(TERMS))
    errors[used] = clustered_errors(z[:, used], residual, variance, seen.household)[1:]
    return tuple(
        Weight(term, w, rounded(w - NORMAL_95 * e, 4), rounded(w + NORMAL_95 * e, 4))
        for term, w, e in zip(TERMS, head.weights, errors.tolist(), strict=True)
    )


def _visits(log_rate: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each row pulls the log-rate of visits, and the weight it has: as `newton.visit_sums` has them."""
    chance = visiting(log_rate)
    slope = VISIT_SHAPE / (1 + VISIT_SHAPE * np.exp(-np.clip(log_rate, -30, 30)))
    return slope * (active / chance - 1), (1 - chance) * slope**2 / chance


def clustered_errors(z: np.ndarray, residual: np.ndarray, variance: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Standard errors of intercept and weights by the sandwich over clusters; the light penalty is left out.

    Liang and Zeger, Longitudinal data analysis using generalized linear models, Biometrika 73 (1986).
    """
    x = np.column_stack([np.ones(len(z)), z])
    # a pseudo-inverse, because terms that stand for one another leave the matrix without an inverse
    bread = np.linalg.pinv((x * variance[:, None]).T @ x)
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    scores = np.add.reduceat((x * residual[:, None])[order], starts, axis=0)
    return np.asarray(np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread)))
