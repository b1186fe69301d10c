"""Everybody's state on one day, from all their baskets at once: the same sums as `streaming`, on columns.

A decayed sum is a sum of doubles here and of whole numbers there: they differ by the last bits of a double, which are
below what any answer shows; everything else is equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.errors import DataError
from twinops.twin.state.features import BILLION, SPEEDS, decay, lapse_days, log_values


@dataclass(frozen=True)
class Visits:
    """Baskets of many twins: a running number per twin from 0, days by any one count, whole cents."""

    who: np.ndarray
    day: np.ndarray
    cents: np.ndarray

    def before(self, day: int) -> Visits:
        """Those of earlier days."""
        kept = self.day < day
        return Visits(self.who[kept], self.day[kept], self.cents[kept])

    @property
    def ordered(self) -> Visits:
        """By twin, then by day."""
        order = np.lexsort((self.cents, self.day, self.who))
        return Visits(self.who[order], self.day[order], self.cents[order])


@dataclass(frozen=True)
class Tabled:
    """Of each twin with a basket before the day its number, rising, and its state: a row of `features.STATE`."""

    who: np.ndarray
    table: pa.Table


def tabled(visits: Visits, *, today: int, decay_days: tuple[int, int, int]) -> Tabled:
    """The states as the evening before `today` knew them; baskets of that day and later do not enter.

    Raises:
        DataError: an amount is negative.
    """
    known = visits.before(today).ordered
    if not len(known.who):
        return Tabled(np.array([], np.int64), pa.table({}))
    if known.cents.min() < 0:
        raise DataError("A basket has an amount that cannot be.", hint="Such rows belong in the quarantine.")
    starts = np.flatnonzero(np.r_[True, known.who[1:] != known.who[:-1]])
    first, last = known.day[starts], known.day[np.r_[starts[1:], len(known.who)] - 1]
    sums = {
        **_decayed(known, starts, age=today - known.day, decay_days=decay_days),
        **_exposed(today - first, decay_days),
        "tenure_days": today - first,
        "recency_days": today - last,
        **_counted(known, starts, lapse=lapse_days(decay_days)),
    }
    return Tabled(known.who[starts], pa.table({name: pa.array(v, pa.int64()) for name, v in sums.items()}))


def _decayed(
    known: Visits, starts: np.ndarray, *, age: np.ndarray, decay_days: tuple[int, int, int]
) -> dict[str, np.ndarray]:
    out = {}
    for speed, tau in zip(SPEEDS, decay_days, strict=True):
        weight = BILLION * np.exp(-age / tau)
        out[f"baskets_{speed}"] = _whole(np.add.reduceat(weight, starts))
        out[f"cents_{speed}"] = _whole(np.add.reduceat(weight * known.cents, starts))
    return out


def _exposed(tenure: np.ndarray, decay_days: tuple[int, int, int]) -> dict[str, np.ndarray]:
    table = decay(decay_days, oldest_age=int(tenure.max()))
    return {f"exposure_{s}": np.asarray(table[f"exposure_{s}"])[tenure - 1] for s in SPEEDS}


def _counted(known: Visits, starts: np.ndarray, *, lapse: int) -> dict[str, np.ndarray]:
    """What is counted and added up in whole numbers."""
    gap = np.r_[0, np.diff(known.day)]
    gap[starts] = 0
    new_day = gap > 0
    new_day[starts] = True
    worth, place = np.unique(known.cents, return_inverse=True)
    logs = np.asarray(log_values(worth)["log_millionths"])[place]
    each = {
        "shopping_days": new_day.astype(np.int64),
        "quiet_days": np.maximum(gap - lapse, 0),
        "baskets_total": np.ones(len(gap), np.int64),
        "cents_total": known.cents,
        "log_value_sum": logs,
        "log_value_squares": logs * logs,
    }
    return {name: np.add.reduceat(values, starts) for name, values in each.items()}


def _whole(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(values), dtype=np.int64)
