"""Customers' numbers in place of what a file knows them by: a mailing list has addresses, and the till has numbers.

Another source says whose address it is. An address of several customers is an objection of each, and a yes of none:
which of them said it, nobody knows. An address that nobody has stays as it is, so that what was said by it is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import md5, sha1, sha256

import numpy as np
import pyarrow as pa

from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.consents.answers import without_yeses
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files.cells import TextCells
from twinops.data.own_sources.mapping import values_of
from twinops.entities.canonical import to_json
from twinops.own_params import OwnSource

SHARED = "address_of_several_customers"
SHARED_YES = "yes_by_an_address_of_several_customers"
_HASHED = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_WRITTEN = re.compile(r"(?:.*<)?\s*(?:mailto:)?([^\s<>]+@[^\s<>]+?)\s*>?\s*")
_BETWEEN = re.compile(r"[;,\s]+")


def spelled(text: str) -> str:
    """An address, or what else a file knows somebody by, as it is compared: small letters, no marks around it.

    >>> spelled(" Anna <Anna@Mail.Example> "), spelled("mailto:a@b.example"), spelled("+31 6-12 34")
    ('anna@mail.example', 'a@b.example', '+3161234')
    """
    told = unicodedata.normalize("NFKC", text).strip().casefold()
    address = _WRITTEN.fullmatch(told)
    return address[1] if address else re.sub(r"[\s()/.-]", "", told)


@dataclass(frozen=True)
class Known:
    """Whose each address is: one customer, or several."""

    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Tells it apart from others."""
        return sha256(to_json({a: [*whose] for a, whose in sorted(self.by.items())}).encode()).hexdigest()

    @cached_property
    def hashed(self) -> dict[str, tuple[str, ...]]:
        """The same by what mailing tools make of addresses that nobody shall read."""
        ways = (md5, sha1, sha256)
        # no secret is kept by these: they are how others write an address
        return {way(a.encode(), usedforsecurity=False).hexdigest(): of for a, of in self.by.items() for way in ways}

    def whose(self, text: str) -> tuple[str, ...]:
        """The customers; what stands there, where nobody is known by it."""
        told = spelled(text)
        found = self.by.get(told) or (self.hashed.get(told) if _HASHED.fullmatch(told) else None)
        # what is no address may be a number, which stays as it is written
        return found or ((told,) if "@" in told else (text,))


def named(cells: TextCells, said: OwnSource, known: Known | None) -> TextCells:
    """The same records of customers by their numbers; one an address of several names is one of each."""
    if known is None:
        return cells
    theirs = said.columns["household_id"]
    at = cells.table.column_names.index(theirs)
    whose = _whose(cells.table, said, known)
    several = np.array([len(w) > 1 for w in whose], bool)
    one = cells.table.set_column(at, theirs, pa.array([w[0] for w in whose], pa.string()))
    if not several.any():
        return replace(cells, table=one)
    if said.form.staged_as not in ("consent", "service"):
        left = {**cells.left_out, SHARED: int(several.sum())}
        return replace(cells, table=one.filter(pa.array(~several)), left_out=left)
    shared, yeses = without_yeses(cells.table.filter(pa.array(several)), said)
    of = [whose[n] for n in np.flatnonzero(several)]
    kept = [{**row, theirs: who} for row, whom in zip(shared, of, strict=True) if row for who in whom]
    more = pa.Table.from_pylist(kept, schema=one.schema)
    table = pa.concat_tables([one.filter(pa.array(~several)), more]).sort_by("place")
    lost = {**cells.lost, SHARED_YES: yeses} if yeses else cells.lost
    return replace(cells, table=table, lost=lost)


def _whose(table: pa.Table, said: OwnSource, known: Known) -> list[tuple[str | None, ...]]:
    """Of each record the numbers; where addresses stand beside numbers, those that stand are as they are."""
    numbers = table[said.columns["household_id"]].to_pylist()
    if said.addresses is None:
        return [known.whose(t) if t and t.strip() else (t,) for t in numbers]
    mails = table[said.addresses].to_pylist()
    return [
        known.whose(mail) if is_nothing(number or "") and mail and mail.strip() else (number,)
        for number, mail in zip(numbers, mails, strict=True)
    ]


def addresses_in(cell: str | None) -> tuple[str, ...]:
    """All that stand in one cell."""
    told = (cell or "").strip()
    parts = _BETWEEN.split(told) if told.count("@") > 1 else [told]
    return tuple(dict.fromkeys(s for p in parts if (s := spelled(p))))


def known(source: DeclaredSource, read: Callable[[DeclaredSource], Iterator[TextCells]]) -> Known | None:
    """Whose the addresses are that this source knows its customers by, as other sources say; None: it has numbers."""
    if not source.knows:
        return None
    found: dict[str, set[str]] = {}
    for one, theirs in source.knows:
        with_addresses = asked_by(one, theirs)
        for cells in read(with_addresses):
            numbers = values_of(cells, with_addresses.said, "household_id").to_pylist()
            for whose, cell in zip(numbers, cells.table[theirs].to_pylist(), strict=True):
                for address in addresses_in(cell) if whose and not is_nothing(cell or "") else ():
                    found.setdefault(address, set()).add(whose)
    return Known({address: tuple(sorted(whose)) for address, whose in found.items()})


def asked_by(source: DeclaredSource, theirs: str) -> DeclaredSource:
    """The source that says whose address it is, with that column of its own read beside the number."""
    said = source.said
    legal = said.legal.model_copy(update={"purposes": {**said.legal.purposes, ADDRESS: ("identification",)}})
    return replace(source, said=said.model_copy(update={"columns": {**said.columns, ADDRESS: theirs}, "legal": legal}))


ADDRESS = "known_by"
