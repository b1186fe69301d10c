"""Dates in a source's rows, and the project's day numbers they are sealed as."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.day_count import DayCount

CREDIBLE = (datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2100-01-01"))
"""Timestamps outside are mistakes."""

_UNIX = date(1970, 1, 1)


def local_day(moments: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The date of local timestamps. A source says dates; the intake counts them, all in one place (`numbered`).

    >>> local_day(pa.array([datetime(1997, 1, 1, 23, 59)])).to_pylist()
    [datetime.date(1997, 1, 1)]
    """
    return moments.cast(pa.date32(), safe=False)


def numbered(rows: pa.Table, days: DayCount) -> pa.Table:
    """The same rows with every date as the project's number of that day (int64).

    >>> numbered(pa.table({"day": [date(2017, 1, 1), None]}), DayCount(date(2016, 12, 31)))["day"].to_pylist()
    [1, None]
    """
    for place, field in enumerate(rows.schema):
        if pa.types.is_date32(field.type):
            since_unix = rows[field.name].cast(pa.int32()).cast(pa.int64())
            rows = rows.set_column(place, field.name, pc.add(since_unix, days.number(_UNIX)))
    return rows
