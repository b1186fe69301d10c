"""Take down what the last linkage made of persons: who joined, merged or split, and why; ids are kept from then on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from twinops.data.linkage.intake import HOME
from twinops.data.linkage.persons import moves, named
from twinops.data.linkage.registered import founding, in_order
from twinops.entities.persons import Change, PersonMove, PersonRegister, record_name
from twinops.errors import DataError
from twinops.ports import Persons
from twinops.workflows.links.pairs import Linkage
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk

STALE = "The last linkage does not know what was settled or decided since."


@dataclass(frozen=True)
class Happened:
    """What happened to persons in one way: how many persons and records, and why."""

    change: str
    cause: str
    persons: int
    records: int

    def __str__(self) -> str:
        """One line."""
        return f"{self.change}: {self.records:,} records of {self.persons:,} persons ({self.cause.replace('_', ' ')})"


@dataclass(frozen=True)
class Settled:
    """What was taken down; `refused`: nothing was, and why."""

    happened: tuple[Happened, ...] = ()
    refused: str = ""

    def text(self) -> str:
        """In words."""
        if self.refused or not self.happened:
            return self.refused or "Nothing happened to anybody since the last settlement."
        return "\n".join([*map(str, self.happened), "Commit persons.json; the ids hold from now on."])


def settle(*, by: str, desk: Desk, persons: Persons) -> Settled:
    """Write the moves of records since the last settlement into the register, with the weights that decided.

    Nothing is written where neither moved.

    Raises:
        ParamsError: nobody was named.
        DataError: nothing was linked yet, or something was decided or settled since.
    """
    officer = desk.officer(by)
    if officer is None:
        return Settled(refused=WRONG_OFFICE)
    linkage, known = Linkage(desk), persons.known()
    if not linkage.person_of:
        raise DataError("Nothing was linked yet.", hint="Run `dvc repro link`.")
    _against_stale(linkage, known)
    rows = zip(*(linkage.people[c].to_pylist() for c in ("source", "sid", "fingerprint")), strict=True)
    made = moves(known, linkage.person_of, {record_name(source, sid): mark for source, sid, mark in rows})
    model = desk.places.linkage_model.read_text(encoding="utf-8") if desk.places.linkage_model.is_file() else ""
    if made or model != known.model:
        persons.settle(made, model, office=officer.office, person=officer.person)
    return Settled(happened(made))


def happened(made: tuple[PersonMove, ...]) -> tuple[Happened, ...]:
    """Moves counted, in the order of the words; a record that is merely seen is no event."""
    told = [m for m in made if m.change is not Change.SEEN]
    records = Counter((m.change, m.cause) for m in told)
    people: dict[object, set[str]] = defaultdict(set)
    for move in told:
        people[move.change, move.cause] |= {p for p in (move.person, move.was) if p}
    order = list(Change)
    keys = sorted(records, key=lambda k: (order.index(k[0]), k[1]))
    return tuple(Happened(c.value, why.value, len(people[c, why]), records[c, why]) for c, why in keys)


def _against_stale(linkage: Linkage, known: PersonRegister) -> None:
    person = linkage.person_of
    groups = _grouped(person)
    fits = named(known, groups, founding=founding(linkage.desk.receipts.plane.keys)) == person
    here = (d for d in known.decisions if d.records <= person.keys())
    if not fits or any((person[d.one] == person[d.other]) != d.same for d in here):
        raise DataError(STALE, hint="Run `dvc repro link`, then settle.")


def _grouped(person: Mapping[str, str]) -> list[tuple[str, ...]]:
    together: dict[str, list[str]] = defaultdict(list)
    for record, one in person.items():
        together[one].append(record)
    return [in_order(group, home=HOME) for group in together.values()]
