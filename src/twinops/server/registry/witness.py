"""The log as this process has read and verified it: no row is believed that it does not tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from twinops.governance.log import checkpoint
from twinops.governance.log.merkle import Frontier
from twinops.governance.log.told import DECISIONS, Entry, Told
from twinops.server.refusals import refusal
from twinops.server.registry.home import Home
from twinops.server.registry.tables import EVENT, HEAD, NOTE

LONG = 60.0
"""Seconds. No reader's snapshot is older; a log that is shorter than it was that long ago was put back."""
SIGNED = b'"heads":"signed"'
"""Stands in the entry of every start since heads are signed; inside a text its quotes would be escaped."""
_HEAD = select(HEAD.c.size, HEAD.c.peaks).where(HEAD.c.id == 1)
_UNSIGNED = (
    "the end of the audit log was not written by this server. `twinops audit verify` tells more;"
    " nothing is decided or served until a good database is put back."
)


@dataclass(frozen=True)
class Seen:
    """Entries up to a size, and those of the running transaction."""

    told: Told
    size: int
    pending: tuple[Entry, ...] = ()

    def of_version(self, uid: str) -> list[Entry]:
        """Everything about one version, oldest first."""
        return self._cut(self.told.versions.get(uid, ()), [e for e in self.pending if e["about"].get("uid") == uid])

    def last_move(self, name: str, alias: str) -> Entry | None:
        """What happened last to a protected alias."""
        moves = self.told.aliases.get((name, alias), ())
        return next((entry for entry in reversed(moves) if entry["seq"] < self.size), None)

    def everything(self) -> list[Entry]:
        """Every entry that a row follows from."""
        return self._cut(self.told.entries(), self.pending)

    def rules(self) -> list[Entry]:
        """Every activation."""
        return self._cut(self.told.rules, [e for e in self.pending if e["kind"] == "rules.activated"])

    def decision(self, uid: str) -> Entry | None:
        """The newest approval, rejection or revocation of a version."""
        return next((e for e in reversed(self.of_version(uid)) if e["kind"] in DECISIONS), None)

    def _cut(self, entries: Iterable[Entry], more: Iterable[Entry]) -> list[Entry]:
        return [*(e for e in tuple(entries) if e["seq"] < self.size), *more]


class Witness:
    """One per process. Entries are taken in once, after the head they lead to was found signed by this server."""

    def __init__(self, home: Home) -> None:
        self.told = Told()
        self.trusting = False
        """While an older log is accepted by whoever starts the server."""
        self._home = home
        self._lock = threading.Lock()
        self._grown = time.monotonic()

    def caught_up(self, session: Session, head: Frontier | None = None) -> int:
        """Read what is new in this transaction's snapshot, whose head may be known already; its size is returned.

        Raises:
            MlflowException: the log's end is not signed, or it was put back or changed while this process ran.
        """
        head = head or Frontier.from_text(*session.execute(_HEAD).one())
        with self._lock:
            if head.size > self.told.size:
                self._read(session, head)
            elif head.size < self.told.size:
                self._against_older()
            elif list(head.peaks) != self.told.peaks:
                raise refusal(_UNSIGNED)
        return head.size

    def took(self, bodies: list[bytes], *, since: int) -> None:
        """What this process itself has just committed need not be read again."""
        with self._lock:
            if self.told.size == since:
                self._take(bodies)

    def _read(self, session: Session, head: Frontier) -> None:
        new = select(EVENT.c.body).where(EVENT.c.seq >= self.told.size, EVENT.c.seq < head.size).order_by(EVENT.c.seq)
        bodies = [body.encode() for body in session.execute(new).scalars()]
        signed = self.trusting or self._signed(session, head) or self._from_before(session, bodies)
        if self.told.grown(bodies) != head or not signed:
            raise refusal(_UNSIGNED)
        self._take(bodies)

    def _take(self, bodies: list[bytes]) -> None:
        self.told.take(bodies)
        self._grown = time.monotonic()

    def _signed(self, session: Session, head: Frontier) -> bool:
        """Is there a note on exactly this head? A key that was retired counts for what a process finds at its start."""
        keys = self._home.known_keys if self.told.size == 0 else [self._home.public_key]
        notes = session.execute(select(NOTE.c.note).where(NOTE.c.size == head.size)).scalars()
        return any(fits(note, head, keys) for note in notes)

    def _from_before(self, session: Session, bodies: list[bytes]) -> bool:
        """A log from before heads were signed, met at the first start: neither it nor the table knows of notes."""
        if self.told.size or any(SIGNED in body for body in bodies):
            return False
        return session.execute(select(NOTE.c.size).limit(1)).first() is None

    def _against_older(self) -> None:
        if time.monotonic() - self._grown > LONG:
            raise refusal("the registry's database is older than this server has seen it. Start the server anew.")


def fits(note: str, head: Frontier, keys: list[bytes]) -> bool:
    """Is this a note on exactly this head, by one of these keys?"""
    try:
        found = checkpoint.opened(note, keys)
    except ValueError:
        return False
    return (found.size, found.root) == (head.size, head.root)
