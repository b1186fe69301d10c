"""Learn the twin's model from rows whose horizon is closed, which may lie in any number of parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from twinops.params import FeaturesParams, TrainParams
from twinops.twin.model.glm import Head, Moments, Scaling, fit_rate_in_parts, fit_visits_in_parts
from twinops.twin.model.model import TrainedOn, TwinModel
from twinops.twin.model.newton import Parts
from twinops.twin.state.examples import Examples
from twinops.twin.state.priors import PriorSums, merged
from twinops.twin.state.terms import TERMS, USED_BY, terms


def fit_twin(examples: Examples, features: FeaturesParams, train: TrainParams) -> TwinModel:
    """Learn priors, scaling and heads from closed rows, in that order; each is rounded before the next step uses it."""
    return fit_twin_in_parts([examples], features, train)


def fit_twin_in_parts(parts: Sequence[Examples], features: FeaturesParams, train: TrainParams) -> TwinModel:
    """The same model from rows split over parts in any way: only sums leave a part, never a row.

    Households are counted per part; let all rows of one lie in one part.
    """
    priors = merged(PriorSums.of(p.table, decay_days=features.decay_days) for p in parts).priors()
    x = [terms(p.table, priors, horizon_days=features.horizon_days) for p in parts]
    around = x[0].mean(axis=0)
    scaling = Scaling.of(reduce(lambda a, b: a + b, (Moments.of(part, around) for part in x)))
    z = [scaling(part) for part in x]
    return TwinModel(
        horizon_days=features.horizon_days,
        decay_days=features.decay_days,
        priors=priors,
        scaling=scaling,
        activity=_fit("activity", z, [p.active for p in parts], train),
        baskets=_fit("baskets", z, [p.baskets for p in parts], train),
        spend=_fit("spend", z, [p.spend for p in parts], train),
        trained_on=TrainedOn(
            sum(len(p) for p in parts),
            sum(p.households for p in parts),
            min(int(p.cutoff.min()) for p in parts),
            max(int(p.cutoff.max()) for p in parts),
        ),
    )


def _fit(name: str, z: list[np.ndarray], targets: list[np.ndarray], train: TrainParams) -> Head:
    """One head on the terms it uses; the others weigh nothing."""
    used = [TERMS.index(t) for t in USED_BY[name]]
    parts: Parts = [(part[:, used], target) for part, target in zip(z, targets, strict=True)]
    if name == "activity":
        head = fit_visits_in_parts(parts, c=train.activity_c)
    else:
        head = fit_rate_in_parts(parts, alpha=train.spend_alpha)
    weights = dict(zip(used, head.weights, strict=True))
    return Head(head.intercept, tuple(weights.get(i, 0.0) for i in range(len(TERMS))))
