"""Minors are out: nobody is looked at on a day before full age, whatever the ledger says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.consent import Reason
from twinops.entities.day_count import DayCount
from twinops.params import AgesParams
from twinops.plugins import text_beside
from twinops.ports import Engine

NOBODY = pa.table({"sid": pa.array([], pa.string()), "birth_day": pa.array([], pa.int64())})
"""No birthday is known."""


@dataclass(frozen=True)
class FullAge:
    """From which age a subject may be in a twin, and how the project counts its days."""

    rule: AgesParams
    days: DayCount


def adult_from(born: date, *, years: int = 18) -> date:
    """The first day of full age. Who was born on 29 February waits for 1 March in a year without that day.

    >>> adult_from(date(2000, 1, 1)), adult_from(date(2000, 2, 29), years=18)
    (datetime.date(2018, 1, 1), datetime.date(2018, 3, 1))
    """
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def of_age(engine: Engine, answers: pa.Table, births: pa.Table, full_age: FullAge) -> pa.Table:
    """The ledger's answers (see `consent.allowed`), refused with a reason where the subject is under age on the day.

    `births` has `sid, birth_day`. Where a subject has several birthdays the latest counts; where none, the rule says.
    """
    engine.register("consent_answered", answers)
    engine.register("adults", _adults(births, full_age))
    unknown = None if full_age.rule.unknown == "admitted" else Reason.AGE_UNKNOWN.value
    engine.register("age_rule", pa.table({"unknown_reason": pa.array([unknown], pa.string())}))
    return engine.query(text_beside(__package__, "of_age.sql"))


def since_full_age(lines: pa.Table, births: pa.Table, full_age: FullAge) -> pa.Table:
    """The lines (`sid, day`) without those from before a subject's full age: a twin learns nothing of a child."""
    first: dict[str, int] = {}
    for sid, day in zip(*(c.to_pylist() for c in _adults(births, full_age).columns), strict=True):
        if day is not None:
            # of several birthdays the latest counts: in doubt somebody is taken for younger (GDPR rec. 38)
            first[sid] = max(day, first.get(sid, day))
    if not first or lines.num_rows == 0 or max(first.values()) <= pc.min(lines["day"]).as_py():
        return lines
    place = pc.index_in(lines["sid"], pa.array(first, pa.string()))
    days = pa.array(first.values(), pa.int64()).take(place.combine_chunks())
    return lines.filter(pc.fill_null(pc.greater_equal(lines["day"], days), fill_value=True))


def birth_days(born: pa.Array | pa.ChunkedArray, days: DayCount) -> pa.Array:
    """Birthdays written as ISO 8601 (null where unknown) as day numbers.

    >>> birth_days(pa.array(["2000-01-01", None]), DayCount(date(2017, 1, 1))).to_pylist()
    [-6210, None]
    """
    return pa.array([None if b is None else days.number(date.fromisoformat(b)) for b in born.to_pylist()], pa.int64())


def _adults(births: pa.Table, full_age: FullAge) -> pa.Table:
    """`sid, adult_day`; the calendar's years are counted here, engines differ in how they add them."""
    distinct = [d for d in pc.unique(births["birth_day"]).to_pylist() if d is not None]
    count, years = full_age.days, full_age.rule.adult_years
    first = {d: count.number(adult_from(count.date_of(d), years=years)) for d in distinct}
    days = [None if d is None else first[d] for d in births["birth_day"].to_pylist()]
    return pa.table({"sid": births["sid"].cast(pa.string()), "adult_day": pa.array(days, pa.int64())})
