"""Where requests of consumers are worked on: who may, whom they mean, and what stands of them already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.consent.ages import adult_from
from twinops.data.consent.rights import Standing, standing
from twinops.data.own_sources.law import SOURCES
from twinops.data.vault.sealed_file import subjects_in
from twinops.entities.persons import decisions, sid_of
from twinops.entities.rights import RightsEntry
from twinops.errors import ParamsError
from twinops.governance.people.offices import DATA_OWNER, DPO, line_for
from twinops.ports import Rights
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places
from twinops.workflows.receipts import Receipts
from twinops.workflows.twin.open import NO_LINKS, SID, candidates

NOBODY = pa.table({"sid": pa.array([], pa.string())})
MAY = (DATA_OWNER, DPO)
"""Offices that take requests of consumers: the data owner, and the officer they may turn to (art. 38(4))."""
WRONG_OFFICE = (
    f"Requests of consumers are taken by the {DATA_OWNER} or the {DPO}, and nobody of that name holds such an office. "
    f"{line_for(DATA_OWNER)}; then give that e-mail with --by."
)


@dataclass(frozen=True)
class ActingOfficer:
    """Who works on a request, in which office."""

    office: str
    person: str
    reached: bool = True
    """They are called by name and have an address, and not by an account alone."""


@dataclass(frozen=True)
class Desk:
    """A project's consumers, and the ledger in which what they ask is written."""

    receipts: Receipts
    rights: Rights

    @property
    def places(self) -> Places:
        """Where everything lies."""
        return self.receipts.plane.places

    @property
    def today(self) -> date:
        """The day it is, by the one clock."""
        return self.rights.now().date()

    def officer(self, by: str) -> ActingOfficer | None:
        """The holder of one of the offices that may, by name, address or account; None: it is nobody who may.

        Raises:
            ParamsError: nobody was named.
        """
        if not by.strip():
            raise ParamsError("Say who takes this down: --by with a name, address or account.", hint=WRONG_OFFICE)
        for person in offices_of(self.places).people:
            known = {n for n in (person.name, person.account, *person.emails) if n}
            if by.strip() in known and person.office in MAY and person.holds(person.office, on=self.today):
                reached = person.name is not None and bool(person.emails)
                return ActingOfficer(person.office, person.name or person.account or person.emails[0], reached)
        return None

    def held(self) -> Mapping[str, frozenset[str]]:
        """Source -> of whom it holds anything."""
        raw = self.places.raw_batches
        return {name: subjects_in(raw(name)) for name in plugins.names(SOURCES)}

    def standing(self) -> Mapping[str, Standing]:
        """What stands by command."""
        return standing(self.rights.entries())

    def people(self) -> Whoever:
        """Whom ids mean; made once for many."""
        return Whoever(
            self, frozenset().union(*self.held().values()), held_as_one(self.receipts, self.rights.entries())
        )

    def persons_whole(self, sids: Iterable[str]) -> tuple[str, ...]:
        """Those of the sids of whose person every other record is among them too."""
        among = frozenset(sids)
        persons_of = held_as_one(self.receipts, self.rights.entries())
        return tuple(sorted(sid for sid in among if persons_of.get(sid, frozenset()) <= among))

    def under_age(self, sids: Iterable[str]) -> bool:
        """Whether any of somebody's records tells a birthday after which full age is not reached today."""
        asked = pa.array(sorted(sids), pa.string())
        born = self.receipts.births
        days = pc.unique(born.filter(pc.is_in(born["sid"], asked))["birth_day"]).drop_null().to_pylist()
        count, years = self.receipts.days, self.receipts.adults.adult_years
        return any(adult_from(count.date_of(d), years=years) > self.today for d in days)


def held_as_one(receipts: Receipts, entries: Iterable[RightsEntry]) -> dict[str, frozenset[str]]:
    """Whose rows are whose, for the copy, for every act, for retention and for erasure alike: see `persons`.

    Beside what is linked, a record that names a card is the card's holder's, unless somebody decided otherwise; and so
    is what was filed under a number before another replaced it.
    """
    links = receipts.plane.tables.table(receipts.plane.places.links, otherwise=NO_LINKS)
    return persons(links, entries, (*_pointing(receipts), *receipts.plane.keys.moved().items()))


def _pointing(receipts: Receipts) -> Iterator[tuple[str, str]]:
    """Each record with the sid that it names as its household."""
    for name in plugins.names(SOURCES):
        wanted = getattr(plugins.load(SOURCES, name), "HOUSEHOLDS", ())
        table = receipts.plane.tables.source(name, otherwise=NOBODY) if wanted else NOBODY
        for column in (c for c in wanted if c in table.column_names):
            named = table.filter(pc.is_valid(table[column]))
            pairs = zip(named["sid"].to_pylist(), named[column].to_pylist(), strict=True)
            yield from ((one, str(other)) for one, other in pairs if SID.fullmatch(str(other)))


def persons(
    links: pa.Table, entries: Iterable[RightsEntry], pointing: Iterable[tuple[str, str]] = ()
) -> dict[str, frozenset[str]]:
    """Every sid that is not alone -> all sids of the same person.

    Linked now, decided to be one person's since, or asked for together before: what may not be used is linked no more,
    and is the same person's still; unless somebody decided that two of them are two persons. `pointing` are pairs that
    name each other otherwise, and are heard last.
    """
    entries = tuple(entries)
    pairs = list(zip(links["sid"].to_pylist(), links["record"].to_pylist(), strict=True))
    decided = decisions(entries)
    pairs += [(sid_of(d.one), sid_of(d.other)) for d in decided if d.same]
    first: dict[str, str] = {}
    for entry in entries:
        if "person" in entry.act.about:
            pairs.append((first.setdefault(entry.act.about["person"], entry.sid), entry.sid))
    apart = [{sid_of(r) for r in d.records} for d in decided if not d.same]
    apart = [two for two in apart if len(two) == 2]  # two sources may file one record under one id
    person: dict[str, set[str]] = {}
    for one, other in (*pairs, *pointing):
        whole = person.get(one, {one}) | person.get(other, {other})
        if any(two <= whole for two in apart):
            continue
        person.update(dict.fromkeys(whole, whole))
    return {sid: frozenset(whole) for sid, whole in person.items()}


@dataclass(frozen=True)
class Whoever:
    """Whom an id means, with everything that was linked to them."""

    desk: Desk
    held: frozenset[str]
    persons: Mapping[str, frozenset[str]]

    def sids(self, who: str) -> tuple[str, ...]:
        """All records of one person, the one that was named first; nothing where nobody is held."""
        receipts = self.desk.receipts
        found = [s for s in candidates(who.strip(), receipts.plane.keys, receipts.own) if s in self.held]
        if not found:
            return ()
        return (found[0], *sorted(self.persons.get(found[0], frozenset()) - {found[0]}))
