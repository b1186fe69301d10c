"""What sources about people share: cells that cannot run, bounded names, real birthdays, lines in two encodings."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from twinops.data.reading import csv_records
from twinops.data.reading.reading import Fault, Refused

MOST_SIGNS = 200
"""The longest name, address line or e-mail that is taken."""
EARLIEST_BIRTH = 1900

_CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_TELEPHONE = re.compile(r"\+?[\d\s()/.-]{5,30}")
_EUROPEAN = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")


def cell(text: str) -> str | None:
    """A cell as it is kept: NFC, one space at a time, without tricks; a formula gets an apostrophe (CWE-1236).

    >>> cell(" Anna  Maria "), cell("=1+1"), cell("+999 12 34 56"), cell("-Anna"), cell(" ")
    ('Anna Maria', "'=1+1", '+999 12 34 56', '-Anna', None)

    Raises:
        Refused: too long for what it should be.
    """
    if len(text) > MOST_SIGNS:
        raise Refused(Fault.OVERSIZED)
    kept = " ".join(_CONTROLS.sub(" ", unicodedata.normalize("NFC", text)).split())
    # CWE-1236: the cell is kept, harmless, for whoever opens the table in a spreadsheet
    if _runs(kept):
        kept = f"'{kept}"
    return kept or None


def _runs(text: str) -> bool:
    """A spreadsheet would run it."""
    if csv_records.is_formula(text) or text[:1] in ("=", "@"):
        return True
    return text[:1] in ("+", "-") and not _TELEPHONE.fullmatch(text) and not text[1:2].isalpha()


def birthday(text: str | None, *, as_of: date) -> str | None:
    """A date of birth as ISO 8601; nothing where nothing was written.

    >>> birthday("21.10.1952", as_of=date(2018, 1, 1)), birthday(None, as_of=date(2018, 1, 1))
    ('1952-10-21', None)

    Raises:
        Refused: no such day, before 1900, or after the as-of date.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(_EUROPEAN.sub(r"\3-\2-\1", text) if len(text) == 10 else "")
    except ValueError:
        raise Refused(Fault.BAD_TIME) from None
    if day.year < EARLIEST_BIRTH:
        raise Refused(Fault.OUT_OF_RANGE)
    if day > as_of:
        raise Refused(Fault.FUTURE)
    return day.isoformat()


def in_utf8(line: bytes) -> bytes:
    """A line of an export in mixed encodings as UTF-8: what is not, is read as Windows-1252 where it can be.

    >>> in_utf8("Jörg".encode("cp1252")) == in_utf8("Jörg".encode())
    True
    """
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return line.decode("cp1252").encode("utf-8")
        except UnicodeDecodeError:
            return line
    return line
