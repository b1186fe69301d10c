"""What is expected of one twin, with the range that holds 80 of 100 like cases: established, newcomer, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinops.errors import DataError
from twinops.twin.living import StreamingState, rows
from twinops.twin.model import GLM, TwinModel
from twinops.twin.predictions import Predictions
from twinops.twin.spread import Spread
from twinops.twin.support import Support

if TYPE_CHECKING:
    from twinops.twin.intervals import Intervals

LEVEL = 0.8
ESTABLISHED, NEWCOMER, NOTHING = "established", "newcomer", "nothing known"


@dataclass(frozen=True)
class Forecast:
    """Chance to buy at all (None: cannot be told), baskets and USD in the horizon, each with its 80 % range.

    `basis` says what it rests on: `established`, `newcomer` (the first eight weeks) or `nothing known`.
    """

    horizon_days: int
    active_probability: float | None
    baskets: float
    baskets_range: tuple[float, float]
    spend: float
    spend_range: tuple[float, float]
    basis: str
    households: int

    @property
    def width(self) -> float:
        """USD between the ends of the range."""
        return self.spend_range[1] - self.spend_range[0]


def forecast(model: TwinModel, support: Support | None, state: StreamingState, *, day: int) -> Forecast:
    """Expect of a twin what its state tells, as of the morning of `day`: by the heads, which need the state alone.

    Raises:
        DataError: nothing tells how far off it may be.
    """
    if state.empty:
        return before_the_first_basket(support, horizon_days=model.horizon_days)
    row = state.at(day)
    expected = model.by_heads(rows([row]))
    band = support.newcomers.band(row["tenure_days"]) if support is not None and support.newcomers is not None else None
    if band is not None:
        ratios = band.baskets_ratio, band.spend_ratio
        return _around(model, expected, band.spread, basis=NEWCOMER, ratios=ratios)
    if model.intervals is not None and model.champion == GLM:
        return _conformal(model, expected, model.intervals)
    if support is None:
        raise DataError("Nothing tells how far off a prediction may be.", hint="Run `dvc repro twin`.")
    return _around(model, expected, support.tier(float(expected.baskets[0])).spread, basis=ESTABLISHED)


def before_the_first_basket(support: Support | None, *, horizon_days: int) -> Forecast:
    """What newcomers do from their first basket on: all that is believed of somebody of whom nothing is known.

    Raises:
        DataError: there were too few newcomers to tell.
    """
    if support is None or support.newcomers is None:
        raise DataError(
            "Too few newcomers were seen to say what one does.", hint="Collect more months, then `dvc repro twin`."
        )
    cold = support.newcomers
    return _made(horizon_days, (None, cold.baskets, cold.spend), cold.spread, NOTHING)


def _around(
    model: TwinModel, expected: Predictions, spread: Spread, *, basis: str, ratios: tuple[float, float] = (1.0, 1.0)
) -> Forecast:
    chance, baskets, spend = (float(getattr(expected, f)[0]) for f in ("active_probability", "baskets", "spend"))
    return _made(model.horizon_days, (chance, baskets * ratios[0], spend * ratios[1]), spread, basis)


def _made(horizon_days: int, expected: tuple[float | None, float, float], spread: Spread, basis: str) -> Forecast:
    chance, baskets, spend = expected
    ends = [spread.quantile(p, baskets=baskets, spend=spend) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)]
    return Forecast(
        horizon_days,
        None if chance is None else round(chance, 3),
        round(baskets, 2),
        (ends[0][0], ends[1][0]),
        round(spend, 2),
        (ends[0][1], ends[1][1]),
        basis,
        spread.households,
    )


def _conformal(model: TwinModel, expected: Predictions, calibrated: Intervals) -> Forecast:
    """The ranges that were calibrated with the heads."""
    ranges = calibrated.of(expected)
    baskets, spend = (
        tuple(float(np.asarray(getattr(ranges, f"{what}_{end}"))[0]) for end in ("low", "high"))
        for what in ("baskets", "spend")
    )
    return Forecast(
        model.horizon_days,
        round(float(expected.active_probability[0]), 3),
        round(float(expected.baskets[0]), 2),
        (baskets[0], baskets[1]),
        round(float(expected.spend[0]), 2),
        (spend[0], spend[1]),
        ESTABLISHED,
        int(calibrated.rows),
    )
