"""Write the values of a copy as people write them: money in the shop's currency, days in words, articles by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from twinops.entities.wording import share
from twinops.governance.copy_words import (
    FORECAST,
    FORESEEN,
    HORIZON,
    HORIZON_2,
    HORIZON_3,
    PURPOSES,
    RESTS_ON,
    VERBS,
    YES_NO,
    ColumnWords,
    of_column,
)

CODES_FROM = 10**15
"""From here on a code is a number that stands for letters of the shop's own code: it tells nobody anything."""
UNSPELLED = "no longer known by its name"
UNSAID = ("", "open")
"""What stands in a notice's place where nobody has said which it was."""
RECORD, LABEL = "your_record", "label"
"""Columns that say whose row it is, and, where a row is of a text, what was read of it."""
NOTHING = "–"
UNREAD = "not known"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
Row = Mapping[str, Any]


@dataclass(frozen=True)
class CopyNames:
    """What values stand for: articles and kinds of goods by name, the currency, and the days of a forecast."""

    currency: str
    horizon_days: int
    minor_units: int = 2
    products: Mapping[int | str, str] = field(default_factory=dict)
    categories: Sequence[str] = ()
    unread: str = UNREAD
    """What stands where a text gave no mood and no topic."""


@dataclass(frozen=True)
class ShownTable:
    """A table as it is read: heads with what they mean, cells as text, and how many columns are for machines alone."""

    heads: tuple[str, ...]
    meanings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    for_machines: int


def shown(rows: Sequence[Row], *, names: CopyNames, invented: frozenset[str] = frozenset()) -> ShownTable:
    """The table without what only machines need: technical marks, and columns the shop's data do not have.

    >>> shown([{"your_record": 1, "day": "2017-01-07", "sales_cents": 299}], names=CopyNames("EUR", 28)).rows
    (('7 January 2017', '2.99 EUR'),)
    """
    if not rows:
        return ShownTable((), (), (), 0)
    rows = _foreseen(rows)
    columns = tuple(rows[0])
    alone = {row.get(RECORD) for row in rows} <= {1}
    kept = [c for c in columns if not (of_column(c).kind == "technical" or c in invented or (c == RECORD and alone))]
    receipts, read = _receipts(rows), LABEL in columns
    cells = tuple(tuple(_cell(c, row[c], names, receipts, of_text=read) for c in kept) for row in rows)
    heads = tuple(told(of_column(c).label, names) for c in kept)
    meanings = tuple(told(of_column(c).meaning, names) for c in kept)
    # what is empty in every row tells nothing on a page
    full = [n for n in range(len(kept)) if any(row[n] != NOTHING for row in cells)]
    return ShownTable(
        tuple(heads[n] for n in full),
        tuple(meanings[n] for n in full),
        tuple(tuple(row[n] for n in full) for row in cells),
        len(columns) - len(full) - (alone and RECORD in columns),
    )


def _foreseen(rows: Sequence[Row]) -> Sequence[Row]:
    """In a list of forecasts, what is expected under the name of what is expected."""
    if FORECAST not in rows[0]:
        return rows
    return [{FORESEEN.get(name, name): value for name, value in row.items()} for row in rows]


def in_words(day: date) -> str:
    """A day as people write it.

    >>> in_words(date(2017, 1, 7))
    '7 January 2017'
    """
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def money(hundredths: float, names: CopyNames) -> str:
    """An amount of money, kept in hundredths of the major unit.

    >>> money(123456, CopyNames("GBP", 28))
    '1,234.56 GBP'
    """
    return in_money(hundredths / 100, names)


def in_money(amount: float, names: CopyNames) -> str:
    """An amount with as many digits as the currency has; of a thousandth nothing is kept.

    >>> in_money(1234.5, CopyNames("JPY", 28, 0)), in_money(1234.5, CopyNames("KWD", 28, 3))
    ('1,234 JPY', '1,234.50 KWD')
    """
    return f"{amount:,.{min(names.minor_units, 2)}f} {names.currency}"


def _receipts(rows: Sequence[Row]) -> dict[Any, int]:
    """Each receipt of the person's by its place: its own number may be one that nobody ever saw."""
    return {b: n for n, b in enumerate(dict.fromkeys(row.get("basket_id") for row in rows), start=1)}


def told(text: str, names: CopyNames) -> str:
    """A text of ours with the days of this shop's forecast."""
    for n, mark in enumerate((HORIZON, HORIZON_2, HORIZON_3), start=1):
        text = text.replace(mark, str(n * names.horizon_days))
    return text


def _cell(column: str, value: Any, names: CopyNames, receipts: Mapping[Any, int], *, of_text: bool) -> str:
    if value is None or value == "":
        return names.unread if of_text and of_column(column).of_text else NOTHING
    if isinstance(value, bool):
        return YES_NO[value]
    if column == "basket_id" and isinstance(value, int) and value >= CODES_FROM:
        return f"no. {receipts[value]}"
    return _of_kind(of_column(column), value, names)


def _of_kind(words: ColumnWords, value: Any, names: CopyNames) -> str:
    if words.kind == "product" and (called := names.products.get(value)):
        return called
    if isinstance(value, str):
        return _of_text(words.kind, value)
    if words.kind == "flag":
        return YES_NO.get(value, f"{value:,}")
    if words.kind == "product":
        return f"an article {UNSPELLED}" if value >= CODES_FROM else f"article {value}"
    if words.kind == "category" and 0 <= value < len(names.categories):
        return names.categories[int(value)]
    return _figure(words.kind, value, names)


def _of_text(kind: str, value: str) -> str:
    if kind == "purpose":
        return PURPOSES.get(value, value.replace("_", " "))
    if kind == "basis":
        return RESTS_ON.get(value, value)
    if kind == "verb":
        return VERBS.get(value, value)
    if kind == "notice" and value.strip() in UNSAID:
        return "not said"
    if kind == "product":
        return f"article {value}"
    return value.replace("_", " ") if kind == "words" else _text(value)


def _figure(kind: str, value: float, names: CopyNames) -> str:
    if kind == "money":
        return money(value, names)
    if kind == "amount":
        return in_money(value, names)
    if kind == "share":
        return share(value)
    if kind == "mood":
        return f"{value / 10_000:.2f}".replace("-", "−")
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".").replace("-", "−")
    return UNSPELLED if value >= CODES_FROM else str(value)


def _text(value: str) -> str:
    try:
        return in_words(date.fromisoformat(value)) if _DAY.fullmatch(value) else value
    except ValueError:
        return value
