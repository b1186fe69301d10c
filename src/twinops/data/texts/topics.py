"""What a post is about, by a code-book a person can read; of special categories (GDPR art. 9) it is about nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

import yaml

from twinops.errors import ParamsError
from twinops.plugins import text_beside


@dataclass(frozen=True)
class CodeBook:
    """Patterns of the topics, and of the special categories that shut a post out."""

    version: str
    topics: Mapping[str, re.Pattern[str]]
    special: Mapping[str, re.Pattern[str]]

    def is_special(self, text: str) -> bool:
        """The text touches a special category. Which one is not told: that would be the signal itself."""
        plain = _plain(text)
        return any(pattern.search(plain) for pattern in self.special.values())

    def about(self, text: str) -> tuple[str, ...]:
        """The topics of a text, in the code-book's order; none for a text that touches a special category."""
        if self.is_special(text):
            return ()
        plain = _plain(text)
        return tuple(name for name, pattern in self.topics.items() if pattern.search(plain))


@cache
def shipped() -> CodeBook:
    """The code-book of this package.

    >>> shipped().about("One till open and a long queue"), shipped().about("no sugar since my diabetes")
    (('checkout',), ())
    """
    return parse(text_beside(__package__, "topics.yaml"))


def parse(text: str) -> CodeBook:
    """Read a code-book.

    Raises:
        ParamsError: it has no topic, or no special categories: an empty deny-list denies nothing.
    """
    raw = yaml.safe_load(text)
    if not raw.get("topics") or not raw.get("special"):
        raise ParamsError(
            "A code-book needs topics and special categories.", hint="Start from the shipped topics.yaml."
        )
    return CodeBook(
        str(raw["version"]),
        {n: _pattern(w) for n, w in raw["topics"].items()},
        {n: _pattern(w) for n, w in raw["special"].items()},
    )


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){_branches({str(w).casefold() for w in words})}(?!\w)")


def _branches(words: Set[str]) -> str:
    """The words as one expression in which what begins alike is tried once; a star is any ending of a word.

    >>> _branches({"bed", "beds"}), _branches({"cat", "cot"})
    ('(?:b(?:e(?:d(?:s|))))', '(?:c(?:at|ot))')
    """
    if len(words) == 1:
        return "".join(r"\w*" if sign == "*" else re.escape(sign) for sign in next(iter(words)))
    heads = sorted({w[:1] for w in words} - {""})
    tails = [
        (r"\w*" if head == "*" else re.escape(head)) + _branches({w[1:] for w in words if w[:1] == head})
        for head in heads
    ]
    return f"(?:{'|'.join([*tails, *([''] if '' in words else [])])})"


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").replace("#", " ").split())
