"""How far off a prediction may be: ranges that hold what comes in 80 of 100 cases, by the last closed window.

Split-conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005) within three tiers
of expected activity (Mondrian). A count is covered when it lies between two whole ends. Nothing is drawn at random when
a range is asked for: the same prediction always has the same range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.conformal import COVERAGE, FEWEST, TIERS, ConformalBand, Seen, fit_conformal_band
from twinops.twin.model.predictions import Forecaster, Predictions
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import Count, NotNegative, declared

__all__ = ["COVERAGE", "TIERS", "Intervals", "Ranges", "Seen", "calibrated", "fit_intervals"]


@dataclass(frozen=True)
class Ranges:
    """One range per row: whole baskets, and USD to the cent. Both ends belong to it; none is below 0."""

    baskets_low: np.ndarray
    baskets_high: np.ndarray
    spend_low: np.ndarray
    spend_high: np.ndarray


@declared
@dataclass(frozen=True)
class Intervals:
    """The 80 % ranges that belong to one model. Text and numbers only; nobody is in it."""

    baskets: ConformalBand
    spend: ConformalBand
    edges: tuple[NotNegative, NotNegative]
    calibrated_on: Count
    rows: Count

    def __post_init__(self) -> None:
        if self.edges[0] > self.edges[1]:
            raise ValueError("the edges of the tiers are out of order")

    def tier(self, p: Predictions) -> np.ndarray:
        """0 low, 1 mid, 2 high: which third of the calibration window is as active."""
        return np.searchsorted(np.array(self.edges), p.baskets)

    def of(self, p: Predictions) -> Ranges:
        """The range of each row's baskets and spend."""
        tier = self.tier(p)
        return _ranges(*self.baskets.ends(p, "baskets", tier), *self.spend.ends(p, "spend", tier))

    def newcomer(self) -> Ranges:
        """One row: the range of someone of whom nothing is known, from how all households scatter."""
        return _ranges(*(np.array([end]) for band in (self.baskets, self.spend) for end in band.newcomer))


def fit_intervals(known: Examples, fit: Callable[[Examples], Forecaster], *, horizon_days: int) -> Intervals:
    """Calibrate on the last closed window of `known`, with a model that `fit` makes of what was closed before it.

    `known` is what a model for some day may learn from (`Examples.known_at`, `all_closed`): no label of a later window
    is touched. The ranges then go around the predictions of a model fitted on all of `known`.

    Raises:
        DataError: there are not two windows one after the other, or too few households in the last.
    """
    last = int(known.cutoff.max())
    before = known.where(known.cutoff <= last - horizon_days)
    model = fit(before.checked(f" before day {last}, to calibrate intervals"))
    window = known.where(known.cutoff == last)
    return calibrated(Seen.by(model, before), Seen.by(model, window), day=last)


def calibrated(before: Seen, window: Seen, *, day: int) -> Intervals:
    """Learn from `before` how outcomes scatter, and from `window` how much wider ranges must be to hold 80 %."""
    if len(window) < FEWEST:
        raise DataError(
            f"Day {day} has {len(window)} consumers to calibrate intervals on; {FEWEST} are the least.",
            hint="Collect more consumers or months.",
        )
    low, high = np.quantile(window.predictions.baskets, [1 / 3, 2 / 3])
    edges = (rounded(float(low)), rounded(float(high)))
    tier = np.searchsorted(np.array(edges), window.predictions.baskets)
    return Intervals(
        baskets=fit_conformal_band("baskets", before, window, tier),
        spend=fit_conformal_band("spend", before, window, tier),
        edges=edges,
        calibrated_on=day,
        rows=len(window),
    )


def _ranges(baskets_low: np.ndarray, baskets_high: np.ndarray, spend_low: np.ndarray, spend_high: np.ndarray) -> Ranges:
    whole = np.ceil(np.round(baskets_low, 6))  # rounded first: 2.0000001 is two baskets, not three
    return Ranges(
        whole, np.maximum(np.floor(np.round(baskets_high, 6)), whole), np.round(spend_low, 2), np.round(spend_high, 2)
    )
