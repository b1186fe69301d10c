"""What all measures of one evaluation share: who was drawn, how often, and on which days."""

from dataclasses import dataclass

from twinops.entities.measure import Measure
from twinops.evaluation.statistics.bootstrap import Resampled


@dataclass(frozen=True)
class Setting:
    """`households` were drawn whole, `draws` times, with this seed; `source` says on which data."""

    households: int
    draws: int
    seed: int
    source: str

    def measure(self, name: str, quantity: Resampled, method: str, *, unit: str | None = None) -> Measure:
        """The quantity with its interval.

        Raises:
            DataError: the quantity, or most of its draws, could not be computed.
        """
        found = quantity.estimate(name)
        return found.measure(name, self.households, self.source, f"{method}; {quantity.how}", unit=unit, seed=self.seed)
