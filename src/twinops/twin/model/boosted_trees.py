"""The challenger: boosted trees on the terms and the windows. The only module that knows LightGBM.

Its trees are small and see half of the rows each, under a strong penalty: as LightGBM comes, it remembers who was in
the training rows. What it learned is LightGBM's text, which numpy alone reads and evaluates (`trees.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from twinops.data.threads import side_by_side
from twinops.entities.canonical import digest
from twinops.params import ChallengerParams, FeaturesParams
from twinops.twin.model.lightgbm_text import Forest, parsed
from twinops.twin.model.predictions import Predictions, exponential, logistic
from twinops.twin.state.examples import Examples
from twinops.twin.state.features import WINDOWED
from twinops.twin.state.priors import Priors, columns, fit_priors
from twinops.twin.state.terms import TERMS, terms

HEADS = ("activity", "baskets", "spend")
FEATURES = (*TERMS, *WINDOWED)
"""What the trees may split on: the twin's terms, and the windows of the panel that the state does not keep."""

DIGITS = 9
"""Terms are rounded to so many decimals, so that another processor's last bits cannot change sides at a split."""

LARGEST_TEXT = 2_000_000


@dataclass(frozen=True)
class Challenger:
    """Three sums of trees, as LightGBM's text; the priors draw the terms they split on."""

    horizon_days: int
    priors: Priors
    activity: str
    baskets: str
    spend: str

    @cached_property
    def forests(self) -> dict[str, Forest]:
        """The trees of each head.

        Raises:
            ValueError: a text is not LightGBM's of our kind.
        """
        return {name: parsed(getattr(self, name), features=len(FEATURES)) for name in HEADS}

    def features(self, table: pa.Table) -> np.ndarray:
        """Rows x `FEATURES`."""
        own = terms(table, self.priors, horizon_days=self.horizon_days)
        return np.round(np.column_stack([own, *columns(table, WINDOWED).values()]), DIGITS)

    def predict(self, table: pa.Table) -> Predictions:
        """One prediction per row, in order."""
        x = self.features(table)
        return Predictions.of(
            logistic(self.forests["activity"].predictor(x)),
            exponential(self.forests["baskets"].predictor(x)),
            exponential(self.forests["spend"].predictor(x)),
        )

    def contributions(self, table: pa.Table, head: str) -> np.ndarray:
        """Each feature's share in a row's log-odds or log-rate, and last what all rows share: rows x (features + 1).

        Exact Shapley values of the trees (Lundberg et al., Nature Machine Intelligence 2, 2020).
        """
        import lightgbm

        booster = lightgbm.Booster(model_str=getattr(self, head))
        return np.asarray(booster.predict(self.features(table), pred_contrib=True, num_threads=1))

    def to_record(self) -> dict[str, Any]:
        """Plain JSON values and their digest."""
        texts = {name: getattr(self, name) for name in HEADS}
        return {"texts": texts, "sha256": digest(texts)}


def ready() -> None:
    """Load LightGBM and all below it, before threads would each begin to."""
    import_module("lightgbm")


def fit_challenger(examples: Examples, grid: FeaturesParams, trees: ChallengerParams) -> Challenger:
    """Learn the trees from closed rows, on one thread, the same text every time."""
    blank = Challenger(grid.horizon_days, fit_priors(examples.table, decay_days=grid.decay_days), "", "", "")
    x = blank.features(examples.table)
    targets = ((examples.spend, "poisson"), (examples.baskets, "poisson"), (examples.active, "binary"))
    ready()
    spend, baskets, activity = side_by_side([partial(_grown, x, target, kind, trees) for target, kind in targets])
    return Challenger(blank.horizon_days, blank.priors, activity=activity, baskets=baskets, spend=spend)


def fit_scorer(x: np.ndarray, happened: np.ndarray, trees: ChallengerParams) -> Callable[[np.ndarray], np.ndarray]:
    """Chances from trees on any terms, beside heads that are kept elsewhere; only measured, never shipped."""
    import lightgbm

    booster = lightgbm.Booster(model_str=_grown(np.round(x, DIGITS), happened, "binary", trees))
    return lambda new: np.asarray(booster.predict(np.round(new, DIGITS), num_threads=1))


def _grown(x: np.ndarray, target: np.ndarray, objective: str, trees: ChallengerParams) -> str:
    import lightgbm

    settings = {
        "objective": objective,
        "num_leaves": trees.leaves,
        "min_child_samples": trees.least_rows,
        "bagging_fraction": trees.share,
        "bagging_freq": 1,
        "feature_fraction": trees.share,
        "lambda_l2": trees.l2,
        "learning_rate": trees.rate,
        "seed": trees.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    rounds = trees.activity_trees if objective == "binary" else trees.rate_trees
    text = lightgbm.train(settings, lightgbm.Dataset(x, target), rounds).model_to_string(importance_type="split")
    # the settings at the end are for LightGBM's own eyes
    return str(text.partition("\nparameters:")[0]) + "\n"
