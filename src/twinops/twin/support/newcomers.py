"""A newcomer's twin: what the population does first, then more and more what the newcomer does, with honest width.

Newcomers are households whose first basket came well after the data begin. Before it, all that is believed is what
other newcomers did; in the first two horizons the heads are corrected by what they missed of earlier newcomers, and the
range is as wide as they were wrong. Nothing but the newcomer's own baskets is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.model import TwinModel
from twinops.twin.state.streaming import Basket, replay, rows
from twinops.twin.strict_json import Days, NotNegative, declared
from twinops.twin.support.spread import Outcomes, Spread, enough, fit_spread

_BANDS = ((7, (1, 4, 7)), (28, (14, 21, 28)), (56, (42, 56)))
"""For a horizon of four weeks: up to so many days since the first basket; learned on so many days after it."""
_FOUR_WEEKS = 28


@declared
@dataclass(frozen=True)
class TenureBand:
    """For twins up to `upto_days` old: what was observed over what the heads expected, and the scatter around it."""

    upto_days: Days
    baskets_ratio: NotNegative
    spend_ratio: NotNegative
    spread: Spread


@declared
@dataclass(frozen=True)
class NewcomerModel:
    """What is believed before the first basket, and in the first two horizons. No household is in it."""

    baskets: NotNegative
    spend: NotNegative
    spread: Spread
    bands: tuple[TenureBand, ...]

    def band(self, tenure_days: int) -> TenureBand | None:
        """The band of a twin this old; None: it is established."""
        return next((b for b in self.bands if tenure_days <= b.upto_days), None)


@dataclass(frozen=True)
class Newcomer:
    """One household's baskets in order, the day of the first, and the first day that is not known any more."""

    household: int
    baskets: tuple[Basket, ...]
    known_until: int

    @property
    def first_day(self) -> int:
        """The day of the first basket."""
        return self.baskets[0].day

    def closed(self, day: int, horizon_days: int) -> bool:
        """Whether the horizon from that day on is over."""
        return day + horizon_days <= self.known_until

    def state(self, day: int, decay_days: tuple[int, int, int]) -> Mapping[str, int]:
        """What was known of the newcomer on the evening before that day."""
        return replay((b for b in self.baskets if b.day < day), decay_days=decay_days).at(day)


class _Seen(NamedTuple):
    """Baskets and USD of a household in one horizon."""

    household: int
    baskets: int
    usd: float

    @classmethod
    def of(cls, newcomer: Newcomer, day: int, horizon_days: int) -> _Seen:
        """In the horizon from that day on."""
        after = [b.cents for b in newcomer.baskets if day <= b.day < day + horizon_days]
        return cls(newcomer.household, len(after), sum(after) / 100)


class Expected(NamedTuple):
    """Of each row, the chance to come (NaN: not told), baskets and money."""

    chance: np.ndarray
    baskets: np.ndarray
    spend: np.ndarray


def bands(horizon_days: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """How old a twin is in each band, and how old it was where the band is learned, in days.

    >>> bands(28)[0], bands(56)[0]
    ((7, (1, 4, 7)), (14, (2, 8, 14)))
    """

    def scaled(days: int) -> int:
        return max(round(days * horizon_days / _FOUR_WEEKS), 1)

    return tuple((scaled(upto), tuple(dict.fromkeys(map(scaled, days)))) for upto, days in _BANDS)


def newcomers(
    baskets: Mapping[int, Sequence[Basket]], *, known_until: int, oldest: int, quiet: int
) -> tuple[Newcomer, ...]:
    """Households first seen at least `quiet` days after the data begin; `baskets` by household, in order of day.

    Who is seen earlier may only have been away.
    """
    return tuple(Newcomer(h, tuple(b), known_until) for h, b in baskets.items() if b and b[0].day >= oldest + quiet)


def outcomes_before(
    who: Sequence[Newcomer], *, horizon_days: int, baskets: float = 0.0, spend: float = 0.0
) -> Outcomes:
    """What was observed from the day of the first basket on, which no history predicts; the same is expected of all."""
    seen = [_Seen.of(n, n.first_day, horizon_days) for n in who if n.closed(n.first_day, horizon_days)]
    same = Expected(*(np.full(len(seen), value) for value in (np.nan, baskets, spend)))
    return _outcomes(seen, same)


def outcomes_after(who: Sequence[Newcomer], model: TwinModel, *, days: Sequence[int]) -> Outcomes:
    """What was expected so many days after the first basket, and what was observed.

    Raises:
        DataError: nothing was observed yet.
    """
    horizon = model.horizon_days
    asked = [(n, n.first_day + d) for n in who for d in days if n.closed(n.first_day + d, horizon)]
    if not asked:
        raise DataError("No newcomer's horizon is closed.", hint="Collect more months.")
    expected = model.predict(rows(n.state(day, model.decay_days) for n, day in asked))
    seen = [_Seen.of(n, day, horizon) for n, day in asked]
    return _outcomes(seen, Expected(expected.active_probability, expected.baskets, expected.spend))


def fit_newcomers(who: Sequence[Newcomer], model: TwinModel) -> NewcomerModel | None:
    """Learn what newcomers do; None: there are too few of them to tell without telling of one."""
    nothing = outcomes_before(who, horizon_days=model.horizon_days)
    if not enough(nothing):
        return None
    baskets, spend = rounded(float(nothing.baskets.mean())), rounded(float(nothing.spend.mean()))
    before = outcomes_before(who, horizon_days=model.horizon_days, baskets=baskets, spend=spend)
    found = []
    for upto, days in bands(model.horizon_days):
        seen = outcomes_after(who, model, days=days)
        # a band that too few newcomers reached is left to the next one
        if enough(seen):
            ratios = _ratio(seen.baskets, seen.expected_baskets), _ratio(seen.spend, seen.expected_spend)
            found.append(TenureBand(upto, *ratios, fit_spread(corrected(seen, *ratios))))
    return NewcomerModel(baskets, spend, fit_spread(before), tuple(found))


def corrected(seen: Outcomes, baskets_ratio: float, spend_ratio: float) -> Outcomes:
    """The same, with the expectations of the heads made right on average."""
    expected = seen.expected_baskets * baskets_ratio, seen.expected_spend * spend_ratio
    return Outcomes(seen.household, seen.chance, *expected, seen.baskets, seen.spend)


def _outcomes(seen: Sequence[_Seen], of: Expected) -> Outcomes:
    household, observed, usd = (np.array([s[i] for s in seen]) for i in range(3))
    return Outcomes(household, of.chance, of.baskets, of.spend, observed.astype(float), usd.astype(float))


def _ratio(observed: np.ndarray, expected: np.ndarray) -> float:
    return rounded(float(observed.sum() / max(expected.sum(), 1e-9)))
