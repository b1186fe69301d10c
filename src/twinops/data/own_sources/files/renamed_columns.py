"""What columns are called in other files of a folder: a till was set up anew, and one has another name since."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from twinops.data.own_sources.cell_values import is_nothing, shape
from twinops.data.own_sources.recognising import date_format, is_number, parts_of

LOOKED_AT = 200
"""Cells of a column tell what it holds."""
Columns = Mapping[str, Sequence[str]]
"""Cells by name of the column, in the order of the file."""


def renamed(first: Columns, others: Iterable[Columns]) -> dict[str, tuple[str, ...]]:
    """Columns of the first file -> what they are called in others.

    A file has one column less, and a new one of the same content that stands in its place, or has a part of its name.
    Where two would do, neither is taken: the file is then refused as one without the column.
    """
    found: dict[str, dict[str, None]] = {}
    for there in others:
        gone, new = [c for c in first if c not in there], [c for c in there if c not in first]
        fitting = {c: [n for n in new if _is_the_same(c, n, first, there)] for c in gone}
        taken = Counter(n for names in fitting.values() for n in names)
        for c, names in fitting.items():
            if len(names) == 1 and taken[names[0]] == 1:
                found.setdefault(c, {})[names[0]] = None
    several = Counter(n for names in found.values() for n in names)
    kept = {c: tuple(n for n in names if several[n] == 1) for c, names in found.items()}
    return {c: names for c, names in kept.items() if names}


def _is_the_same(was: str, now: str, first: Columns, there: Columns) -> bool:
    placed = [*first].index(was) == [*there].index(now) and len(first) == len(there)
    called = bool({*parts_of(was)} & {*parts_of(now)})
    mine, theirs = _content(first[was]), _content(there[now])
    # 196,500 may be an amount, or thousands
    numbers = placed and called and {mine, theirs} == {"amounts", "numbers"}
    return (placed or called) and mine is not None and (mine == theirs or numbers)


def _content(cells: Sequence[str]) -> str | None:
    """Days, numbers, or how most texts look but for their length; None: nothing stands there."""
    told = [c.strip() for c in cells if not is_nothing(c)][:LOOKED_AT]
    if not told:
        return None
    if date_format(told):
        return "days"
    if all(map(is_number, told)):
        return "amounts" if any(re.search(r"\d[.,]\d{1,2}$", c) for c in told) else "numbers"
    look = Counter(re.sub(r"(.)\1+", r"\1", shape(c)) for c in told).most_common(1)[0]
    return look[0] if look[1] * 2 > len(told) else "texts"
