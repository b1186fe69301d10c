"""What is expected of one twin, with the range that holds 80 of 100 like cases: established, newcomer, or unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from twinops.errors import DataError
from twinops.twin.answers.opening import Opening
from twinops.twin.model.model import TwinModel
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
    """Chance to buy at all (None: cannot be told), baskets and money in the horizon, each with its 80 % range.

    `spend` is the mean, right for totals; of like cases half spend less than `spend_median`.

    `levels` holds share, baskets, money: with that share of like cases, no more than that came.
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
        """Money between the ends of the range."""
        return self.spend_range[1] - self.spend_range[0]


@dataclass(frozen=True)
class Forecasts:
    """Of many twins, one element a row: what `Forecast` says of one, to the last digit. No chance told: NaN.

    `levels` holds a share, and per row the baskets and the money that no more came than with that share of like cases.
    """

    horizon_days: int
    active_probability: np.ndarray
    baskets: np.ndarray
    baskets_low: np.ndarray
    baskets_high: np.ndarray
    spend: np.ndarray
    spend_median: np.ndarray
    spend_low: np.ndarray
    spend_high: np.ndarray
    basis: np.ndarray
    households: np.ndarray
    levels: tuple[tuple[float, np.ndarray, np.ndarray], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.baskets)

    def row(self, i: int) -> Forecast:
        """What is said of one."""
        chance = float(self.active_probability[i])
        return Forecast(
            self.horizon_days,
            None if math.isnan(chance) else chance,
            float(self.baskets[i]),
            (float(self.baskets_low[i]), float(self.baskets_high[i])),
            float(self.spend[i]),
            float(self.spend_median[i]),
            (float(self.spend_low[i]), float(self.spend_high[i])),
            str(self.basis[i]),
            int(self.households[i]),
            tuple((share, float(baskets[i]), float(usd[i])) for share, baskets, usd in self.levels),
        )

    @classmethod
    def joined(cls, parts: Sequence[tuple[np.ndarray, Forecasts]]) -> Forecasts:
        """Parts, each with the numbers of its rows, as one."""
        order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
        made = [part for _, part in parts]

        def whole(columns: Iterable[np.ndarray]) -> np.ndarray:
            return np.concatenate(list(columns))[order]

        each = zip(*(part.levels for part in made), strict=True)
        levels = tuple((at[0][0], whole(v[1] for v in at), whole(v[2] for v in at)) for at in each)
        columns: dict[str, Any] = {name: whole(getattr(part, name) for part in made) for name in _COLUMNS}
        return cls(made[0].horizon_days, levels=levels, **columns)


_COLUMNS = tuple(f.name for f in fields(Forecasts))[1:-1]


def forecast(twin: Opening) -> Forecast:
    """Expect of a twin what its state tells as of the morning of its day: the same state always gets the same answer.

    Raises:
        DataError: nothing tells how far off it may be.
    """
    if twin.state.empty:
        return before_the_first_basket(twin.support, horizon_days=twin.model.horizon_days)
    return foretold(twin.table, twin.expected, model=twin.model, support=twin.support).row(0)


def forecasts(table: pa.Table, *, model: TwinModel, support: Support | None) -> Forecasts:
    """The forecast of each row of states, in order: the same as asked one by one.

    Raises:
        DataError: nothing tells how far off they may be.
    """
    return foretold(table, model.predict(table), model=model, support=support)


def foretold(table: pa.Table, said: Predictions, *, model: TwinModel, support: Support | None) -> Forecasts:
    """The same of states of which the model has said what it expects."""
    # the first weeks are told by other newcomers, whatever the model's own ranges say: those were fitted on everybody
    bands = () if support is None or support.newcomers is None else support.newcomers.bands
    tenure = np.asarray(table["tenure_days"])
    place = np.full(len(tenure), len(bands))
    for k, band in reversed(list(enumerate(bands))):
        place[tenure <= band.upto_days] = k
    parts = []
    for k, band in enumerate(bands):
        rows = np.flatnonzero(place == k)
        if len(rows):
            corrected = Expected.of(said.at(rows)).times(band.baskets_ratio, band.spend_ratio)
            parts.append((rows, corrected.within(band.spread, model.horizon_days, NEWCOMER)))
    rows = np.flatnonzero(place == len(bands))
    if len(rows) or not parts:
        parts.append((rows, _conformal(model, said.at(rows))))
    return Forecasts.joined(parts)


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
    nobody = Expected(np.array([np.nan]), np.array([believed.baskets]), np.array([believed.spend]))
    return nobody.within(believed.spread, horizon_days, NOTHING).row(0)


@dataclass(frozen=True)
class Expected:
    """What is expected of each row; no chance (NaN) is told of somebody of whom nothing is known."""

    chance: np.ndarray
    baskets: np.ndarray
    spend: np.ndarray

    @classmethod
    def of(cls, p: Predictions) -> Expected:
        """As the model says it."""
        return cls(p.active_probability, p.baskets, p.spend)

    @property
    def least(self) -> np.ndarray:
        """No fewer baskets than the chance to come."""
        return np.asarray(np.nan_to_num(self.chance, nan=0.0))

    def times(self, baskets_ratio: float, spend_ratio: float) -> Expected:
        """Corrected by what the model missed of others like these; still a basket for whoever comes."""
        return replace(
            self, baskets=np.maximum(self.baskets * baskets_ratio, self.least), spend=self.spend * spend_ratio
        )

    def within(self, spread: Spread, horizon_days: int, basis: str, *, tilted: bool = False) -> Forecasts:
        """With the range in which outcomes scatter around it; `tilted`: around another middle, which is then told."""
        of = {"baskets": self.baskets, "spend": self.spend, "chance": self.chance}
        levels = tuple((p, *spread.quantiles(p, **of)) for p in LEVELS)
        expected = self._in_the_middle_of(spread) if tilted else self
        return told(expected, levels, Basis(horizon_days, basis, spread.households), high=spread.range_of(**of)[1])

    def _in_the_middle_of(self, spread: Spread) -> Expected:
        """The mean over evenly spaced quantiles, so that no chance enters."""
        grid = np.linspace(0.005, 0.995, 199)
        drawn = [spread.quantiles(float(p), baskets=self.baskets, spend=self.spend) for p in grid]
        baskets, spend = (np.array(values).mean(axis=0) for values in zip(*drawn, strict=True))
        return replace(self, baskets=np.maximum(baskets, self.least), spend=spend)


@dataclass(frozen=True)
class Basis:
    """What a forecast rests on, and of how many like cases."""

    horizon_days: int
    basis: str
    households: int


def told(
    expected: Expected,
    levels: tuple[tuple[float, np.ndarray, np.ndarray], ...],
    on: Basis,
    *,
    high: tuple[np.ndarray, np.ndarray] | None = None,
) -> Forecasts:
    """Figures that fit together: what is expected lies in the range, from the lowest level to the highest or `high`."""
    (_, few, least), (_, *highest) = levels[0], levels[-1]
    many, most = high or highest
    n = len(expected.baskets)
    # what is not impossible is not rounded to it; NaN stays
    chance = np.maximum(_rounded(expected.chance, DIGITS), 10.0**-DIGITS)
    return Forecasts(
        on.horizon_days,
        chance,
        np.maximum(_rounded(expected.baskets, DIGITS), np.nan_to_num(chance, nan=0.0)),
        np.minimum(few, np.floor(expected.baskets)),
        np.maximum(many, np.ceil(expected.baskets)),
        _rounded(expected.spend, 2),
        next(usd for share, _, usd in levels if share == 0.5),
        np.minimum(least, np.floor(expected.spend * 100) / 100),
        np.maximum(most, np.ceil(expected.spend * 100) / 100),
        np.full(n, on.basis, dtype=object),
        np.full(n, on.households, dtype=np.int64),
        levels,
    )


def _rounded(values: np.ndarray, digits: int) -> np.ndarray:
    """By Python's own rounding, which is right at the halves that six decimals often are; numpy's is not."""
    return np.array([round(v, digits) for v in values.tolist()], dtype=float)


def _conformal(model: TwinModel, p: Predictions) -> Forecasts:
    """The ranges that were calibrated with the model."""
    calibrated, scatter = model.calibrated, model.scatter
    ranges, levels = calibrated.of(p, scatter), calibrated.levels(p, scatter, LEVELS)
    each = tuple((share, levels["baskets"][:, i], levels["spend"][:, i]) for i, share in enumerate(LEVELS))
    made = told(Expected.of(p), each, Basis(model.horizon_days, ESTABLISHED, calibrated.rows))
    return replace(made, **{name: getattr(ranges, name) for name in (f.name for f in fields(ranges))})
