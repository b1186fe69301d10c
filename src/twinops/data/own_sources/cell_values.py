"""Read one cell: a number, an amount, a moment, an id. What cannot be read says so; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from twinops.data.own_sources.codes import whole
from twinops.own_params import MoneyParams, TimeParams

MAX_ID = 64
_PLAIN = re.compile(r"[+-]?[0-9]{1,25}(?:\.[0-9]{1,25})?(?:[eE][+-]?[0-9]{1,2})?")
_FLOATING_ID = re.compile(r"[0-9]{1,15}\.0+")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


class Unreadable(ValueError):  # noqa: N818  (caught beside the cell; not an error of the run)
    """The cell is not what its column should hold."""


def identity(cell: str) -> str:
    """An id as text (NFC), never evaluated; `17850.0`, as spreadsheets write whole numbers, is `17850`.

    >>> identity("17850.0"), identity(" C-17 "), identity("=1+1")
    ('17850', 'C-17', '=1+1')
    """
    text = unicodedata.normalize("NFC", cell.strip())
    if len(text) > MAX_ID or not text.isprintable() or not text:
        raise Unreadable
    return text.partition(".")[0] if _FLOATING_ID.fullmatch(text) else text


def code(cell: str) -> int:
    """An invoice, shop or article as a whole number; see `_codes.whole`."""
    return whole(identity(cell))


def number(cell: str, money: MoneyParams | None) -> Decimal:
    """An amount as it is written; None: with a point and no thousands sign.

    >>> number("1.234,50", MoneyParams(decimal=",", thousands=".", currency="EUR")), number("-2.5", None)
    (Decimal('1234.50'), Decimal('-2.5'))
    """
    text = cell.strip()
    if money is not None:
        text = _with_point(text, money)
    if not _PLAIN.fullmatch(text):
        raise Unreadable
    return Decimal(text)


def hundredths(amount: Decimal, money: MoneyParams) -> int:
    """Whole hundredths of the currency's major unit, whatever its minor unit is (half to even).

    A price times a quantity is first rounded to what can be paid in the currency.

    >>> yen, dinar = (MoneyParams(currency=c, minor_units=n) for c, n in (("JPY", 0), ("KWD", 3)))
    >>> hundredths(Decimal(1500), yen), hundredths(Decimal("1.234"), dinar)
    (150000, 123)
    """
    paid = amount.scaleb(money.minor_units).quantize(Decimal(1), ROUND_HALF_EVEN).scaleb(-money.minor_units)
    return int(paid.scaleb(2).quantize(Decimal(1), ROUND_HALF_EVEN))


def count(cell: str, money: MoneyParams | None) -> int:
    """A whole number."""
    value = number(cell, money)
    if value != value.to_integral_value():
        raise Unreadable
    return int(value)


def moment(cell: str, said: TimeParams, *, iso: bool) -> datetime:
    """The local time by the calendar whose days count; naive, to the second.

    >>> said = TimeParams(format="%d.%m.%Y %H:%M", zone="UTC", counted_in="Europe/Berlin")
    >>> moment("31.12.2024 23:30", said, iso=False)
    datetime.datetime(2025, 1, 1, 0, 30)
    """
    text = cell.strip()
    try:
        if iso or said.format == "iso":
            if not _ISO.fullmatch(text):
                raise Unreadable
            found = datetime.fromisoformat(text)
        else:
            found = datetime.strptime(text, said.format)  # noqa: DTZ007  (the zone follows)
        if found.tzinfo is None and said.zone == said.days_in:
            return found.replace(microsecond=0)
        aware = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(said.zone))
        return aware.astimezone(ZoneInfo(said.days_in)).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError):
        raise Unreadable from None


def words(cell: str) -> str:
    """Any other text, in NFC."""
    text = unicodedata.normalize("NFC", cell.strip())
    if not text.isprintable():
        raise Unreadable
    return text


def _with_point(text: str, money: MoneyParams) -> str:
    """The same number with a point and without thousands signs, if these stand where they may."""
    sign, digits = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("", text)
    before, decimal, after = digits.partition(money.decimal)
    if money.thousands and money.thousands in before:
        groups = before.split(money.thousands)
        if not 1 <= len(groups[0]) <= 3 or any(len(g) != 3 for g in groups[1:]):
            raise Unreadable
        before = "".join(groups)
    if "." in before or "." in after or (decimal and not after):
        raise Unreadable
    return f"{sign}{before}{'.' if decimal else ''}{after}"
