"""How a shop writes its customer numbers: so many digits, behind letters that are always the same, or neither."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.customer_number import AS_WRITTEN, NumberForm
from twinops.data.own_sources.files.cells import printable
from twinops.data.reading.plain_letters import plain

_MOSTLY, _FEW_IDS = 0.95, 100
_MOST_PREFIXES = 3
_ONE_OF_THEM = 0.01
"""A prefix, or numbers without one, of fewer are slips of the pen."""
_NUMBERED = re.compile(r"([^\W\d_]{1,8}[-./ ]?)?([0-9]{1,20})")


def form_in(ids: Sequence[str]) -> NumberForm:
    """The form of numbers that nearly all of these ids have; none where they have no common one.

    >>> form_in(["K-00984", "K-01000"]), form_in(["a1b2", "c3d4"])
    (NumberForm(digits=(5,), prefixes=('K-',)), NumberForm(digits=(), prefixes=()))
    """
    told = [i for i in ids if not notation.is_nothing(i)]
    parted = [m for i in told if i.isascii() or not i.isdecimal() if (m := _NUMBERED.fullmatch(i))]
    spelled = Counter(m[1] or "" for m in parted)
    common = Counter[str]()
    for prefix, count in spelled.items():
        common[_letters(prefix)] += count
    kept = [letters for letters, count in common.items() if count >= _ONE_OF_THEM * len(told)]
    if not told or len(kept) > _MOST_PREFIXES or sum(common[k] for k in kept) < _MOSTLY * len(told):
        return AS_WRITTEN
    digits = digits_of([m[2] for m in parted if _letters(m[1] or "") in kept])
    if kept == [""]:
        return NumberForm(digits)
    as_most = {k: max((n, p) for p, n in spelled.items() if _letters(p) == k)[1] for k in kept}
    return NumberForm(digits, tuple(sorted(as_most.values(), key=lambda p: (-common[_letters(p)], p))))


def _letters(prefix: str) -> str:
    return plain(prefix).rstrip("-./ ")


def told(form: NumberForm, ids: Sequence[str]) -> tuple[str, str]:
    """What is declared of numbers, in words, and why."""
    behind = f" behind {' or '.join(printable(p) for p in form.prefixes if p)}" if any(form.prefixes) else ""
    zeros = any(_ZERO.fullmatch(i) for i in ids)
    digits = f"{form.digits[0]} digits" if zeros else "digits"
    lost = ", ".join(
        ("blanks", "dashes", *(("lost zeros",) if zeros else ()), *(("case", "a lost prefix") if behind else ()))
    )
    why = f"customer numbers are digits{behind}{', and zeros stand before' if zeros else ''}"
    return f"{digits}{behind}: {lost} or a word like No. before make no other customer", why


_ZERO = re.compile(r"[^\W\d_]{0,8}[-./ ]?0[0-9]*")


def digits_of(ids: Sequence[str]) -> tuple[int, ...]:
    """How many digits customer numbers have, where they are digits: one length, or those that are told apart.

    Nothing where they are no digits. With several, a number without its zeros may be more than one customer.

    >>> digits_of(["0012", "0345", "1200"]), digits_of(["12", "345"]), digits_of(["0012", "12"]), digits_of(["C1"])
    ((4,), (1,), (1, 4), ())
    """
    told_ = [i for i in ids if not notation.is_nothing(i)]
    numbers_ = [i for i in told_ if i.isascii() and i.isdecimal()]
    if not numbers_ or len(numbers_) < _MOSTLY * len(told_):
        return ()
    padded = Counter(len(i) for i in numbers_ if i.startswith("0"))
    lengths = {n for n, count in padded.items() if count > 1 or len(numbers_) < _FEW_IDS}
    shorter = any(not i.startswith("0") and len(i) < max(lengths, default=0) for i in numbers_)
    return tuple(sorted(lengths | ({1} if shorter or not lengths else set())))
