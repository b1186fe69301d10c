"""Living tastes: one household's baskets per category, kept up to date basket by basket, in any order, and forgotten.

Kept are whole numbers of baskets per category and day, so the order of events does not matter, a basket taken out again
leaves what was there before, and on any day the state is what `tastes.sql` makes of these baskets, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from twinops.errors import DataError
from twinops.twin.features import MILLION
from twinops.twin.living import ANCHOR, LAST_DAY, Heard
from twinops.twin.taste_events import SPEEDS


@dataclass(slots=True)
class LivingTastes:
    """The taste state of one household. Personal data: at rest it is sealed, like all of its kind."""

    decay_days: tuple[int, ...]
    categories: int
    bought: dict[int, dict[int, int]] = field(default_factory=dict)
    """Category's place -> day -> baskets that held it."""
    baskets: dict[int, tuple[int, frozenset[int]]] = field(default_factory=dict)
    """The shop's number of a basket -> its day and the categories it held."""

    def update(self, basket_id: int, day: int, places: Iterable[int]) -> Heard:
        """Take one basket in, early, late or twice: a constant number of steps per category it holds.

        Raises:
            DataError: the day or a category cannot be, or the basket is known with another content.
        """
        content = (day, frozenset(places))
        known = self.baskets.get(basket_id)
        if known is not None:
            if known != content:
                raise DataError("A basket is told twice, differently.", hint="Forget the first before the second.")
            return Heard.DUPLICATE
        if not ANCHOR <= day <= LAST_DAY or not all(0 <= p < self.categories for p in content[1]):
            raise DataError("A basket's day or category cannot be.", hint="Check the events' source.")
        self.baskets[basket_id] = content
        for place in content[1]:
            days = self.bought.setdefault(place, {})
            days[day] = days.get(day, 0) + 1
        return Heard.TAKEN

    def forget(self, basket_id: int) -> Heard:
        """Take one basket out again: afterwards the state is what it would be had the basket never come."""
        if basket_id not in self.baskets:
            return Heard.UNKNOWN
        day, places = self.baskets.pop(basket_id)
        for place in places:
            days = self.bought[place]
            days[day] -= 1
            if not days[day]:
                del days[day]
            if not days:
                del self.bought[place]
        return Heard.TAKEN

    def forget_all(self) -> None:
        """Forget the subject: what is left is what is believed of anyone."""
        self.bought.clear()
        self.baskets.clear()

    def at(self, day: int) -> list[dict[str, Any]]:
        """The state as of a day, as `tastes.sql` has it: one record per category bought before."""
        rows = []
        for place, days in sorted(self.bought.items()):
            before = sorted(d for d in days if d < day)
            if before:
                count = np.array([days[d] for d in before], dtype=np.int64)
                rows.append(
                    {
                        "place": place,
                        **dict(zip((f"bought_{s}" for s in SPEEDS), self._decayed(before, count, day), strict=True)),
                        "baskets": int(count.sum()),
                        "last_day": before[-1],
                    }
                )
        return rows

    def _decayed(self, days: Sequence[int], count: np.ndarray, day: int) -> list[int]:
        age = day - np.array(days)
        weights = (np.rint(MILLION * np.exp(-age / tau)).astype(np.int64) for tau in self.decay_days)
        return [int((count * weight).sum()) for weight in weights]

    def table(self, day: int, *, sid: str) -> pa.Table:
        """The state as of a day as a table for `taste_rows`."""
        kinds = ("place", *(f"bought_{s}" for s in SPEEDS), "baskets", "last_day")
        rows = self.at(day)
        columns = {name: pa.array([r[name] for r in rows], pa.int64()) for name in kinds}
        return pa.table({"sid": [sid] * len(rows), "cutoff": pa.array([day] * len(rows), pa.int64()), **columns})
