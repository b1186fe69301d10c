"""Persons keep their ids: a group of records goes on as the person it shares most records with.

Of several such persons the one settled first goes on, ties are decided by name, so the same register and the same
records give the same ids wherever and in whatever order they come. Records that come apart again are the person they
were before they were joined. Nothing is written here: `moves` says what a settlement would.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from twinops.entities.persons import Cause, Change, KnownRecord, PersonMove, PersonRegister

Founding = Callable[[str, int], str]
"""A new person's id, from the record that founds it and how many of its ids were used before."""
Claim = tuple[str, int]
"""A person, and the place of a group it may go on as."""
UNKNOWN = KnownRecord("", "", here=False)


def named(known: PersonRegister, found: Sequence[Sequence[str]], *, founding: Founding) -> dict[str, str]:
    """Record -> person. Each group of `found` is one person's records, the one that may found it first."""
    person: dict[int, str] = {}
    taken: set[str] = set()
    for old, place in (*_by_claim(known, found, founding), *_by_past(known, found)):
        if place not in person and old not in taken:
            person[place] = old
            taken.add(old)
    for place, group in enumerate(found):
        if place not in person:
            person[place] = next(i for i in _fresh(group[0], founding) if i not in known.since and i not in taken)
            taken.add(person[place])
    return {record: person[place] for place, group in enumerate(found) for record in group}


def _by_claim(known: PersonRegister, found: Sequence[Sequence[str]], founding: Founding) -> list[Claim]:
    """Which person may go on as which group, the strongest claim first.

    Records that were gone count last; of equal halves the one goes on that has the record which founded the person.
    """
    here: Counter[Claim] = Counter()
    ever: Counter[Claim] = Counter()
    for place, group in enumerate(found):
        for record in group:
            old = known.records.get(record)
            if old is not None:
                ever[old.person, place] += 1
                here[old.person, place] += old.here

    def order(claim: Claim) -> tuple[int, int, int, str, bool, str]:
        person, founder = claim[0], found[claim[1]][0]
        return -here[claim], -ever[claim], known.since[person], person, founding(founder, 0) != person, founder

    return sorted(ever, key=order)


def _by_past(known: PersonRegister, found: Sequence[Sequence[str]]) -> list[Claim]:
    """Which person that ended in another may go on again, where its records stand apart."""
    groups = ((place, known.records.get(r, UNKNOWN).former) for place, group in enumerate(found) for r in group)
    once = Counter((person, place) for place, former in groups for person in former)
    return sorted(once, key=lambda c: (-once[c], known.since[c[0]], c[0], found[c[1]][0]))


def _fresh(founder: str, founding: Founding) -> Iterator[str]:
    turn = 0
    while True:
        yield founding(founder, turn)
        turn += 1


def moves(known: PersonRegister, person_of: Mapping[str, str], prints: Mapping[str, str]) -> tuple[PersonMove, ...]:
    """What a settlement would write, by record: nothing of a record that is what and where it was."""
    told = _Reasons(known, person_of, prints)
    gone = (r for r, old in known.records.items() if old.here and r not in person_of)
    made = (told.move(record) for record in sorted({*person_of, *gone}))
    return tuple(move for move in made if move is not None)


class _Reasons:
    """What happened to the records around each person, before and now."""

    def __init__(self, known: PersonRegister, person_of: Mapping[str, str], prints: Mapping[str, str]) -> None:
        self._known, self._now, self._prints = known, person_of, prints
        self._size = Counter(person_of.values())
        self._before = Counter(old.person for old in known.records.values() if old.here)
        self._around: dict[str, set[Cause]] = defaultdict(set)
        decided = {r for d in known.decisions if d.seq > known.settled for r in d.records}
        for record in {*person_of, *known.records}:
            for cause in self._of(record, decided):
                for person in {self._was(record).person, person_of.get(record, "")}:
                    self._around[person].add(cause)

    def move(self, record: str) -> PersonMove | None:
        """What became of one record; None: nothing."""
        old, now, mark = self._was(record), self._now.get(record, ""), self._prints.get(record, "")
        was = old.person if old.here else ""
        if was == now:
            changed = PersonMove(record, now, was, Change.SEEN, Cause.CORRECTED, mark)
            return changed if mark != old.fingerprint else None
        change = self._change(was, now)
        return PersonMove(record, now, was, change, self._cause(change, was, now), mark)

    def _was(self, record: str) -> KnownRecord:
        return self._known.records.get(record, UNKNOWN)

    def _of(self, record: str, decided: set[str]) -> Iterator[Cause]:
        old = self._was(record)
        if record in decided:
            yield Cause.DECISION
        if record in self._now and not old.here:
            yield Cause.NEW
        elif record not in self._now and old.here:
            yield Cause.GONE
        elif record in self._now and self._prints.get(record, "") != old.fingerprint:
            yield Cause.CORRECTED

    def _change(self, was: str, now: str) -> Change:
        if not now:
            return Change.LEFT
        if not was:
            return Change.JOINED if self._size[now] > 1 or self._before[now] else Change.SEEN
        if self._size[was]:
            return Change.SPLIT
        return Change.MERGED if self._before[was] > 1 else Change.JOINED

    def _cause(self, change: Change, was: str, now: str) -> Cause:
        """The first that is found around the persons: what parts records is looked for before what joins them."""
        if change is Change.LEFT:
            return Cause.GONE
        parting = (Cause.CORRECTED, Cause.GONE, Cause.NEW)
        order = parting if change is Change.SPLIT else (Cause.NEW, Cause.CORRECTED, Cause.GONE)
        around = (self._around[was] if was else set()) | self._around[now]
        return next((c for c in (Cause.DECISION, *order) if c in around), Cause.WEIGHTS)
