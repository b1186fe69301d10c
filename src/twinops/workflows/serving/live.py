"""Keep every twin that may be asked in memory, up to date by events and by what consumers say: what a service answers.

Nothing here is written. Whoever may not be scored has no state here; whoever was erased is dropped with the key.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

import pyarrow.compute as pc

from twinops.data.consent.rights import Standing, standing
from twinops.entities.consent import REFUSALS, Event, Purpose
from twinops.entities.rights import BEGINS, EVERY, Right, RightsEntry, held_up, tells
from twinops.errors import DataError, IntegrityError
from twinops.ports import Rights
from twinops.twin.answers.opening import Opening
from twinops.twin.state.permissions import LedgerQuestion
from twinops.twin.state.streaming import NO_FEATURES, Basket, StreamingState
from twinops.workflows.subject.desk import persons
from twinops.workflows.twin.open import NO_LINKS, Against, Consumer, Opener, Shipped, against, candidates
from twinops.workflows.update.states import States, StateStore

OPENED_ANEW = 200
"""Consumers opened from sealed files after which the engine begins anew: it holds some kilobytes of each."""
READING = "being_read"
"""Why nothing is answered of somebody whose permissions are being read anew."""
MOST_NAMES = 200_000
"""Ids of the sources that are remembered with the sid they mean."""
NARROWS: Mapping[Right, Event] = {
    Right.WITHDRAWN: Event.WITHDRAWN,
    Right.OBJECTED: Event.OBJECTED,
    Right.RESTRICTED: Event.RESTRICTED,
}
"""What holds from the moment it is heard; what allows more is read from the ledger."""
Answers = dict[str, str | None]


@dataclass(frozen=True)
class LiveGround:
    """What live twins stand on: the project's data, and the ledger of rights, which may be ahead of the project."""

    opener: Opener
    rights: Rights


@dataclass
class LiveTwins:
    """States and permissions by sid. One lock guards them: events come in one thread, questions in another."""

    ground: LiveGround
    known_until: int
    """The first day that no collected batch holds: what the service is told counts from it on."""
    states: States
    answers: dict[str, Answers]
    records: Mapping[str, frozenset[str]]
    """Every sid that is not alone -> all sids of the same person."""
    keys: dict[str, bytes] = field(repr=False)
    words: dict[str, Standing] = field(default_factory=dict, repr=False)
    """What stands by command, as of the last look into the ledger of rights."""
    lock: RLock = field(default_factory=RLock, repr=False)
    one_by_one: RLock = field(default_factory=RLock, repr=False)
    """Sealed files are opened by one thread at a time: there is one engine."""
    reading: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict, repr=False)
    own: dict[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    opened: int = 0
    """Consumers opened from sealed files."""
    spoken: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict, repr=False)
    """What was answered of a state that is still the same, by sid."""

    def sid(self, who: str) -> str | None:
        """Whom an id means; None: nobody who is held here."""
        known = self.names.get(who)
        if known is None:
            receipts = self.ground.opener.receipts
            known = next((s for s in candidates(who, receipts.plane.keys, receipts.own) if s in self.answers), None)
            if known is not None and len(self.names) < MOST_NAMES:
                self.names[who] = known
        return known if known in self.answers else None

    def known(self, who: str) -> str | None:
        """Whom an id means, of whom a twin can be opened or not: a no is heard of anybody who has a key."""
        receipts = self.ground.opener.receipts
        return self.sid(who) or next(iter(candidates(who, receipts.plane.keys, receipts.own)), None)

    def hold(self, sids: Iterable[str]) -> None:
        """Have the keys of these, too: of some no twin can be opened, and their words are sealed all the same."""
        missing = frozenset(sids) - self.keys.keys()
        if missing:
            found = self.ground.opener.receipts.plane.keys.subject_keys(missing)
            with self.lock:
                self.keys.update(found)

    def against(self, sid: str, purpose: str) -> Against | None:
        """What the consumer's permissions say now; None: the twin may be used."""
        if sid in self.reading:
            return Against(READING, "What this consumer allows is being read anew.")
        return against(self.answers.get(sid, {}), purpose)

    def day(self, sid: str) -> int:
        """The day a twin is asked about: the as-of day, or the morning after its newest basket."""
        last = self.states[sid].last_day if sid in self.states else None
        return max(self.ground.opener.receipts.today, -1 if last is None else last + 1)

    def stand(self, sid: str) -> tuple[int, ...] | None:
        """What changes whenever the state or the day it is asked about does; None: there is no state."""
        state = self.states.get(sid)
        return None if state is None else (self.day(sid), state.baskets, state.cents, state.log_squares)

    def opening(self, sid: str, shipped: Shipped) -> Opening:
        """One twin as it stands; use it while the lock is held."""
        state = self.states.get(sid)
        if state is None:
            state = StreamingState(shipped.model.decay_days)
        return Opening(shipped.model, shipped.support, state, self.day(sid), self._own(sid, shipped))

    def consumer(self, sid: str) -> Consumer:
        """The consumer from the sealed files, with the state and the permissions as they live here."""
        found = self._opened(sid)
        with self.lock:
            state = copy.deepcopy(self.states.get(sid, found.state))
            return replace(found, day=self.day(sid), state=state, answers=dict(self.answers.get(sid, {})))

    def take(self, sid: str, basket: Basket) -> None:
        """One basket more: constant time and space. The journal numbers it, so it comes once."""
        with self.lock:
            if self._may_be_scored(sid):
                state = self.states.setdefault(sid, StreamingState(self.ground.opener.grid.decay_days))
                state.add(basket)
                self.spoken.pop(sid, None)

    def narrow(self, sid: str, right: Right, purpose: str | None) -> None:
        """A withdrawal, objection or restriction holds at once, of everything that is the same person's."""
        named = EVERY if right is Right.RESTRICTED else (str(purpose),)
        self._refuse(sid, named, NARROWS[right])

    def _refuse(self, sid: str, purposes: Iterable[str], event: Event) -> None:
        with self.lock:
            for one in self.records.get(sid, frozenset({sid})) & self.answers.keys():
                self.answers[one].update(dict.fromkeys(purposes, REFUSALS[event].value))
                self._keep_lawful(one)

    def heard(self, entries: Iterable[RightsEntry]) -> frozenset[str]:
        """New entries of the ledger: narrowed at once; whoever they are about is refused until read anew.

        Answers whom to read anew.
        """
        told = [e for e in entries if tells("rights.json", e)]
        with self.lock:
            about = {one for e in told for one in self.records.get(e.sid, frozenset({e.sid}))} & self.answers.keys()
            self.reading |= about
        for e in told:
            if e.right in NARROWS:
                self.narrow(e.sid, e.right, e.act.purpose)
            elif e.act.about.get("step") == BEGINS:
                self._refuse(e.sid, held_up(e.act), Event.ASKED)
        return frozenset(about)

    def read_anew(self, sid: str, later: Iterable[Basket], *, stand: Callable[[], bool] = lambda: True) -> None:
        """Permissions and state of one consumer from the sealed files and the ledger; `later` came by events.

        Nothing changes where the files do not `stand`, before or after they were read: then they are no whole.
        """
        if not stand():
            return
        try:
            found = self._opened(sid)
        except (DataError, IntegrityError) as problem:
            if stand() and isinstance(problem, IntegrityError):
                raise
            if stand():
                self.drop([sid])
            return
        if not stand():
            return
        with self.lock:
            state = found.state.summed()
            for basket in later:
                state.add(basket)
            self.answers[sid] = dict(found.answers)
            self.states.pop(sid, None)
            if not state.empty:
                self.states[sid] = state
            self._keep_lawful(sid)
            self.spoken.pop(sid, None)
            self.reading.discard(sid)

    def drop(self, gone: Iterable[str]) -> None:
        """Whoever was erased: nothing of them stays."""
        with self.lock:
            lost = frozenset(gone)
            for held in (self.states, self.answers, self.keys, self.own, self.spoken):
                for sid in lost & held.keys():
                    del held[sid]
            self.names = {who: sid for who, sid in self.names.items() if sid not in lost}
            self.reading -= lost

    def become(self, other: LiveTwins) -> None:
        """Be what another has read since; `other` is used no more."""
        with self.lock:
            known = {who: sid for who, sid in self.names.items() if sid in other.answers}
            self.ground, self.known_until, self.records = other.ground, other.known_until, other.records
            self.states, self.answers, self.keys, self.words = other.states, other.answers, other.keys, other.words
            self.reading, self.names, self.own, self.spoken = other.reading, known, {}, {}

    def erased(self) -> frozenset[str]:
        """Those held here whose key is gone."""
        held = tuple(self.keys)
        return frozenset(held) - self.ground.opener.receipts.plane.keys.subject_keys(held).keys()

    def _opened(self, sid: str) -> Consumer:
        """The consumer from the sealed files."""
        with self.one_by_one:
            self.opened += 1
            if self.opened % OPENED_ANEW == 0:
                self.ground.opener.receipts.plane.engine.forget()
            return self.ground.opener.consumer(sid)

    def _may_be_scored(self, sid: str) -> bool:
        return sid in self.answers and self.answers[sid].get(Purpose.SCORING.value, "") is None

    def _keep_lawful(self, sid: str) -> None:
        """Whoever may not be scored has no state (GDPR art. 18)."""
        self.spoken.pop(sid, None)
        if not self._may_be_scored(sid):
            self.states.pop(sid, None)

    def _own(self, sid: str, shipped: Shipped) -> Mapping[str, float]:
        """Features of the project's own, where the model reads any: held as the receipts have them."""
        if not shipped.model.own_columns:
            return NO_FEATURES
        if sid not in self.own:
            self.own[sid] = self._opened(sid).own
        return self.own[sid]


def live(*, ground: LiveGround) -> LiveTwins:
    """Open everybody who is held, once.

    Raises:
        DataError: nothing was collected, or states do not fit together.
    """
    receipts = ground.opener.receipts
    store = StateStore(receipts, ground.opener.grid.decay_days)
    held = receipts.plane.keys.subject_keys(receipts.filed())
    subjects = tuple(sorted(held))
    answers = permissions(ground.opener, subjects)
    may = frozenset(sid for sid, said in answers.items() if said.get(Purpose.SCORING.value, "") is None)
    states = store.known(may)
    # sums cannot be asked about their past: where the batches go beyond the as-of day, the earlier baskets are replayed
    late = [sid for sid, state in states.items() if (state.last_day or 0) >= receipts.today]
    tables = receipts.plane.tables
    entries = ground.rights.entries()
    linked = persons(tables.table(receipts.plane.places.links, otherwise=NO_LINKS), entries)
    found = LiveTwins(ground, receipts.known_until, states, answers, linked, held, standing(entries))
    for sid in late:
        found.read_anew(sid, ())
    return found


def permissions(opener: Opener, subjects: tuple[str, ...]) -> dict[str, Answers]:
    """What everybody allows today, by purpose: None, or why not."""
    today = opener.receipts.today
    said = opener.receipts.answers(LedgerQuestion(subjects, (), today))
    now = said.filter(pc.equal(said["day"], today))
    found: dict[str, Answers] = {sid: {} for sid in subjects}
    columns = (now[c].to_pylist() for c in ("sid", "purpose", "reason"))
    for sid, purpose, reason in zip(*columns, strict=True):
        found[sid][purpose] = reason
    return found
