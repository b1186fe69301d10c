"""The twin's model: priors, scaling and three heads. It is text, holds no subject, and loading it runs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.predictions import Predictions, averaged, exponential, visiting
from twinops.twin.state.terms import Priors, terms
from twinops.twin.strict_json import Count, declared

if TYPE_CHECKING:
    from twinops.twin.model.boosted_trees import Challenger
    from twinops.twin.model.intervals import Intervals
    from twinops.twin.model.median import Median

HEADS = ("activity", "baskets", "spend")

GLM, LIGHTGBM, AVERAGE = "glm", "lightgbm", "average"
CHAMPIONS = (GLM, LIGHTGBM, AVERAGE)
"""Who speaks for the twin: its heads, the challenger's trees, or the mean of both."""


@declared
@dataclass(frozen=True)
class TrainedOn:
    """What the model has seen, in numbers that say nothing about anyone."""

    rows: Count
    households: Count
    first_cutoff: Count
    last_cutoff: Count


@dataclass(frozen=True)
class TwinModel:
    """Predicts from a table that has the columns `features.STATE`; numpy is all it needs.

    Where the challenger's trees are champion it needs `features.WINDOWED` too, which the panel has and a streaming
    state has not. `intervals` say how far off a prediction may be.
    """

    horizon_days: int
    decay_days: tuple[int, int, int]
    priors: Priors
    scaling: Scaling
    activity: Head
    baskets: Head
    spend: Head
    median: Median
    trained_on: TrainedOn
    champion: str = GLM
    challenger: Challenger | None = None
    intervals: Intervals | None = None

    def standardised(self, table: pa.Table) -> np.ndarray:
        """The standardised terms of each row; times a head's weights they are its exact, additive explanation."""
        return self.scaling(terms(table, self.priors, horizon_days=self.horizon_days))

    def by_heads(self, table: pa.Table) -> Predictions:
        """What the heads alone expect of each row."""
        z = self.standardised(table)
        return self.median.beside(
            Predictions.of(
                visiting(self.activity.predictor(z)),
                exponential(self.baskets.predictor(z)),
                exponential(self.spend.predictor(z)),
            )
        )

    def predict(self, table: pa.Table) -> Predictions:
        """What each row's household will do in the next `horizon_days`: one prediction per row, in order."""
        if self.challenger is None or self.champion == GLM:
            return self.by_heads(table)
        trees = self.challenger.predict(table)
        return self.median.beside(trees if self.champion == LIGHTGBM else averaged(self.by_heads(table), trees))
