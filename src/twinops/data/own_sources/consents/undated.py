"""A no whose day cannot be read still is a no: no earlier yes may outlive it (GDPR art. 7(3)).

Of a ledger it holds from the last day that its file tells, after everything else of that day; of a list of objections
always, as one without a day does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE
from twinops.entities.consent import Event
from twinops.own_params import OwnSource

UNDATED_NO = "no_without_a_readable_day"
UNDATED = CREDIBLE[1]
"""Stands for the last day of the file until all of it is read."""
NOES = pa.array([str(e) for e in Event if e is not Event.GRANTED])
AFTER_ALL = 9 * 10**15
"""With a place in the file: higher than the last second of a day, and within what `seq` may be."""


def keep_noes(columns: dict[str, Any], bad: dict[str, np.ndarray], said: OwnSource) -> dict[str, int]:
    """Let in each no whose day cannot be read, or is none that is credible; how many is told."""
    if said.form.staged_as != "consent" or not {"time", "event"} <= columns.keys():
        return {}
    times, wrong = columns["time"], bad.get("time_unreadable")
    silent = np.asarray(pc.is_null(times)) & (said.undated_from is None and not said.form.lists)
    first, last = (pa.scalar(day, times.type) for day in CREDIBLE)
    beyond = np.asarray(pc.fill_null(pc.or_(pc.less(times, first), pc.greater(times, last)), False))
    unread = silent | beyond | (False if wrong is None else wrong)
    undated = unread & np.asarray(pc.fill_null(pc.is_in(columns["event"], NOES), False))
    if not undated.any():
        return {}
    if wrong is not None:
        bad["time_unreadable"] = wrong & ~undated
    stands = pa.scalar(None if said.form.lists else UNDATED, times.type)
    columns["time"] = pc.if_else(pa.array(undated), stands, times)
    return {UNDATED_NO: int(undated.sum())}


def dated(rows: pa.Table, said: OwnSource) -> pa.Table:
    """Rows with their `place`: what has no day of its own gets the last one that any other tells."""
    if said.form.staged_as != "consent" or said.form.lists or not rows.num_rows:
        return rows
    mark = pa.scalar(UNDATED, rows["time"].type)
    undated = pc.and_(pc.equal(rows["time"], mark), pc.is_in(rows["event"], NOES))
    if not pc.any(undated).as_py():
        return rows
    last = pc.max(rows["time"].filter(pc.invert(undated))).as_py() or CREDIBLE[0]
    times = pc.if_else(undated, pa.scalar(last, rows["time"].type), rows["time"])
    order = pc.if_else(undated, pc.add(pa.scalar(AFTER_ALL), rows["place"]), rows["seq"])
    columns = rows.column_names
    rows = rows.set_column(columns.index("time"), "time", times)
    return rows.set_column(columns.index("seq"), "seq", order)
