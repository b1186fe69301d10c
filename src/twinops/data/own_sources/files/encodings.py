"""The encoding that bytes are most likely in, by the letters that a language would have in it."""

from __future__ import annotations

import codecs
import re
from collections import Counter

from twinops.data.own_sources.files.csv import is_utf8

_LOOK = 2**20
_PAIRED = 0.7
_WRITTEN = (
    *(("windows-1252", letters) for letters in (
        "äöüß", "éèêëàâçîïôùûœæ", "áéíóúñü¿¡ºª", "ãõçáéíóúâêôàºª", "àèéìòù", "åäö", "æøåé", "ëéïèöü",
    )),
    *(("windows-1250", letters) for letters in (
        "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćžšđ",
    )),
    *(("iso-8859-2", letters) for letters in ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű")),
    ("windows-1254", "çğıöşüâî"),
    *(("windows-1257", letters) for letters in ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")),
    ("windows-1252", "áðéíóúýþæö"),
)  # fmt: skip
"""Letters outside ASCII, by encoding and language; of those that go equally well, the first."""
_NEUTRAL = frozenset("€£§°«»–—“”„’‘…®©™´`²·×\u00a0")
_RUNS = 0.6
"""A script that has no letters in ASCII stands in runs of bytes outside it."""


def likely_encoding(data: bytes) -> str:
    """The encoding that bytes are most likely in; `detect` where UTF-8 or a mark says it by itself.

    >>> [likely_encoding("Größe".encode(e)) for e in ("cp1252", "utf-8", "utf-16")]
    ['windows-1252', 'detect', 'detect']
    >>> [likely_encoding("きょうと".encode("shift_jis")), likely_encoding("北京市大学".encode("gb18030"))]
    ['shift_jis', 'gb18030']
    >>> words = (("płeć|rok", "cp1250"), ("příjmení", "cp1250"), ("alışveriş değer", "cp1254"))
    >>> [likely_encoding(word.encode(encoding)) for word, encoding in words]
    ['windows-1250', 'windows-1250', 'windows-1254']
    >>> [likely_encoding(w.encode(e)) for w, e in (("покупатель", "cp1251"), ("ημερομηνία", "cp1253"))]
    ['windows-1251', 'windows-1253']
    """
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "detect"
    if data.count(b"\0") * 4 > len(data):
        return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    return "detect" if data.isascii() or is_utf8(data) else _eight_bits(_telling(data))


def says_itself(head: bytes) -> bool:
    """It begins with a mark, or is UTF-8."""
    return head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or is_utf8(head)


def _telling(data: bytes) -> bytes:
    """Lines with bytes outside ASCII, each once: a word that all lines repeat tells no more than one."""
    lines = dict.fromkeys(line for line in data.splitlines() if not line.isascii())
    return b"\n".join(lines)[:_LOOK]


def _eight_bits(data: bytes) -> str:
    """East Asian letters are pairs that mostly begin with few bytes; Greek and Cyrillic words are all outside ASCII;
    of the others the language whose letters are most of those that stand there.
    """
    for name, leads in (
        ("euc-jp", range(0xA4, 0xA6)), ("shift_jis", range(0x81, 0x98)), ("euc-kr", range(0xB0, 0xC9)),
        ("gb18030", range(0xB0, 0xD8)),
    ):  # fmt: skip
        least = {"euc-jp": 0.3, "euc-kr": 0.97}.get(name, _PAIRED)
        if _paired(data, leads) > least and _decodes(data, name) and not _among_letters(data.decode(name, "ignore")):
            return name
    high = [i for i, b in enumerate(data) if b >= 0x80]
    beside = sum(data[i + 1 : i + 2] > b"\x7f" for i in high)
    if beside > _RUNS * len(high):
        accents = sum(0xDC <= data[i] <= 0xDF and data[i - 1] >= 0xE0 for i in high if i)
        return "windows-1253" if accents * 50 > len(high) else "windows-1251"
    if any(data[i] in b"\x81\x8d\x8f\x90\x9d" for i in high):
        central = max(_covered(data, name, letters) for name, letters in _WRITTEN if name == "windows-1250")
        return "windows-1250" if central > 0.9 else "iso-8859-1"
    return max(_WRITTEN, key=lambda pair: _covered(data, *pair))[0]


def _covered(data: bytes, name: str, letters: str) -> float:
    """The share of letters and signs outside ASCII that a language has, where they are in this encoding."""
    text = data.decode(name.replace("windows-", "cp"), "replace").lower()
    found = Counter(c for c in text if not c.isascii() and c not in _NEUTRAL)
    return sum(found[c] for c in letters) / max(found.total(), 1)


def _among_letters(text: str) -> bool:
    """Many of its letters outside ASCII stand within words of ASCII: they are no ideographs."""
    outside = sum(not c.isascii() for c in text)
    return len(re.findall(r"[a-z][^\x00-\x7f]|[^\x00-\x7f][a-z]", text)) > 0.3 * outside


def _paired(data: bytes, leads: range) -> float:
    """Share of high bytes, each taken with the one behind it, that are among these."""
    at, seen, among = 0, 0, 0
    while at < len(data):
        if data[at] >= 0x80:
            seen, among, at = seen + 1, among + (data[at] in leads), at + 1
        at += 1
    return among / max(seen, 1)


def _decodes(data: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True
