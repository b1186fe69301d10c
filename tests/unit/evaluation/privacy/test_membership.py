"""Was this household trained on? A model that remembers is caught, one that does not is not."""

from __future__ import annotations

import warnings

import lightgbm
import numpy as np
import pytest
from governed import candidate, measure

from twinops.entities.verdict import Outcome
from twinops.errors import DataError
from twinops.evaluation.privacy.membership import (
    attack,
    auc_and_rate,
    by_household,
    halves,
    membership_findings,
    met,
    near,
    unattacked,
)
from twinops.governance.gates import membership

N = 600


def test_every_household_is_in_half_of_the_models_and_every_model_has_half_of_them() -> None:
    inside = halves(101, models=8, seed=3)
    assert (inside.sum(axis=0) == 4).all()
    assert set(inside.sum(axis=1).tolist()) == {50, 51}


def test_a_model_that_says_what_it_saw_is_caught_at_once() -> None:
    noise = np.random.default_rng(1).normal(size=N)
    found = attack(lambda mask: noise + 3.0 * mask, households=N, models=8, seed=1)
    auc, rate = auc_and_rate(found, np.ones(N))
    assert auc > 0.99
    assert rate > 0.9


def test_a_model_that_knows_nothing_of_who_was_in_is_not_caught() -> None:
    rng = np.random.default_rng(2)
    found = attack(lambda _: rng.normal(size=N), households=N, models=8, seed=2)
    auc, rate = auc_and_rate(found, np.ones(N))
    assert abs(auc - 0.5) < 0.03
    assert rate < 0.03


def test_a_few_who_are_remembered_show_at_one_false_alarm_in_a_hundred_and_not_in_the_area() -> None:
    noise = np.random.default_rng(4)
    few = np.arange(N) < N // 20
    found = attack(lambda mask: noise.normal(size=N) + 8.0 * (mask & few), households=N, models=8, seed=2)
    auc, rate = auc_and_rate(found, np.ones(N))
    assert auc < 0.6
    assert rate > 0.03


def test_default_lightgbm_is_refused_by_the_limits_of_the_policy() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(N, 12))
    y = rng.random(N) < 1 / (1 + np.exp(-x[:, 0]))

    def confidence(mask: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = lightgbm.LGBMClassifier(n_jobs=1, verbose=-1, random_state=0).fit(x[mask], y[mask])
            p = np.clip(made.predict_proba(x)[:, 1], 1e-6, 1 - 1e-6)
        met = np.where(y, p, 1 - p)
        return np.log(met / (1 - met))

    found = membership_findings(
        {"activity": attack(confidence, households=N, models=8, seed=1)}, draws=50, seed=1, source="test"
    )
    measures = {m.name: m for m in found.measures}
    assert measures["membership_rate"].low > 0.06
    assert measures["membership_auc"].low > 0.65


def test_the_worst_head_is_the_one_that_is_judged() -> None:
    rng = np.random.default_rng(6)
    calm = attack(lambda _: rng.normal(size=N), households=N, models=4, seed=1)
    leaky = attack(lambda mask: rng.normal(size=N) + 2.0 * mask, households=N, models=4, seed=1)
    found = membership_findings({"activity": calm, "spend": leaky}, draws=50, seed=1, source="test")
    measures = {m.name: m for m in found.measures}
    assert measures["membership_auc"].value == measures["membership_auc.spend"].value
    assert measures["membership_auc.activity"].value < measures["membership_auc.spend"].value


def test_heads_of_other_households_are_counted_each_with_its_own_number() -> None:
    rng = np.random.default_rng(7)
    many = attack(lambda _: rng.normal(size=N), households=N, models=4, seed=1)
    few = attack(lambda mask: rng.normal(size=200) + 2.0 * mask, households=200, models=4, seed=1)
    found = membership_findings({"spend": many, "coupons": few}, draws=50, seed=1, source="rows of {head}")
    measures = {m.name: m for m in found.measures}
    assert (measures["membership_rate.spend"].n, measures["membership_rate.coupons"].n) == (N, 200)
    assert (measures["membership_auc"].n, measures["membership_auc"].source) == (200, "rows of coupons")


def test_a_head_that_ships_and_was_not_attacked_lets_nothing_pass() -> None:
    told = [measure("membership_rate", 0.01, 0.006, 0.02), measure("membership_auc", 0.5, 0.49, 0.52)]
    limits = membership.Limits(rate_at_most=0.06, auc_at_most=0.65)
    verdicts = [
        membership.check(candidate(*unattacked(why).facts, measures=tuple(told)), limits)
        for why in ({}, {"coupons": "90 households are too few."})
    ]
    assert [v.outcome for v in verdicts] == [Outcome.PASSED, Outcome.MISSING]
    assert "coupons (90 households are too few.)" in verdicts[1].sentence
    assert verdicts[1].evidence, "a figure that is told cites where it stands"


def test_a_model_is_met_by_its_chance_and_by_its_amount() -> None:
    assert met(np.array([0.9, 0.9]), np.array([1.0, 0.0])).tolist() == pytest.approx([np.log(9), -np.log(9)])
    assert near(np.array([0.0, 9.0]), np.array([0.0, 99.0])).tolist() == pytest.approx([0.0, -np.log(10)])
    assert by_household(np.array([0, 1, 1]), np.array([5.0, 1.0, 3.0])).tolist() == [5.0, 2.0]


def test_too_few_households_are_refused_rather_than_measured() -> None:
    with pytest.raises(DataError, match="too few"):
        attack(lambda mask: mask.astype(float), households=20, models=8, seed=1)


@pytest.mark.parametrize(
    ("rate", "auc", "outcome"),
    [
        ((0.02, 0.01, 0.03), (0.55, 0.52, 0.58), Outcome.PASSED),
        ((0.05, 0.04, 0.07), (0.55, 0.52, 0.58), Outcome.INCONCLUSIVE),
        ((0.02, 0.01, 0.03), (0.64, 0.62, 0.67), Outcome.INCONCLUSIVE),
        ((0.08, 0.07, 0.10), (0.55, 0.52, 0.58), Outcome.FAILED),
        ((0.02, 0.01, 0.03), (0.81, 0.80, 0.82), Outcome.FAILED),
    ],
)
def test_the_gate_judges_both_by_the_end_that_hurts(rate, auc, outcome) -> None:
    found = candidate(measures=(measure("membership_rate", *rate), measure("membership_auc", *auc)))
    assert membership.check(found, membership.Limits(rate_at_most=0.06, auc_at_most=0.65)).outcome is outcome
