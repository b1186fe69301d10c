"""One spelling for all: small letters without accents and width, of any script."""

from __future__ import annotations

import re
import unicodedata

_PLAINER = str.maketrans(dict(zip("łŁøØđĐıς", "lLoOdDiσ", strict=True)) | {"æ": "ae", "Æ": "AE", "œ": "oe"})


def plain(text: str) -> str:
    """Small letters of any script without accents and width, so that one spelling stands for all.

    >>> plain("Größe"), plain("HAYIR"), plain("Złoty"), plain("ＩＤ")
    ('grosse', 'hayir', 'zloty', 'id')
    """
    apart = unicodedata.normalize("NFKD", text.translate(_PLAINER))
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", apart)).casefold().translate(_PLAINER)
