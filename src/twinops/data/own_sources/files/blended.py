"""Cells of a folder's other files beside those of its first ones: typed numbers and days as its texts write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twinops.data.own_sources.recognising import date_format

_POINTED = re.compile(r"-?\d+\.\d+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?)?")


@dataclass(frozen=True)
class Cells:
    """Cells by column, each as long as the others; those of `typed` columns were no text, some of `mixed` were none."""

    columns: dict[str, list[str]]
    typed: frozenset[str] = frozenset()
    mixed: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """How many each column has."""
        return max(map(len, self.columns.values()), default=0)

    def thinned(self, most: int) -> Cells:
        """About so many rows, evenly spread."""
        step = -(-self.rows // max(most, 1)) or 1
        return Cells({name: of[::step] for name, of in self.columns.items()}, self.typed, self.mixed)

    def called(self, names: dict[str, str]) -> Cells:
        """The same columns under other names."""
        return Cells(
            {names.get(name, name): of for name, of in self.columns.items()},
            frozenset(names.get(name, name) for name in self.typed),
            frozenset(names.get(name, name) for name in self.mixed),
        )


def blended(first: Cells, others: Sequence[Cells], *, as_text: bool) -> Cells:
    """All of them as one. `as_text`: the first is a text, and days are shown as it writes them.

    Files with less than half of the columns are something else.

    >>> sheet = Cells({"day": ["2025-02-01"], "sum": ["2.5"]}, typed=frozenset({"day", "sum"}))
    >>> blended(Cells({"day": ["31-01-2025"], "sum": ["1,25"]}), [sheet], as_text=True).columns
    {'day': ['31-01-2025', '01-02-2025'], 'sum': ['1,25', '2,5']}
    """
    fitting = [first, *(o for o in others if len(o.columns.keys() & first.columns.keys()) * 2 > len(first.columns))]
    columns, typed = {}, set()
    for name in first.columns:
        holding = [one for one in fitting if name in one.columns]
        if all(name in one.typed for one in holding):
            typed.add(name)
        texts = [c for one in holding if name not in one.typed for c in one.columns[name]]
        way = date_format(first.columns[name]) if as_text and texts else None
        sign, day = comma_or_point(texts), way.format if way and way.format.startswith("%") else None
        zeros = _length_with_zeros(texts)
        columns[name] = [
            _as_texts(cell, sign, day, zeros) if name in one.typed | one.mixed and name not in typed else cell
            for one in fitting
            for cell in one.columns.get(name, [""] * one.rows)
        ]
    mixed = frozenset(n for n in columns if n not in typed and any(n in one.typed | one.mixed for one in fitting))
    return Cells(columns, frozenset(typed), mixed)


def comma_or_point(cells: Sequence[object]) -> str:
    """Which sign the texts of a column have before the last digits."""
    found = [m[1] for c in cells if isinstance(c, str) and (m := re.search(r"([.,])\d{1,2}$", c.strip()))]
    return max(".", ",", key=found.count)


def _length_with_zeros(cells: Sequence[str]) -> int:
    """How long numbers are that begin with zeros, where all such are of one length; 0 otherwise."""
    found = {len(c) for c in cells if c.startswith("0") and len(c) > 1 and c.isdecimal()}
    return found.pop() if len(found) == 1 else 0


def _as_texts(cell: str, sign: str, day: str | None, zeros: int) -> str:
    if day and _MOMENT.fullmatch(cell):
        return datetime.fromisoformat(cell).strftime(day)
    if cell.isdecimal():  # a typed number has lost its zeros
        return cell.zfill(zeros)
    return cell.replace(".", sign) if sign != "." and _POINTED.fullmatch(cell) else cell
