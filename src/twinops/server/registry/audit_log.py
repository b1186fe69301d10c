"""The audit log in the registry's database: appended to in the transaction of what it records, or nothing happens."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from twinops.entities.event import Event, Kind, stamp
from twinops.governance.log.checkpoint import Checkpoint, signed
from twinops.governance.log.merkle import Frontier, leaf_hash
from twinops.server.registry.home import Home
from twinops.server.registry.tables import ACTOR, EVENT, HEAD, NOTE
from twinops.server.registry.transaction import Transaction
from twinops.whole_files import write_once

ORIGIN = "twinops-registry"
_HEAD = select(HEAD.c.size, HEAD.c.peaks).where(HEAD.c.id == 1)
_LOCKED = _HEAD.with_for_update()
_GROWN = update(HEAD).where(HEAD.c.id == 1)
_EVENT, _NOTE = insert(EVENT), insert(NOTE)


class AuditLog:
    """One transaction's view of the log. Whoever holds one holds the database's only writer lock."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.session = transaction.session
        self.now = transaction.now
        # PostgreSQL locks the row; SQLite has no such words and locked the file before
        self.frontier = Frontier.from_text(*self.session.execute(_LOCKED).one())
        # nothing is added to an end that is not ours
        self.begun = transaction.witness.caught_up(self.session, self.frontier)
        transaction.began(self.begun)
        self.appended: list[tuple[Kind, Mapping[str, Any]]] = []
        self.bodies: list[bytes] = []
        self.named = False
        """Somebody got a pseudonym in this transaction."""

    def append(self, kind: Kind, account: str, about: Mapping[str, Any]) -> int:
        """Add one event and return its number."""
        seq = self.frontier.size
        made = Event(kind, self.pseudonym(account), stamp(self.now), about)
        body = made.body(seq)
        self.session.execute(_EVENT, {"seq": seq, "body": body})
        self.frontier = self.frontier.appended(leaf_hash(body.encode()))
        grown = {"size": self.frontier.size, "peaks": self.frontier.to_text()}
        self.session.execute(_GROWN, grown)
        self.appended.append((kind, {**about, "seq": seq}))
        self.bodies.append(body.encode())
        self.transaction.pending.append(json.loads(body))
        return seq

    def sign(self) -> str:
        """Sign the head inside the transaction that moved it: whoever has the database only cannot."""
        note = signed_head(self.transaction.home, self.frontier)
        self.session.execute(_NOTE, {"size": self.frontier.size, "note": note})
        return note

    def pseudonym(self, account: str) -> str:
        """The random name an account has in the log. Who it is stands in one row, which can be forgotten."""
        return self.transaction.known.once("pseudonym", account, lambda: self._pseudonym(account))

    def _pseudonym(self, account: str) -> str:
        known = self.session.execute(select(ACTOR.c.pseudonym).where(ACTOR.c.account == account)).scalar()
        if known is None:
            known = f"p-{secrets.token_hex(6)}"
            self.session.execute(insert(ACTOR).values(account=account, pseudonym=known))
            self.named = True
        return str(known)


def head(session: Session) -> Frontier:
    """The log's head, read without a lock."""
    return Frontier.from_text(*session.execute(_HEAD).one())


def bodies(session: Session, *, start: int = 0) -> Iterator[bytes]:
    """Entries in order, as they were hashed."""
    found = session.execute(select(EVENT.c.body).where(EVENT.c.seq >= start).order_by(EVENT.c.seq))
    for row in found.yield_per(10_000):
        yield row[0].encode()


def body_of(session: Session, seq: int) -> str | None:
    """One entry."""
    return session.execute(select(EVENT.c.body).where(EVENT.c.seq == seq)).scalar()


def moment_of(session: Session, seq: int) -> datetime:
    """When an entry was made."""
    return datetime.fromisoformat(json.loads(body_of(session, seq) or "{}")["at"])


def names(session: Session) -> dict[str, str]:
    """Accounts by pseudonym, as far as they are still known."""
    return {row.pseudonym: row.account for row in session.execute(select(ACTOR))}


def signed_head(home: Home, frontier: Frontier) -> str:
    """A note on this head."""
    return signed(Checkpoint(ORIGIN, frontier.size, frontier.root), home.key)


def keep_checkpoint(home: Home, size: int, note: str) -> Path:
    """Keep a signed head outside the database. A size is written once, or once per log where one was put back."""
    path = home.checkpoints / f"{size:012d}.txt"
    if path.exists():
        told = note.splitlines()[:3]
        if path.read_text(encoding="utf-8").splitlines()[:3] == told:
            return path
        path = path.with_stem(f"{size:012d}-{hashlib.sha256(note.encode()).hexdigest()[:8]}")
    write_once(path, note)  # another worker may have signed the same size: what it wrote stays
    return path
