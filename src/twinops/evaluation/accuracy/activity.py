"""What the households did after each as-of day: the plain facts a forecast is judged against."""

from dataclasses import dataclass

import numpy as np

from twinops.entities.measure import NORMAL_95
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.wilson import share
from twinops.twin.state.examples import Examples


@dataclass(frozen=True)
class Period:
    """One as-of day: share of households that bought in the horizon and mean USD spent, each with a 95 % interval."""

    cutoff: int
    households: int
    active: Estimate
    spend: Estimate


def activity(examples: Examples) -> tuple[Period, ...]:
    """Every as-of day whose horizon is closed, in order."""
    return tuple(_period(int(c), examples.where(examples.cutoff == c)) for c in np.unique(examples.cutoff))


def _period(cutoff: int, rows: Examples) -> Period:
    """Wilson for the share; the normal approximation for the mean."""
    mean = float(rows.spend.mean())
    doubt = NORMAL_95 * float(rows.spend.std()) / len(rows) ** 0.5
    active = share(int(rows.active.sum()), len(rows))
    return Period(cutoff, len(rows), active, Estimate(mean, mean - doubt, mean + doubt))
