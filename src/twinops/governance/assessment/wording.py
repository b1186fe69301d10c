"""Whether a text that a person wrote says anything, and whether two of them are the same: as read, not as typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from twinops.governance.people.lookalikes import against_text, skeleton
from twinops.governance.reading import parse
from twinops.plugins import text_beside

FEWEST_WORDS, FEWEST_LETTERS = 5, 20
"""Below either, an answer in words says nothing that another person could weigh (house rule)."""
ALIKE = 0.85
"""Share of words that two texts have in common from which one is a copy of the other (house rule)."""
WHOLE = 8
"""A text of so many different words that stands whole in another one was copied into it (house rule)."""
PLACEHELD = 0.5
"""Share of placeholder words from which a text is one (house rule)."""
SHORT, STEM = 2, 4
"""Words of so few letters are not counted; those that begin alike, but for an ending, count once."""
_WORD = re.compile(r"\w+")
_LETTERS = str.maketrans("абвгдезиклмнопрстуфхцαβγδεζηικλμνοπρστυφχςσ", "abvgdeziklmnoprstufhcabgdezeiklmnoprstufhss")
"""Cyrillic and Greek letters by sound."""


def empty(text: str) -> str:
    """Why this says nothing, or holds what no reader sees; nothing: it may be weighed.

    >>> empty("Nobody is charged more and offers stay within limits."), empty("Fine. Fine. Fine. FINE. finé.")
    ('', 'says too little')
    """
    if against_text(text):
        return "holds characters that nobody sees"
    if _thin(text):
        return "says too little"
    return "is placeholder text" if _placeheld(text) else ""


def seen_words(text: str) -> frozenset[str]:
    """The words of a text as they look: without case, marks, and the script that a letter was borrowed from."""
    return frozenset(_WORD.findall(_plain(text)))


def copied(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two texts are the same but for a few words, or one stands whole in the other."""
    both, smaller = len(one & other), min(len(one), len(other))
    return both >= ALIKE * len(one | other) or (smaller >= WHOLE and both >= ALIKE * smaller)


def repeats(answer: frozenset[str], question: frozenset[str]) -> bool:
    """Whether an answer hardly says more than a question."""
    return copied(answer, question) and len(answer - question) < FEWEST_WORDS


def _plain(text: str) -> str:
    spaced = skeleton(unicodedata.normalize("NFKC", " ".join(text.split())).casefold())
    return "".join(c for c in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(c))


def _thin(text: str) -> bool:
    words = {w for w in seen_words(text) if w.isalpha() and len(w) > SHORT}
    return len({w[: min(STEM, len(w) - 1)] for w in words}) < FEWEST_WORDS or sum(map(len, words)) < FEWEST_LETTERS


def _placeheld(text: str) -> bool:
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    latin = [w.translate(_LETTERS) in _latin() for w in words]
    bracketed = bool(re.fullmatch(r"\s*(\[[^\]]*\]|<[^>]*>|\{[^}]*\})\s*\.?\s*", text))
    return bracketed or max(sum(latin), len(_covered(words))) >= PLACEHELD * len(words)


def _covered(words: Sequence[str]) -> set[int]:
    """Places of words that stand in a known passage, three at a time."""
    return {i + k for i, three in enumerate(_threes(words)) if three in _passages() for k in range(3)}


def _threes(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    yield from (tuple(words[i : i + 3]) for i in range(len(words) - 2))


@cache
def _latin() -> frozenset[str]:
    return frozenset(_known()["latin"].split())


@cache
def _passages() -> frozenset[tuple[str, ...]]:
    return frozenset(three for text in _known()["passages"] for three in _threes(text.split()))


@cache
def _known() -> dict[str, Any]:
    name = "placeholders.yaml"
    found: dict[str, Any] = parse(text_beside("twinops.governance.assessment", name), name=name)
    return found
