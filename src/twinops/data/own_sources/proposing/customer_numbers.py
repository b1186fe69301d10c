"""How customer numbers are written: so many digits, or letters too; and the form that they are compared in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twinops.data.own_sources import cell_values as notation

_MOSTLY, _FEW_IDS = 0.95, 100


def digits_of(ids: Sequence[str]) -> tuple[int, ...]:
    """How many digits customer numbers have, where they are digits: one length, or those that are told apart.

    Nothing where they are no digits. With several, a number without its zeros may be more than one customer.

    >>> digits_of(["0012", "0345", "1200"]), digits_of(["12", "345"]), digits_of(["0012", "12"]), digits_of(["C1"])
    ((4,), (1,), (1, 4), ())
    """
    told = [i for i in ids if not notation.is_nothing(i)]
    numbers_ = [i for i in told if i.isascii() and i.isdecimal()]
    if not numbers_ or len(numbers_) < _MOSTLY * len(told):
        return ()
    padded = Counter(len(i) for i in numbers_ if i.startswith("0"))
    lengths = {n for n, count in padded.items() if count > 1 or len(numbers_) < _FEW_IDS}
    shorter = any(not i.startswith("0") and len(i) < max(lengths, default=0) for i in numbers_)
    return tuple(sorted(lengths | ({1} if shorter or not lengths else set())))


def of_any_length(cell: str, digits: Sequence[int]) -> str:
    """An id in the form that it is compared in."""
    return notation.of_digits(cell, digits[0] if len(digits) == 1 else 1) if digits else cell
