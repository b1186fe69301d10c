"""A yes that its source does not prove is no answer; a no needs no proof (GDPR art. 7(1), 7(3)).

Where a yes is confirmed by a message that was answered, one without that day is pending; where the shop says which
origins of a yes it can show, others do not count. What was said before stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa

from twinops.data.own_sources.cell_values import event_of, is_nothing
from twinops.data.own_sources.files.cells import TextCells, printable
from twinops.entities.consent import Event
from twinops.own_params import OwnSource

CONFIRMED, YES_ONLY = "confirmed", "yes_only"
"""How both are called in a declaration, and on the command line."""
PENDING = "yes_not_confirmed"
OTHER_ORIGIN = "yes not counted by "


def proved(cells: TextCells, said: OwnSource) -> TextCells:
    """The answers, one a row, without each yes that lacks its proof, counted by what it lacks."""
    if not said.proof:
        return cells
    table, lacks = cells.table, dict[str, np.ndarray]()
    for theirs, among in said.yes_only.items():
        lacks[OTHER_ORIGIN + printable(theirs)] = ~_where(table, theirs, frozenset(map(str.strip, among)).__contains__)
    if said.confirmed is not None:
        lacks[PENDING] = ~_where(table, said.confirmed, partial(confirms, missing=said.missing))
        for theirs, among in said.confirmed_of.items():
            lacks[PENDING] &= _where(table, theirs, frozenset(map(str.strip, among)).__contains__)
    left, yes, out = Counter(cells.left_out), _yeses(table, said), np.zeros(table.num_rows, bool)
    for why, without in lacks.items():
        gone = yes & without & ~out
        left += Counter({why: int(gone.sum())})
        out |= gone
    return replace(cells, table=table.filter(pa.array(~out, pa.bool_())), left_out=dict(left))


def confirms(cell: str, *, missing: tuple[str, ...] = ()) -> bool:
    """A day, a moment or a yes stands there; a day of zeros is none.

    >>> confirms("2024-03-01 10:02"), confirms("yes"), confirms(""), confirms("0000-00-00"), confirms("no")
    (True, True, False, False, False)
    """
    says_no = event_of(cell) not in (None, Event.GRANTED)
    nothing = is_nothing(cell) or cell.strip() in missing or not any(c.isalnum() and c != "0" for c in cell)
    return not (says_no or nothing)


def _where(table: pa.Table, theirs: str, holds: Callable[[str], bool]) -> np.ndarray:
    return np.array([holds(text.strip()) for text in _texts(table, theirs)], bool)


def _texts(table: pa.Table, theirs: str) -> list[str]:
    """The cells; of a table that does not hold the column nothing is proved."""
    if theirs not in table.column_names:
        return [""] * table.num_rows
    return [text or "" for text in table[theirs].to_pylist()]


def _yeses(table: pa.Table, said: OwnSource) -> np.ndarray:
    codes, fixed = said.codes.get("event", {}), said.constants.get("event")
    told = _texts(table, said.theirs("event")) if fixed is None else [fixed] * table.num_rows
    means = {t: codes.get(t.strip(), t.strip()) for t in set(told)}
    yes = {t for t, m in means.items() if event_of(m) is Event.GRANTED or m == Event.GRANTED}
    return np.array([t in yes for t in told], bool)
