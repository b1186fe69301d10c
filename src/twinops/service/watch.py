"""What is looked at all the time: keys, the ledger of rights, the journal, the clients; and, apart, the registry."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Event, RLock, Thread

from twinops.data.consent.rights import standing
from twinops.entities.rights import RightsEntry
from twinops.errors import ParamsError, TwinopsError
from twinops.service.clients import Clients
from twinops.service.decisions import DecisionLog
from twinops.service.files import Files, Stamp
from twinops.service.guards import DeclaredUse
from twinops.service.intake import Applied, acts
from twinops.service.issuers import Issuers
from twinops.service.production import STALE_S, Production
from twinops.workflows.serving.live import LiveTwins

EVERY_S = 0.15
MODEL_EVERY_S = 0.8
ISSUERS_EVERY_S = 0.5
FILES_EVERY_S = 1.0
MOST_READ = 50
"""Consumers read anew in one round, so that the next look is not kept waiting."""
_log = logging.getLogger(__name__)


@dataclass
class Watch:
    """Looks again several times a second; nothing is answered once the last look is older than five seconds."""

    twins: LiveTwins
    applied: Applied
    clients: Clients
    issuers: Issuers
    production: Production
    decisions: DecisionLog
    declared: DeclaredUse
    epoch: int = 0
    entries: int = 0
    looked_at: float = field(default=float("-inf"))
    stopping: Event = field(default_factory=Event, repr=False)
    changed: Callable[[], None] = field(default=lambda: None, repr=False)
    """What is done once another version answers."""
    renew: Callable[[frozenset[str]], None] = field(default=lambda _: None, repr=False)
    """What is done for those whose state changed."""
    ahead: Callable[[Files], Applied | None] = field(default=lambda _: None, repr=False)
    """Open everybody anew from files that are others than before."""
    news: Event = field(default_factory=Event, repr=False)
    """Set once events were applied."""
    seen: Stamp | None = field(default=None, repr=False)
    turn: RLock = field(default_factory=RLock, repr=False)
    troubles: dict[str, str] = field(default_factory=dict, repr=False)
    """By look, why the last one did not do all it should; nothing: it did."""
    threads: list[Thread] = field(default_factory=list, repr=False)

    @property
    def held_up(self) -> list[str]:
        """What keeps it from its work, in words for whoever reaches the port: what an error says stays in the log."""
        told = {name: trouble for name, trouble in dict(self.troubles).items() if trouble}
        ours = told.pop("project", "")  # written by ourselves
        return [f"What is looked at for {name} cannot be followed; the log says why." for name in sorted(told)] + (
            [ours] if ours else []
        )

    @property
    def fresh(self) -> bool:
        """Whether what is known of permissions is new enough to go by."""
        return time.monotonic() - self.looked_at <= STALE_S

    def start(self) -> None:
        """Begin to look."""
        looks = (
            ("rights", self.look, EVERY_S),
            ("model", self._look_at_model, MODEL_EVERY_S),
            ("answers", self._renew, 0.0),
            ("issuers", self.issuers.look, ISSUERS_EVERY_S),
            ("files", self._look_at_files, FILES_EVERY_S),
        )
        for name, look, every in looks:
            work = partial(self._forever, name, look, every)
            self.threads.append(Thread(target=work, name=f"twinops-{name}", daemon=True))
            self.threads[-1].start()

    def stop(self) -> None:
        """Look no more, and leave nothing unwritten."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=10)
        self.decisions.flush()

    def look(self) -> None:
        """One round. Who was erased and what was forbidden comes first."""
        begun = time.monotonic()
        with self.turn:
            self._keys()
            self._rights()
            self.clients.follow()
            self._declared()
            self.applied.catch_up()
            self.looked_at = begun
            self._take_over()
            for sid in sorted(self.twins.reading)[:MOST_READ]:
                self.applied.read_anew(sid)
        self.decisions.flush()

    def _keys(self) -> None:
        epoch = self.twins.ground.opener.receipts.plane.keys.epoch()
        if epoch != self.epoch:
            gone = self.twins.erased()
            self.twins.drop(gone)
            self.applied.journal.forget(gone)
            self.epoch = epoch

    def _rights(self) -> None:
        rights = self.twins.ground.rights
        length = rights.length()
        if length != self.entries:
            told: tuple[RightsEntry, ...] = rights.entries()
            # a ledger that is shorter than before is another one: everything in it is news
            self.twins.words = standing(told)
            self.twins.heard(told[self.entries :] if len(told) > self.entries else told)
            self.entries = len(told)

    def _declared(self) -> None:
        """A mistake in what people declared shuts out whom it declares, or whatever a decision would be fed by."""
        for said in (self.issuers, self.declared):
            try:
                said.follow()
            except ParamsError as problem:
                _log.warning("%s", problem.what)

    def _take_over(self) -> None:
        """What consumers said by events goes into the ledger of rights, which the pipeline follows."""
        rows = self.applied.journal.take_over()
        if rows:
            # another instance may have heard of somebody this one has no twin of
            self.twins.hold(row.sid for row in rows)
            told = acts(rows, self.twins)
            if told:
                self.twins.ground.rights.append(*told)
            self._rights()  # before the rows are done with: until then their consumers' consents wait
            self.applied.journal.taken_over(row.seq for row in rows)

    def _look_at_model(self) -> None:
        if self.production.check():
            with self.twins.lock:
                self.twins.spoken.clear()
            self.changed()
        self._say("project", self.production.trouble)

    def _look_at_files(self) -> None:
        """Open everybody anew once the files are others, twice the same, and nobody makes them."""
        files = self.applied.files
        now, before = files.now(), self.seen
        self.seen = now
        if now is None or now == files.read or now != before:
            return
        made = Files(files.places, now)
        entries = self.twins.ground.rights.length()
        other = self.ahead(made)
        if other is not None and made.stand():
            self._become(other, entries)
            self.changed()

    def _become(self, other: Applied, entries: int) -> None:
        """Answer by what was read anew; what came while it was read, erasures and a no first, is in it before."""
        other.catch_up()  # most of it while nobody waits
        with self.turn:
            self._keys()
            with self.applied.become(other):
                gone = other.twins.erased()
                other.twins.drop(gone)
                self.applied.journal.forget(gone)
                told = other.twins.ground.rights.entries()
                other.twins.words, self.entries = standing(told), len(told)
                other.twins.heard(told[entries:] if len(told) >= entries else told)
        self.applied.journal.drop(self.applied.covered)

    def _renew(self) -> None:
        """Make answers anew that events changed, together: one by one, when asked for, costs more."""
        self.news.wait(EVERY_S)
        self.news.clear()
        if changed := self.applied.changed():
            self.renew(changed)

    def _forever(self, name: str, look: Callable[[], None], every: float) -> None:
        while not self.stopping.wait(every):
            try:
                look()
            except TwinopsError as problem:
                self._say(name, problem.what)
            except Exception as problem:  # a look that fails is made again; until then the last one grows old
                self._say(name, f"A look ended with {type(problem).__name__}.")
            else:
                self._say(name, "")

    def _say(self, name: str, trouble: str) -> None:
        """Once in the log, however often it is met again."""
        if trouble and trouble != self.troubles.get(name):
            _log.warning("%s", trouble)
        self.troubles[name] = trouble
