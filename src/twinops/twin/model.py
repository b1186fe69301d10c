"""The twin's model: priors, scaling and three heads. It is text, holds no subject, and loading it runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.twin.heads import Head, Scaling
from twinops.twin.predictions import Predictions, exponential, logistic
from twinops.twin.state import Priors, terms

HEADS = ("activity", "baskets", "spend")


@dataclass(frozen=True)
class TrainedOn:
    """What the model has seen, in numbers that say nothing about anyone."""

    rows: int
    households: int
    first_cutoff: int
    last_cutoff: int


@dataclass(frozen=True)
class TwinModel:
    """Predicts from a table that has the columns `features.STATE`; numpy is all it needs."""

    horizon_days: int
    decay_days: tuple[int, int, int]
    priors: Priors
    scaling: Scaling
    activity: Head
    baskets: Head
    spend: Head
    trained_on: TrainedOn

    def standardised(self, table: pa.Table) -> np.ndarray:
        """The standardised terms of each row; times a head's weights they are its exact, additive explanation."""
        return self.scaling(terms(table, self.priors, horizon_days=self.horizon_days))

    def predict(self, table: pa.Table) -> Predictions:
        """What each row's household will do in the next `horizon_days`: one prediction per row, in order."""
        z = self.standardised(table)
        return Predictions.of(
            logistic(self.activity.predictor(z)),
            exponential(self.baskets.predictor(z)),
            exponential(self.spend.predictor(z)),
        )
