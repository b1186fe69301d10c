"""See names that look like another one without being it, and letters that cannot be seen at all.

The skeleton is Unicode's (UTS #39, section 4), the characters are in `confusables.tsv`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from twinops.plugins import text_beside

MAX_NAME = 256
"""Characters of a model's name or an alias: as many as MLflow's own columns hold."""
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
"""Controls, zero-width and bidirectional marks, private, lone surrogates, unassigned, line breaks (UAX #44)."""
_BLANK = "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f"
"""Letters and marks by category that show nothing."""
_ALSO = str.maketrans("0135пгтикнτυ", "oiesnrtikhtu")
"""Digits and letters that read like Latin ones in a word, beyond what Unicode lists."""


_TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "herr", "frau", "mag", "ing", "dipi"})
"""As the skeleton has them: i for l."""


@cache
def _prototypes() -> dict[int, str]:
    lines = text_beside("twinops.governance.people", "confusables.tsv").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {int(c, 16): _letters(like) for like, those in pairs for c in those.split()}


def _letters(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split())


def skeleton(text: str) -> str:
    """What a text looks like: characters as those they are taken for, without case; i for l, w for vv."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not _unseen(c))
    drawn = unicodedata.normalize("NFKD", letters.translate(_prototypes())).casefold()
    return drawn.replace("l", "i").replace("vv", "w")


def looks(text: str) -> set[str]:
    r"""The skeletons of a text as it is typed and in small letters: capitals look like others than their small ones.

    >>> looks("tw\u0456n") & looks("TWIN"), looks("twin") & looks("twins")
    ({'twin'}, set())
    """
    return {skeleton(text), skeleton(text.casefold())}


def bare(alias: str) -> str:
    r"""An alias without what a look-alike adds: accents, digits for letters, white space and signs between them.

    >>> bare("Produ\u0301c-ti0n\n"), bare("ＰＲＯＤＵＣＴＩＯＮ")
    ('Production', 'PRODUCTION')
    """
    letters = unicodedata.normalize("NFKD", alias).translate(_ALSO)
    return re.sub(r"[\W_]", "", "".join(c for c in letters if not unicodedata.combining(c)))


def resembles(alias: str, protected: Iterable[str]) -> str | None:
    """The protected alias that this one looks like without being it."""
    shapes = looks(bare(alias))
    return next((name for name in protected if alias != name and looks(bare(name)) & shapes), None)


def named(person: str) -> frozenset[str]:
    r"""The parts of a person's name as they look, without initials and titles.

    >>> named("Dr. Ri\u0301ta  RISK") == named("Rita X. Risk")
    True
    """
    drawn = "".join(c for c in skeleton(" ".join(person.split())) if not unicodedata.combining(c))
    return frozenset(w for w in re.findall(r"\w+", drawn) if len(w) > 1) - _TITLES


def twin_of(name: str, others: Iterable[str]) -> str | None:
    """The other name that this one is taken for."""
    shapes = looks(name)
    return next((other for other in others if other != name and looks(other) & shapes), None)


def against_name(name: str) -> tuple[str, ...]:
    r"""Reasons against a model's name or an alias as such: one normal form, nothing unseen, not too long.

    >>> against_name("twin"), len(against_name("tw\u200bin")), len(against_name(" twin"))
    ((), 1, 1)
    """
    if len(name) > MAX_NAME:
        return (f"A name has at most {MAX_NAME} characters.",)
    if name != unicodedata.normalize("NFKC", name) or name != " ".join(name.split()):
        return ("A name is written in one way: composed letters, single spaces, none at its ends (Unicode's NFKC).",)
    return _against_unseen(name, "A name", allowed="")


def against_text(text: str) -> tuple[str, ...]:
    r"""Reasons against a text that people will read: letters that nobody sees, or that turn the reading order.

    >>> against_text("Approved:\nsee the card."), len(against_text("Approved\u202e"))
    ((), 1)
    """
    return _against_unseen(text, "A reason", allowed="\n\r\t\u200c\u200d")  # joiners: Persian, Indic, emoji


def seen(text: str) -> str:
    """What a reader sees of a text."""
    return "".join(c for c in text if c.isspace() or not _unseen(c)).strip()


def _against_unseen(text: str, what: str, *, allowed: str) -> tuple[str, ...]:
    found = sorted({f"U+{ord(c):04X}" for c in text if c not in allowed and _unseen(c)})
    return (f"{what} holds characters that nobody sees: {', '.join(found[:5])}.",) if found else ()


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or char in _BLANK or 0xFE00 <= ord(char) <= 0xFE0F
