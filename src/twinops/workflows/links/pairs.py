"""Pairs of records by a short code, so that nobody has to name a person to speak of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from twinops.data.linkage.intake import HOME
from twinops.data.linkage.outcome import nothing_linked
from twinops.data.own_sources.cell_values import Unreadable, handle
from twinops.entities.persons import decisions, record_name, sid_of
from twinops.errors import DataError
from twinops.workflows.subject.desk import Desk
from twinops.workflows.twin.open import candidates

NO_PERSONS = pa.table({c: pa.array([], pa.string()) for c in ("sid", "source", "person", "fingerprint")})
JOINED, UNSURE, DECIDED = "joined", "review", "decided"
NO_PAIR = "No such pair of records is held."


@dataclass(frozen=True)
class RecordPair:
    """Two records by name, and of the tie between them what the linkage wrote down; empty where it weighed none."""

    one: str
    other: str
    tie: Mapping[str, Any]

    @property
    def code(self) -> str:
        """By which people speak of the pair: it names nobody, and is the same in every run."""
        both = "\0".join(sorted((self.one, self.other)))
        return hashlib.sha256(b"twinops pair " + both.encode()).hexdigest()[:10]

    @property
    def sources(self) -> tuple[str, str]:
        """Of both records."""
        return tuple(r.rpartition(":")[0] for r in (self.one, self.other))  # type: ignore[return-value]


@dataclass(frozen=True)
class Linkage:
    """What the linkage wrote last, and what was decided."""

    desk: Desk

    @cached_property
    def people(self) -> pa.Table:
        """Every record with its person."""
        return self._table("persons", NO_PERSONS)

    @cached_property
    def person_of(self) -> dict[str, str]:
        """Record -> person."""
        rows = zip(*(self.people[c].to_pylist() for c in ("source", "sid", "person")), strict=True)
        return {record_name(source, sid): person for source, sid, person in rows}

    def joined(self) -> Iterator[RecordPair]:
        """Records that were linked to a household, by the weakest tie on the way."""
        for row in self._table("links", nothing_linked()[0]).to_pylist():
            yield RecordPair(record_name(HOME, row["sid"]), record_name(row["source"], row["record"]), row)

    def unsure(self) -> Iterator[RecordPair]:
        """Pairs that wait for a person, without those that were decided since."""
        decided = {d.records for d in decisions(self.desk.rights.entries())}
        for row in self._table("review", nothing_linked()[1]).to_pylist():
            one, other = record_name(row["source"], row["sid"]), record_name(row["other_source"], row["other"])
            if frozenset((one, other)) not in decided:
                yield RecordPair(one, other, row)

    def decided(self) -> Iterator[RecordPair]:
        """Pairs of which somebody decided, with what the linkage last weighed of them."""
        rows = self._table("review", nothing_linked()[1]).to_pylist()
        ties = {frozenset((record_name(r["source"], r["sid"]), record_name(r["other_source"], r["other"]))): r
                for r in rows}  # fmt: skip
        for d in decisions(self.desk.rights.entries()):
            yield RecordPair(d.one, d.other, ties.get(d.records, {}))

    def pair(self, one: str, other: str = "") -> RecordPair:
        """By its code, or by two records: the id that the source has for it, as `crm:ID` where two have the same.

        Raises:
            DataError: there is none, or an id may mean two records.
        """
        known = [*self.unsure(), *self.joined(), *self.decided()]
        if not other:
            found = next((p for p in known if p.code == one.strip()), None)
        else:
            both = frozenset((self.record(one), self.record(other)))
            first, last = min(both), max(both)
            found = next((p for p in known if frozenset((p.one, p.other)) == both), RecordPair(first, last, {}))
        if found is None:
            raise DataError(NO_PAIR, hint="`twinops links list` names pairs; or name two records by their ids.")
        return found

    def around(self, record: str) -> frozenset[str]:
        """All records of the same person as this one."""
        mine = self.person_of.get(record)
        return frozenset(r for r, person in self.person_of.items() if person == mine)

    def record(self, who: str) -> str:
        """The record an id means.

        Raises:
            DataError: nobody is held by it, or it may mean two.
        """
        source, _, name = who.strip().rpartition(":")
        sids = {sid for one in _written(name, source) for sid in self._candidates(one)}
        found = [r for r in self.person_of if sid_of(r) in sids and r.startswith(source and f"{source}:")]
        found = found or [record_name(source, sid) for sid in sids & self._held(source)]
        if len(found) != 1:
            what = "An id means records of more than one source." if found else NO_PAIR
            raise DataError(what, hint=f"Name each record as SOURCE:ID, such as {self._sources()}.")
        return found[0]

    def _held(self, source: str) -> frozenset[str]:
        """Whose rows a source has, also of those whom the last linkage left out: a merge may be wrong all the same."""
        tables = self.desk.receipts.plane.tables
        return frozenset(tables.subjects(source)[0] if source and tables.collected(source) else ())

    def _sources(self) -> str:
        """What records may be called here."""
        return " or ".join(f"{source}:C17" for source in sorted(set(self.people["source"].to_pylist()))) or "crm:C17"

    def _candidates(self, name: str) -> list[str]:
        return candidates(name, self.desk.receipts.plane.keys, self.desk.receipts.own)

    def _table(self, name: str, otherwise: pa.Table) -> pa.Table:
        return self.desk.receipts.plane.tables.table(getattr(self.desk.places, name), otherwise=otherwise)


def _written(name: str, source: str) -> tuple[str, ...]:
    """An id as it may be filed: accounts have an at sign of ours, which only whoever names their source means."""
    try:
        return (name, handle(name)) if source and name else (name,)
    except Unreadable:
        return (name,)
