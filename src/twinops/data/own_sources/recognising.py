"""What a column is, by its name and by what stands in it: dates, numbers and their notation, ids, answers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from itertools import pairwise, product
from typing import Any

import yaml

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import Unreadable
from twinops.data.reading.plain_letters import plain
from twinops.own_sections import MoneyParams, TimeParams
from twinops.plugins import text_beside

_DAYS = (
    "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%y",
    "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y",
    "%Y年%m月%d日", "%Y. %m. %d.", "%Y.%m.%d.", "%Y년 %m월 %d일", "%d. %m. %Y", "%d.%m.%Y.", "%d de %B de %Y",
    "%d. %B %Y", "%d/%b/%Y", "%Y-%m-%d", "%y/%m/%d", "%d. %b %Y",
)  # fmt: skip
_HOURS = (
    "",
    " %H:%M",
    " %H:%M:%S",
    "T%H:%M:%S",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %H:%M:%S %z",
    ":%H:%M:%S %z",
    "%H%M%S",
    "%H:%M",
    "%H:%M:%S",
    " %H時%M分",
    "%H時%M分",
    " %H.%M",
    ", %H:%M",
    ", %H:%M:%S",
    " %Hh%M",
    "T%H:%M",
    " klo %H.%M",
    " às %H:%M",
)
_SWAPPED = (("%d/%m/", "%m/%d/"), ("%d-%m-", "%m-%d-"))
_IN = ("in", "per", "pro", "je", "par", "por", "a")
_ALONE = ("idade", "edad", "tique", "asin", "nota", "count")
"""Words that end many others: a `novidade` is no age, a `boutique` no ticket, a `hodnota` no receipt."""
_KINDS = ("typ", "tipo", "type", "rodzaj", "druh", "grupa", "skupina", "gruppo")
"""What stands before that of which it is a kind: a `tipo campagna` is a kind, and no campaign."""
_OF = (
    *_IN,
    "of",
    "de",
    "d",
    "du",
    "des",
    "der",
    "von",
    "vom",
    "del",
    "della",
    "di",
    "do",
    "da",
    "van",
    "the",
    "la",
    "le",
)
_ENOUGH = 0.95
_TRIED = 2_000
_WAYS, _FEWEST = 4, 3
"""So many ways of writing a day stand in one column at most, and so few cells of one are mistakes."""
_SIGNS = ((".", ""), (",", ""), (",", "."), (".", ","), (",", " "), (".", " "), (".", "'"), (",", "'"))


@dataclass(frozen=True)
class DateFormat:
    """How moments are written; `or_else` is another reading that fits as well, and nothing in the file decides.

    `also` are other ways that some of the cells are written in, which no other way reads.
    """

    format: str
    or_else: str | None = None
    hours: bool = False
    also: tuple[str, ...] = ()

    def declared(self, zone: str | None) -> dict[str, Any]:
        """The section `time` of a source."""
        return {"format": self.format} | ({"also": [*self.also]} if self.also else {}) | {"zone": zone or "UTC"}


@dataclass(frozen=True)
class NumberNotation:
    """Decimal and thousands sign; `doubtful`: a sign before three digits may be either."""

    decimal: str
    thousands: str
    doubtful: bool = False


@cache
def words() -> dict[str, Any]:
    """`column_words.yaml`."""
    read: dict[str, Any] = yaml.safe_load(text_beside(__package__ or "", "column_words.yaml"))
    return read


def parts_of(name: str) -> list[str]:
    """A column's name in words: small letters without accents.

    >>> parts_of("InvoiceDate"), parts_of("Stück_zahl €")
    (['invoice', 'date'], ['stuck', 'zahl', '€'])
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [*re.findall(r"[a-z]+|[0-9]+|[^\W\d_a-z]+", plain(spaced)), *(c for c in name if c in "€$£¥₹")]


@cache
def _plain_words(role: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(word) for word in role))


def fit(name: str, role: Sequence[str], *, an_id: bool) -> int:
    """How well a name fits a role's words: 3 at its end, 2 at the end but for a word for number, 1 anywhere, 0 not."""
    ids, role = _plain_words(tuple(words()["ids"])), _plain_words(tuple(role))
    found = _head([p for p in parts_of(name) if p not in _money_words()], ids)
    if not found:
        return 0
    head, numbered = found[-1], False
    if head in ids and len(found) > 1:
        found, numbered = found[:-1], True
    elif an_id and len(found) > 1 and found[0] in ids:
        found, numbered = found[1:], True
    elif (
        any(head.endswith(i) and len(head) > len(i) + 2 * i.isascii() for i in ids if len(i) > 1 or not i.isascii())
        and an_id
    ):
        cut = next(
            i for i in sorted(ids, key=len, reverse=True) if head.endswith(i) and (len(i) > 1 or not i.isascii())
        )
        found, numbered = [*found[:-1], head[: -len(cut)]], True
    if numbered and not an_id:
        return 0
    if _ends(found[-1], role):
        return 3 + numbered
    return 1 if any(_ends(p, role) for p in found) else 0


def speaks_of(name: str, role: Sequence[str]) -> bool:
    """A word of the role stands somewhere in the name, within a longer word too (`Markkinointilupa`)."""
    whole = plain(name)
    return fit(name, role, an_id=False) > 0 or any(r in whole for r in _plain_words(tuple(role)) if len(r) > 5)


def born(name: str, role: Sequence[str]) -> bool:
    """A year or a date of birth: `Date of birth` is a date by its head, and of birth by what follows.

    Beside a word of the role may stand nothing but what says a day or a year: `Geb.datum`, `születési idő`.
    """
    whole = "".join(parts_of(name)) in _plain_words(tuple(role))
    if whole or max(fit(name, role, an_id=False), fit(of_what(name), role, an_id=False)) > 1:
        return True
    days, parts = _plain_words(tuple(words()["days"])), parts_of(name)
    others = [p for p in parts if p not in days and p not in _OF]
    return 0 < len(others) < len(parts) and all(_ends(p, _plain_words(tuple(role))) for p in others)


def of_birth(name: str) -> bool:
    """It is the day or the year somebody was born."""
    return born(name, words()["profiles"]["birth_year"])


def of_what(name: str) -> str:
    """What something is of, or in: `closing` of a `Date of closing`; nothing where no such word stands."""
    found = parts_of(name)
    at = next((i for i, p in enumerate(found) if i and p in _OF), len(found))
    return " ".join(found[at + 1 :])


def _head(found: list[str], ids: tuple[str, ...]) -> list[str]:
    """What is called so, without what it is of or in: a `date of purchase` is a date, a `numero de client` a client's.

    >>> _head(["date", "of", "purchase"], ("numero",)), _head(["numero", "de", "client"], ("numero",))
    (['date'], ['client', 'numero'])
    """
    at = next((i for i, p in enumerate(found) if i and p in _OF), None)
    if at is None:
        return [*found[1:], found[0]] if len(found) > 1 and found[0] in _KINDS else found
    before, behind = found[:at], [p for p in found[at + 1 :] if p not in _OF]
    return [*behind, *before] if before[-1] in ids and found[at] not in _IN else before


def _ends(word: str, role: Sequence[str]) -> bool:
    return any(
        word == r
        or (len(r) > 3 and r not in _ALONE and (word.endswith(r) or (word.startswith(r) and len(word) - len(r) < 3)))
        or (not r.isascii() and unicodedata.category(r[0]) == "Lo" and word.endswith(r))
        for r in role
    )


def closest(word: str, role: Sequence[str]) -> int:
    """How many letters the longest word of a role has that a word is, or ends or begins with; 0: none."""
    return max((len(r) for r in _plain_words(tuple(role)) if _ends(word, (r,))), default=0)


@cache
def _money_words() -> frozenset[str]:
    named = {w for marks in words()["currencies"].values() for w in marks} | set(words()["minor_words"])
    return frozenset(map(plain, named - {"dollar", "won", "try", "real", "円", "元"}))


def currency_in(names: Iterable[str], cells: Iterable[str]) -> str | None:
    """The one currency that names or signs beside amounts tell; None: none, or several."""
    listed: Mapping[str, list[str]] = words()["currencies"]
    said = {p for name in names for p in parts_of(name)}
    found = {code for code, marks in listed.items() if said & set(marks)}
    if not found:
        marks = {m.casefold() for m in beside(cells)}
        found = {code for code, signs in listed.items() if marks & {code.casefold(), *map(str.casefold, signs)}}
        found = found or {c for c, signs in notation.SYMBOLS.items() if marks & set(map(str.casefold, signs))}
    return next(iter(found)) if len(found) == 1 else None


def beside(cells: Iterable[str]) -> set[str]:
    """What stands beside the digits of amounts: letters and signs, such as `zł`, `R$`, `円`."""
    texts = {re.sub(r"[\d\s.,'()+\-\u2212]+", " ", notation.narrow(c)).strip() for c in cells}
    return {mark for text in texts for mark in text.split()}


def date_format(cells: Sequence[str], *, enough: float = _ENOUGH) -> DateFormat | None:
    """How most of the cells write a moment, if so many do."""
    told = [notation.narrow(c.strip()) for c in cells if not notation.is_nothing(c)]
    tried = (told if enough < _ENOUGH else list(dict.fromkeys(told)))[:_TRIED]
    if not tried or not any(c[:1].isdigit() or c[-1:].isdigit() for c in tried[:3]):
        return None
    found = _format_of(tuple(tried), enough)
    return _of_several_ways(tuple(told), found) if enough == _ENOUGH else found


@lru_cache(maxsize=256)
def _of_several_ways(told: tuple[str, ...], most: DateFormat | None) -> DateFormat | None:
    """Days that are written in a few ways, as where two systems fill one column."""
    several: dict[str, list[str]] = {}
    for cell in told:
        # a year of four digits is another way than one of two; a day of one digit is not
        digits = re.sub(r"\d+", "9", re.sub(r"\d{3,}", "#", cell))
        several.setdefault(re.sub(r"[^\W\d_]+", "x", digits), []).append(cell)
    ways = sorted(several.values(), key=len, reverse=True)[:_WAYS]
    if len(several) == 1 or sum(map(len, ways)) < _ENOUGH * len(told):
        return most
    ways = [way for way in ways if len(way) >= _FEWEST]
    read = [_format_of(tuple(dict.fromkeys(way))[:_TRIED], _ENOUGH) for way in ways]
    sure = {f.format: len(way) for f, way in zip(read, ways, strict=True) if f and not f.or_else}
    if most is None and sum(sure.values()) < _ENOUGH * len(told):
        return None
    first = most.format if most else next(iter(sure))
    also = tuple(f for f in sure if f != first and not any(_is_moment(c, f) and _is_moment(c, first) for c in told))
    hours = any(f.hours for f in read if f)
    return replace(most or DateFormat(first, hours=hours), also=also)


@lru_cache(maxsize=256)  # a column is looked at for each of ours that it might be
def _format_of(tried: tuple[str, ...], enough: float) -> DateFormat | None:
    hours = any(re.search(r"\d[:時h.]\d\d(?!\d)", c[8:]) for c in tried)
    if _reads(tried, "iso", enough):
        return DateFormat("iso", hours=hours)
    for name, digits in (("epoch", r"1?[1-9][0-9]{8}(\.[0-9]+)?"), ("epoch_ms", r"1?[1-9][0-9]{11}")):
        if all(re.fullmatch(digits, c) for c in tried):
            return DateFormat(name, hours=True)
    fitting = [day + hour for hour, day in product(_HOURS, _DAYS) if _reads(tried, day + hour, enough)]
    if not fitting:
        return None
    return _decided(fitting, tried, hours)


def _decided(fitting: list[str], tried: Sequence[str], hours: bool) -> DateFormat:
    """Of a day and a month that may be either, the order in which days follow each other as they stand."""
    for one, other in _SWAPPED:
        pair = [next((f for f in fitting if f.startswith(o)), None) for o in (one, other)]
        if pair[0] and pair[1]:
            backs = [_backwards(tried, f) for f in pair if f]
            best, rest = (pair[1], pair[0]) if backs[1] * 3 < backs[0] else (pair[0], pair[1])
            return DateFormat(best or fitting[0], rest, hours)
    return DateFormat(fitting[0], None, hours)


def _backwards(cells: Sequence[str], format_: str) -> int:
    """How often a moment lies before the one above it."""
    found = [datetime.strptime(c, format_).replace(tzinfo=None) for c in cells if _is_moment(c, format_)]  # noqa: DTZ007
    return sum(b < a for a, b in pairwise(found))


def _reads(cells: Sequence[str], format_: str, enough: float) -> bool:
    if enough == _ENOUGH and not _is_moment(cells[0], format_) and not _is_moment(cells[-1], format_):
        return False
    misses = 0
    for cell in cells:
        misses += not _is_moment(cell, format_)
        if misses > (1 - enough) * len(cells):
            return False
    return True


def _is_moment(cell: str, format_: str) -> bool:
    try:
        found = notation.moment(cell, _in_utc(format_), iso=False)
    except Unreadable:
        return False
    return 1900 <= found.year < 2100


@cache
def _in_utc(format_: str) -> TimeParams:
    return TimeParams(format=format_, zone="UTC")


def is_number(cell: str) -> bool:
    """It is a number in some notation."""
    return any(_number(cell, MoneyParams(decimal=d, thousands=t, currency="XXX")) is not None for d, t in _SIGNS)  # type: ignore[arg-type]


def _number(cell: str, money: MoneyParams) -> Any:
    try:
        return notation.number(cell, money)
    except Unreadable:
        return None


def numbers(cells: Sequence[str], money: MoneyParams) -> list[float]:
    """Cells as numbers; what is none is left out."""
    return [float(n) for c in cells if (n := _number(c, money)) is not None]


def number_notation(cells: Sequence[str]) -> NumberNotation | None:
    """The decimal and thousands sign that read most cells, if they are numbers."""
    tried = list(dict.fromkeys(c.strip() for c in cells if not notation.is_nothing(c)))[:_TRIED]
    if not tried or not any(c.isdecimal() for c in tried[0] + tried[-1]):
        return None
    fits = {}
    for decimal, thousands in _SIGNS:
        money = MoneyParams(decimal=decimal, thousands=thousands, currency="XXX")  # type: ignore[arg-type]
        fits[decimal, thousands] = len(numbers(tried, money)) / len(tried)
    best = max(fits.values())
    if best < _ENOUGH:
        return None
    decimal, thousands = next(pair for pair, share in fits.items() if share == best)
    bare = [re.sub(r"^[^\d+-]+|[^\d]+$", "", notation.narrow(c)) for c in tried]
    signed = [c for c in bare if decimal in c]
    # 1.234 and 12.345, and never 1.23 or 0.455: thousands where most are round, else a third digit of a price
    looks = bool(signed) and all(re.fullmatch(rf"-?[1-9]\d{{0,2}}({re.escape(decimal)}\d{{3}})+", c) for c in signed)
    round_ones = sum(c.endswith("00") for c in signed)
    if looks and not thousands and (len(signed) < len(tried) or 2 * round_ones > len(signed)):
        return NumberNotation("," if decimal == "." else ".", decimal, doubtful=True)
    return NumberNotation(decimal, thousands)


def is_said(cells: Sequence[str]) -> bool:
    """Nearly all are words for yes, no, a withdrawal or an objection."""
    told = [c for c in cells if not notation.is_nothing(c)]
    return bool(told) and sum(notation.event_of(c) is not None for c in told) >= 0.9 * len(told)
