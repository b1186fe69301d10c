"""Given name and surname out of however a source writes them: one field or two, either order, aliases, handles."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from twinops.data.linkage.letters import latin, sounds, spoken
from twinops.plugins import text_beside

Name = tuple[str | None, str | None]
"""Given name and surname, folded; None: not known."""

_TITLES = {"ms", "mr", "mrs", "dr", "prof", "herr", "frau", "fru", "pan", "pani", "sr", "sra", "mme"}
_NO_NAME = re.compile(r"[();|{}!*$]|^[=+@-].*\d|.[=@]")
ENOUGH = 4
"""So many records must use a word as given name before it is taken for one."""


def split_name(text: str) -> Name:
    """Given name and surname of a whole name in one field; nothing of an alias.

    >>> split_name("Müller, Anna"), split_name("🌊 Tony D."), split_name("sky_fox77")
    (('anna', 'muller'), ('tony', 'd'), (None, None))
    """
    text = " ".join(w for w in spoken(text).split() if not _NO_NAME.search(w))
    if re.search(r"[_\d]", text):
        return None, None
    last, comma, first = text.partition(",")
    if comma:
        return words(first) or None, words(last) or None
    found = [w for w in words(text).split() if w not in _TITLES]
    return " ".join(found[:-1] or found) or None, found[-1] if len(found) > 1 else None


def words(text: str) -> str:
    """The words of a name, folded; words that hold signs no name has are dropped.

    >>> words("=Anna-Maria"), words("Anna =1+1 {{7*7}}")
    ('anna maria', 'anna')
    """
    kept = [w for w in text.lstrip("'").split() if not _NO_NAME.search(w)]
    return latin(" ".join(w.strip("=@+-'\".,;:") for w in kept))


@lru_cache(200_000)
def root(name: str) -> str:
    """The name a short or foreign form stands for, where it stands for one only. General knowledge, in `nicknames.csv`.

    >>> root("kasia"), root("giorgos"), root("anakin")
    ('ekaterina', 'georg', 'anakin')
    """
    known = _forms().get(name) or _forms().get(name.split(" ", maxsplit=1)[0])
    return known or name


@dataclass(frozen=True)
class Usage:
    """How often each word is used as given name and as surname by the records at hand."""

    firsts: Counter[str]
    lasts: Counter[str]

    @classmethod
    def of(cls, names: Sequence[Name]) -> Usage:
        """Count by sound, so that spellings count together."""
        return cls(
            Counter(sounds(root(g)) for g, _ in names if g and len(g) > 1),
            Counter(sounds(root(s)) for _, s in names if s and len(s) > 1),
        )

    def is_given(self, word: str | None) -> bool:
        """The word is mostly used as a given name."""
        key = sounds(root(word)) if word and len(word) > 1 else ""
        return self.firsts[key] >= ENOUGH and self.firsts[key] > 2 * self.lasts[key]

    def ordered(self, name: Name) -> Name:
        """Given name first: exchanged where the surname is a given name and the given name is none."""
        given, surname = name
        return (surname, given) if self.is_given(surname) and not self.is_given(given) else name

    def completed(self, name: Name, email: str | None, handle: str | None) -> Name:
        """What is missing of a name, or an initial only, out of the handle or the e-mail's local part, where they fit.

        `anna w` with anna.weber@... is anna weber. An alias with the handle jan.novak is jan novak, if jan is a given
        name; an e-mail alone makes no name: families share it.
        """
        for text, alone in ((handle, True), ((email or "").partition("@")[0], False)):
            if text and (name[0] or alone):
                parts = [latin(w.rstrip("0123456789")) for w in re.split(r"[._]", text)]
                name = self._filled(name, parts[0], parts[1] if len(parts) == 2 else "")
        return name

    def _filled(self, name: Name, first: str, last: str) -> Name:
        """The name with what is missing taken from `first` and `last`, if nothing that is known speaks against it."""
        given, surname = name
        if (
            not first
            or not (_fits(given, first) if given else self.is_given(first))
            or (surname and last and not _fits(surname, last))
        ):
            return name
        return _longer(given, first), _longer(surname, last)


def _longer(known: str | None, other: str) -> str | None:
    """What is known, unless it is nothing or an initial and the other is a word."""
    return other if len(other) > 1 and len(known or "") < 2 else known


def _fits(known: str, other: str) -> bool:
    """One begins the other, or both stand for one name."""
    return known.startswith(other) or other.startswith(known) or root(known) == root(other)


@cache
def _forms() -> dict[str, str]:
    text = text_beside(__package__, "nicknames.csv")
    return {row["form"]: row["root"] for row in csv.DictReader(text.splitlines())}
