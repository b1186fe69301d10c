"""Customer numbers that replaced others, as a file of customers says it: both are one subject's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.customer_number import NumberForm, form_of
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.mapping import values_of
from twinops.data.own_sources.reading import cells_of
from twinops.entities.canonical import to_json
from twinops.entities.consent import REFUSALS, Event
from twinops.own_kinds import REPLACES

ONCE = "row_of_a_replaced_number"
OVERRULED = "yes_beside_a_no_under_another_number"


@dataclass(frozen=True)
class Replaced:
    """Old number -> the newest that stands for it; and how many cells say what cannot be, and join nobody.

    A number that two others claim to replace may be either's, and numbers that replace each other in a circle have no
    newest: nobody guesses whose lines they are, and a no under one holds under each that `may_be` the same person's.
    `unread`: remarks in which not one known number stands.
    """

    newest: Mapping[str, str] = field(default_factory=dict)
    disputed: int = 0
    may_be: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unread: int = 0

    @cached_property
    def digest(self) -> str:
        """Tells them apart from others."""
        told: dict[str, Any] = dict(sorted(self.newest.items()))
        doubts = {"": {n: sorted(of) for n, of in sorted(self.may_be.items())}} if self.may_be else {}
        return sha256(to_json(told | doubts).encode()).hexdigest()

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
        whole = {*self.newest, *self.newest.values(), *self.may_be}
        mine = np.flatnonzero(np.asarray(pc.is_in(rows["household_id"], pa.array(sorted(whole), pa.string()))))
        if not len(mine):
            return rows, {}
        stands: dict[tuple[str, str], dict[str, bool]] = {}
        keep = np.ones(rows.num_rows, dtype=bool)
        told = rows.select(["household_id", "purpose", "event", "time", "seq"]).take(mine).to_pylist()
        # of one moment's words the refusals are heard first
        places = {id(row): at for row, at in zip(told, mine, strict=True)}
        refused: dict[tuple[str, str], int] = {}
        for row in sorted(told, key=lambda r: (r["time"], not _refuses(r["event"]), r["seq"])):
            number, key = row["household_id"], (self._now(row["household_id"]), row["purpose"])
            said = stands.setdefault(key, {})
            said[number] = _refuses(row["event"])
            keep[places[id(row)]] = said[number] or not any(said.values())
            if said[number]:
                refused[key] = int(places[id(row)])
        noes = {key: at for key, at in refused.items() if any(stands[key].values())}
        theirs = self._held_too(noes)
        for row, at in zip(told, mine, strict=True):
            keep[at] &= _refuses(row["event"]) or (self._now(row["household_id"]), row["purpose"]) not in theirs
        kept, why = _kept(rows, keep.tolist(), OVERRULED)
        return _with_noes(kept, rows, theirs), why

    def _now(self, number: str) -> str:
        return self.newest.get(number, number)

    def _held_too(self, noes: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Of each that may be the person of a no: the place of that no, by number and purpose."""
        pairs = [(self._now(n), self._now(other)) for n, of in self.may_be.items() for other in of]
        return {(other, p): at for (who, p), at in sorted(noes.items()) for n, other in sorted(pairs) if n == who}


def _with_noes(kept: pa.Table, rows: pa.Table, theirs: Mapping[tuple[str, str], int]) -> pa.Table:
    """And the noes that hold under other numbers too, under each of these."""
    if not theirs:
        return kept
    more = rows.take(pa.array(theirs.values(), pa.int64()))
    numbers = pa.array([number for number, _ in theirs], more["household_id"].type)
    return pa.concat_tables([kept, more.set_column(more.column_names.index("household_id"), "household_id", numbers)])


NOBODY_REPLACED = Replaced()


def replaced(sources: Iterable[DeclaredSource]) -> Replaced:
    """What these sources say of it, read from their files; a cell that is no number joins nobody."""
    told = [_pairs(source) for source in sources if source.said.joins]
    pairs = sorted({pair for found, _ in told for pair in found})
    claims = Counter(old for old, _ in pairs)
    by = {old: new for old, new in pairs if claims[old] == 1}
    found = {old: end for old in by if (end := _end(old, by)) is not None}
    may_be: dict[str, set[str]] = {}
    for old, new in pairs:
        if old not in found:
            may_be.setdefault(old, set()).add(new)
            may_be.setdefault(new, set()).add(old)
    either = {n: frozenset(of) for n, of in may_be.items()}
    return Replaced(found, len(pairs) - len(found), either, sum(unread for _, unread in told))


def _pairs(source: DeclaredSource) -> tuple[set[tuple[str, str]], int]:
    """Old and new number of each row that says so; and how many cells have words, and not one number that is known."""
    rows: list[tuple[str | None, str | None, str]] = []
    for cells in cells_of(source, WHOLE):
        new, old = (values_of(cells, source.said, c).to_pylist() for c in ("household_id", REPLACES))
        rows += zip(new, old, (t or "" for t in cells.table[source.said.theirs(REPLACES)].to_pylist()), strict=True)
    known, form = {number for number, _, _ in rows if number}, form_of(source.said)
    found, unread = set[tuple[str, str]](), 0
    for number, old, cell in rows:
        if not number:
            continue
        if old in known or form.fits(old or "") or not has_words(cell, source.said.prefixes):
            found |= {(old, number)} if old and old != number else set()
            continue
        named = named_in(cell, form) & known - {number}
        # "merged with 39966" stands on the card that was given up
        found |= {(number, one) for one in named if len(named) == 1}
        unread += len(named) != 1
    return found, unread


def has_words(cell: str, prefixes: Iterable[str] = ()) -> bool:
    """A remark, and no number: a word of letters alone stands in it that is no prefix of numbers.

    >>> has_words("samengevoegd met 39966"), has_words("39 966"), has_words("K 39966", ("K",))
    (True, False, False)
    """
    before = {p.strip(" -./").casefold() for p in prefixes}
    several = len(cell.split()) > 1
    return several and any(word.isalpha() and word.casefold() not in before for word in _WORDS.findall(cell))


def named_in(cell: str, form: NumberForm) -> set[str]:
    """What may be customers' numbers in a remark, as they are filed."""
    return {number for word in _NUMBER.findall(cell) for number in (word, *form.every(word))}


_WORDS, _NUMBER = re.compile(r"[^\W_]+"), re.compile(r"[\w.-]*\d[\w-]*")
"""Words; and what may be a number, with the letters before it."""


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
