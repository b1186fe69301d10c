"""Customer numbers that replaced others, as a file of customers says it: both are one subject's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.mapping import values_of
from twinops.data.own_sources.reading import cells_of
from twinops.entities.canonical import to_json
from twinops.entities.consent import REFUSALS, Event
from twinops.own_params import REPLACES

ONCE = "row_of_a_replaced_number"
OVERRULED = "yes_beside_a_no_under_another_number"


@dataclass(frozen=True)
class Replaced:
    """Old number -> the newest that stands for it; and how many cells say what cannot be, and join nobody.

    A number that two others claim to replace may be either's, and numbers that replace each other in a circle have no
    newest: nobody guesses.
    """

    newest: Mapping[str, str] = field(default_factory=dict)
    disputed: int = 0

    @cached_property
    def digest(self) -> str:
        """Tells them apart from others."""
        return sha256(to_json(dict(sorted(self.newest.items()))).encode()).hexdigest()

    def one_row_each(self, rows: pa.Table, subject: str) -> tuple[pa.Table, dict[str, int]]:
        """Of a table with a row a subject, without rows of numbers whose replacement has one; and how many."""
        numbers = rows[subject].to_pylist() if self.newest else []
        left = {n for n in numbers if n not in self.newest}
        seen: set[str] = set()
        keep = []
        for n in numbers:
            now = self.newest.get(n, n)
            keep.append(n == now or (now not in left and now not in seen))
            seen.add(now)
        return _kept(rows, keep, ONCE)

    def strictest(self, rows: pa.Table) -> tuple[pa.Table, dict[str, int]]:
        """A ledger of consent without what one number allows while another of the same subject's refuses it.

        The newest word under each number counts, and of several numbers' the strictest: a yes under the new card does
        not lift what was refused under the old one, a yes under the old one does.
        """
        whole = {*self.newest, *self.newest.values()}
        mine = np.flatnonzero(np.asarray(pc.is_in(rows["household_id"], pa.array(sorted(whole), pa.string()))))
        if not len(mine):
            return rows, {}
        stands: dict[tuple[str, str], dict[str, bool]] = {}
        keep = np.ones(rows.num_rows, dtype=bool)
        told = rows.select(["household_id", "purpose", "event", "time", "seq"]).take(mine).to_pylist()
        # of one moment's words the refusals are heard first
        places = {id(row): at for row, at in zip(told, mine, strict=True)}
        for row in sorted(told, key=lambda r: (r["time"], not _refuses(r["event"]), r["seq"])):
            number, event = row["household_id"], row["event"]
            said = stands.setdefault((self.newest.get(number, number), row["purpose"]), {})
            said[number] = _refuses(event)
            keep[places[id(row)]] = said[number] or not any(said.values())
        return _kept(rows, keep.tolist(), OVERRULED)


NOBODY_REPLACED = Replaced()


def replaced(sources: Iterable[DeclaredSource]) -> Replaced:
    """What these sources say of it, read from their files; a cell that is no number joins nobody."""
    pairs = sorted({pair for source in sources if source.said.joins for pair in _pairs(source)})
    claims = Counter(old for old, _ in pairs)
    by = {old: new for old, new in pairs if claims[old] == 1}
    found = {old: end for old in by if (end := _end(old, by)) is not None}
    return Replaced(found, len(pairs) - len(found))


def _pairs(source: DeclaredSource) -> Iterator[tuple[str, str]]:
    for cells in cells_of(source, WHOLE):
        new, old = (values_of(cells, source.said, c).to_pylist() for c in ("household_id", REPLACES))
        yield from ((o, n) for n, o in zip(new, old, strict=True) if n and o and n != o)


def _end(old: str, by: Mapping[str, str]) -> str | None:
    """The newest number of a chain; None: it goes in a circle."""
    seen, at = {old}, by[old]
    while at in by:
        if at in seen:
            return None
        seen.add(at)
        at = by[at]
    return at


def _refuses(event: str) -> bool:
    return Event(event) in REFUSALS


def _kept(rows: pa.Table, keep: list[bool], why: str) -> tuple[pa.Table, dict[str, int]]:
    gone = keep.count(False)
    return (rows.filter(pa.array(keep, pa.bool_())), {why: gone}) if gone else (rows, {})
