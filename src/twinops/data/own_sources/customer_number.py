"""One customer number, however it is written: the form that numbers are kept and compared in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from twinops.data.own_sources.cell_values import LISTED, Unreadable, identity, narrow
from twinops.data.reading.plain_letters import plain
from twinops.own_params import OwnParams, OwnSource

_WHOLE = re.compile(r"([^0-9]*[0-9]{1,20})\.(?:00?|0{4,})")
"""As spreadsheets write a whole number; with three zeros it may be thousands."""
_QUOTES = " '\"`´‘’‚“”„«»"
_AROUND = f"{_QUOTES}()[]{{}}<>;,.:!?*+•·-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What people put around a number in a list, and bookkeepers to say that it is below zero."""
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:([\s./\u2010-\u2015-])[0-9]{3})(?:\1[0-9]{3})*")
_CUT = re.compile(r"([^0-9]*)([0-9][0-9\s./\u2010-\u2015-]*)")
_BETWEEN_DIGITS = re.compile(r"[\s./\u2010-\u2015-]")
_SIGN_FOR_NUMBER = re.compile(r"\bn\s?[.°º]|#")
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN_WORDS = re.compile(r"[\s.:°º/_\u2010-\u2015-]*")
BEFORE = frozenset(plain(word) for word in str(LISTED["before_numbers"]).split())
"""Words that people write before a number in a list, and that are no part of it."""


@dataclass(frozen=True)
class NumberForm:
    """Numbers of so many digits, behind one of these prefixes; without `digits` each is what is written.

    Blanks, dashes, lost zeros, another case, a word such as `No.` before it, and a lost prefix make no other customer.

    >>> NumberForm((5,), ("K",)).one("k-984"), NumberForm((5,), ("K",)).one("4270"), NumberForm((6,)).one("N° 1 458")
    ('K00984', 'K04270', '001458')
    >>> NumberForm((5,), ("K", "F")).every("4270"), NumberForm((8,)).one("C-17")
    (('K04270', 'F04270'), 'C-17')
    """

    digits: tuple[int, ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def several(self) -> int:
        """How many customers a number may stand for, at most."""
        return max(len(self.digits), 1) * max(len(self.prefixes), 1)

    def one(self, cell: str) -> str:
        """The number in its form; as it is written, where it is none, or may be several customers'."""
        if cell.isdecimal() and cell.isascii() and len(self.digits) == 1 and not self.prefixes:
            return cell.lstrip("0").zfill(self.digits[0])
        found = self.every(cell)
        return found[0] if len(found) == 1 and (found[0] == cell or self._is_plain(cell)) else cell

    def every(self, cell: str) -> tuple[str, ...]:
        """Each customer that it may stand for: one, unless lengths or prefixes leave a choice.

        So a no is read, which no way of writing may lose: signs around a number, and what may be another number, count.
        """
        parted = self._parted(cell) if self.digits else None
        if parted is None:
            return (cell,)
        prefix, number = parted
        prefixes = (self.prefixes or ("",)) if prefix is None else (prefix,)
        if prefix is None and self.prefixes and len(number) > max(self.digits) > 1:
            return (cell,)  # another kind of number, such as a card's
        return tuple(dict.fromkeys(p + number.zfill(d) for p in prefixes for d in self.digits))

    def fits(self, cell: str) -> bool:
        """It is such a number, somehow written."""
        return bool(self.digits) and self._parted(cell) is not None

    def alike(self, cell: str) -> str:
        """What numbers are compared by while it is not known which of several lengths counts."""
        found = (self if len(self.digits) < 2 else NumberForm((1,), self.prefixes)).every(cell)
        return found[0] if len(found) == 1 else cell

    def _is_plain(self, cell: str) -> bool:
        """It is this number and no other: `-1` is no customer's, nor is `12.5`, `4711/2` or one with a footnote."""
        text = cell.strip(_QUOTES)
        cut = _CUT.fullmatch(narrow(text)) if _without_notes(text) == text else None
        if cut is None:
            return _WHOLE.fullmatch(narrow(text)) is not None
        before, number = cut[1], cut[2]
        whole = len(_BETWEEN_DIGITS.sub("", number)) in self.digits and max(self.digits) > 1
        alone = number.isdecimal() or whole or _THOUSANDS.fullmatch(number) or _WHOLE.fullmatch(number)
        return bool(alone) and number[-1].isdecimal() and (not before.strip() or before.strip()[0] not in _AROUND)

    def _parted(self, cell: str) -> tuple[str | None, str] | None:
        """Its prefix (None: it tells none) and its digits without zeros; None: it is no such number."""
        text = narrow(_without_notes(cell)).strip(_AROUND)
        whole = _WHOLE.fullmatch(text)
        cut = _CUT.fullmatch(whole[1] if whole else text)
        if cut is None:
            return None
        number = _BETWEEN_DIGITS.sub("", cut[2]).lstrip("0") or "0"
        before = _SIGN_FOR_NUMBER.sub(" no ", plain(cut[1]))
        words = _WORD.findall(before)
        if _BETWEEN_WORDS.fullmatch(_WORD.sub("", before)) is None:
            return None
        of = {"".join(_WORD.findall(plain(p))): p for p in self.prefixes}
        prefix = of.get(words[-1]) if words else None
        others = words[:-1] if prefix is not None else words
        return (prefix, number) if set(others) <= BEFORE else None


def _without_notes(text: str) -> str:
    """Without raised and encircled digits, as footnotes have them."""
    return text if text.isascii() else "".join(c for c in text if unicodedata.category(c) != "No")


AS_WRITTEN = NumberForm()
"""Numbers have no common form."""


def form_of(said: OwnSource) -> NumberForm:
    """The form that a source declares."""
    return NumberForm(said.digits, said.prefixes)


def as_filed(who: str, own: OwnParams) -> tuple[str, ...]:
    """An id as somebody writes it, and as the shop's files have it where that is another one.

    >>> as_filed("C-17", OwnParams({}))
    ('C-17',)
    """
    forms = (form_of(said) for said in own.root.values() if said.by_customer and not said.form.lists)
    try:
        told = identity(who)
    except Unreadable:
        return (who,)
    return tuple(dict.fromkeys((who, told, *(form.one(told) for form in forms))))
