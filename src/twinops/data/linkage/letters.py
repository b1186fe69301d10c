"""One spelling for comparing: repaired bytes, Latin letters, no accents, no decoration; and how a name sounds."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

from twinops.data.reading.plain_text import mended

_SPELT = """
аa бb вv гg дd еe ёe жzh зz иi йi кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ ыy ь эe юyu
яya іi їi єe ґg ђd ћc љl њn џdz
αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo
ßss øo łl æae œoe đd ðd þth ıi
"""
_LATIN = {spelt[0]: spelt[1:] for spelt in _SPELT.split()}
"""Cyrillic, Greek and other letters, each with its Latin spelling behind it."""

_SCRIPT = re.compile(r"<script.*?(?:</script>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>?")
_UMLAUT = re.compile("(?<=[aou])e")
_CONSONANTS = [
    (re.compile(a), b)
    for a, b in (
        ("shch|tsch|sch|tch|sh|ch|cz|zh|kh|[cghkqx]", "k"),
        ("ts|[sz]", "s"),
        ("ph|[fvwb]", "v"),
        ("th|[dt]", "t"),
        ("[aeiouyj]+", ""),
        (r"(.)\1+", r"\1"),
    )
]


class _Spelling(dict[int, str]):
    """Each sign as Latin letters or digits; nothing for an accent, a space for other signs. Learns as it is asked."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        spelt = _LATIN.get(sign, sign)
        self[code] = (
            "" if unicodedata.combining(sign) else spelt if spelt.isascii() and (spelt.isalnum() or not spelt) else " "
        )
        return self[code]


_SPELLING = _Spelling()


def spoken(text: str) -> str:
    """What a person would read aloud: entities resolved, tags and scripts gone."""
    return _TAG.sub(" ", _SCRIPT.sub(" ", html.unescape(mended(text))))


def latin(text: str) -> str:
    """Lower-case Latin letters, digits and spaces, without accents, umlauts written either way; other signs a space.

    >>> latin("Ольга Müller-Luedke 🌻"), latin("Γιώργος")
    ('olga muller ludke', 'giorgos')
    """
    folded = text.casefold()
    spelt = (folded if folded.isascii() else unicodedata.normalize("NFKD", folded)).translate(_SPELLING)
    return _UMLAUT.sub("", " ".join(spelt.split()))


@lru_cache(200_000)
def sounds(text: str) -> str:
    """Consonants by how they sound, after `a` where a vowel comes first: two clerks' spellings of a foreign name agree.

    >>> sounds("khristov") == sounds("hristow"), sounds("yuliya") == sounds("julija")
    (True, True)
    """
    out = text.replace(" ", "")
    start = "a" if out[:1] in tuple("aeiouyj") else ""
    for pattern, instead in _CONSONANTS:
        out = pattern.sub(instead, out)
    return start + out
