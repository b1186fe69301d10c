"""As-of days one after the other, each with models that know what was closed by then, and nothing later."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from twinops.entities.wording import MONEY
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bounds import SHARE
from twinops.twin.model.predictions import Forecaster, Predictions
from twinops.twin.state.examples import Examples

QUANTITIES = ("active_auc", "baskets_poisson_deviance", "spend_mae", "spend_deviance")
LOWER_IS_BETTER = ("baskets_poisson_deviance", "spend_mae", "spend_deviance")
UNITS = {"spend_mae": MONEY}
WITHIN = {"active_auc": SHARE}
"""What a quantity can be; all others are amounts."""
SMALLEST_RATE = 1e-3
"""A baseline that predicts exactly nothing to someone who comes would be infinitely wrong."""

Fit = Callable[[Examples], Forecaster]


@dataclass
class Origins:
    """Everything known, the horizon, and how each model is fitted; fits are kept, each is made once."""

    known: Examples
    horizon_days: int
    fits: dict[str, Fit]
    heads: str = "twin"
    """Under which name the heads alone are fitted: the twin itself, unless trees have a say in it."""
    _made: dict[tuple[str, int], Forecaster] = field(default_factory=dict)

    def past(self, day: int) -> Examples:
        """What a model for this day may learn from."""
        return self.known.known_at(day, horizon_days=self.horizon_days)

    def model(self, name: str, day: int) -> Forecaster:
        """The model of this name for this day."""
        if (name, day) not in self._made:
            self._made[name, day] = self.fits[name](self.past(day))
        return self._made[name, day]

    def rows(self, day: int) -> Examples:
        """Who is scored on this day, with what came."""
        return self.known.scored_at(day)


def quantities(rows: Examples, p: Predictions, weights: np.ndarray) -> dict[str, np.ndarray]:
    """How well these rows were predicted: one number per draw (`weights` is draws x rows)."""
    rate = np.maximum(p.baskets, SMALLEST_RATE)
    return {
        "active_auc": weighted.auc(rows.active, p.active_probability, weights),
        "baskets_poisson_deviance": weighted.mean(weighted.poisson_deviance(rows.baskets, rate), weights),
        "spend_mae": weighted.mean(np.abs(p.spend_median - rows.spend), weights),
        "spend_deviance": weighted.mean(weighted.tweedie_deviance(rows.spend, p.spend), weights),
    }


def worse(quantity: str, value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """How much worse a value is than its reference; positive is a loss, whichever way the quantity runs."""
    return np.asarray(value - reference if quantity in LOWER_IS_BETTER else reference - value)
