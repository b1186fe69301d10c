"""Read one cell: a number, an amount, a moment, an id. What cannot be read says so; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from twinops.data.days import CREDIBLE
from twinops.data.own_sources.codes import whole
from twinops.data.reading import contact_cells, csv_records, plain_text
from twinops.data.reading.plain_letters import plain
from twinops.data.reading.reading import Refused
from twinops.entities.consent import SAID, Event
from twinops.own_sections import MoneyParams, TimeParams
from twinops.plugins import text_beside

MAX_ID = 64
MAX_ANSWER = 60
_PLAIN = re.compile(r"[+-]?[0-9]{1,25}(?:\.[0-9]{1,25})?(?:[eE][+-]?[0-9]{1,2})?")
_FLOATING_ID = re.compile(r"([0-9]{1,20})\.(?:00?|0{4,})")
"""With three zeros it may be thousands, and another customer's."""
_EXPONENT = re.compile(r"-?[0-9](?:[.,][0-9]+[eE]\+?|[eE]\+)[0-9]{1,3}")
_EXACT = 2**53
"""Beyond, a floating number no longer tells neighbouring whole numbers apart (IEEE 754)."""
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_MINUS = str.maketrans(dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}▲△", "-"))
"""Signs before an amount below zero; triangles are Japanese bookkeepers'."""
_EPOCH = re.compile(r"-?[0-9]{1,14}(?:\.[0-9]{1,9})?")
_YEAR = re.compile(r"(?<![0-9])(1[89][0-9]{2}|20[0-9]{2})(?![0-9])")
_BLANKS = re.compile("[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LISTED: dict[str, Any] = _Loader(text_beside(__package__ or "", "cell_words.yaml")).get_single_data()
"""The words and signs of `cell_words.yaml`, by what they stand for."""
SYMBOLS = {currency: tuple(marks) for currency, marks in LISTED["symbols"].items()}
"""How currencies are written beside an amount, apart from their codes."""
NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency: none was said, and any may stand beside an amount."""
_ANY_MARK = tuple(sorted({*SYMBOLS, *(m for marks in SYMBOLS.values() for m in marks)} - {"R"}, key=len, reverse=True))

NOTHING = frozenset(word.replace("_", " ").casefold() for word in str(LISTED["nothing"]).split())
"""Words for nothing. Whoever is called so is nobody (compared without regard to case)."""

WORDS = {plain(word): Event(event) for event, words in LISTED["said"].items() for word in words.split()}
"""What people and systems write for a yes, a no, a withdrawal and an objection (docs/own_sources.md)."""


PAIRS = {frozenset((yes, no)): yes for yes, no in LISTED["pairs"].items()}
"""Letters that are a yes and a no where both stand in one column: the yes of each pair."""


def event_of(text: str) -> Event | None:
    """What a word says; None: it is no such word."""
    return WORDS.get(plain(text.strip()))


class Unreadable(ValueError):  # noqa: N818  (caught beside the cell; not an error of the run)
    """The cell is not what its column should hold."""


def identity(cell: str) -> str:
    """An id as text (NFC), never evaluated; `17850.0`, as spreadsheets write whole numbers, is `17850`.

    What a spreadsheet made of a long number (`4.51234E+15`) is nobody's id: many ids became one.

    >>> identity("17850.0"), identity(" C-17 "), identity("=1+1"), identity("12E4")
    ('17850', 'C-17', '=1+1', '12E4')
    >>> identity("Ｃ－１７"), identity("٤٧١١"), identity("\u200f4711\u200b"), identity("45.000")
    ('C-17', '4711', '4711', '45.000')
    """
    text = _one_way(unicodedata.normalize("NFC", cell)).strip()
    if len(text) > MAX_ID or not text.isprintable() or not text or _EXPONENT.fullmatch(text):
        raise Unreadable
    floating = _FLOATING_ID.fullmatch(text)
    if floating and int(floating[1]) > _EXACT:
        raise Unreadable
    return floating[1] if floating else text


def _one_way(text: str) -> str:
    """Without marks that nobody sees, and letters, digits and signs of one width: two that look alike are one id."""
    if text.isascii():
        return text
    seen = (c for c in text if unicodedata.category(c) != "Cf")
    narrowed = (chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else c for c in seen)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in narrowed)


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
    >>> number("▲1", None)
    Decimal('-1')
    """
    text = narrow(cell.strip()).translate(_MINUS)
    if money is not None:
        text = _with_point(_signed(_without_currency(text, money)), money)
    if not _PLAIN.fullmatch(text):
        raise Unreadable
    return Decimal(text)


def share(cell: str, money: MoneyParams | None, *, of: int) -> Decimal:
    """A share from 0 to 1 of either sign, written as so many `of` (100: per cent); with its sign it is per cent anyhow.

    >>> share("10", None, of=100), share("10 %", None, of=1), share("-0.1", None, of=1)
    (Decimal('0.1'), Decimal('0.1'), Decimal('0.1'))
    """
    text = narrow(cell)
    found = abs(number(text.replace("%", ""), money) / (100 if "%" in text else of))
    if found > 1 or found != round(found, 20):
        raise Unreadable
    return found


def narrow(text: str) -> str:
    """Digits, signs and blanks as ASCII writes them, whatever script and width they came in.

    >>> narrow("１，２３４円"), narrow("٣٫٥"), narrow("2024年３月5日")
    ('1,234円', '3٫5', '2024年3月5日')
    """
    if text.isascii():
        return text
    found = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in found)


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
    >>> both = TimeParams(format="iso", also=("%d.%m.%Y",), zone="UTC")
    >>> moment("2024-12-31", both, iso=False) == moment("31.12.2024", both, iso=False)
    True
    """
    if iso or not said.also:
        return _moment(cell, said, said.format, iso=iso)
    ways = (_moment_or_none(cell, said, one) for one in (said.format, *said.also))
    found = {moment for moment in ways if moment is not None}
    if len(found) != 1:
        raise Unreadable
    return found.pop()


def _moment_or_none(cell: str, said: TimeParams, format_: str) -> datetime | None:
    try:
        return _moment(cell, said, format_, iso=False)
    except Unreadable:
        return None


def _moment(cell: str, said: TimeParams, format_: str, *, iso: bool) -> datetime:
    text = narrow(cell.strip())
    try:
        if format_ in ("epoch", "epoch_ms") and (not iso or _EPOCH.fullmatch(text)):
            found = _since_1970(text, thousandths=format_ == "epoch_ms")
        elif iso or format_ == "iso":
            if not _ISO.fullmatch(text):
                raise Unreadable
            # a blank may stand before the offset, and UTC for it; the one between day and hour stays
            clock = re.sub(r" ?(UTC|Z|[+-][0-9]{2}(?::?[0-9]{2})?)$", r"\1", text[10:]).replace("UTC", "Z")
            found = datetime.fromisoformat(text[:10] + clock)
        else:
            found = _written(text, format_)
        if found.tzinfo is None and said.zone == said.days_in:
            return found.replace(microsecond=0)
        aware = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(said.zone))
        return aware.astimezone(ZoneInfo(said.days_in)).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError, OSError):
        raise Unreadable from None


_PLACES = {
    "%d": r"(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])", "%m": r"(?P<m>1[0-2]|0[1-9]|[1-9])", "%Y": r"(?P<Y>\d{4})",
    "%H": r"(?P<H>2[0-3]|[0-1]\d|\d)", "%M": r"(?P<M>[0-5]\d|\d)", "%S": r"(?P<S>[0-5]\d|\d)",
}  # fmt: skip


@cache
def _pattern(format_: str) -> re.Pattern[str] | None:
    """What strptime matches, where a moment is written in digits alone; None: it has other letters."""
    letters = re.findall("%.", format_)
    if set(letters) - set(_PLACES) or len(set(letters)) < len(letters) or not {"%d", "%m", "%Y"} <= set(letters):
        return None
    cut = re.split("(%.|\\s+)", format_)
    return re.compile("".join(_PLACES.get(c, r"\s+" if c.isspace() else re.escape(c)) for c in cut))


def _written(text: str, format_: str) -> datetime:
    """As strptime reads it, which takes twenty times as long."""
    pattern = _pattern(format_)
    if pattern is None:
        return datetime.strptime(_in_english(text, format_), format_)  # noqa: DTZ007  (the zone follows)
    if (found := pattern.fullmatch(text)) is None:
        raise Unreadable
    of = {letter: int(digits) for letter, digits in found.groupdict().items()}
    return datetime(of["Y"], of["m"], of["d"], of.get("H", 0), of.get("M", 0), of.get("S", 0))  # noqa: DTZ001  (as above)


def _in_english(text: str, format_: str) -> str:
    """A month's name as strptime knows it."""
    if "%b" not in format_ and "%B" not in format_:
        return text
    name = next((w for w in re.findall(r"[^\W\d_]+\.?", text) if plain(w.rstrip(".")) in MONTHS), None)
    if name is None:
        return text
    return text.replace(name, MONTHS[plain(name.rstrip("."))][: 3 if "%b" in format_ else None], 1)


MONTHS = {plain(word): month for month, words in LISTED["months"].items() for word in words.split()}
"""Months by their names in other languages (`listopad` is left out: October in one, November in another)."""


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
    """Yes, no, a withdrawal or an objection by any of their words, or one of ours.

    >>> said("Ja"), said("0"), said("Retirado"), said("restricted")
    ('granted', 'refused', 'withdrawn', 'restricted')
    """
    text = words(cell)
    event = event_of(text) or (text if text in SAID else None)
    if event is None:
        raise Unreadable
    return str(event)


def year(cell: str) -> int:
    """The year of birth, of a year or of any date with four digits of one.

    >>> year("1980"), year("03.07.1980"), year("1980.0")
    (1980, 1980, 1980)
    """
    found = _YEAR.findall(cell)
    if len(found) != 1:
        raise Unreadable
    return int(found[0])


def born(cell: str) -> str:
    """The latest day that the cell may mean, as ISO 8601: in doubt somebody is younger than they are (GDPR rec. 38).

    >>> born("2010-05-04"), born("4. 5. 2010"), born("05/04/2010"), born("2010")
    ('2010-05-04', '2010-05-04', '2010-05-04', '2010-12-31')
    """
    whole = year(cell)
    before, _, after = cell.partition(str(whole))
    left, right = ([int(n) for n in re.findall(r"(?<![0-9:])[0-9]{1,2}(?![0-9:])", part)] for part in (before, after))
    pairs = (
        {tuple(right[:2])} if len(right) >= 2 else {tuple(left[:2]), tuple(left[1::-1])} if len(left) == 2 else set()
    )
    if len(left) == 2 and "." in before:
        pairs = {(left[1], left[0])}  # with points the day comes first
    days = [date(whole, *pair) for pair in pairs if _is_day(whole, *pair)]
    return max(days, default=date(whole, 12, 31)).isoformat()


def _is_day(year_: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(year_, month)[1]


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
    marks = _ANY_MARK if money.currency == NO_CURRENCY else (money.currency, *SYMBOLS.get(money.currency, ()))
    if text[-1:].isdigit() and text[:1].isdigit():
        return text
    for mark in marks:
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
