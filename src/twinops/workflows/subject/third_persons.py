"""Find in free text what may tell of somebody else: the copy of one person's data is of no other (art. 15(4))."""

from __future__ import annotations

import re
from collections.abc import Iterable

WITHHELD = "[withheld: may tell of another person (GDPR art. 15(4))]"
FEWEST_WORDS = 4
"""A cell of fewer words is a value, unless it holds an address or handle."""
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+|(?<!\w)@\w{2,}|(?<!\w)(?:\+|00)?\d[\d ()/.-]{6,}\d(?!\w)")
_DATE = re.compile(
    r"(?<!\d)(?:\d{4}([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{4})(?!\d)(?:[ T]\d\d:\d\d(?::\d\d)?)?"
)
"""A day is no telephone number, whichever way it is written."""
_NAMED = re.compile(r"\b[^\W\d_a-z][\w'’-]+(?:\s+(?:van|von|de|der|la|le|di|al|bin)\b)*\s+[^\W\d_a-z][\w'’-]+")
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herr|Frau|Mme|Mlle|M\.)\.?\s+\w+"
    r"|\bmy (?:husband|wife|son|daughter|mother|father|partner|neighbou?r|friend|brother|sister|boss|colleague)\b",
    re.IGNORECASE,
)


def tells_of_others(text: str, own: Iterable[str]) -> bool:
    """Whether a text names an address, a handle or a person that is not the asker's own, as far as words can show.

    >>> tells_of_others("Ann Lee told me so, write to bob@example.org", ["Ann Lee"])
    True
    >>> tells_of_others("the milk was sour", []), tells_of_others("fe59966235e437ec", [])
    (False, False)
    >>> tells_of_others("1985-06-29", []), tells_of_others("29.06.1985", []), tells_of_others("0171 234 5678", [])
    (False, False, True)
    """
    text = _DATE.sub(" ", text)
    known = " ".join(own).casefold()
    foreign = [m for m in _ADDRESS.findall(text) if m.casefold().strip(" .,;") not in known]
    if foreign or len(text.split()) < FEWEST_WORDS:
        return bool(foreign)
    named = [m for m in _NAMED.findall(text) if m.casefold() not in known]
    return bool(named) or _TITLED.search(text) is not None
