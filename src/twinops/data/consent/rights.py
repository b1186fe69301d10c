"""The ledger of rights beside the ledger of consent: what a consumer told by command counts after all sources.

Of the two the stricter wins. A withdrawal, objection or restriction holds against whatever a source says later, until
the consumer lifts it by command; a consent by command falls to every refusal that a source tells on the day that it was
given or later, however long after it was taken down: a yes from before is no yes after a no (GDPR art. 21(3)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.consent import Event, Purpose
from twinops.entities.day_count import DayCount
from twinops.entities.rights import BEGINS, ENDS, Right, RightsEntry, held_up
from twinops.ports import RightsRead, SubjectKeys

COLUMNS = ("sid", "purpose", "event", "day", "seq")
AFTER_ALL = 2**40
"""`seq` of what a command says against a use: no event of a source on the same day comes after it."""
LAST = 2**60
"""`seq` of a no from after the as-of day: nothing of a source or a command comes after it."""
BEFORE_ALL = -(2**40)
"""`seq` of what a command allows: on the same day every refusal of a source comes after it."""
EVENTS: Mapping[Right, Event] = MappingProxyType(
    {
        Right.CONSENTED: Event.GRANTED,
        Right.WITHDRAWN: Event.WITHDRAWN,
        Right.OBJECTED: Event.OBJECTED,
        Right.RESTRICTED: Event.RESTRICTED,
    }
)
DONE: Mapping[str, Right] = MappingProxyType(
    {"objection": Right.OBJECTED, "withdrawal": Right.WITHDRAWN, "erasure": Right.WITHDRAWN}
)
"""As what a request counts that was answered, whether or not somebody also typed it as a command."""
SHUT = ("erasure", "restriction")
"""Open requests that leave storage alone, as a restriction does."""


@dataclass(frozen=True)
class NothingAsked:
    """A ledger of rights in which nothing stands."""

    def entries(self) -> tuple[RightsEntry, ...]:
        """None."""
        return ()

    def corrections(self) -> tuple[RightsEntry, ...]:
        """None."""
        return ()

    def holds(self) -> tuple[RightsEntry, ...]:
        """None."""
        return ()

    def told(self, entry: RightsEntry) -> Mapping[str, Any]:
        """Nothing."""
        return dict(entry.act.told)


NOTHING_ASKED = NothingAsked()


@dataclass(frozen=True)
class Standing:
    """What stands today of one consumer by command: the last word per purpose, whether all use is restricted, and the
    requests that nobody has decided, by case.
    """

    words: Mapping[str, RightsEntry]
    restricted: RightsEntry | None = None
    waiting: Mapping[str, RightsEntry] = field(default_factory=dict)

    def event(self, purpose: str) -> Event | None:
        """The event that counts; None: nothing was said by command."""
        entry = self._counts(purpose)
        return None if entry is None else EVENTS.get(entry.right, Event.ASKED)

    def entry(self, purpose: str) -> RightsEntry:
        """The entry of that event."""
        found = self._counts(purpose)
        if found is None:
            raise KeyError(purpose)
        return found

    @property
    def shut(self) -> bool:
        """The data may be stored, and nothing else."""
        return self.restricted is not None or any(e.act.about["kind"] in SHUT for e in self.waiting.values())

    def waits(self, purpose: str) -> RightsEntry | None:
        """The first open request that holds up a purpose."""
        return next((e for e in self.waiting.values() if purpose in held_up(e.act)), None)

    def _counts(self, purpose: str) -> RightsEntry | None:
        """A restriction, then a no, then an open request, then a yes."""
        word = self.words.get(purpose)
        no = word if word is not None and word.right is not Right.CONSENTED else None
        return self.restricted or no or self.waits(purpose) or word

    def with_case(self, entry: RightsEntry) -> Standing:
        """The same after one step of a request: open until it is decided, and as done once it is answered."""
        case, step = entry.act.about["case"], entry.act.about["step"]
        if step == BEGINS and held_up(entry.act):
            return replace(self, waiting={**self.waiting, case: entry})
        if step not in ENDS or case not in self.waiting:
            return self
        after = replace(self, waiting={c: e for c, e in self.waiting.items() if c != case})
        return after if step == "refused" else after._done(entry)

    def _done(self, entry: RightsEntry) -> Standing:
        if entry.act.about["kind"] == "restriction":
            made = replace(entry, act=replace(entry.act, right=Right.RESTRICTED, purpose=None))
            return replace(self, restricted=self.restricted or made)
        words = dict(self.words)
        # what it held up while it was open is what it stops once it is answered
        for purpose in held_up(entry.act):
            if purpose not in words or words[purpose].right is Right.CONSENTED:
                act = replace(entry.act, right=DONE[entry.act.about["kind"]], purpose=purpose)
                words[purpose] = replace(entry, act=act)
        return replace(self, words=words)


def standing(entries: Iterable[RightsEntry]) -> dict[str, Standing]:
    """What stands of everybody of whom anything does, by sid."""
    found: dict[str, Standing] = {}
    entries, of_case = tuple(entries), dict[str, set[str]]()
    # said while two persons were taken for one, and found to be the other's word
    mistaken = {(e.sid, e.act.about["entry"]) for e in entries if e.right is Right.SAID_BY_ANOTHER}
    for entry in entries:
        if (entry.sid, str(entry.seq)) in mistaken:
            continue
        before = found.get(entry.sid, Standing({}))
        if entry.right is Right.RESTRICTED:
            found[entry.sid] = replace(before, restricted=before.restricted or entry)
        elif entry.right is Right.UNRESTRICTED:
            found[entry.sid] = replace(before, restricted=None)
        elif entry.right is Right.CASE:
            about = of_case.setdefault(entry.act.about["case"], {entry.sid})
            about |= {entry.sid} if entry.act.about["step"] == BEGINS else set()
            # what is decided is so of every record that the request was written for
            for sid in about if entry.act.about["step"] in ENDS else {entry.sid}:
                found[sid] = found.get(sid, Standing({})).with_case(entry)
        elif entry.right in EVENTS and entry.act.purpose is not None:
            found[entry.sid] = replace(before, words={**before.words, entry.act.purpose: entry})
    return found


def restricted(rights: RightsRead) -> frozenset[str]:
    """Whose data may be stored and shown to themselves, and nothing else (GDPR art. 18(2)), or who asked for that."""
    return frozenset(sid for sid, said in standing(rights.entries()).items() if said.shut)


def with_rights(ledger: pa.Table, rights: RightsRead, *, days: DayCount, today: int) -> pa.Table:
    """The ledger of consent, or of choices beside records, with what was told by command in it: `COLUMNS`.

    A command counts from its own day, an open request from the day it was received, or from the as-of day where the
    project's clock stands before it; so does a no of any source, since nobody who said it waits for the project's
    clock, or for the year that a mistyped day names.
    """
    plain = pa.table({c: ledger[c].cast(pa.string() if c in COLUMNS[:3] else pa.int64()) for c in COLUMNS})
    plain = _noes_by(today, plain)
    said = standing(rights.entries())
    rows = [
        {"sid": sid, "purpose": purpose.value, "event": event.value, "day": day, "seq": seq}
        for sid, one in said.items()
        for purpose in Purpose
        if (event := one.event(purpose.value)) is not None
        for day, seq in [_place(one.entry(purpose.value), event, days=days, today=today)]
    ]
    rows = _without_yes_from_before(
        plain, rows, lambda r: _given(said[r["sid"]].entry(r["purpose"]), rights=rights, days=days)
    )
    if not rows:
        return plain
    ours = pa.Table.from_pylist(rows, schema=plain.schema)
    return pa.concat_tables([_without_later_grants(plain, ours), ours])


def without(table: pa.Table, sids: frozenset[str]) -> pa.Table:
    """The rows of everybody else."""
    if not sids or "sid" not in table.column_names:
        return table
    return table.filter(pc.invert(pc.is_in(table["sid"].cast(pa.string()), pa.array(sorted(sids), pa.string()))))


@dataclass(frozen=True)
class RightsToday:
    """The ledger of rights as of one day of the project's clock."""

    as_of: date
    days: DayCount
    rights: RightsRead = NOTHING_ASKED

    @property
    def today(self) -> int:
        """The as-of day, counted."""
        return self.days.number(self.as_of)

    def beside(self, ledger: pa.Table) -> pa.Table:
        """See `with_rights`."""
        return with_rights(ledger, self.rights, days=self.days, today=self.today)


@dataclass(frozen=True)
class Corrected:
    """One field of one record, as its subject had it put right (GDPR art. 16)."""

    sid: str
    field: str
    value: str


def under_hold(entries: Iterable[RightsEntry]) -> frozenset[str]:
    """Whose records must be kept for legal claims (GDPR art. 17(3)(e))."""
    held: set[str] = set()
    for entry in entries:
        if entry.right is Right.HELD:
            held.add(entry.sid)
        elif entry.right is Right.RELEASED:
            held.discard(entry.sid)
    return frozenset(held)


def corrections(rights: RightsRead, source: str) -> tuple[Corrected, ...]:
    """What was put right in a source, the last word per field; what was erased since is no more."""
    found: dict[tuple[str, str], Corrected] = {}
    for entry in rights.corrections():
        if entry.act.about.get("source") == source:
            told, field = rights.told(entry), entry.act.about["field"]
            if "value" in told:
                found[entry.sid, field] = Corrected(entry.sid, field, str(told["value"]))
    return tuple(found.values())


def corrected(
    table: pa.Table, made: Iterable[Corrected], *, subject: str, sids: Callable[[list[str]], list[str]]
) -> pa.Table:
    """A source's rows, filed by natural ids in `subject`, with corrected values in place of what the source says."""
    made = tuple(made)
    if not made or not table.num_rows:
        return table
    natural = [str(n) for n in table[subject].to_pylist()]
    row_of = {sid: row for row, sid in enumerate(sids(natural))}
    for one in made:
        row, place = row_of.get(one.sid), table.schema.get_field_index(one.field)
        if row is not None and place >= 0:
            kind = table.schema.field(place).type
            value = pa.array([one.value], pa.string()).cast(kind)
            column = table[one.field]
            whole = pa.chunked_array([*column.slice(0, row).chunks, value, *column.slice(row + 1).chunks], kind)
            table = table.set_column(place, one.field, whole.combine_chunks())
    return table


@dataclass(frozen=True)
class Unrestricted:
    """Keys of everybody whose data are not restricted; the frames of the others stay closed."""

    keys: SubjectKeys
    closed: frozenset[str]

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of those among them that may be opened."""
        return self.keys.subject_keys([sid for sid in sids if sid not in self.closed])


def unrestricted(keys: SubjectKeys, rights: RightsRead) -> SubjectKeys:
    """The keys for work that asks no other leave: of everybody whose data are not restricted."""
    closed = restricted(rights)
    return Unrestricted(keys, closed) if closed else keys


def _noes_by(today: int, ledger: pa.Table) -> pa.Table:
    """The ledger with noes of later days on this one, after everything else of it."""
    no = pc.invert(pc.equal(ledger["event"], Event.GRANTED.value))
    later = pc.fill_null(pc.and_(no, pc.greater(ledger["day"], today)), False)
    if not pc.any(later).as_py():
        return ledger
    for column, stands in (("day", today), ("seq", LAST)):
        values = pc.if_else(later, pa.scalar(stands, pa.int64()), ledger[column])
        ledger = ledger.set_column(COLUMNS.index(column), column, values)
    return ledger


def _place(entry: RightsEntry, event: Event, *, days: DayCount, today: int) -> tuple[int, int]:
    since = date.fromisoformat(entry.act.about["received"]) if event is Event.ASKED else entry.at.date()
    day = min(days.number(since), today)
    return day, (BEFORE_ALL if event is Event.GRANTED else AFTER_ALL) + entry.seq


def _without_yes_from_before(
    ledger: pa.Table, rows: Iterable[dict[str, Any]], given: Callable[[dict[str, Any]], int]
) -> list[dict[str, Any]]:
    """What commands say, but for a yes that is no younger than a no of a source, and was taken down after that."""
    rows = list(rows)
    yes = {(r["sid"], r["purpose"]): r for r in rows if r["event"] == Event.GRANTED.value}
    noes = ledger.filter(pc.invert(pc.equal(ledger["event"], Event.GRANTED.value))) if yes else ledger.slice(0, 0)
    theirs = pc.is_in(noes["sid"], pa.array(sorted({sid for sid, _ in yes}), pa.string()))
    for no in noes.filter(theirs).to_pylist():
        row = yes.get((no["sid"], no["purpose"]))
        if row is not None and no["day"] is not None and no["day"] < row["day"] and given(row) <= no["day"]:
            del yes[no["sid"], no["purpose"]]
    return [r for r in rows if r["event"] != Event.GRANTED.value or (r["sid"], r["purpose"]) in yes]


def _given(entry: RightsEntry, *, rights: RightsRead, days: DayCount) -> int:
    """The day a consent was given by the consumer's own calendar; the one it was taken down on where none is told."""
    told = rights.told(entry).get("given")
    return days.number((datetime.fromisoformat(told) if told else entry.at).date())


def _without_later_grants(ledger: pa.Table, ours: pa.Table) -> pa.Table:
    """Without what sources grant on or after the day of a refusal by command: they have not heard of it."""
    refused = {(r["sid"], r["purpose"]): r["day"] for r in ours.to_pylist() if r["event"] != Event.GRANTED.value}
    if not refused:
        return ledger
    sids = pa.array(sorted({sid for sid, _ in refused}), pa.string())
    suspects = pc.and_(pc.is_in(ledger["sid"], sids), pc.equal(ledger["event"], Event.GRANTED.value))
    rows = ledger.append_column("place", pa.array(range(ledger.num_rows), pa.int64())).filter(suspects).to_pylist()
    gone = [r["place"] for r in rows if r["day"] >= refused.get((r["sid"], r["purpose"]), r["day"] + 1)]
    kept = pc.invert(pc.is_in(pa.array(range(ledger.num_rows), pa.int64()), pa.array(gone, pa.int64())))
    return ledger.filter(kept)
