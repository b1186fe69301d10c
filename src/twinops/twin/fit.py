"""Learn the twin's model from rows whose horizon is closed."""

from __future__ import annotations

from twinops.params import FeaturesParams, TrainParams
from twinops.twin.examples import Examples
from twinops.twin.heads import Scaling, fit_activity, fit_rate
from twinops.twin.model import TrainedOn, TwinModel
from twinops.twin.state import fit_priors, terms


def fit_twin(examples: Examples, features: FeaturesParams, train: TrainParams) -> TwinModel:
    """Learn priors, scaling and heads from closed rows, in that order; each is rounded before the next step uses it."""
    priors = fit_priors(examples.table, decay_days=features.decay_days)
    x = terms(examples.table, priors, horizon_days=features.horizon_days)
    scaling = Scaling.fit(x)
    z = scaling(x)
    return TwinModel(
        horizon_days=features.horizon_days,
        decay_days=features.decay_days,
        priors=priors,
        scaling=scaling,
        activity=fit_activity(z, examples.active, c=train.activity_c),
        baskets=fit_rate(z, examples.baskets, alpha=train.spend_alpha),
        spend=fit_rate(z, examples.spend, alpha=train.spend_alpha),
        trained_on=TrainedOn(
            len(examples), examples.households, int(examples.cutoff.min()), int(examples.cutoff.max())
        ),
    )
