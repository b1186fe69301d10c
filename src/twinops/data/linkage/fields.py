"""One shape for an e-mail address, a telephone number, a day and the year people put at the end of a handle."""

from __future__ import annotations

import re

from twinops.data.reading.plain_text import mended

_DAY = re.compile(r"^(\d{4})-(\d\d)-(\d\d)$|^(\d\d)[./](\d\d)[./](\d{4})$")


def bare_email(text: str) -> str:
    """Lower case, without tag; empty when it is no address.

    >>> bare_email(" Anna+shop@Example.ORG ")
    'anna@example.org'
    """
    local, at, domain = mended(text).strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at and local and "." in domain else ""


def last_digits(text: str) -> str:
    """The last nine digits of a telephone number: without country code and however it was grouped."""
    digits = re.sub(r"\D", "", text)
    return digits[-9:] if len(digits) >= 7 else ""


def iso_day(text: str) -> str:
    """A day as ISO 8601, from ISO or day.month.year; empty when it is neither."""
    found = _DAY.match(text.strip())
    if not found:
        return ""
    y, m, d, d2, m2, y2 = found.groups()
    return f"{y or y2}-{m or m2}-{d or d2}"


def year_at_end(text: str) -> str:
    """Two digits at the end, as many put their year of birth there; empty where there are none, or more.

    >>> year_at_end("kate57"), year_at_end("kate1"), year_at_end("kate157")
    ('57', '', '')
    """
    digits = text[len(text.rstrip("0123456789")) :]
    return digits if len(digits) == 2 else ""
