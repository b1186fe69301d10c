"""Chances straightened on the last closed window: a line through the log-rate, which is again a head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from twinops.entities.canonical import rounded
from twinops.twin.model.glm import Head, fit_visits
from twinops.twin.model.model import TwinModel
from twinops.twin.state.examples import Examples

FREE = 1e6
"""So weak is the penalty on the line."""


def recalibrate(model: TwinModel, known: Examples, fit: Callable[[Examples], TwinModel]) -> TwinModel:
    """`model`, its activity head turned by the line that a model of what was closed earlier needed in the last window.

    Cox, Two further applications of a model for binary regression, Biometrika 45 (1958). Nothing beyond `known` is
    looked at.
    """
    last = int(known.cutoff.max())
    earlier = fit(known.where(known.cutoff <= last - model.horizon_days).checked(" before the last window"))
    # the model that ships has seen the last window and would look better on it than it is
    window = known.where(known.cutoff == last)
    log_rate = earlier.activity.predictor(earlier.standardised(window.table))
    return replace(model, activity=_turned(model.activity, fit_visits(log_rate[:, None], window.active, c=FREE)))


def _turned(head: Head, line: Head) -> Head:
    slope = np.array(line.weights)[0]
    return Head(
        rounded(line.intercept + float(slope) * head.intercept), tuple(rounded(float(slope) * w) for w in head.weights)
    )
