"""Boosted trees: a family of heads on the twin's terms, and the challenger, which has the windows too.

The only module that knows LightGBM. A living twin keeps no windows, so trees that have a say split on terms alone.

Trees are small and see half of the rows each, under a strong penalty: as LightGBM comes, it remembers who was in
the training rows. What it learned is LightGBM's text, which numpy alone reads and evaluates (`trees.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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
"""What the challenger may split on: the twin's terms, and the windows of the panel that the state does not keep."""

DIGITS = 9
"""Terms are rounded to so many decimals, so that another processor's last bits cannot change sides at a split."""

LARGEST_TEXT = 2_000_000


@dataclass(frozen=True)
class Challenger:
    """A sum of trees a head, as LightGBM's text; the priors draw the terms they split on.

    A head that has no say may have no trees: its text is empty.
    """

    horizon_days: int
    priors: Priors
    activity: str = ""
    baskets: str = ""
    spend: str = ""
    windows: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """What they may split on."""
        return FEATURES if self.windows else TERMS

    @cached_property
    def forests(self) -> dict[str, Forest]:
        """The trees of each head.

        Raises:
            ValueError: a text is not LightGBM's of our kind.
        """
        texts = {name: getattr(self, name) for name in HEADS}
        return {name: parsed(text, features=len(self.names)) for name, text in texts.items() if text}

    def features(self, table: pa.Table) -> np.ndarray:
        """Rows x `names`."""
        own = terms(table, self.priors, horizon_days=self.horizon_days)
        more = columns(table, WINDOWED).values() if self.windows else ()
        return np.round(np.column_stack([own, *more]), DIGITS)

    def answer(self, table: pa.Table, head: str) -> np.ndarray:
        """One head's chance, baskets or spend, per row."""
        link = logistic if head == "activity" else exponential
        return link(self.forests[head].predictor(self.features(table)))

    def predict(self, table: pa.Table) -> Predictions:
        """One prediction per row, in order."""
        return Predictions.of(*(self.answer(table, head) for head in HEADS))

    def contributions(self, table: pa.Table, head: str) -> np.ndarray:
        """Each feature's share in a row's log-odds or log-rate, and last what all rows share: rows x (features + 1).

        Exact Shapley values of the trees (Lundberg et al., Nature Machine Intelligence 2, 2020).
        """
        import lightgbm

        booster = lightgbm.Booster(model_str=getattr(self, head))
        return np.asarray(booster.predict(self.features(table), pred_contrib=True, num_threads=1))

    def to_record(self) -> dict[str, Any]:
        """Plain JSON values and their digest."""
        texts = {name: text for name in HEADS if (text := getattr(self, name))}
        return {"texts": texts, "sha256": digest(texts)}


def ready() -> None:
    """Load LightGBM and all below it, before threads would each begin to."""
    import_module("lightgbm")


def fit_challenger(examples: Examples, grid: FeaturesParams, trees: ChallengerParams) -> Challenger:
    """Learn the challenger from closed rows: every head, windows too."""
    priors = fit_priors(examples.table, decay_days=grid.decay_days)
    return grow(Challenger(grid.horizon_days, priors), examples, trees)


def grow(blank: Challenger, examples: Examples, trees: ChallengerParams, heads: tuple[str, ...] = HEADS) -> Challenger:
    """The same with trees for these heads, on one thread, the same text every time."""
    x = blank.features(examples.table)
    targets = {"spend": examples.spend, "baskets": examples.baskets, "activity": examples.active}
    asked = [head for head in targets if head in heads]
    ready()
    kinds = {head: "binary" if head == "activity" else "poisson" for head in asked}
    texts = side_by_side([partial(_grown, x, targets[head], kinds[head], trees) for head in asked])
    grown = dict(zip(asked, texts, strict=True))
    return replace(blank, **{head: grown.get(head, "") for head in HEADS})  # type: ignore[arg-type]


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
