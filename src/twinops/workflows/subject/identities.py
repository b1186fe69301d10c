"""Whom ids mean: a household with every record linked to it or pointing at it, and the addresses that name them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.consent.ages import adult_from
from twinops.data.own_sources.customer_number import as_filed
from twinops.data.own_sources.law import SOURCES
from twinops.data.vault.seal import quarantine_copy
from twinops.entities.erasure import contact
from twinops.entities.rights import RightsEntry
from twinops.errors import IntegrityError
from twinops.ports import KeyKeeper
from twinops.workflows.intake import CONTACTS
from twinops.workflows.receipts import Receipts
from twinops.workflows.subject.desk import held_as_one
from twinops.workflows.twin.open import SID

NONE = pa.table({"sid": pa.array([], pa.string())})
_WORD = re.compile(r"[\w.+@-]+")


@dataclass(frozen=True)
class PersonHeld:
    """One person: all sids (whoever was named first, first), addresses that are theirs alone, how many are not."""

    sids: tuple[str, ...]
    contacts: frozenset[str]
    shared_contacts: int
    minor: bool


@dataclass(frozen=True)
class Identities:
    """The project's people, read once for any number of ids."""

    receipts: Receipts
    keys: KeyKeeper
    entries: tuple[RightsEntry, ...] = ()
    """The ledger of rights: what somebody decided of two records, and who asked together before."""

    def sids_of(self, ids: Iterable[str]) -> dict[str, str]:
        """The subject each id means, of those that have a key: the number in a source, or a subject id."""
        asked = list(dict.fromkeys(ids))
        forms = {i: as_filed(i, self.receipts.own) for i in asked}
        of_forms = self.keys.known_sids(dict.fromkeys(f for every in forms.values() for f in every))
        known = {i: sid for i, every in forms.items() if (sid := next(filter(None, map(of_forms.get, every)), None))}
        held = self.keys.subject_keys([i for i in asked if SID.fullmatch(i)])
        return {i: known.get(i) or i for i in asked if i in known or i in held}

    def person(self, sid: str) -> PersonHeld:
        """Everything that is the same person's."""
        others = self._persons.get(sid, frozenset()) - {sid}
        whole = (sid, *sorted(self.keys.subject_keys(others) if others else ()))
        named = {c for s in whole for c in self._contacts.get(s, ())}
        alone = frozenset(c for c in named if self._owners[c] <= set(whole))
        return PersonHeld(whole, alone, len(named) - len(alone), self._minor(whole))

    def answered(self, sids: frozenset[str]) -> bool:
        """One of these is a person of the panel, by an id of the panel's own."""
        panel = self.receipts.plane.tables.source("panelists", otherwise=NONE)
        return not sids.isdisjoint(panel["sid"].to_pylist())

    def quarantined(self, names: frozenset[str]) -> tuple[tuple[str, str], ...]:
        """Quarantines in which one of these numbers or addresses stands as a word, in any copy that lies here."""
        root, found = self.receipts.plane.places.root, set()
        own = (root / "data" / "quarantine").glob("*/*.parquet")
        cached = (p for p in (root / ".dvc" / "cache" / "files").rglob("*") if not p.name.endswith(".dir"))
        for held in (*(_sealed_rows(p, self.keys) for p in own), *(_cached_rows(p, self.keys) for p in cached)):
            if held and held[0] not in found and any(not names.isdisjoint(_words(r)) for r in held[1].to_pylist()):
                found.add(held[0])
        return tuple(sorted(found))

    @cached_property
    def _tables(self) -> dict[str, tuple[ModuleType, pa.Table]]:
        """Of every source that names people, those columns."""
        found = {}
        for name in plugins.names(SOURCES):
            module = plugins.load(SOURCES, name)
            wanted = tuple(c for c in CONTACTS if c in module.SCHEMA.names)
            if wanted:
                table = self.receipts.plane.tables.source(name, otherwise=NONE)
                there = [c for c in ("sid", *wanted) if c in table.column_names]
                found[name] = (module, table.select(there))
        return found

    @cached_property
    def _persons(self) -> Mapping[str, frozenset[str]]:
        """Whose records are whose: as every command that asks for one person has it."""
        return held_as_one(self.receipts, self.entries)

    @cached_property
    def _contacts(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for _, table in self._tables.values():
            for column in CONTACTS:
                if column in table.column_names:
                    for sid, cell in _cells(table, column):
                        if spelled := contact(cell):
                            found[sid].add(spelled)
        return found

    @cached_property
    def _owners(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for sid, contacts in self._contacts.items():
            for one in contacts:
                found[one].add(sid)
        return found

    @cached_property
    def _born(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        born = self.receipts.births
        for sid, day in zip(born["sid"].to_pylist(), born["birth_day"].to_pylist(), strict=True):
            if day is not None:
                found[sid].append(day)
        return found

    def _minor(self, sids: Iterable[str]) -> bool:
        count, years, today = self.receipts.days, self.receipts.adults.adult_years, self.receipts.as_of
        days = {day for sid in sids for day in self._born.get(sid, ())}
        return any(adult_from(count.date_of(day), years=years) > today for day in days)


def _sealed_rows(path: Path, keys: KeyKeeper) -> tuple[tuple[str, str], pa.Table] | None:
    return quarantine_copy(path, keys=keys) if _is_parquet(path) else None


def _cached_rows(path: Path, keys: KeyKeeper) -> tuple[tuple[str, str], pa.Table] | None:
    """The same of an object of a cache: what opens for nobody holds nobody's name, and stops no erasure."""
    try:
        return _sealed_rows(path, keys)
    except IntegrityError:
        return None


def _is_parquet(path: Path) -> bool:
    """It begins and ends as one: caches hold pictures and texts, too, and what was cut off."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        begins = file.read(len(_MAGIC))
        file.seek(max(path.stat().st_size - len(_MAGIC), 0))
        return begins == file.read(len(_MAGIC)) == _MAGIC


_MAGIC = b"PAR1"


def _cells(table: pa.Table, column: str) -> Iterator[tuple[str, str]]:
    there = table.filter(pc.is_valid(table[column]))
    return zip(there["sid"].to_pylist(), map(str, there[column].to_pylist()), strict=True)


def _words(row: Mapping[str, object]) -> set[str]:
    found = {w for v in row.values() if v is not None for w in _WORD.findall(str(v))}
    return found | {w.casefold() for w in found}
