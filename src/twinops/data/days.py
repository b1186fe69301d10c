"""Days as whole numbers, counted from 1 January 2017 by the shop's own calendar."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

FIRST_DAY = date(2017, 1, 1)
"""Day 0 of every sealed table."""

CREDIBLE = (datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01"))
"""Timestamps outside are mistakes."""

_UNIX_DAY = (FIRST_DAY - date(1970, 1, 1)).days


def day_number(moments: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The day of local timestamps or dates (int64).

    >>> day_number(pa.array([date(2017, 1, 1), date(2017, 12, 31)])).to_pylist()
    [0, 364]
    """
    return pc.subtract(moments.cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64()), _UNIX_DAY)


def day_of(day: date) -> int:
    """The number of one day.

    >>> day_of(date(2018, 1, 1))
    365
    """
    return (day - FIRST_DAY).days
