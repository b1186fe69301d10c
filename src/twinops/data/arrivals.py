"""What came since last time: each period of a source new, late, corrected, doubled, gone, missing or as it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from twinops.entities.day_count import DayCount
from twinops.plugins import text_beside
from twinops.ports import Engine

LINE = (
    "sid", "day", "basket_id", "store_id", "product_id", "quantity",
    "sales_cents", "retail_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents",
)  # fmt: skip
"""What makes one receipt line the same as another."""
MOSTLY = 0.5
"""Of a period that is not held yet, the share of rows that stand there twice from which on it was sent twice: two equal
lines are two scans, a whole period of them is not."""


class Arrived(StrEnum):
    """What became of a source's period. From doubled on it is not taken in as it is."""

    SAME = "unchanged"
    NEW = "new"
    CHANGED = "changed"
    LATE = "late"
    CORRECTED = "corrected"
    DOUBLED = "doubled"
    GONE = "gone"
    MISSING = "missing"
    WAITS = "waits"
    SHRUNKEN = "shrunken"
    CUT = "cut"
    UNLIKE = "unlike"
    ONTO = "onto held receipts"
    FUTURE = "future"
    BEHIND_A_GAP = "behind a gap"


TAKEN = frozenset({Arrived.NEW, Arrived.CHANGED, Arrived.LATE, Arrived.CORRECTED})
DOUBTED = frozenset({Arrived.SHRUNKEN, Arrived.CUT, Arrived.UNLIKE, Arrived.FUTURE, Arrived.ONTO, Arrived.BEHIND_A_GAP})
"""It looks broken; taken in for what it is once a person says that it is right."""
REFUSED = frozenset({Arrived.DOUBLED, Arrived.GONE}) | DOUBTED
"""A person must look at these first: sales would count twice, or what is held could not be read again, or is lost."""


@dataclass(frozen=True)
class PeriodLines:
    """Receipt lines of one month: held before, read now; of these new, there twice, and lost. `newer`: no added line
    lies on or before the newest day that was held. `onto`: added to receipts that are held, with all that was held.
    """

    held: int = 0
    came: int = 0
    added: int = 0
    again: int = 0
    gone: int = 0
    newer: bool = True
    onto: int = 0

    @property
    def arrived(self) -> Arrived:
        """What that makes of the month."""
        # returns that stand there twice take more off: rows beside doubled ones are others then, or gone
        if self.again > (max(self.added, self.gone) if self.held else MOSTLY * self.added):
            return Arrived.DOUBLED
        if self.gone:
            return Arrived.CORRECTED
        if not self.added and not self.again:
            return Arrived.SAME
        return Arrived.NEW if self.newer else Arrived.LATE

    def shrunken(self, share: float) -> bool:
        """It is shorter than before by more than this share: others did not take the place of rows that are gone."""
        return min(self.gone, self.held - self.came) > share * self.held


def compared(
    engine: Engine, held: pa.Table, came: pa.Table, *, days: DayCount, newest: int | None = None
) -> dict[str, PeriodLines]:
    """Month -> its lines, of two tables with the columns `LINE`; `newest` is the newest day that was held anywhere."""
    engine.register("arrivals_held", held.select(list(LINE)))
    engine.register("arrivals_came", came.select(list(LINE)))
    found: dict[str, PeriodLines] = {}
    for row in engine.query(text_beside("twinops.data", "arrivals.sql")).to_pylist():
        day = row.pop("day")
        month = f"{days.date_of(day):%Y-%m}"
        newer = not row["added"] or newest is None or day > newest
        before = found.get(month, PeriodLines())
        found[month] = PeriodLines(
            **{name: getattr(before, name) + n for name, n in row.items()}, newer=before.newer and newer
        )
    return found


def in_order(months: Sequence[str], there: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Months up to the first that is not there, those that are missing, and those that wait for them.

    A month that is left out would be taken for silence, so what lies behind it waits, in whatever order files come.

    >>> in_order(["2017-01"], ["2017-01", "2017-02", "2017-05"])
    (('2017-01', '2017-02'), ('2017-03', '2017-04'), ('2017-05',))
    """
    found = sorted({*there, *months})
    whole = span(found[0], found[-1])
    missing = tuple(m for m in whole if m not in found)
    ready = tuple(m for m in found if not missing or m < missing[0])
    return ready, missing, tuple(m for m in found if m not in ready)


def span(first: str, last: str) -> tuple[str, ...]:
    """Every month from the one to the other.

    >>> span("2017-12", "2018-02")
    ('2017-12', '2018-01', '2018-02')
    """
    (year, month), end = (int(p) for p in first.split("-")), last
    out = [first]
    while out[-1] < end:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        out.append(f"{year:04}-{month:02}")
    return tuple(out)
