"""Read one cell: a number, an amount, a moment, an id. What cannot be read says so; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from twinops.data.days import CREDIBLE
from twinops.data.own_sources.codes import whole
from twinops.data.reading import contact_cells, csv_records, plain_text
from twinops.data.reading.reading import Refused
from twinops.entities.consent import Event
from twinops.own_params import MoneyParams, TimeParams

MAX_ID = 64
MAX_ANSWER = 60
_PLAIN = re.compile(r"[+-]?[0-9]{1,25}(?:\.[0-9]{1,25})?(?:[eE][+-]?[0-9]{1,2})?")
_FLOATING_ID = re.compile(r"([0-9]{1,20})\.0+")
_EXPONENT = re.compile(r"-?[0-9](?:[.,][0-9]+[eE]\+?|[eE]\+)[0-9]{1,3}")
_EXACT = 2**53
"""Beyond, a floating number no longer tells neighbouring whole numbers apart (IEEE 754)."""
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_EPOCH = re.compile(r"-?[0-9]{1,14}(?:\.[0-9]{1,9})?")
_YEAR = re.compile(r"(?<![0-9])(1[89][0-9]{2}|20[0-9]{2})(?![0-9])")
_BLANKS = re.compile("[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]")
SYMBOLS = {
    "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "¥", "INR": "₹", "KRW": "₩", "PLN": "zł", "CZK": "Kč",
    "CHF": "Fr.", "SEK": "kr", "DKK": "kr", "NOK": "kr", "BRL": "R$", "TRY": "₺", "UAH": "₴", "ILS": "₪", "HUF": "Ft",
}  # fmt: skip
"""How currencies are written beside an amount, apart from their codes."""

NOTHING = frozenset(
    {
        *(
            "null",
            "nil",
            "nan",
            "none",
            "na",
            "n/a",
            "n.a.",
            "#n/a",
            "#n/v",
            "#null!",
            "(null)",
            "(none)",
            "nat",
            "<na>",
        ),
        *("undefined", "unknown", "unbekannt", "inconnu", "desconocido", "sconosciuto", "onbekend", "anonymous"),
        *("anonym", "anonyme", "keine angabe", "k.a.", "k. a.", "not available", "no value", "<null>", "\\n"),
        *("-", "--", "---", "?", "."),
    }
)
"""Words for nothing. Whoever is called so is nobody (compared without regard to case)."""

_SAID = {
    Event.GRANTED: "granted yes y ja j oui o si sí sì sim true wahr vrai 1 x on given accepted allowed agreed active "
    "opt-in optin opt_in subscribed erteilt zugestimmt angemeldet",
    Event.REFUSED: "refused no n nein non nao não nee false falsch faux 0 off denied declined rejected abgelehnt "
    "verweigert inactive",
    Event.WITHDRAWN: "withdrawn withdrawal revoked opt-out optout opt_out unsubscribed widerrufen abgemeldet retiré "
    "revocado",
    Event.OBJECTED: "objected objection opposed widersprochen widerspruch stop",
}
WORDS = {word: event for event, words in _SAID.items() for word in words.split()}
"""What people and systems write for a yes, a no, a withdrawal and an objection (docs/own_sources.md)."""


class Unreadable(ValueError):  # noqa: N818  (caught beside the cell; not an error of the run)
    """The cell is not what its column should hold."""


def identity(cell: str) -> str:
    """An id as text (NFC), never evaluated; `17850.0`, as spreadsheets write whole numbers, is `17850`.

    What a spreadsheet made of a long number (`4.51234E+15`) is nobody's id: many ids became one.

    >>> identity("17850.0"), identity(" C-17 "), identity("=1+1"), identity("12E4")
    ('17850', 'C-17', '=1+1', '12E4')
    """
    text = unicodedata.normalize("NFC", cell.strip())
    if len(text) > MAX_ID or not text.isprintable() or not text or _EXPONENT.fullmatch(text):
        raise Unreadable
    floating = _FLOATING_ID.fullmatch(text)
    if floating and int(floating[1]) > _EXACT:
        raise Unreadable
    return floating[1] if floating else text


def is_nothing(cell: str) -> bool:
    """It stands for no value.

    >>> is_nothing(" NaN "), is_nothing(""), is_nothing("Nina")
    (True, True, False)
    """
    text = cell.strip()
    return not text or text.casefold() in NOTHING


def code(cell: str) -> int:
    """An invoice, shop or article as a whole number; see `_codes.whole`."""
    return whole(identity(cell))


def number(cell: str, money: MoneyParams | None) -> Decimal:
    """An amount as it is written; None: with a point and no thousands sign.

    A sign may stand before or behind, or be brackets; the declared currency may stand beside it.

    >>> euro = MoneyParams(decimal=",", thousands=".", currency="EUR")
    >>> number("1.234,50 €", euro), number("-2.5", None), number("3,00-", euro), number("(3,00)", euro)
    (Decimal('1234.50'), Decimal('-2.5'), Decimal('-3.00'), Decimal('-3.00'))
    """
    text = cell.strip().replace("\N{MINUS SIGN}", "-")
    if money is not None:
        text = _with_point(_signed(_without_currency(text, money)), money)
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
    if money.written_in == "minor":
        amount = amount.scaleb(-money.minor_units)
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
        if said.format in ("epoch", "epoch_ms") and (not iso or _EPOCH.fullmatch(text)):
            found = _since_1970(text, thousandths=said.format == "epoch_ms")
        elif iso or said.format == "iso":
            if not _ISO.fullmatch(text):
                raise Unreadable
            # a blank may stand before the offset, and UTC for it; the one between day and hour stays
            clock = re.sub(r" ?(UTC|Z|[+-][0-9]{2}(?::?[0-9]{2})?)$", r"\1", text[10:]).replace("UTC", "Z")
            found = datetime.fromisoformat(text[:10] + clock)
        else:
            found = datetime.strptime(text, said.format)  # noqa: DTZ007  (the zone follows)
        if found.tzinfo is None and said.zone == said.days_in:
            return found.replace(microsecond=0)
        aware = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(said.zone))
        return aware.astimezone(ZoneInfo(said.days_in)).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError, OSError):
        raise Unreadable from None


def until(cell: str, said: TimeParams, *, iso: bool) -> datetime | None:
    """A moment that need not be told; one beyond all calendars (`31.12.9999`) stands for none.

    >>> until("31.12.9999", TimeParams(format="%d.%m.%Y", zone="UTC"), iso=False) is None
    True
    """
    found = moment(cell, said, iso=iso)
    return found if CREDIBLE[0] <= found <= CREDIBLE[1] else None


def rounded(number: Decimal) -> int:
    """How much or how often, in whole numbers; nothing can be done less than never."""
    if number < 0:
        raise Unreadable
    return int(number.quantize(Decimal(1), ROUND_HALF_EVEN))


def points(number: Decimal, ends: tuple[float, float]) -> int:
    """An answer on a scale with these ends, in whole points from 0 to 100.

    >>> points(Decimal(4), (1, 7)), points(Decimal("-1.5"), (-3, 3))
    (50, 25)
    """
    low, high = (Decimal(str(end)) for end in ends)
    if not low <= number <= high:
        raise Unreadable
    return int((100 * (number - low) / (high - low)).quantize(Decimal(1), ROUND_HALF_EVEN))


def handle(cell: str) -> str:
    """An account as its owner's id: small letters, with an at sign that no customer's number has.

    >>> handle("Anna_57"), handle("@anna_57"), handle("Anna@Social.Example")
    ('@anna_57', '@anna_57', 'anna@social.example')
    """
    name = identity(cell).casefold()
    return name if "@" in name else f"@{name}"


def contact(cell: str) -> str | None:
    """A name, an address or a number that somebody is reached by, bounded and harmless."""
    try:
        return contact_cells.cell(cell)
    except Refused:
        raise Unreadable from None


def text(cell: str) -> str | None:
    """What somebody wrote, without markup, other people's handles, addresses and quoted words.

    >>> text("<p>Thanks @ida!</p>"), text("@ida")
    ('Thanks !', None)
    """
    if csv_records.is_formula(cell):
        raise Unreadable
    try:
        return plain_text.from_html(cell) or None
    except Refused:
        raise Unreadable from None


def words(cell: str) -> str:
    """Any other text, in NFC."""
    text = unicodedata.normalize("NFC", cell.strip())
    if not text.isprintable():
        raise Unreadable
    return text


def answer(cell: str) -> str:
    """What somebody said of themselves: a short text."""
    text = words(cell)
    if len(text) > MAX_ANSWER:
        raise Unreadable
    return text


def said(cell: str) -> str:
    """Yes, no, a withdrawal or an objection by any of their words; any other text as it stands.

    >>> said("Ja"), said("0"), said("perhaps")
    ('granted', 'refused', 'perhaps')
    """
    text = words(cell)
    return str(WORDS.get(text.casefold(), text))


def year(cell: str) -> int:
    """The year of birth, of a year or of any date with four digits of one.

    >>> year("1980"), year("03.07.1980"), year("1980.0")
    (1980, 1980, 1980)
    """
    found = _YEAR.findall(cell)
    if len(found) != 1:
        raise Unreadable
    return int(found[0])


def age_band(age: int) -> str | None:
    """Bands of ten years, as most shops report them; whoever is under age is in one band.

    >>> age_band(17), age_band(24), age_band(25), age_band(80), age_band(130)
    ('0-17', '18-24', '25-34', '65+', None)
    """
    if not 0 <= age <= 120:
        return None
    if age < 18 or age >= 65:
        return "0-17" if age < 18 else "65+"
    first = 18 if age < 25 else (age - 5) // 10 * 10 + 5
    return f"{first}-{24 if age < 25 else first + 9}"


def shape(cell: str) -> str:
    """How a cell looks, without what it says: digits are 9, letters x and X.

    >>> shape("31/02/2024 8h"), shape("Müller, K.")
    ('99/99/9999 9x', 'Xxxxxx, X.')
    """
    signs = ("9" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else _sign(c) for c in cell[:30])
    return "".join(signs) + ("..." if len(cell) > 30 else "")


def _sign(c: str) -> str:
    return c if c.isascii() and c.isprintable() else "?"


def _since_1970(text: str, *, thousandths: bool) -> datetime:
    if not _EPOCH.fullmatch(text):
        raise Unreadable
    return datetime.fromtimestamp(float(text) / (1000 if thousandths else 1), tz=UTC)


def _without_currency(text: str, money: MoneyParams) -> str:
    for mark in (money.currency, SYMBOLS.get(money.currency, money.currency)):
        text = text.removeprefix(mark).removesuffix(mark).strip()
        if text[:1] in ("-", "+", "("):
            text = text[0] + text[1:].lstrip().removeprefix(mark).lstrip()
    return text


def _signed(text: str) -> str:
    """The sign in front, where accountants write it behind or as brackets."""
    if text.startswith("(") and text.endswith(")"):
        return f"-{text[1:-1].strip()}"
    return f"-{text[:-1].strip()}" if text.endswith("-") else text


def _with_point(text: str, money: MoneyParams) -> str:
    """The same number with a point and without thousands signs, if these stand where they may."""
    sign, digits = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("", text)
    before, decimal, after = digits.partition(money.decimal)
    if money.thousands == " ":
        before = _BLANKS.sub(" ", before)
    elif money.thousands == "'":
        before = before.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if money.thousands and money.thousands in before:
        groups = before.split(money.thousands)
        if not 1 <= len(groups[0]) <= 3 or any(len(g) != 3 for g in groups[1:]):
            raise Unreadable
        before = "".join(groups)
    if "." in before or "." in after or (decimal and not after):
        raise Unreadable
    return f"{sign}{before}{'.' if decimal else ''}{after}"
