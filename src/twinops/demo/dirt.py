"""How writing goes wrong: typing slips, another alphabet, lost accents, twice-decoded bytes, emoji, hostile cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twinops.demo.names import EMOJI, HOSTILE, LATIN

Texts = np.ndarray
"""One-dimensional array of str objects; "" says that nothing was written."""

_NEIGHBOURS = dict(zip("abcdefghijklmnopqrstuvwxyz", "svxswdfguhjknbioaedribectx", strict=True))
_LOOSE = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "Ł": "L", "Ø": "O", "æ": "ae", "đ": "d"})
_UMLAUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa", "ø": "oe"})


@dataclass(frozen=True)
class Dirt:
    """Draws which values are spoilt. One instance per file and seed; equal seeds spoil equally."""

    rng: np.random.Generator

    def chance(self, n: int, share: float) -> np.ndarray:
        """True for about this share of n."""
        return self.rng.random(n) < share

    def some(self, values: Texts, share: float, change: Callable[[str, int], str]) -> Texts:
        """Change about this share of the values that are written; `change` gets the value and a random whole number."""
        chosen = np.flatnonzero(self.chance(len(values), share) & (values != ""))
        dice = self.rng.integers(0, 2**31, len(chosen)).tolist()
        out = values.copy()
        out[chosen] = [change(v, d) for v, d in zip(values[chosen].tolist(), dice, strict=True)]
        return out

    def mixed(self, *ways: tuple[float, Texts]) -> Texts:
        """Per row one of several ways to write the same thing, with these shares."""
        shares = np.array([s for s, _ in ways])
        pick = np.searchsorted(np.cumsum(shares / shares.sum()), self.rng.random(len(ways[0][1])), side="right")
        return np.choose(np.minimum(pick, len(ways) - 1), [w for _, w in ways])

    def lost(self, values: Texts, share: float) -> Texts:
        """The same with about this share left empty."""
        return np.where(self.chance(len(values), share), "", values)


def unique_map(values: Texts, change: Callable[[str], str]) -> Texts:
    """`change` applied once per distinct value."""
    known = {v: change(v) for v in set(values.tolist())}
    return texts([known[v] for v in values.tolist()])


def texts(values: Sequence[str]) -> Texts:
    """Texts as an array of str objects."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def slip(value: str, dice: int) -> str:
    """One typing error: a neighbouring key, a letter left out, doubled, or two letters swapped."""
    if len(value) < 3:
        return value
    at = 1 + (dice // 4) % (len(value) - 1)
    char, kind = value[at], dice % 4
    if kind == 0:
        return value[:at] + _NEIGHBOURS.get(char.lower(), "e") + value[at + 1 :]
    if kind == 1:
        return value[:at] + value[at + 1 :]
    if kind == 2:
        return value[:at] + char + value[at:]
    return value[: at - 1] + char + value[at - 1] + value[at + 1 :]


def digit_slip(value: str, dice: int) -> str:
    """One wrong digit, or two swapped."""
    places = [i for i, c in enumerate(value) if c.isdigit()]
    if len(places) < 3:
        return value
    at = places[1 + (dice // 16) % (len(places) - 1)]
    digit = str((int(value[at]) + 1 + dice % 9) % 10)
    return value[:at] + digit + value[at + 1 :]


def without_accents(value: str, dice: int = 0) -> str:
    """Accents dropped as an English keyboard does, or written out as a German clerk does."""
    text = value.translate(_UMLAUT) if dice % 3 == 1 else value.translate(_LOOSE)
    return "".join(c for c in unicodedata.normalize("NFKD", text.translate(_LOOSE)) if not unicodedata.combining(c))


def twice_decoded(value: str, _: int = 0) -> str:
    """UTF-8 bytes read as Windows-1252: `Jörg` becomes `JÃ¶rg`; left alone where that is impossible."""
    try:
        return value.encode("utf-8").decode("cp1252")
    except UnicodeDecodeError:
        return value


def in_latin(value: str, way: str) -> str:
    """Greek and Cyrillic letters as one of two clerks would spell them; other letters stay."""
    if not any(0x370 <= ord(c) <= 0x4FF for c in value):
        return value
    letters = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", value) if c != "\u0301"))
    spelt = [
        LATIN[way].get(c.lower(), c).replace("_", "").capitalize()
        if c.isupper()
        else LATIN[way].get(c, c).replace("_", "")
        for c in letters
    ]
    return "".join(spelt)


def decorated(value: str, dice: int) -> str:
    """An emoji or two beside the name, as on a social profile."""
    first, second = EMOJI[dice % len(EMOJI)], EMOJI[(dice // 16) % len(EMOJI)]
    return (f"{first} {value}", f"{value} {first}", f"{first}{value}{second}")[(dice // 512) % 3]


def hostile(_: str, dice: int) -> str:
    """A cell that attacks whoever opens the file."""
    return str(HOSTILE[dice % len(HOSTILE)])


def attached(value: str, dice: int) -> str:
    """The name with an attack before or behind it."""
    attack = HOSTILE[dice % len(HOSTILE)]
    return f"={value}" if dice % 5 == 0 else f"{value} {attack}" if dice % 2 else f"{attack} {value}"
