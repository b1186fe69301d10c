"""Cells that a file holds as numbers and moments, as text; beside texts in one column as these are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files.cells import MAX_CELL
from twinops.errors import DataError

_EXACT = 2**53
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-][0-9]{1,2}[./-][0-9]{2,4}")
_FEWEST, _MONTHS = 20, 12


def as_declared(
    source: DeclaredSource, columns: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, pa.Array], frozenset[str]]:
    """The columns as text, and which of them hold typed cells alone: those are written plainly.

    Raises:
        DataError: a spreadsheet took days for months.
    """
    mixed = {c for c, values in columns.items() if is_mixed(values)}
    for theirs in mixed:
        if is_turned(columns[theirs]):
            raise turned(source.where, theirs)
    told = {
        c: pa.array([_beside_texts(v, source) if c in mixed else as_text(v) for v in values], pa.string())
        for c, values in columns.items()
    }
    return told, frozenset(c for c, values in columns.items() if c not in mixed and any(map(is_typed, values)))


def as_text(value: Any) -> str | None:
    """A cell as text: whole numbers without a point, moments in ISO 8601; cut to show that it is too long.

    >>> as_text(17850.0), as_text(2.5), as_text(True), as_text("")
    ('17850', '2.5', 'true', None)
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)[: MAX_CELL + 1]


def is_mixed(values: Sequence[Any]) -> bool:
    """A column holds numbers or days, and texts beside them that say the same."""
    return any(map(is_typed, values)) and any(isinstance(v, str) and any(map(str.isdigit, v)) for v in values)


def is_turned(values: Sequence[Any]) -> bool:
    """A spreadsheet that puts the month first took days for months: up to the 12th it could, the others stayed text."""
    made = [v.day for v in values if isinstance(v, date)]
    left = [int(found[1]) for v in values if isinstance(v, str) and (found := _DAY_FIRST.match(v))]
    return min(len(made), len(left)) >= _FEWEST and max(made) <= _MONTHS < min(left)


def turned(where: str, theirs: str) -> DataError:
    """The error of such a column: nothing says any more which of its days are right."""
    return DataError(
        f"In column {theirs} of {where} a spreadsheet took days for months: its dates have no day after the 12th, "
        "and all later days are text.",
        hint="Export it again as CSV, or open it with day before month.",
    )


def with_sign(value: Any, decimal: str) -> str | None:
    """As `as_text`, a number with the sign that the texts beside it have."""
    told = as_text(value)
    return told.replace(".", decimal) if told and isinstance(value, float) else told


def _beside_texts(value: Any, source: DeclaredSource) -> str | None:
    """A cell beside texts, in the way that is declared for them."""
    time, money = source.said.time, source.said.money
    if isinstance(value, date) and time is not None and "iso" not in (ways := (time.format, *time.also)):
        told = next((way for way in ways if way.startswith("%")), None)
        return as_text(value) if told is None else value.strftime(told)
    return with_sign(value, money.decimal if money else ".")


def is_typed(value: Any) -> bool:
    """It is no text."""
    return value is not None and not isinstance(value, str)
