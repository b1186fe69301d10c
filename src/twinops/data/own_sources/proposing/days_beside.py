"""Which column holds the day of an answer, where each purpose has one: it is called as the answers are."""

from __future__ import annotations

from collections.abc import Sequence

from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Choice, Draft
from twinops.data.own_sources.recognising import DateFormat, parts_of


def day_of(theirs: str, days: Sequence[str], names: Sequence[str]) -> str | None:
    """The column of days that belongs to a column of answers, by its name, and of several the one that stands next."""
    fitting = [c for c in days if begins_as(c, theirs)]
    # the longest name that a day begins or ends as is the one it belongs to: `SMS` beside `SMS at night`
    own = [
        c for c in fitting if not any(begins_as(c, n) and len(n) > len(theirs) for n in names if n not in (c, theirs))
    ]
    at = {name: n for n, name in enumerate(names)}
    return min(own, key=lambda c: abs(at[c] - at[theirs]), default=None)


def begins_as(day: str, theirs: str) -> bool:
    """`offers - date`, `date of offers`, `offers_at`: all words of the answers' name, at the beginning or the end."""
    mine, others = parts_of(day), parts_of(theirs)
    return len(mine) > len(others) > 0 and others in (mine[: len(others)], mine[-len(others) :])


def tell_ways(draft: Draft, theirs: str, found: DateFormat) -> None:
    """Days that are written in several ways are read in each of them."""
    if found.also:
        ways = ", ".join((found.format, *found.also))
        draft.choices.append(Choice(draft.name, "time.also", ways, f"{printable(theirs)} is written in several ways"))
