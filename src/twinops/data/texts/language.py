"""Is a short text English? A yes needs evidence in English; everything else is refused with its reason.

Counts known words, nothing learned, nothing drawn: the same text always gets the same answer. Short posts that say too
little are refused rather than guessed, for a scorer made for English gives any language a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from enum import StrEnum

import yaml

from twinops.plugins import text_beside


class Refusal(StrEnum):
    """Why a text is not taken for English; published as counts."""

    NO_WORDS = "no_words"
    OTHER_SCRIPT = "other_script"
    OTHER_LANGUAGE = "other_language"
    MIXED = "mixed_languages"
    TOO_LITTLE = "too_little_evidence"


_LISTS: dict[str, str] = yaml.safe_load(text_beside(__package__, "language.yaml"))
ENGLISH = frozenset(_LISTS["en"].split())
OTHERS = {name: frozenset(words.split()) - ENGLISH for name, words in _LISTS.items() if name != "en"}
"""Common words of neighbouring languages that are no English words."""

UNKNOWN = "und"
"""ISO 639-2 for a language that nobody told."""
READ = "en"
"""The language that the scorer reads."""
NAMES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "pl": "Polish", "tr": "Turkish", "cs": "Czech",
    "hu": "Hungarian", "fi": "Finnish", "ro": "Romanian",
}  # fmt: skip
_SCARCE, _TELLING = 20, 5
"""One text in so many is English, or in another language by its words."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_HASHTAG = re.compile(r"#\w+")


def called(code: str) -> str:
    """What a language is called in a sentence.

    >>> called("sv"), called("und")
    ('Swedish', 'a language that is not known')
    """
    unknown = "a language that is not known" if code == UNKNOWN else f"the language {code}"
    return NAMES.get(code, unknown)


def likely(texts: Iterable[str]) -> str:
    """The language of most texts that tell; without any, the one that is read: each text is still looked at.

    A short word such as `a` is of many languages: where hardly a text is English, the others are asked.

    >>> likely(["das Brot war schon wieder alt", "und die Lieferung kam nicht"]), likely(["ok"])
    ('de', 'en')
    """
    told = tuple(texts)
    votes = _votes(told, {**OTHERS, READ: ENGLISH})
    found = max(votes, key=lambda name: (votes[name], name == READ)) if votes else READ
    if found != READ or _SCARCE * sum(refusal(text) is None for text in told) >= len(told) or not votes:
        return found
    others = _votes(told, OTHERS).most_common(2)
    clear = others and _TELLING * others[0][1] >= len(told) and all(2 * n <= others[0][1] for _, n in others[1:])
    return others[0][0] if clear else UNKNOWN


def _votes(texts: Iterable[str], lists: Mapping[str, Set[str]]) -> Counter[str]:
    """How many texts have most common words of each language, of those that have any."""
    votes: Counter[str] = Counter()
    for text in texts:
        words = [w.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for w in _WORD.findall(text.casefold())]
        found = {name: sum(w in known for w in words) for name, known in lists.items()}
        best = max(found, key=lambda name: (found[name], name == READ))
        votes[best] += found[best] > 0
    return +votes


def refusal(text: str) -> Refusal | None:
    """Why this text is not taken for English; None: it is.

    >>> refusal("the bread was stale again"), refusal("das Brot war schon wieder alt").value, refusal("👍").value
    (None, 'other_language', 'no_words')
    """
    words = [w.replace("’", "'") for w in _WORD.findall(_HASHTAG.sub(" ", text).casefold())]
    if not words:
        return Refusal.NO_WORDS
    letters = "".join(words)
    if sum(unicodedata.name(c, "").startswith("LATIN") for c in letters) / len(letters) < 0.8:
        return Refusal.OTHER_SCRIPT
    english = sum(w in ENGLISH for w in words)
    other = max(sum(w in known for w in words) for known in OTHERS.values())
    foreign = max(other, sum(not w.isascii() for w in words))
    if foreign > english or (foreign == english and english):
        return Refusal.OTHER_LANGUAGE
    if foreign >= 2 and foreign * 3 >= english:
        return Refusal.MIXED
    return None if english >= min(3, len(words)) and english * 10 >= 3 * len(words) and english else Refusal.TOO_LITTLE
