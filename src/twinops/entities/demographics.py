"""What people are asked of themselves: the demographic code-books and the psychographic scales, in their order.

Every reader, maker and measure of demographics takes its levels from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CODES: dict[str, tuple[str, ...]] = {
    "age": ("19-24", "25-34", "35-44", "45-54", "55-64", "65+"),
    "income": (
        *("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K"),
        *("100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
    ),
    "home_ownership": ("Renter", "Probable Renter", "Probable Homeowner", "Homeowner"),
    "marital_status": ("Unmarried", "Married"),
    "household_size": ("1", "2", "3", "4", "5+"),
    "household_comp": ("1 Adult No Kids", "2 Adults No Kids", "1 Adult Kids", "2 Adults Kids"),
    "kids_count": ("0", "1", "2", "3+"),
}
"""Levels of each attribute, as The Complete Journey publishes them; those with an order run from little to much."""

NO_ATTRIBUTES = ("sid", "born")
"""Columns beside them by which nobody is assessed: who it is, and since when of full age."""

ORDERED = ("age", "income", "household_size", "kids_count")
"""Attributes whose levels run from little to much."""

SHOPPING = {"baskets_per_4_weeks": 200, "spend_per_4_weeks": 20_000}
"""Self-reported whole numbers and their highest credible value; spend in US dollars."""

SCALES = (
    "price_consciousness", "brand_loyalty", "novelty_seeking", "convenience_orientation", "quality_orientation",
    "cooking_enjoyment",
)  # fmt: skip
"""Psychographic scales, whole points from 0 to 100. None is, or stands for, a special category (GDPR art. 9)."""

_SPECIAL = re.compile(
    r"(?:^|_)(?:relig\w*|faith|belief|church\w*|politic\w*|party|vot(?:e|es|ed|ing)\w*|union|health\w*|ill(?:ness)?|disease|disab\w*|pregnan\w*|diet|medic\w*|depress\w*|"
    r"anxi\w*|sex\w*|gay|lgbt\w*|gender_identity|ethnic\w*|race|racial|origin|skin|nationality|biometric\w*|genetic\w*|criminal\w*)(?:_|$)"
)
_NUMBER = re.compile(r"\d+")


def order_of(name: str, levels: Iterable[str]) -> tuple[str, ...] | None:
    """The levels from little to much, where they have an order: the code-book's, or each begins with a number.

    >>> order_of("tenure", ["10-19", "0-9", "20+"]), order_of("colour", ["red", "blue"])
    (('0-9', '10-19', '20+'), None)
    """
    found = sorted(set(levels))
    if set(found) <= set(CODES.get(name, ())):
        return CODES[name] if name in ORDERED else None
    numbers = [int(told.group()) for level in found if (told := _NUMBER.match(level))]
    if not found or len(numbers) < len(found):
        return None
    return tuple(level for _, level in sorted(zip(numbers, found, strict=True)))


def is_special(name: str) -> bool:
    """A column of this name holds, or stands for, a special category.

    >>> is_special("voted_for"), is_special("convenience_orientation"), is_special("sexual_orientation")
    (True, False, True)
    """
    return bool(_SPECIAL.search(name.casefold()))
