from __future__ import annotations

import numpy as np
import pytest
from shoppers import GRID, crowd, examples_of
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score

from twinops.params import TrainParams
from twinops.twin.estimator import TwinClassifier, TwinRegressor
from twinops.twin.features import STATE
from twinops.twin.fit import fit_twin

KNOWN = examples_of(crowd(100)).all_closed()
ROWS = KNOWN.table.select(list(STATE)).to_pandas()
HOUSEHOLDS = GroupKFold(3)


def test_parameters_are_told_set_and_cloned():
    regressor = TwinRegressor(alpha=0.5, horizon_days=7)
    assert regressor.get_params() == {"alpha": 0.5, "horizon_days": 7, "decay_days": (10, 30, 90)}
    copy = clone(regressor.set_params(alpha=0.1))
    assert copy is not regressor
    assert copy.get_params()["alpha"] == 0.1
    with pytest.raises(NotFittedError):
        copy.predict(ROWS)


def test_it_is_the_twin_head_of_the_pipeline():
    twin = fit_twin(KNOWN, GRID, TrainParams(activity_c=0.2, spend_alpha=0.01)).predict(KNOWN.table)
    ours = TwinClassifier().fit(KNOWN.table, KNOWN.active).predict_proba(ROWS)[:, 1]
    assert ours == pytest.approx(twin.active_probability, abs=2e-6)
    assert TwinRegressor().fit(ROWS, KNOWN.spend).predict(KNOWN.table) == pytest.approx(twin.spend, abs=1e-3)
    assert TwinRegressor().fit(ROWS, KNOWN.baskets).predict(ROWS) == pytest.approx(twin.baskets, abs=1e-5)


def test_scikit_learn_validates_and_tunes_it_over_households():
    split = list(HOUSEHOLDS.split(ROWS, groups=KNOWN.household))
    scores = cross_val_score(TwinClassifier(), ROWS, KNOWN.active.astype(int), cv=split, scoring="roc_auc")
    assert scores.mean() > 0.7
    grid = GridSearchCV(TwinRegressor(), {"alpha": [0.01, 100.0]}, cv=split, scoring="neg_mean_absolute_error")
    assert grid.fit(ROWS, KNOWN.spend).best_params_ == {"alpha": 0.01}


@pytest.mark.parametrize(
    ("rows", "y", "why"),
    [
        (ROWS.to_numpy(), KNOWN.active, "it lacks baskets_quick"),
        (ROWS.drop(columns=["recency_days"]), KNOWN.active, "it lacks recency_days"),
        (ROWS, KNOWN.active[:10], "y has the shape"),
        (ROWS, np.ones(len(ROWS)), "two classes"),
    ],
)
def test_what_cannot_be_learned_from_is_a_value_error(rows, y, why):
    with pytest.raises(ValueError, match=why):
        TwinClassifier().fit(rows, y)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_a_rate_is_learned_from_amounts(wrong):
    with pytest.raises(ValueError, match="finite amounts"):
        TwinRegressor().fit(ROWS, np.where(np.arange(len(ROWS)) == 3, wrong, KNOWN.spend))


def test_labels_are_given_back_as_they_came_and_agree_with_the_decision_function():
    plain = TwinClassifier().fit(ROWS, KNOWN.active)
    made = TwinClassifier().fit(ROWS, np.where(KNOWN.active > 0, "came", "away")[:])
    assert made.classes_.tolist() == ["away", "came"]
    assert set(made.predict(ROWS).tolist()) == {"away", "came"}
    assert np.array_equal(made.predict_proba(ROWS), plain.predict_proba(ROWS))
    assert np.array_equal(plain.decision_function(ROWS) > 0, plain.predict(ROWS) == 1)
    assert made.feature_names_in_.tolist() == list(STATE)


def test_classes_are_the_likelier_of_the_two():
    made = TwinClassifier().fit(ROWS, KNOWN.active)
    assert set(made.predict(ROWS).tolist()) == {0, 1}
    assert np.array_equal(made.predict(ROWS), (made.predict_proba(ROWS)[:, 1] > 0.5).astype(int))
    assert made.score(ROWS, KNOWN.active) > 0.7
