"""A fitted scikit-learn estimator as JSON, and the same predictions from it: numbers in, no code out.

Never a pickle: whoever opens one runs what its maker wrote. What stands in the file is weights, thresholds and leaves,
read as if an enemy had written them, and numpy alone evaluates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twinops.errors import ParamsError
from twinops.twin.strict_json import LARGEST, Number, Positive, StrictRecord

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

MOST_TREES, MOST_NODES = 1_000, 10_000
LARGEST_LOG = 20.0
"""exp(20) is half a billion: a predictor beyond it is out of its depth."""

Link = Literal["identity", "logistic", "exponential"]
_Column = Annotated[int, Field(ge=-1, le=10_000)]
_Node = Annotated[int, Field(ge=-1, le=MOST_NODES)]
_Numbers = Annotated[tuple[Number, ...], Field(max_length=10_000)]
_Links: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "logistic": lambda x: 1 / (1 + np.exp(-np.clip(x, -500, 500))),
    "exponential": lambda x: np.exp(np.clip(x, -LARGEST_LOG, LARGEST_LOG)),
}


class StoredScaling(StrictRecord):
    """Each column less its centre, over its spread."""

    centres: _Numbers
    spreads: Annotated[tuple[Positive, ...], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if len(self.centres) != len(self.spreads):
            raise ValueError("a scaling has as many centres as spreads")
        return self


class StoredLinear(StrictRecord):
    """An intercept and a weight per column."""

    kind: Literal["linear"] = "linear"
    intercept: Number
    weights: _Numbers

    def raw(self, x: np.ndarray) -> np.ndarray:
        """Before the link."""
        return np.asarray(x @ np.array(self.weights) + self.intercept)

    @property
    def columns(self) -> int:
        """How many columns it reads."""
        return len(self.weights)


class StoredTree(StrictRecord):
    """Per node the column it splits on (-1: a leaf), its threshold, its children and its value."""

    splits: Annotated[tuple[_Column, ...], Field(min_length=1, max_length=MOST_NODES)]
    thresholds: Annotated[tuple[Number, ...], Field(max_length=MOST_NODES)]
    lefts: Annotated[tuple[_Node, ...], Field(max_length=MOST_NODES)]
    rights: Annotated[tuple[_Node, ...], Field(max_length=MOST_NODES)]
    values: Annotated[tuple[Number, ...], Field(max_length=MOST_NODES)]

    @model_validator(mode="after")
    def _goes_down(self) -> Self:
        n = len(self.splits)
        if any(len(other) != n for other in (self.thresholds, self.lefts, self.rights, self.values)):
            raise ValueError("a tree's lists are not of one length")
        down = zip(range(n), self.splits, self.lefts, self.rights, strict=True)
        if any(s >= 0 and not (at < left < n and at < right < n) for at, s, left, right in down):
            raise ValueError("a tree does not go down")
        return self

    def leaf(self, x: np.ndarray) -> np.ndarray:
        """The value of the leaf that each row falls into."""
        splits, lefts, rights = (np.array(v) for v in (self.splits, self.lefts, self.rights))
        at, thresholds = np.zeros(len(x), dtype=np.int64), np.array(self.thresholds)
        while (inside := np.flatnonzero(splits[at] >= 0)).size:
            here = at[inside]
            left = x[inside, splits[here]] <= thresholds[here]
            at[inside] = np.where(left, lefts[here], rights[here])
        return np.asarray(np.array(self.values)[at])


class StoredTrees(StrictRecord):
    """A start and a sum of trees, each times the same share; `single`: columns are compared in single precision."""

    kind: Literal["trees"] = "trees"
    start: Number
    share: Number
    single: bool
    trees: Annotated[tuple[StoredTree, ...], Field(min_length=1, max_length=MOST_TREES)]

    def raw(self, x: np.ndarray) -> np.ndarray:
        """Before the link."""
        seen = x.astype(np.float32).astype(np.float64) if self.single else x
        return np.asarray(self.start + self.share * np.sum([tree.leaf(seen) for tree in self.trees], axis=0))

    @property
    def columns(self) -> int:
        """How many columns it reads at least."""
        return 1 + max(max(tree.splits) for tree in self.trees)


class StoredEstimator(StrictRecord):
    """What a fitted estimator answers: scalings in order, then lines or trees, then a link."""

    scalings: Annotated[tuple[StoredScaling, ...], Field(max_length=10)]
    form: Annotated[StoredLinear | StoredTrees, Field(discriminator="kind")]
    link: Link

    def answer(self, x: np.ndarray) -> np.ndarray:
        """One number per row: of a classifier the chance of its second class."""
        for scaling in self.scalings:
            x = (x - np.array(scaling.centres)) / np.array(scaling.spreads)
        return np.asarray(_Links[self.link](self.form.raw(x)))

    def fits(self, columns: int) -> bool:
        """Whether it can be asked about rows of so many columns."""
        exact = all(len(s.centres) == columns for s in self.scalings)
        read = self.form.columns
        return exact and (read == columns if isinstance(self.form, StoredLinear) else read <= columns)


def store(estimator: BaseEstimator) -> StoredEstimator:
    """What was learned, as numbers.

    Raises:
        ParamsError: estimators of its kind are not told by a list of numbers that we know.
    """
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    scalings = tuple(s for step in steps[:-1] for s in _scaling(step))
    last = steps[-1]
    made = _linear(last) or _trees(last)
    if made is None:
        raise ParamsError(
            f"A {type(last).__name__} cannot be stored as numbers.",
            hint=f"Those that can are {', '.join(sorted(STORABLE))}, alone or behind StandardScaler or MinMaxScaler.",
        )
    form, link = made
    return StoredEstimator(scalings=scalings, form=form, link=link)


LINEAR = {
    **dict.fromkeys(
        ("ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lasso", "LassoCV",
         "LinearRegression", "LinearSVR", "Ridge", "RidgeCV", "SGDRegressor", "TheilSenRegressor"), "identity"),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), "logistic"),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), "exponential"),
}  # fmt: skip
TREES = ("DecisionTree", "ExtraTree", "ExtraTrees", "RandomForest", "GradientBoosting", "HistGradientBoosting")
STORABLE = frozenset({*LINEAR, *(f"{name}{end}" for name in TREES for end in ("Classifier", "Regressor"))})


def _scaling(step: Any) -> Iterator[StoredScaling]:
    """What a step before the last does to each column.

    Raises:
        ParamsError: it does something else.
    """
    name = type(step).__name__
    if name == "StandardScaler":
        n = step.n_features_in_
        centres = step.mean_ if step.with_mean else np.zeros(n)
        yield StoredScaling(centres=_told(centres), spreads=_told(step.scale_ if step.with_std else np.ones(n)))
    elif name == "MinMaxScaler" and not step.clip:
        yield StoredScaling(centres=_told(-step.min_ / step.scale_), spreads=_told(1 / step.scale_))
    elif step != "passthrough":
        raise ParamsError(f"A {name} before the last step cannot be stored as numbers.", hint="Use StandardScaler.")


def _linear(fitted: Any) -> tuple[StoredLinear, Link] | None:
    link = LINEAR.get(type(fitted).__name__)
    if link is None:
        return None
    if type(fitted).__name__ == "TweedieRegressor":
        straight = fitted.link == "identity" or (fitted.link == "auto" and fitted.power <= 0)
        link = "identity" if straight else link
    weights, intercept = np.ravel(fitted.coef_), np.ravel(fitted.intercept_)
    form = StoredLinear(intercept=float(intercept[0]), weights=_told(weights))
    return form, link  # type: ignore[return-value]


def _trees(fitted: Any) -> tuple[StoredTrees, Link] | None:
    name = type(fitted).__name__
    if name not in STORABLE or name in LINEAR:
        return None
    if name.startswith("HistGradientBoosting"):
        return _boosted_histograms(fitted)
    if name.startswith("GradientBoosting"):
        return _boosted(fitted)
    many = getattr(fitted, "estimators_", [fitted])
    second = hasattr(fitted, "classes_")
    trees = tuple(_tree(one.tree_, _second_class if second else _mean) for one in many)
    return StoredTrees(start=0.0, share=1 / len(trees), single=True, trees=trees), "identity"


def _boosted(fitted: Any) -> tuple[StoredTrees, Link]:
    """The raw start is what it says before its first tree; only a constant one can be told by a number."""
    start = fitted._raw_predict_init(np.zeros((1, fitted.n_features_in_), dtype=np.float32))
    if fitted.init not in (None, "zero") or fitted.estimators_.shape[1] != 1:
        raise ParamsError("Boosting from an estimator of its own cannot be stored as numbers.", hint="Leave out init.")
    trees = tuple(_tree(one.tree_, _mean) for one in fitted.estimators_[:, 0])
    form = StoredTrees(start=float(start[0, 0]), share=float(fitted.learning_rate), single=True, trees=trees)
    return form, "logistic" if hasattr(fitted, "classes_") else "identity"


def _boosted_histograms(fitted: Any) -> tuple[StoredTrees, Link]:
    trees = []
    for (predictor,) in fitted._predictors:
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            raise ParamsError("Categories in trees cannot be stored as numbers.", hint="Give numbers alone.")
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            StoredTree(
                splits=_whole(np.where(leaf, -1, nodes["feature_idx"])),
                thresholds=_told(np.clip(np.where(leaf, 0.0, nodes["num_threshold"]), -LARGEST, LARGEST)),
                lefts=_whole(np.where(leaf, -1, nodes["left"].astype(np.int64))),
                rights=_whole(np.where(leaf, -1, nodes["right"].astype(np.int64))),
                values=_told(nodes["value"]),
            )
        )
    start = float(np.ravel(fitted._baseline_prediction)[0])
    link: Link = "logistic" if hasattr(fitted, "classes_") else "identity"
    if link == "identity" and fitted.loss in ("poisson", "gamma"):
        link = "exponential"
    return StoredTrees(start=start, share=1.0, single=False, trees=tuple(trees)), link


def _tree(tree: Any, value: Callable[[np.ndarray], np.ndarray]) -> StoredTree:
    leaf = tree.children_left < 0
    return StoredTree(
        splits=_whole(np.where(leaf, -1, tree.feature)),
        thresholds=_told(np.where(leaf, 0.0, tree.threshold)),
        lefts=_whole(tree.children_left),
        rights=_whole(tree.children_right),
        values=_told(value(tree.value[:, 0, :])),
    )


def _mean(values: np.ndarray) -> np.ndarray:
    return values[:, 0]


def _second_class(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[:, 1] / values.sum(axis=1))


def _told(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _whole(values: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
