"""Take events in: judged one by one, written and synced many at once, applied, and only then thanked for."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock, Thread
from typing import Any

from twinops.entities.consent import Purpose
from twinops.entities.rights import Right, RightsAct
from twinops.service.bodies import EventBody
from twinops.service.clients import Client
from twinops.service.files import Files
from twinops.service.guards import Guards, refused
from twinops.service.journal import Entry, Journal, Row, Written
from twinops.service.refusals import AskRefusedError, Refusal
from twinops.twin.state.streaming import Basket
from twinops.workflows.serving.live import NARROWS, LiveTwins
from twinops.workflows.subject.desk import Desk

RIGHTS = {"consent": Right.CONSENTED, "withdraw": Right.WITHDRAWN, "object": Right.OBJECTED}
REFUSING = ("withdraw", "object")
OFFICE = "service"
"""In whose name consumers' words stand in the ledger of rights: the client's, at this door."""
NUMBERS_FROM = 10**12
"""Baskets of receipts are numbered from one; those of events from here, by their place in the journal."""
AT_ONCE = 2_000
LATE = "Late baskets come in through the sources, so that none counts twice."
MADE_ANEW = "The project's data are being made anew; ask again."
Done = Callable[[list[Written] | Exception], None]


@dataclass
class Applied:
    """How far the journal was applied to the twins of this instance."""

    journal: Journal
    twins: LiveTwins
    files: Files
    seq: int = 0
    baskets: int = 0
    covered: list[int] = field(default_factory=list, repr=False)
    """Rows whose day a collected batch held already when they were read: the batch is what counts."""
    stale: set[str] = field(default_factory=set, repr=False)
    """Whose state changed since they were last taken out of here."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def catch_up(self) -> None:
        """Apply what this instance or another wrote since."""
        with self._lock:
            while rows := self.journal.after(self.seq):
                for row in rows:
                    self._apply(row)
                self.seq = rows[-1].seq
                self.stale |= {row.sid for row in rows if not row.right}

    def changed(self) -> frozenset[str]:
        """Whose state changed since this was last asked."""
        with self._lock:
            found, self.stale = frozenset(self.stale), set()
        return found

    def later(self, sid: str) -> list[Basket]:
        """Baskets of one consumer that came by events."""
        return [b for row in self.journal.of(sid) if (b := basket(row, self.twins)) is not None]

    def read_anew(self, sid: str) -> None:
        """One consumer from the files and the journal; nothing is applied meanwhile that would be lost or doubled."""
        with self._lock:
            later = [b for row in self.journal.of(sid) if row.seq <= self.seq and (b := basket(row, self.twins))]
            self.twins.read_anew(sid, later, stand=self.files.stand)
            for row in self.journal.take_over(AT_ONCE):
                if row.sid == sid:
                    self._narrow(row)

    @contextmanager
    def become(self, other: Applied) -> Iterator[None]:
        """Be what another has read since, of the same journal; what is done meanwhile is done to it alone."""
        with self._lock:
            other.catch_up()
            yield
            self.twins.become(other.twins)
            self.files, self.seq, self.covered, self.stale = other.files, other.seq, other.covered, set()

    def _apply(self, row: Row) -> None:
        if row.right:
            if not row.done:  # else the ledger tells, and it may tell of a consent since
                self._narrow(row)
            return
        taken = basket(row, self.twins)
        if taken is None:
            self.covered.append(row.seq)
        else:
            self.twins.take(row.sid, taken)
            self.baskets += 1

    def _narrow(self, row: Row) -> None:
        told = row.told(self.twins.keys)
        if told is not None and RIGHTS[told["kind"]] in NARROWS:
            self.twins.narrow(row.sid, RIGHTS[told["kind"]], told["purpose"])


def basket(row: Row, twins: LiveTwins) -> Basket | None:
    """The basket of a row; None: it is none, its key is gone, or a collected batch holds its day."""
    told = None if row.right else row.told(twins.keys)
    if told is None or told["day"] < twins.known_until:
        return None
    return Basket(NUMBERS_FROM + row.seq, told["day"], told["cents"])


@dataclass(frozen=True)
class Judged:
    """Events of one call: those to write, and the problem of each other one by its place."""

    entries: tuple[Entry, ...]
    places: tuple[int, ...]
    refused: Mapping[int, AskRefusedError]


@dataclass(frozen=True)
class Judge:
    """Holds events against the guards before they are written; `today` is the newest day a basket may have."""

    guards: Guards
    applied: Applied
    today: date

    @property
    def twins(self) -> LiveTwins:
        """Whom they are about."""
        return self.guards.twins

    def at_once(self, events: Iterable[EventBody]) -> bool:
        """Whether all of it is in memory. Else the key store or sealed files are asked, for which nobody else waits."""
        return all(e.kind != "consent" and e.consumer in self.twins.names for e in events)

    def judged(self, client: Client, events: Sequence[EventBody]) -> Judged:
        """Each event by itself."""
        entries, places, wrong = [], [], {}
        for place, event in enumerate(events):
            try:
                refusing = event.kind in REFUSING
                sid = self.guards.consumer(client, event.consumer, refusing=refusing)
                right, told = event.kind != "purchase", self._told(sid, event)
                entries.append(Entry(client.name, event.event_id, sid, right, told))
                places.append(place)
            except AskRefusedError as problem:
                wrong[place] = problem
        self.twins.hold(entry.sid for entry in entries)
        return Judged(tuple(entries), tuple(places), wrong)

    def _told(self, sid: str, event: EventBody) -> dict[str, Any]:
        """What is kept of it."""
        if event.kind == "purchase":
            return self._purchase(sid, event)
        if event.purpose not in {p.value for p in Purpose}:
            raise AskRefusedError(Refusal.PURPOSE_NOT_DECLARED)
        told = {"kind": event.kind, "purpose": event.purpose}
        if event.given is None or event.notice is None or event.proof is None:
            return told
        self._against_consent(sid, event.purpose, event.given)
        return {**told, "notice": event.notice, "proof": event.proof, "given": event.given.isoformat()}

    def _purchase(self, sid: str, event: EventBody) -> dict[str, Any]:
        found = self.twins.against(sid, Purpose.SCORING.value)
        if found is not None:
            raise refused(found)  # whoever may not be scored has no state that a basket could enter
        receipts = self.twins.ground.opener.receipts
        if event.day is None or event.day > max(self.today, receipts.as_of):
            raise AskRefusedError(Refusal.MALFORMED, "A basket is of today or earlier.")
        number = receipts.days.number(event.day)
        if number < self.twins.known_until:
            raise AskRefusedError(Refusal.CLOSED_MONTH, LATE)
        return {"kind": "purchase", "day": number, "cents": event.cents}

    def _against_consent(self, sid: str, purpose: str, given: datetime) -> None:
        if given > datetime.now(UTC):
            raise AskRefusedError(Refusal.MALFORMED, "A consent was given in the past.")
        if not self.applied.files.stand():
            raise AskRefusedError(Refusal.BEING_READ, MADE_ANEW, retry_s=5)
        people = self.twins.records.get(sid, frozenset({sid}))
        with self.twins.one_by_one:
            child = Desk(self.twins.ground.opener.receipts, self.twins.ground.rights).under_age(people)
        if child:
            # GDPR art. 8, rec. 71: a child's consent to be profiled for marketing is not relied on
            raise AskRefusedError(Refusal.AGE)
        if any(lifts_nothing(self.twins, one, purpose, given.isoformat()) for one in people):
            raise AskRefusedError(Refusal.OBJECTION, "They told no after that: a consent from before lifts nothing.")
        if any(row.right and not row.done for one in people for row in self.applied.journal.of(one)):
            raise AskRefusedError(Refusal.BEING_READ, "What they said just now is being taken down.", retry_s=1)


class Writer:
    """The one thread that writes: whatever waits goes into one commit, and is applied before it is answered.

    `after` is done after each commit, once those who waited were told.
    """

    def __init__(self, applied: Applied, after: Callable[[], None] = lambda: None) -> None:
        self._applied, self._waiting = applied, queue.SimpleQueue[tuple[Sequence[Entry], Done] | None]()
        self._after = after
        self._closed = False
        self._thread = Thread(target=self._work, name="twinops-events", daemon=True)
        self._thread.start()

    async def write(self, entries: Sequence[Entry]) -> list[Written]:
        """What became of each, once it is on the disk and in the twins."""
        if self._closed:
            raise AskRefusedError(Refusal.STOPPING)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Written]] = loop.create_future()

        def done(found: list[Written] | Exception) -> None:
            loop.call_soon_threadsafe(_settle, future, found)

        self._waiting.put((entries, done))
        return await future

    def stop(self) -> None:
        """Write what waits, then end."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        going = True
        while going:
            together, going = self._together()
            if together:
                self._commit(together)

    def _together(self) -> tuple[list[tuple[Sequence[Entry], Done]], bool]:
        found: list[tuple[Sequence[Entry], Done]] = []
        for item in self._arriving():
            if item is None:
                return found, False
            found.append(item)
            if sum(len(entries) for entries, _ in found) >= AT_ONCE:
                break
        return found, True

    def _arriving(self) -> Iterator[tuple[Sequence[Entry], Done] | None]:
        yield self._waiting.get()
        while not self._waiting.empty():
            yield self._waiting.get()

    def _commit(self, together: list[tuple[Sequence[Entry], Done]]) -> None:
        try:
            written = self._written([e for entries, _ in together for e in entries])
            self._applied.catch_up()
        except Exception as problem:  # whoever waits is told, and nobody is thanked
            for _, done in together:
                done(problem)
            return
        for entries, done in together:
            done([written[id(e)] for e in entries])
        self._after()

    def _written(self, entries: Sequence[Entry]) -> dict[int, Written]:
        """By entry; somebody may have been erased since the event was judged."""
        keys = self._applied.twins.keys
        held = [(e, key) for e in entries if (key := keys.get(e.sid)) is not None]
        done = dict(zip((id(e) for e, _ in held), self._applied.journal.write(held), strict=True))
        return {id(e): done.get(id(e), Written.OTHER) for e in entries}


def _settle(future: asyncio.Future[list[Written]], found: list[Written] | Exception) -> None:
    if future.done():
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)


def acts(rows: Sequence[Row], twins: LiveTwins) -> list[RightsAct]:
    """What consumers said by events, as the ledger of rights has it: of all records of the same person; once."""
    last: dict[tuple[str, str], Right] = {}
    found = []
    for row in rows:
        told = row.told(twins.keys)
        if told is None:
            continue
        for sid in sorted(twins.records.get(row.sid, frozenset({row.sid}))):
            right, purpose = RIGHTS[told["kind"]], told["purpose"]
            before = last.get((sid, purpose)) or _last(twins, sid, purpose)
            # a no of this very moment stands: the yes was given before it
            late = (sid, purpose) in last or lifts_nothing(twins, sid, purpose, told.get("given", ""))
            if before is not right and not (right is Right.CONSENTED and late):
                words = {str(k): told[k] for k in ("notice", "proof", "given") if k in told}
                found.append(RightsAct(right, sid, OFFICE, row.client, purpose=purpose, told=words))
                last[sid, purpose] = right
    return found


def _last(twins: LiveTwins, sid: str, purpose: str) -> Right | None:
    word = twins.words[sid].words.get(purpose) if sid in twins.words else None
    return None if word is None else word.right


def lifts_nothing(twins: LiveTwins, sid: str, purpose: str, given: str) -> bool:
    """Whether a consent was given before a no to the same purpose: a yes from before is no yes after (art. 21(3))."""
    word = twins.words[sid].words.get(purpose) if sid in twins.words else None
    return bool(given and word and word.right in NARROWS and datetime.fromisoformat(given) <= word.at)
