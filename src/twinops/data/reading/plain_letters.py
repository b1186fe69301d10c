"""One spelling for all: small letters without accents and width, of any script."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
"""Soft hyphens, zero-width signs and marks of direction: web shops leave them in names, and nobody sees them."""
_PLAINER = str.maketrans(dict(zip("łŁøØđĐıς", "lLoOdDiσ", strict=True)) | {"æ": "ae", "Æ": "AE", "œ": "oe"})
_DROPPED = re.compile(f"[\u0300-\u036f{_UNSEEN}]")


def plain(text: str) -> str:
    """Small letters of any script without accents, width and signs that nobody sees: one spelling stands for all.

    >>> plain("Größe"), plain("HAYIR"), plain("Złoty"), plain("ＩＤ"), plain("Bier\u00adglas")
    ('grosse', 'hayir', 'zloty', 'id', 'bierglas')
    """
    apart = unicodedata.normalize("NFKD", text.translate(_PLAINER))
    return unicodedata.normalize("NFC", _DROPPED.sub("", apart)).casefold().translate(_PLAINER)
