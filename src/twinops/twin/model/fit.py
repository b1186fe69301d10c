"""Learn the twin's model from rows whose horizon is closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.params import FeaturesParams, TrainParams
from twinops.twin.model.families import Hurdle
from twinops.twin.model.glm import Head, Scaling, fit_rate, fit_visits
from twinops.twin.model.model import TrainedOn, TwinModel
from twinops.twin.model.outcomes import fit_scatter
from twinops.twin.model.predictions import Predictions, exponential, visiting
from twinops.twin.model.used_terms import AS_SHIPPED, UsedTerms
from twinops.twin.state.examples import Examples
from twinops.twin.state.priors import fit_priors
from twinops.twin.state.terms import TERMS, terms


def fit_twin(known: Examples, features: FeaturesParams, train: TrainParams, used: UsedTerms = AS_SHIPPED) -> TwinModel:
    """Learn priors, scaling and heads from closed rows, in that order; each is rounded before the next step uses it."""
    priors = fit_priors(known.table, decay_days=features.decay_days)
    x = terms(known.table, priors, horizon_days=features.horizon_days)
    scaling = Scaling.fit(x)
    z = scaling(x)
    heads = {name: _fit(used.of(name), z, Target(name, getattr(known, of)), train) for name, of in TARGETS.items()}
    said = Predictions.of(
        visiting(heads["activity"].predictor(z)), *(exponential(heads[h].predictor(z)) for h in ("baskets", "spend"))
    )
    return TwinModel(
        horizon_days=features.horizon_days,
        decay_days=features.decay_days,
        priors=priors,
        scaling=scaling,
        activity=heads["activity"],
        baskets=heads["baskets"],
        spend=heads["spend"],
        scatter=fit_scatter(said, known.baskets, known.spend),
        trained_on=TrainedOn(len(known), known.households, int(known.cutoff.min()), int(known.cutoff.max())),
    )


TARGETS = {"activity": "active", "baskets": "baskets", "spend": "spend"}


@dataclass(frozen=True)
class Target:
    """Which head, and what it is to say of each row."""

    head: str
    values: np.ndarray


def fit_hurdle(model: TwinModel, known: Examples, train: TrainParams, used: UsedTerms = AS_SHIPPED) -> Hurdle:
    """Learn, on the model's terms, what those who came brought beyond a first basket, and spent."""
    came = known.active > 0
    z = model.standardised(known.table)[came]
    # a shop in which nobody ever comes twice in a horizon has no rate beyond the first basket
    beyond = known.baskets[came] - 1
    nothing = Head(-20.0, (0.0,) * len(TERMS))
    return Hurdle(
        _fit(used.baskets, z, Target("baskets", beyond), train) if beyond.any() else nothing,
        _fit(used.spend, z, Target("spend", known.spend[came]), train),
    )


def _fit(terms_used: tuple[str, ...], z: np.ndarray, target: Target, train: TrainParams) -> Head:
    """One head on the terms it uses; the others weigh nothing."""
    used = [TERMS.index(t) for t in terms_used]
    if target.head == "activity":
        head = fit_visits(z[:, used], target.values, c=train.activity_c)
    else:
        head = fit_rate(z[:, used], target.values, alpha=train.spend_alpha)
    weights = dict(zip(used, head.weights, strict=True))
    return Head(head.intercept, tuple(weights.get(i, 0.0) for i in range(len(TERMS))))
