"""See aliases that look like a protected one without being it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LOOKALIKE = dict(zip("аеорсухіјѕԁһпгтикоνρτυ0135", "aeopcyxijsdhnrtikovptuoies", strict=True))
"""Letters of other scripts, and digits, that read like Latin ones."""


def plain_alias(alias: str) -> str:
    r"""An alias without the marks by which a look-alike differs: compatibility forms, accents, case, white space.

    >>> plain_alias("Produ\u0301ction\n"), plain_alias("ＰＲＯＤＵＣＴＩＯＮ"), plain_alias("pro-duction")
    ('production', 'production', 'production')
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", alias).casefold())
    return re.sub(r"[\W_]", "", "".join(_LOOKALIKE.get(c, c) for c in letters if not unicodedata.combining(c)))


def resembles(alias: str, protected: Iterable[str]) -> str | None:
    """The protected alias that this one looks like without being it."""
    shape = plain_alias(alias)
    return next((name for name in protected if alias != name and plain_alias(name) == shape), None)
