"""What is expected of one twin, with the range that holds 80 of 100 like cases: established, newcomer, or unknown."""

from __future__ import annotations

from dataclasses import dataclass

from twinops.errors import DataError
from twinops.twin.answers.opening import Opening
from twinops.twin.model.intervals import Intervals
from twinops.twin.model.model import GLM
from twinops.twin.model.predictions import Predictions
from twinops.twin.support.spread import Spread
from twinops.twin.support.support import Support

LEVEL = 0.8
ESTABLISHED, NEWCOMER, NOTHING = "established", "newcomer", "nothing known"


@dataclass(frozen=True)
class Forecast:
    """Chance to buy at all (None: cannot be told), baskets and USD in the horizon, each with its 80 % range.

    `spend` is the mean, right for totals; of like cases half spend less than `spend_median`.

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

    @property
    def width(self) -> float:
        """USD between the ends of the range."""
        return self.spend_range[1] - self.spend_range[0]


def forecast(twin: Opening) -> Forecast:
    """Expect of a twin what its state tells as of the morning of its day: by the heads, which need the state alone.

    Raises:
        DataError: nothing tells how far off it may be.
    """
    model, support = twin.model, twin.support
    if twin.state.empty:
        return before_the_first_basket(support, horizon_days=model.horizon_days)
    newcomers = None if support is None else support.newcomers
    band = None if newcomers is None else newcomers.band(twin.state_row["tenure_days"])
    expected = _Expected.of(twin.expected)
    # the first weeks are told by other newcomers, whatever the heads' own ranges say: those were fitted on everybody
    if band is not None:
        return expected.times(band.baskets_ratio, band.spend_ratio).within(band.spread, model.horizon_days, NEWCOMER)
    if model.intervals is not None and model.champion == GLM:
        return _conformal(twin, model.intervals)
    if support is None:
        raise DataError("Nothing tells how far off a prediction may be.", hint="Run `dvc repro twin`.")
    return expected.within(support.tier(expected.baskets).spread, model.horizon_days, ESTABLISHED)


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
    return _Expected(None, believed.baskets, believed.spend).within(believed.spread, horizon_days, NOTHING)


@dataclass(frozen=True)
class _Expected:
    """What the heads say of one twin; no chance is told of somebody of whom nothing is known."""

    chance: float | None
    baskets: float
    spend: float

    @classmethod
    def of(cls, p: Predictions) -> _Expected:
        """The first row."""
        return cls(float(p.active_probability[0]), float(p.baskets[0]), float(p.spend[0]))

    def times(self, baskets_ratio: float, spend_ratio: float) -> _Expected:
        """Corrected by what the heads missed of others like this one."""
        return _Expected(self.chance, self.baskets * baskets_ratio, self.spend * spend_ratio)

    def within(self, spread: Spread, horizon_days: int, basis: str) -> Forecast:
        """With the range in which outcomes scatter around it."""
        low, high = (
            spread.quantile(p, baskets=self.baskets, spend=self.spend) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
        )
        return Forecast(
            horizon_days,
            None if self.chance is None else round(self.chance, 3),
            round(self.baskets, 2),
            (low[0], high[0]),
            round(self.spend, 2),
            spread.quantile(0.5, baskets=self.baskets, spend=self.spend)[1],
            (low[1], high[1]),
            basis,
            spread.households,
        )


def _conformal(twin: Opening, calibrated: Intervals) -> Forecast:
    """The ranges that were calibrated with the heads."""
    expected, ranges = _Expected.of(twin.expected), calibrated.of(twin.expected)
    return Forecast(
        twin.model.horizon_days,
        None if expected.chance is None else round(expected.chance, 3),
        round(expected.baskets, 2),
        (float(ranges.baskets_low[0]), float(ranges.baskets_high[0])),
        round(expected.spend, 2),
        round(float(twin.expected.spend_median[0]), 2),
        (float(ranges.spend_low[0]), float(ranges.spend_high[0])),
        ESTABLISHED,
        calibrated.rows,
    )
