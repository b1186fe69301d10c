from __future__ import annotations

import numpy as np
import pytest
from shoppers import crowd, examples_of, lines

from twinops.params import TrainParams
from twinops.twin.baselines.recency_frequency_value import fit_naive, fit_rfm
from twinops.twin.state.examples import Examples

ANN, BOB = "a" * 32, "b" * 32


def known(*baskets: tuple[str, int, int]) -> Examples:
    return examples_of(lines(*baskets), known_until=85)


def test_the_naive_forecast_repeats_the_last_horizon():
    # Ann bought on day 50 and again on day 60; Bob bought on day 1 and stayed away
    rows = known((ANN, 50, 1500), (ANN, 60, 100), (BOB, 1, 900))
    rows = rows.where(rows.cutoff == 57)
    made = fit_naive(rows).predict(rows.table)
    assert made.spend_median.tolist() == [15.0, 0.0]
    # of a certain nothing no deviance can be told: the mean of those who stayed away, one imaginary USD among them
    assert made.spend.tolist() == pytest.approx([15.0, 1 / 3], abs=1e-4)
    # (0 + 1) / (1 + 2) baskets of whoever had not bought: of a certain 0 no likelihood can be told
    assert made.baskets.tolist() == pytest.approx([1.0, 1 / 3], abs=1e-6)
    # (1 + 1) / (1 + 2) of those who had bought came back, (0 + 1) / (1 + 2) of the others
    assert made.active_probability.tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-6)


def test_the_rfm_regression_tells_the_active_from_the_gone():
    rows = examples_of(crowd(100)).all_closed()
    made = fit_rfm(rows, TrainParams(activity_c=1.0, spend_alpha=0.001)).predict(rows.table)
    assert made.active_probability[rows.active > 0].mean() > made.active_probability[rows.active == 0].mean() + 0.2
    assert np.sum(made.spend) == pytest.approx(rows.spend.sum(), rel=0.02)
