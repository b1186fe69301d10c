"""A newcomer's twin: what the population does first, then more and more what the newcomer does, with honest width.

Newcomers are households whose first basket came well after the data begin. Before it, all that is believed is what
other newcomers did; in the first eight weeks the heads are corrected by what they missed of earlier newcomers, and the
range is as wide as they were wrong. Nothing but the newcomer's own baskets is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.living import Basket, StreamingState, rows
from twinops.twin.model import TwinModel
from twinops.twin.spread import Outcomes, Spread, enough, fit_spread
from twinops.twin.strict import Days, NotNegative, declared

QUIET_DAYS = 28
"""A household first seen after so many days of data counts as new; one seen earlier may only have been away."""

BANDS = ((7, (1, 4, 7)), (28, (14, 21, 28)), (56, (42, 56)))
"""Up to so many days since the first basket; learned on so many days after it."""


@declared
@dataclass(frozen=True)
class TenureBand:
    """For twins up to `upto_days` old: what came over what the heads expected, and how it scattered around that."""

    upto_days: Days
    baskets_ratio: NotNegative
    spend_ratio: NotNegative
    spread: Spread


@declared
@dataclass(frozen=True)
class NewcomerModel:
    """What is believed before the first basket, and in the first eight weeks. No household is in it."""

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
        """Whether what came after that day is known."""
        return day + horizon_days <= self.known_until

    def came(self, day: int, horizon_days: int) -> tuple[int, float]:
        """Baskets and USD in the horizon from that day on."""
        after = [b.cents for b in self.baskets if day <= b.day < day + horizon_days]
        return len(after), sum(after) / 100


def newcomers(baskets: Mapping[int, Sequence[Basket]], *, known_until: int, oldest: int) -> tuple[Newcomer, ...]:
    """Households first seen at least `QUIET_DAYS` after the data begin; `baskets` by household, in order of day."""
    return tuple(
        Newcomer(h, tuple(b), known_until) for h, b in baskets.items() if b and b[0].day >= oldest + QUIET_DAYS
    )


def outcomes_before(who: Sequence[Newcomer], *, horizon_days: int, believed: tuple[float, float]) -> Outcomes:
    """What came from the day of the first basket on, which nobody's history foretells."""
    seen = [(n.household, *n.came(n.first_day, horizon_days)) for n in who if n.closed(n.first_day, horizon_days)]
    return _outcomes(seen, np.full(len(seen), believed[0]), np.full(len(seen), believed[1]))


def outcomes_after(
    who: Sequence[Newcomer], model: TwinModel, *, days: Sequence[int], settings: tuple[int, tuple[int, int, int]]
) -> Outcomes:
    """What was expected so many days after the first basket, and what came; `settings`: horizon and decay."""
    horizon, decay_days = settings
    states, seen = [], []
    for one in who:
        for asked in (one.first_day + d for d in days):
            if one.closed(asked, horizon):
                state = StreamingState(decay_days)
                for basket in one.baskets:
                    if basket.day < asked:
                        state.update(basket)
                states.append(state.at(asked))
                seen.append((one.household, *one.came(asked, horizon)))
    if not states:
        raise DataError("No newcomer's horizon is closed.", hint="Collect more months.")
    expected = model.by_heads(rows(states))
    return _outcomes(seen, expected.baskets, expected.spend)


def fit_newcomers(
    who: Sequence[Newcomer], model: TwinModel, *, horizon_days: int, decay_days: tuple[int, int, int]
) -> NewcomerModel | None:
    """Learn what newcomers do; None: there are too few of them to tell without telling of one."""
    nothing = outcomes_before(who, horizon_days=horizon_days, believed=(0.0, 0.0))
    if not enough(nothing):
        return None
    baskets, spend = rounded(float(nothing.baskets.mean())), rounded(float(nothing.spend.mean()))
    before = outcomes_before(who, horizon_days=horizon_days, believed=(baskets, spend))
    bands = []
    for upto, days in BANDS:
        seen = outcomes_after(who, model, days=days, settings=(horizon_days, decay_days))
        if enough(seen):
            ratios = _ratio(seen.baskets, seen.expected_baskets), _ratio(seen.spend, seen.expected_spend)
            bands.append(TenureBand(upto, *ratios, fit_spread(corrected(seen, *ratios))))
    return NewcomerModel(baskets, spend, fit_spread(before), tuple(bands))


def corrected(seen: Outcomes, baskets_ratio: float, spend_ratio: float) -> Outcomes:
    """The same, with the expectations of the heads made right on average."""
    expected = seen.expected_baskets * baskets_ratio, seen.expected_spend * spend_ratio
    return Outcomes(seen.household, *expected, seen.baskets, seen.spend)


def _outcomes(seen: list[tuple[int, int, float]], baskets: np.ndarray, spend: np.ndarray) -> Outcomes:
    household, came, spent = (np.array([s[i] for s in seen]) for i in range(3))
    return Outcomes(household, baskets, spend, came.astype(float), spent.astype(float))


def _ratio(came: np.ndarray, expected: np.ndarray) -> float:
    return rounded(float(came.sum() / max(expected.sum(), 1e-9)))
