"""What is expected of one twin, with the range that holds 80 of 100 like cases: established, newcomer, or unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from twinops.errors import DataError
from twinops.twin.answers.opening import Opening
from twinops.twin.model.intervals import Intervals
from twinops.twin.model.predictions import Predictions
from twinops.twin.support.spread import Spread
from twinops.twin.support.support import Support

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
Levels = tuple[tuple[float, float, float], ...]
DIGITS = 3
"""Chance and baskets are rounded alike, so that no fewer baskets than the chance to come are told."""

ESTABLISHED, NEWCOMER, NOTHING = "established", "newcomer", "nothing known"


@dataclass(frozen=True)
class Forecast:
    """Chance to buy at all (None: cannot be told), baskets and USD in the horizon, each with its 80 % range.

    `spend` is the mean, right for totals; of like cases half spend less than `spend_median`.

    `levels` holds share, baskets, USD: with that share of like cases, no more than that came.
    `basis` says what it rests on: `established`, `newcomer` (the first eight weeks) or `nothing known`.
    """

    horizon_days: int
    active_probability: float | None
    baskets: float
    baskets_range: tuple[float, float]
    spend: float
    spend_median: float
    spend_range: tuple[float, float]
    basis: str
    households: int
    levels: Levels = ()

    @property
    def width(self) -> float:
        """USD between the ends of the range."""
        return self.spend_range[1] - self.spend_range[0]


def forecast(twin: Opening) -> Forecast:
    """Expect of a twin what its state tells as of the morning of its day: the same state always gets the same answer.

    Raises:
        DataError: nothing tells how far off it may be.
    """
    model, support = twin.model, twin.support
    if twin.state.empty:
        return before_the_first_basket(support, horizon_days=model.horizon_days)
    newcomers = None if support is None else support.newcomers
    band = None if newcomers is None else newcomers.band(twin.state_row["tenure_days"])
    expected = Expected.of(twin.expected)
    # the first weeks are told by other newcomers, whatever the model's own ranges say: those were fitted on everybody
    if band is not None:
        return expected.times(band.baskets_ratio, band.spend_ratio).within(band.spread, model.horizon_days, NEWCOMER)
    return _conformal(twin, model.calibrated)


def before_the_first_basket(support: Support | None, *, horizon_days: int) -> Forecast:
    """What newcomers do from their first basket on: all that is believed of somebody of whom nothing is known.

    Raises:
        DataError: there were too few newcomers to tell.
    """
    if support is None or support.newcomers is None:
        raise DataError(
            "Too few newcomers were seen to say what one does.", hint="Collect more months, then `dvc repro twin`."
        )
    believed = support.newcomers
    return Expected(None, believed.baskets, believed.spend).within(believed.spread, horizon_days, NOTHING)


@dataclass(frozen=True)
class Expected:
    """What is expected of one twin; no chance is told of somebody of whom nothing is known."""

    chance: float | None
    baskets: float
    spend: float

    @classmethod
    def of(cls, p: Predictions) -> Expected:
        """The first row."""
        return cls(float(p.active_probability[0]), float(p.baskets[0]), float(p.spend[0]))

    def times(self, baskets_ratio: float, spend_ratio: float) -> Expected:
        """Corrected by what the model missed of others like this one; still a basket for whoever comes."""
        return Expected(self.chance, max(self.baskets * baskets_ratio, self.chance or 0.0), self.spend * spend_ratio)

    def within(self, spread: Spread, horizon_days: int, basis: str, *, tilted: bool = False) -> Forecast:
        """With the range in which outcomes scatter around it; `tilted`: around another middle, which is then told."""
        levels = tuple((p, *spread.quantile(p, baskets=self.baskets, spend=self.spend)) for p in LEVELS)
        expected = self._in_the_middle_of(spread) if tilted else self
        return told(expected, levels, horizon_days=horizon_days, basis=basis, households=spread.households)

    def _in_the_middle_of(self, spread: Spread) -> Expected:
        """The mean over evenly spaced quantiles, so that no chance enters."""
        grid = np.linspace(0.005, 0.995, 199)
        drawn = np.array([spread.quantile(float(p), baskets=self.baskets, spend=self.spend) for p in grid])
        baskets, spend = (float(v) for v in drawn.mean(axis=0))
        return Expected(self.chance, max(baskets, self.chance or 0.0), spend)


def told(expected: Expected, levels: Levels, *, horizon_days: int, basis: str, households: int) -> Forecast:
    """Figures that fit together: the range is that of the outermost levels, and what is expected lies in it."""
    (_, few, least), (_, many, most) = levels[0], levels[-1]
    # what is not impossible is not rounded to it
    chance = None if expected.chance is None else max(round(expected.chance, DIGITS), 10.0**-DIGITS)
    return Forecast(
        horizon_days,
        chance,
        max(round(expected.baskets, DIGITS), chance or 0.0),
        (min(few, float(math.floor(expected.baskets))), max(many, float(math.ceil(expected.baskets)))),
        round(expected.spend, 2),
        next(usd for share, _, usd in levels if share == 0.5),
        (min(least, math.floor(expected.spend * 100) / 100), max(most, math.ceil(expected.spend * 100) / 100)),
        basis,
        households,
        levels,
    )


def _conformal(twin: Opening, calibrated: Intervals) -> Forecast:
    """The ranges that were calibrated with the model."""
    p, scatter = twin.expected, twin.model.scatter
    ranges, levels = calibrated.of(p, scatter), calibrated.levels(p, scatter, LEVELS)
    each = tuple(zip(LEVELS, levels["baskets"][0].tolist(), levels["spend"][0].tolist(), strict=True))
    made = told(
        Expected.of(p), each, horizon_days=twin.model.horizon_days, basis=ESTABLISHED, households=calibrated.rows
    )
    return replace(
        made,
        baskets_range=(float(ranges.baskets_low[0]), float(ranges.baskets_high[0])),
        spend_range=(float(ranges.spend_low[0]), float(ranges.spend_high[0])),
    )
