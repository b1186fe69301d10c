"""Whole numbers for codes that are text in somebody's files: invoices, shops, articles."""

from __future__ import annotations

import hashlib

HIGHEST = 2**62
STANDS_FROM = 10**15
"""From here on a number stands for a code that is text."""


def whole(code: str) -> int:
    """The number itself, or for any other text one above 10^15 that stays the same everywhere (BLAKE2b, RFC 7693).

    >>> whole("536365"), whole("85123A") == whole("85123A") > 10**15
    (536365, True)
    """
    if code.isascii() and code.isdigit() and code[0] != "0" and len(code) <= 15:
        return int(code)
    digest = hashlib.blake2b(code.encode(), digest_size=8, person=b"twinops code").digest()
    return STANDS_FROM + int.from_bytes(digest, "big") % (HIGHEST - STANDS_FROM)
