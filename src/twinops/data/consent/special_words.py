"""Words that tell of a special category of personal data (GDPR art. 9), in the languages that goods are named in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from twinops.data.reading.plain_letters import plain
from twinops.plugins import text_beside

_WORD = re.compile(r"[^\W_]+")
_SPOKEN_BY = 0.08
"""A language is one of a list of goods if so many of the names have a word of it."""
_BESIDE = 0.5
"""A second language has at least so many as the first; neighbours share words."""


@dataclass(frozen=True)
class SpecialWords:
    """`special_words.yaml`: by category why, and by category and language the words as they are written there."""

    why: dict[str, str]
    words: dict[str, dict[str, tuple[str, ...]]]
    taken_out: tuple[str, ...]


@cache
def shipped() -> SpecialWords:
    """The list of the package."""
    raw: dict[str, Any] = yaml.safe_load(text_beside(__package__, "special_words.yaml"))
    words = {
        name: {language: _listed(line) for language, line in lines.items()} for name, lines in raw["words"].items()
    }
    return SpecialWords(raw["why"], words, _listed(raw["not"]))


def told(name: str, spoken: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Categories that a name tells of by its words; `spoken`: languages of the list it stands in, none: not known.

    >>> told("Första hjälpen"), told("Weingläser"), told("Plaster", frozenset({"en"}))
    (('health',), (), ())
    """
    text = _taken_out().sub(" ", _spaced(name))
    return tuple(category for category, word in _by_category(spoken).items() if word.search(text))


def languages() -> tuple[str, ...]:
    """The languages that words are known of (ISO 639-1)."""
    return (*_languages(), *_scripts())


def spoken(names: Iterable[str]) -> frozenset[str]:
    """Languages that names of goods look like, by common words of theirs or by their script; none: nothing tells.

    Two different words at least, in a tenth of the names or more: one loan word is no language.

    >>> sorted(spoken(["Lait pour bébés", "Pain avec les noix"])), sorted(spoken(["Nasi goreng", "Kopi bubuk"]))
    (['fr'], [])
    """
    listed = list(names)
    texts = [_spaced(name) for name in listed]
    found = {language: _evidence(texts, word) for language, word in _languages().items()}
    most = max(found.values(), default=0)
    if most < max(_evidence(texts, word) for word in _languages("unknown").values()):
        return frozenset()
    letters = [unicodedata.name(c, "") for name in listed for c in name if c.isalpha()]
    return frozenset(
        [language for language, n in found.items() if n and n >= _BESIDE * most and n >= _SPOKEN_BY * len(texts)]
        + [
            language
            for language, script in _scripts().items()
            if sum(re.match(script, name) is not None for name in letters) * 2 > max(len(letters), 1)
        ]
    )


def _evidence(texts: list[str], word: re.Pattern[str]) -> int:
    """How many names have a common word; 0 if it is always the same."""
    found = [[w.strip() for w in word.findall(text)] for text in texts]
    return sum(map(bool, found)) if len({w for words in found for w in words}) > 1 else 0


@cache
def _languages(which: str = "words") -> dict[str, re.Pattern[str]]:
    read = yaml.safe_load(text_beside(__package__, "special_languages.yaml"))[which]
    return {language: _any_of(_listed(line)) for language, line in read.items()}


@cache
def _scripts() -> dict[str, str]:
    read: dict[str, str] = yaml.safe_load(text_beside(__package__, "special_languages.yaml"))["scripts"]
    return read


@cache
def _by_category(spoken_: frozenset[str]) -> dict[str, re.Pattern[str]]:
    """`~word` holds where its language is spoken, or where nobody knows what is."""
    return {
        category: _any_of(
            word.removeprefix("~")
            for language, words in lines.items()
            for word in words
            if not word.startswith("~") or not spoken_ or language in spoken_
        )
        for category, lines in shipped().words.items()
    }


@cache
def _taken_out() -> re.Pattern[str]:
    return _any_of(shipped().taken_out)


def _listed(line: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in line.split(","))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """One pattern of all; a word without `*` at an end ends there."""
    listed = sorted({plain(word) for word in words})
    whole = "|".join(_pattern(word) for word in listed if not word.startswith("*"))
    within = "|".join(_pattern(word) for word in listed if word.startswith("*"))
    return re.compile("|".join([f"(?<= )(?:{whole})", *([within] if within else [])]))


def _pattern(word: str) -> str:
    inner = re.escape(" ".join(word.strip("*").split())).replace(r"\*", "[^ ]*")
    return inner if word.endswith("*") else f"{inner}(?= )"


def _spaced(name: str) -> str:
    """A name in plain letters, a blank around each word."""
    words = " ".join(_WORD.findall(plain(name)))
    return f" {words} "
