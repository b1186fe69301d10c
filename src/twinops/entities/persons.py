"""Which records are one person's, as it was settled and decided: the words of the register of persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from twinops.entities.rights import Right, RightsEntry


class Change(StrEnum):
    """What became of a record: it is new or changed and where it was, or it changed its person."""

    SEEN = "seen"
    JOINED = "joined"
    MERGED = "merged"
    SPLIT = "split"
    LEFT = "left"


class Cause(StrEnum):
    """Why: a person decided, a record came, was corrected or is gone, or the weights moved with all records."""

    DECISION = "decision"
    NEW = "new_record"
    CORRECTED = "corrected_record"
    GONE = "record_gone"
    WEIGHTS = "weights"


def record_name(source: str, sid: str) -> str:
    """One record of one source: two sources may file somebody under one id.

    >>> record_name("crm", "ab")
    'crm:ab'
    """
    return f"{source}:{sid}"


def sid_of(record: str) -> str:
    """The id under which a record is sealed."""
    return record.rpartition(":")[2]


@dataclass(frozen=True)
class PersonMove:
    """One record at one settlement: whose it is now (empty: nobody's), whose it was, what happened and why.

    `fingerprint` tells under the record's own key whether what is compared of it changed.
    """

    record: str
    person: str
    was: str
    change: Change
    cause: Cause
    fingerprint: str


@dataclass(frozen=True)
class KnownRecord:
    """Where a record stood last: its person, whether it was still there, and the persons it was of before."""

    person: str
    fingerprint: str
    here: bool
    former: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PairDecision:
    """What a named person decided of two records: one person's (`same`), or two persons'; binding until reopened."""

    one: str
    other: str
    same: bool
    seq: int
    at: datetime
    by: str

    @property
    def records(self) -> frozenset[str]:
        """Both."""
        return frozenset((self.one, self.other))


@dataclass(frozen=True)
class PersonRegister:
    """As of the last settlement: every record, when each person was first settled (entry), what was decided.

    `model` is the text of the weights that decided then; no person is in it.
    """

    records: Mapping[str, KnownRecord] = field(default_factory=dict)
    since: Mapping[str, int] = field(default_factory=dict)
    decisions: tuple[PairDecision, ...] = ()
    settled: int = 0
    model: str = ""


def decisions(entries: Iterable[RightsEntry]) -> tuple[PairDecision, ...]:
    """What stands: of each pair the last word, none where it was reopened."""
    found: dict[frozenset[str], PairDecision] = {}
    for entry in entries:
        if entry.right in (Right.SAME, Right.NOT_SAME, Right.REOPENED):
            one, other = sorted((entry.act.about["record"], entry.act.about["other"]))
            found.pop(frozenset((one, other)), None)
            if entry.right is not Right.REOPENED:
                same = entry.right is Right.SAME
                made = PairDecision(one, other, same, entry.seq, entry.at, entry.act.person)
                found[made.records] = made
    return tuple(sorted(found.values(), key=lambda d: (d.one, d.other)))


def groups(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each record named in any pair -> the first by name of all that hang together with it.

    >>> groups([("b", "c"), ("a", "b"), ("x", "y")])
    {'b': 'a', 'c': 'a', 'a': 'a', 'x': 'x', 'y': 'x'}
    """
    parent: dict[str, str] = {}

    def top(record: str) -> str:
        parent.setdefault(record, record)
        while parent[record] != record:
            record = parent[record]
        return record

    for one, other in pairs:
        low, high = sorted((top(one), top(other)))
        parent[high] = low
    return {record: top(record) for record in parent}


def contradiction(standing: Iterable[PairDecision], one: str, other: str, *, same: bool) -> PairDecision | None:
    """The decision that forbids to say this of two records, whatever way it reaches them; None: it may be said."""
    standing = tuple(standing)
    whole = groups((d.one, d.other) for d in standing if d.same)
    here, there = (whole.get(record, record) for record in (one, other))
    if not same:
        if here != there:
            return None
        return next(d for d in standing if d.same and whole[d.one] == here)
    return next(
        (d for d in standing if not d.same and {whole.get(d.one, d.one), whole.get(d.other, d.other)} == {here, there}),
        None,
    )


def folded(
    settlements: Iterable[tuple[RightsEntry, tuple[PersonMove, ...]]], decided: tuple[PairDecision, ...]
) -> PersonRegister:
    """What stands after all settlements, oldest first."""
    records: dict[str, KnownRecord] = {}
    since: dict[str, int] = {}
    last = 0
    for entry, moves in settlements:
        last = entry.seq
        for move in moves:
            last_of, before = move.person or move.was, records.get(move.record)
            former = (before.former | {before.person}) - {last_of} if before else frozenset()
            records[move.record] = KnownRecord(last_of, move.fingerprint, bool(move.person), former)
            since.setdefault(last_of, entry.seq)
    return PersonRegister(records, since, decided, last)
