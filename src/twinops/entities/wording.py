"""The words for whom the data are about and for their money, as a project declares them.

Code that writes texts cannot know them: it sets the marks below, and whoever lets a text out (findings kept, a picture
saved, a verdict stamped, an answer given) has it told in the declared words. A mark that is left stands out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Any, TypeVar, cast

ONE, MANY, MONEY = "⟨one⟩", "⟨many⟩", "⟨money⟩"
ONE_FIRST, MANY_FIRST = "⟨One⟩", "⟨Many⟩"
"""The same as the first word of a sentence or label."""
NO_CURRENCY = "XXX"
"""ISO 4217's code where no currency is involved: nobody declared one."""
FACT = "wording"
WORD = r"^[^\W\d_]([^\W\d_]|[ -]){0,39}$"
"""Letters, blanks and hyphens: a word stands in documents as it is, so it can hold no markup."""
CURRENCY = r"^[A-Z]{3}$"

_AMOUNT = re.compile(r"⟨(-?[\d,]+\.\d\d)⟩")
_ARTICLE = re.compile(r"\b([Aa]) (?=⟨one⟩)")
_VOWELS = tuple("aeiouAEIOU")

_NUMBER = re.compile(r"\d+")
_NUMBERED = re.compile(
    r"\b(?:[Dd]ay (?P<one>\d+)|(?P<days>[Dd]ays) (?P<many>\d+(?:(?:, | to | and )\d+)*))\b(?! day|[.,]\d)"
)
"""Day numbers as texts of measures and pictures write them: `day 9`, `days 9, 12`, `days 9 to 12`."""

T = TypeVar("T")


@dataclass(frozen=True)
class Wording:
    """The subject's word, single and plural, and the currency (ISO 4217) with the digits of its minor unit.

    >>> Wording("employee", "employees", "KWD", 3).told(f"{MANY_FIRST} pay 2 {MONEY}; a {ONE} left.")
    'Employees pay 2 KWD; an employee left.'
    >>> Wording(currency="JPY", minor_units=0).told(f"{amount(1234.56)} {MONEY}")
    '1,235 JPY'
    """

    one: str = "consumer"
    many: str = "consumers"
    currency: str = NO_CURRENCY
    minor_units: int = 2
    first_day: date | None = None
    """The project's day 0, so that a picture can tell dates; None: days keep their numbers."""

    def __post_init__(self) -> None:
        for word, pattern in ((self.one, WORD), (self.many, WORD), (self.currency, CURRENCY)):
            if not isinstance(word, str) or not re.match(pattern, word):
                raise ValueError(f"{word!r:.60} is no word, or no code of a currency")
        if not isinstance(self.minor_units, int):
            raise ValueError("minor_units is no whole number")

    @property
    def marks(self) -> dict[str, str]:
        """Each mark with its word."""
        return {
            ONE: self.one,
            MANY: self.many,
            MONEY: self.currency,
            ONE_FIRST: self.one[:1].upper() + self.one[1:],
            MANY_FIRST: self.many[:1].upper() + self.many[1:],
        }

    def told(self, value: T) -> T:
        """The same text, or the same record, mapping or sequence of texts, in these words; all else as it is."""
        if not isinstance(value, str):
            return cast(T, self._inner(value))
        if "⟨" not in value or isinstance(value, Enum):
            return value
        return type(value)(self._text(str(value)))  # markup stays markup

    def dated(self, text: str) -> str:
        """The same with dates in the place of the project's own day numbers, which tell a reader nothing.

        >>> Wording(first_day=date(2017, 1, 1)).dated("as-of days 0, 31; the first 7 days after day 31")
        'as-of days 2017-01-01, 2017-02-01; the first 7 days after 2017-02-01'
        """
        return text if self.first_day is None else _NUMBERED.sub(self._in_dates, text)

    def _in_dates(self, found: re.Match[str]) -> str:
        one, many = found["one"], found["many"]
        return self.day(int(one)) if one else f"{found['days']} " + _NUMBER.sub(lambda n: self.day(int(n[0])), many)

    def day(self, number: int) -> str:
        """The date of a day number; without a first day the number."""
        return str(number) if self.first_day is None else (self.first_day + timedelta(days=number)).isoformat()

    def _text(self, text: str) -> str:
        text = _ARTICLE.sub(r"\1n ", text) if self.one.startswith(_VOWELS) else text
        for mark, word in self.marks.items():
            text = text.replace(mark, word)
        return _AMOUNT.sub(self._in_coins, text)

    def _in_coins(self, found: re.Match[str]) -> str:
        """No more digits than the currency has coins for: none of yen. Hundredths are all that is kept of any."""
        return f"{float(found[1].replace(',', '')):,.{max(0, min(self.minor_units, 2))}f}"

    def _inner(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.told(key): self.told(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.told(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        return value

    def _record(self, record: Any) -> Any:
        parts = {f.name: getattr(record, f.name) for f in fields(record) if f.init}
        told = {name: self.told(part) for name, part in parts.items()}
        return replace(record, **told) if any(told[name] is not part for name, part in parts.items()) else record


def amount(value: float) -> str:
    """An amount of money as a mark, which is told with the digits of the currency's minor unit.

    >>> NEUTRAL.told(amount(1234.5))
    '1,234.50'
    """
    return f"⟨{value:,.2f}⟩"


def share(value: float) -> str:
    """A chance or a share as people read it: of what is not certain none is told as certain, either way.

    >>> share(0.85), share(0.997), share(1.0), share(0.001), share(0.0)
    ('85%', 'over 99%', '100%', 'under 1%', '0%')
    """
    if 0.99 < value < 1:
        return "over 99%"
    return "under 1%" if 0 < value < 0.01 else f"{value:.0%}"


NEUTRAL = Wording()
"""Where nothing is declared."""
