"""What a fitted estimator says, its numbers say too; and no file of numbers makes them do anything else."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import ensemble, linear_model, tree
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

from twinops.entities.canonical import to_json
from twinops.errors import ParamsError
from twinops.twin.own_heads.stored import StoredEstimator, store
from twinops.twin.strict_json import parsed

RNG = np.random.default_rng(5)
X = RNG.normal(size=(400, 6)) * (1, 10, 0.1, 1, 1, 1) + 3
RATE = np.exp(0.3 * X[:, 0] - 0.05 * X[:, 1])
COUNTS = RNG.poisson(RATE)
CAME = (COUNTS > 1).astype(float)

CHANCES = [
    linear_model.LogisticRegression(),
    make_pipeline(StandardScaler(), linear_model.LogisticRegression(C=0.1)),
    make_pipeline(MinMaxScaler(), linear_model.LogisticRegression()),
    tree.DecisionTreeClassifier(max_depth=4, random_state=1),
    ensemble.RandomForestClassifier(20, max_depth=4, random_state=1),
    ensemble.ExtraTreesClassifier(20, max_depth=4, random_state=1),
    ensemble.GradientBoostingClassifier(n_estimators=20, random_state=1),
    ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=1),
]
AMOUNTS = [
    linear_model.LinearRegression(),
    linear_model.Ridge(),
    linear_model.PoissonRegressor(),
    linear_model.TweedieRegressor(power=1.5),
    linear_model.TweedieRegressor(power=0),
    make_pipeline(StandardScaler(with_mean=False), linear_model.Lasso(0.01)),
    tree.DecisionTreeRegressor(max_depth=5, random_state=1),
    tree.ExtraTreeRegressor(max_depth=5, random_state=1),
    ensemble.RandomForestRegressor(20, max_depth=4, random_state=1),
    ensemble.GradientBoostingRegressor(n_estimators=20, random_state=1),
    ensemble.GradientBoostingRegressor(n_estimators=20, init="zero", random_state=1),
    ensemble.HistGradientBoostingRegressor(max_iter=20, random_state=1),
    ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=20, random_state=1),
]


def name(estimator):
    return repr(estimator).replace("\n", "")[:60]


@pytest.mark.parametrize("estimator", CHANCES, ids=name)
def test_a_chance_is_the_same_from_the_file(estimator):
    fitted = estimator.fit(X, CAME)
    again = parsed(StoredEstimator, to_json(store(fitted).model_dump(mode="json")), at_most=4_000_000)
    assert again.fits(6)
    np.testing.assert_allclose(again.answer(X), fitted.predict_proba(X)[:, 1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("estimator", AMOUNTS, ids=name)
def test_an_amount_is_the_same_from_the_file(estimator):
    fitted = estimator.fit(X, COUNTS)
    again = parsed(StoredEstimator, to_json(store(fitted).model_dump(mode="json")), at_most=4_000_000)
    np.testing.assert_allclose(again.answer(X), fitted.predict(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "estimator",
    [KNeighborsRegressor(), make_pipeline(PolynomialFeatures(), linear_model.Ridge())],
    ids=name,
)
def test_what_no_list_of_numbers_tells_is_refused_by_name(estimator):
    with pytest.raises(ParamsError, match="cannot be stored as numbers"):
        store(estimator.fit(X, COUNTS))


@pytest.mark.parametrize(
    ("children", "why"),
    [([0, -1], "does not go down"), ([9, -1], "does not go down"), ([1], "not of one length")],
)
def test_a_tree_that_turns_in_circles_is_refused(children, why):
    told = {
        "splits": (0, -1),
        "thresholds": (0.0, 0.0),
        "lefts": tuple(children),
        "rights": (1, -1),
        "values": (0.0, 1.0),
    }
    trees = {"kind": "trees", "start": 0.0, "share": 1.0, "single": False, "trees": (told,)}
    with pytest.raises(ValidationError, match=why):
        StoredEstimator.model_validate({"scalings": (), "form": trees, "link": "identity"})
