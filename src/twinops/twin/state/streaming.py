"""The streaming state: one household's sums, kept up to date basket by basket, in any order, and forgotten again.

Every quantity is a whole number and adding is all that is ever done to it, so the order of events does not matter,
parts merge by adding, and taking an event out again leaves exactly what was there before it came. Decay is exact too:
a basket of day `d` enters with the weight exp((d - ANCHOR) / tau), in units of 2**-60, and is never touched again; only
whoever asks for a day divides by that day's weight. So a late basket is one multiplication like any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa

from twinops.errors import DataError
from twinops.twin.state.features import BILLION, MILLION, SPEEDS, STATE, decay, lapse_days

ANCHOR = -6_210
"""Weights count from a day 17 years before the project's first, so that none is below one. Ten years more add 1,000
bits, not work."""

LAST_DAY = 30_315
"""83 years after the project's first day; who comes so far moves `features.first_day`."""
FRACTION = 60
"""Bits behind the point of a weight: it is exact to 2**-60 of itself."""

DIGITS = 40
"""Of a weight before it is made a whole number: more than those bits."""

REMEMBERED = 4096
"""Baskets whose ids are kept to know them again. The busiest of 2,469 households had 780 in a year."""

LARGEST_BASKET_CENTS = 10**9


class Basket(NamedTuple):
    """One event: the shop's number of the basket, its day by the project's count, and what it cost in whole cents."""

    basket_id: int
    day: int
    cents: int


class Heard(StrEnum):
    """What became of an event."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    """The same basket had been taken; nothing changed."""
    TOO_OLD = "too_old"
    """It is older than the ids that are kept, so it cannot be told from a duplicate; rebuild from the batches."""
    UNKNOWN = "unknown"
    """Asked to forget what was never taken; nothing changed."""


NO_FEATURES: Mapping[str, float] = MappingProxyType({})


@dataclass(slots=True)
class StreamingState:
    """The state of one household ("behavioural DNA"). Personal data: at rest it is sealed, like all of its kind.

    `decayed` holds, per speed, the weighted number of baskets and of cents; `days` how many baskets fell on each
    shopping day, which the first day, the last day and the number of days need to be forgotten exactly;
    `recent` the ids of the newest baskets with day and cents. Memory is bounded by shopping days and `remembered`.
    """

    decay_days: tuple[int, int, int]
    remembered: int = REMEMBERED
    decayed: list[int] = field(default_factory=lambda: [0] * (2 * len(SPEEDS)))
    baskets: int = 0
    cents: int = 0
    log_sum: int = 0
    log_squares: int = 0
    days: dict[int, int] = field(default_factory=dict)
    recent: dict[int, tuple[int, int]] = field(default_factory=dict)
    known_from: int = ANCHOR
    """Ids of baskets from this day on are kept; before it a duplicate could not be told."""

    def update(self, event: Basket) -> Heard:
        """Take one basket in, early, late or twice: amortised constant time.

        Raises:
            DataError: day or amount cannot be, or the basket is known with another day or amount.
        """
        basket_id, day, cents = event
        known = self.recent.get(basket_id)
        if known is not None:
            return _the_same(known, day, cents)
        weights = self._weighed(day, cents)
        # after its amounts are checked: what cannot be is an error at any age
        if day < self.known_from:
            return Heard.TOO_OLD
        self._add(weights, day, cents)
        recent = self.recent
        recent[basket_id] = (day, cents)
        if len(recent) > 2 * self.remembered:
            self._remember_fewer()
        return Heard.TAKEN

    def add(self, event: Basket) -> None:
        """Take in a basket that comes once, from whoever counts them: its id is not kept, so nothing grows but sums.

        Raises:
            DataError: day or amount cannot be.
        """
        _, day, cents = event
        self._add(self._weighed(day, cents), day, cents)

    def forget(self, event: Basket) -> Heard:
        """Take one basket out again: afterwards the state is what it would be had the basket never come."""
        basket_id, day, cents = event
        known = self.recent.get(basket_id)
        if known is None and day >= self.known_from:
            return Heard.UNKNOWN
        if known is not None:
            _the_same(known, day, cents)
            del self.recent[basket_id]
        # its id was dropped with age: take the caller's word, but never more than is held
        elif day not in self.days or not 0 <= cents <= self.cents:
            return Heard.UNKNOWN
        self._take_out(_weights(self.decay_days, day), day, cents)
        return Heard.TAKEN

    def merge(self, other: StreamingState) -> StreamingState:
        """Both parts' events together, as if one state had heard them all. The parts must not share a basket.

        Raises:
            DataError: they decay differently, or a basket is in both.
        """
        if other.decay_days != self.decay_days:
            raise DataError("States that decay at different speeds cannot be merged.", hint="Rebuild one of them.")
        if self.recent.keys() & other.recent.keys():
            raise DataError("The same basket is in both parts.", hint="Split the events so that each is in one part.")
        days = dict(self.days)
        for day, baskets in other.days.items():
            days[day] = days.get(day, 0) + baskets
        made = StreamingState(
            self.decay_days,
            self.remembered,
            [a + b for a, b in zip(self.decayed, other.decayed, strict=True)],
            self.baskets + other.baskets,
            self.cents + other.cents,
            self.log_sum + other.log_sum,
            self.log_squares + other.log_squares,
            days,
            {**self.recent, **other.recent},
            max(self.known_from, other.known_from),
        )
        if len(made.recent) > 2 * made.remembered:
            made._remember_fewer()
        return made

    def less(self, part: StreamingState) -> StreamingState:
        """What is left when all events of a part are taken out: as if they had never come.

        Raises:
            DataError: they decay differently, or more would be taken out than is held.
        """
        days = {day: self.days.get(day, 0) - part.days.get(day, 0) for day in {*self.days, *part.days}}
        decayed = [a - b for a, b in zip(self.decayed, part.decayed, strict=True)]
        sums = (self.baskets - part.baskets, self.cents - part.cents)
        if part.decay_days != self.decay_days or min([*sums, *decayed, *days.values()]) < 0:
            raise DataError("More would be taken out of a state than is in it.", hint="Rebuild it from the batches.")
        return StreamingState(
            self.decay_days,
            self.remembered,
            decayed,
            *sums,
            self.log_sum - part.log_sum,
            self.log_squares - part.log_squares,
            {day: n for day, n in days.items() if n},
            {i: seen for i, seen in self.recent.items() if i not in part.recent},
            self.known_from,
        )

    def summed(self) -> StreamingState:
        """The sums alone: ids of baskets stay with the batches, where they came from."""
        sums = self.baskets, self.cents, self.log_sum, self.log_squares
        return StreamingState(self.decay_days, REMEMBERED, self.decayed, *sums, self.days)

    @property
    def empty(self) -> bool:
        """No basket is known."""
        return not self.baskets

    @property
    def last_day(self) -> int | None:
        """The newest shopping day."""
        return max(self.days, default=None)

    def at(self, day: int) -> dict[str, int]:
        """The state as the evening before `day` knew it, in the units of `panel.sql`: one row of `features.STATE`.

        Exposure, tenure, counts and sums equal the panel's exactly. The panel rounds each basket's weight to a
        billionth, this rounds once: decayed sums of n baskets differ by at most (n + 1) / 2 billionths of a basket.

        Raises:
            DataError: no basket is known, or one is of that day or later: sums cannot be asked about their past.
        """
        last = self.last_day
        if last is None:
            raise DataError("The twin knows of no basket.", hint="Ask `forecast` what is believed of a newcomer.")
        if last >= day:
            raise DataError(
                "The twin knows of later baskets than the day it is asked about.", hint="Replay the earlier ones."
            )
        first = min(self.days)
        scale = _weights(self.decay_days, day)
        baskets, cents = self.decayed[: len(SPEEDS)], self.decayed[len(SPEEDS) :]
        row = {f"baskets_{s}": _ratio(n, w) for s, n, w in zip(SPEEDS, baskets, scale, strict=True)}
        row |= {f"cents_{s}": _ratio(n, w) for s, n, w in zip(SPEEDS, cents, scale, strict=True)}
        row |= dict(zip((f"exposure_{s}" for s in SPEEDS), exposures(self.decay_days, day - first), strict=True))
        row |= {"tenure_days": day - first, "recency_days": day - last, "shopping_days": len(self.days)}
        row |= {"quiet_days": quiet_days(self.days, lapse_days(self.decay_days))}
        row |= {"baskets_total": self.baskets, "cents_total": self.cents}
        return row | {"log_value_sum": self.log_sum, "log_value_squares": self.log_squares}

    def _weighed(self, day: int, cents: int) -> tuple[int, ...]:
        weights = _weights(self.decay_days, day)
        if not 0 <= cents <= LARGEST_BASKET_CENTS:
            raise _impossible()
        return weights

    def _add(self, weights: tuple[int, ...], day: int, cents: int) -> None:
        """Add a basket to every sum."""
        quick, steady, slow = weights
        decayed, log_value, days = self.decayed, log_millionths(cents), self.days
        decayed[0] += quick
        decayed[1] += steady
        decayed[2] += slow
        decayed[3] += quick * cents
        decayed[4] += steady * cents
        decayed[5] += slow * cents
        self.baskets += 1
        self.cents += cents
        self.log_sum += log_value
        self.log_squares += log_value * log_value
        days[day] = days.get(day, 0) + 1

    def _take_out(self, weights: tuple[int, ...], day: int, cents: int) -> None:
        """The same, the other way round."""
        log_value = log_millionths(cents)
        gone = [*weights, *(w * cents for w in weights)]
        self.decayed = [held - less for held, less in zip(self.decayed, gone, strict=True)]
        self.baskets -= 1
        self.cents -= cents
        self.log_sum -= log_value
        self.log_squares -= log_value * log_value
        self.days[day] -= 1
        if not self.days[day]:
            del self.days[day]

    def _remember_fewer(self) -> None:
        """Keep the newest ids. Half of them go at once, so that an event costs constant time on average."""
        order = sorted(self.recent.items(), key=lambda item: (item[1][0], item[0]), reverse=True)
        self.known_from = max(self.known_from, order[self.remembered][1][0] + 1)
        self.recent = {i: seen for i, seen in order if seen[0] >= self.known_from}


def replay(events: Iterable[Basket], *, decay_days: tuple[int, int, int]) -> StreamingState:
    """The state after these events, in any order."""
    state = StreamingState(decay_days)
    for event in events:
        state.update(event)
    return state


def rows(states: Iterable[Mapping[str, int]], *, own: Mapping[str, float] = NO_FEATURES) -> pa.Table:
    """Rows of `Living.at` as the table a model predicts from; `own` are features of the project's own, by column."""
    listed = list(states)
    table = {name: pa.array([row[name] for row in listed], pa.int64()) for name in STATE}
    return pa.table({**table, **{name: pa.array([value] * len(listed)) for name, value in own.items()}})


def to_record(state: StreamingState) -> dict[str, Any]:
    """The state as JSON values, to be sealed; big numbers as hexadecimal text."""
    return {
        "decay_days": list(state.decay_days),
        "remembered": state.remembered,
        "decayed": [f"{n:x}" for n in state.decayed],
        "sums": [state.baskets, state.cents, state.log_sum, state.log_squares],
        "days": [list(pair) for pair in sorted(state.days.items())],
        "recent": [[i, *seen] for i, seen in sorted(state.recent.items())],
        "known_from": state.known_from,
    }


def from_record(record: Mapping[str, Any]) -> StreamingState:
    """Read what `to_record` wrote.

    Raises:
        DataError: it is something else.
    """
    try:
        quick, steady, slow = map(int, record["decay_days"])
        baskets, cents, log_sum, log_squares = map(int, record["sums"])
        decayed = [int(n, 16) for n in record["decayed"]]
        days = {int(d): int(n) for d, n in record["days"]}
        recent = {int(i): (int(d), int(c)) for i, d, c in record["recent"]}
        known_from, remembered = int(record["known_from"]), int(record["remembered"])
    except (KeyError, TypeError, ValueError):
        raise DataError("This is no state of a twin.", hint="Rebuild it from the batches.") from None
    if len(decayed) != 2 * len(SPEEDS) or sum(days.values()) != baskets or min([baskets, cents, *decayed]) < 0:
        raise DataError("The sums of a state do not fit together.", hint="Rebuild it from the batches.")
    sums = baskets, cents, log_sum, log_squares
    return StreamingState((quick, steady, slow), remembered, decayed, *sums, days, recent, known_from)


def quiet_days(days: Iterable[int], lapse: int) -> int:
    """From how many days on a lapse passed without a basket, between the first and the last of these shopping days.

    >>> quiet_days([40, 0, 100], 28)
    44
    """
    return sum(max(later - earlier - lapse, 0) for earlier, later in pairwise(sorted(days)))


def log_millionths(cents: int) -> int:
    """log(1 + USD) in whole millionths, as `features.log_values` has it."""
    return round(MILLION * math.log1p(cents / 100))


@lru_cache(maxsize=1 << 16)
def exposures(decay_days: tuple[int, int, int], tenure: int) -> tuple[int, ...]:
    """Billionths of a day that a household of this tenure was seen for, at each speed; as `features.decay` has it."""
    return tuple(decay(decay_days, oldest_age=tenure)[f"exposure_{s}"][-1].as_py() for s in SPEEDS)


@lru_cache(maxsize=1 << 17)
def _weights(decay_days: tuple[int, int, int], day: int) -> tuple[int, ...]:
    """exp((day - ANCHOR) / tau) per speed, in units of 2**-60, by Python's own decimals: the same on every machine."""
    if not ANCHOR <= day < LAST_DAY:
        raise _impossible()
    with localcontext(prec=DIGITS):
        return tuple(int((Decimal(day - ANCHOR) / tau).exp() * (1 << FRACTION)) for tau in decay_days)


def _ratio(total: int, weight: int) -> int:
    """Billionths, rounded to the nearest."""
    return (total * BILLION * 2 + weight) // (2 * weight)


def _the_same(known: tuple[int, int], day: int, cents: int) -> Heard:
    """A basket that is known already must come with the same day and amount."""
    if known != (day, cents):
        raise DataError(
            "A basket came again with another day or amount.", hint="Forget the first, then take the corrected one."
        )
    return Heard.DUPLICATE


def _impossible() -> DataError:
    return DataError("A basket has a day or an amount that cannot be.", hint="Such rows belong in the quarantine.")
