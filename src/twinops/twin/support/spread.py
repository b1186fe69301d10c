"""How what is observed scatters around what was expected: a grid of quantiles per group of like households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.intervals import COVERAGE, TAIL
from twinops.twin.strict_json import Count, Number, declared

GRID = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
FEWEST = 10
"""So many households lie beyond every quantile that is kept, so none tells of one of them."""

DIGITS = 4
Probability = Annotated[float, Field(gt=0, lt=1)]


@declared
@dataclass(frozen=True)
class Spread:
    """Errors in units of their usual size, at the probabilities `at`; no household is in it.

    Beyond the outermost probability nothing is known: quantiles are cut at both ends. `basket_value`: what a basket of
    theirs was worth on the mean, by which errors of spend are measured in any currency (20 in files of before).
    """

    households: Count
    at: tuple[Probability, ...]
    baskets: tuple[Number, ...]
    spend: tuple[Number, ...]
    basket_value: Annotated[float, Field(gt=0)] = 20.0

    def __post_init__(self) -> None:
        rising = all(list(v) == sorted(v) for v in (self.at, self.baskets, self.spend))
        if not self.at or not rising or not len(self.at) == len(self.baskets) == len(self.spend):
            raise ValueError("a spread's numbers are out of order")

    def quantiles(
        self, share: float, *, baskets: np.ndarray, spend: np.ndarray, chance: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Baskets and money that the share stays below, around these expectations, per row.

        `chance` to come at all: where as many stay away, it is nothing. None or NaN: it cannot be told.
        """
        of_baskets, of_spend = (float(np.interp(share, self.at, e)) for e in (self.baskets, self.spend))
        few = np.rint(np.maximum(baskets + of_baskets * unit_of_baskets(baskets), 0))
        spent = np.round(np.maximum(spend + of_spend * (spend + self.basket_value), 0), 2)
        away = np.zeros(len(baskets), dtype=bool) if chance is None else 1 - chance >= share
        return np.where(away, 0.0, few), np.where(away, 0.0, spent)

    def range_of(self, **expected: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Baskets and money at the low end, and at the high one: 80 of 100 lie between them.

        Where nothing lies at the low end, whoever stays away is in it, and fewer lie beyond the high one.
        """
        low, above, high = (self.quantiles(share, **expected) for share in (TAIL, COVERAGE, 1 - TAIL))
        away = 1 - expected["chance"] >= TAIL
        few, spent = (np.where(away, one, other) for one, other in zip(above, high, strict=True))
        return low, (few, spent)


@dataclass(frozen=True)
class Outcomes:
    """Of some rows: whose they are, what was expected, and what was observed; no chance to come is told: NaN."""

    household: np.ndarray
    chance: np.ndarray
    expected_baskets: np.ndarray
    expected_spend: np.ndarray
    baskets: np.ndarray
    spend: np.ndarray

    def where(self, mask: np.ndarray) -> Outcomes:
        """Some of the rows."""
        return Outcomes(*(getattr(self, f)[mask] for f in self.__dataclass_fields__))

    @property
    def households(self) -> int:
        """How many different ones."""
        return len(np.unique(self.household))

    @property
    def basket_value(self) -> float:
        """What a basket was worth on the mean; one unit of money where nobody came or paid."""
        return float(self.spend.sum() / self.baskets.sum()) if self.baskets.sum() and self.spend.sum() > 0 else 1.0


def unit_of_baskets(expected: Any) -> Any:
    """A Poisson count's own size of error, a quarter added for rates near 0."""
    return np.sqrt(expected + 0.25)


def enough(outcomes: Outcomes) -> bool:
    """Whether at least the median and a tail on each side can be told without telling of fewer than ten."""
    return outcomes.households >= 10 * FEWEST


def fit_spread(outcomes: Outcomes) -> Spread:
    """Quantiles with at least ten households beyond each, at the finite-sample rank on both sides.

    Raises:
        DataError: fewer than a hundred households.
    """
    n = outcomes.households
    if not enough(outcomes):
        raise DataError(f"{n} consumers are too few to tell how outcomes scatter.", hint="Collect more consumers.")
    at = tuple(p for p in GRID if n * min(p, 1 - p) >= FEWEST)
    b = (outcomes.baskets - outcomes.expected_baskets) / unit_of_baskets(outcomes.expected_baskets)
    # errors of spend grow with what is expected, and are of about one basket where nothing is
    value = max(rounded(outcomes.basket_value), 0.01)
    s = (outcomes.spend - outcomes.expected_spend) / (outcomes.expected_spend + value)
    # split-conformal: one unseen household more, on the outer side of each quantile
    outward = [min(1.0, p * (n + 1) / n) if p > 0.5 else max(0.0, (p * (n + 1) - 1) / n) if p < 0.5 else p for p in at]
    of_baskets, of_spend = (tuple(rounded(float(q), DIGITS) for q in np.quantile(e, outward)) for e in (b, s))
    return Spread(n, at, of_baskets, of_spend, value)
