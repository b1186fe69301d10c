"""The audit log in the registry's database: appended to in the transaction of what it records, or nothing happens."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from twinops.entities.event import Event, Kind, stamp
from twinops.governance.audit import Frontier, leaf_hash
from twinops.governance.checkpoint import Checkpoint, signed
from twinops.server.home import Home

ORIGIN = "twinops-registry"
_HEAD = "SELECT size, peaks FROM twinops_head WHERE id = 1"
_LOCKED = "SELECT size, peaks FROM twinops_head WHERE id = 1 FOR UPDATE"


class Ledger:
    """One transaction's view of the log. Whoever holds one holds the database's only writer lock."""

    def __init__(self, session: Session, *, now: datetime | None = None) -> None:
        self.session = session
        self.now = now or datetime.now(UTC)
        self.frontier = self._locked_head()
        self.appended: list[tuple[Kind, Mapping[str, Any]]] = []

    def append(self, kind: Kind, account: str, about: Mapping[str, Any]) -> int:
        """Add one event and return its number."""
        seq = self.frontier.size
        body = Event(kind, self.pseudonym(account), stamp(self.now), about).body(seq)
        self.session.execute(
            text("INSERT INTO twinops_event (seq, body) VALUES (:seq, :body)"), {"seq": seq, "body": body}
        )
        self.frontier = self.frontier.appended(leaf_hash(body.encode()))
        self.session.execute(
            text("UPDATE twinops_head SET size = :size, peaks = :peaks WHERE id = 1"),
            {"size": self.frontier.size, "peaks": self.frontier.to_text()},
        )
        self.appended.append((kind, {**about, "seq": seq}))
        return seq

    def pseudonym(self, account: str) -> str:
        """The random name an account has in the log. Who it is stands in one row, which can be forgotten."""
        known = self.session.execute(
            text("SELECT pseudonym FROM twinops_actor WHERE account = :account"), {"account": account}
        ).scalar()
        if known is None:
            known = f"p-{secrets.token_hex(6)}"
            self.session.execute(
                text("INSERT INTO twinops_actor (account, pseudonym) VALUES (:account, :known)"),
                {"account": account, "known": known},
            )
        return str(known)

    def _locked_head(self) -> Frontier:
        locking = self.session.get_bind().dialect.name == "postgresql"
        size, peaks = self.session.execute(text(_LOCKED if locking else _HEAD)).one()
        return Frontier.from_text(size, peaks)


def head(session: Session) -> Frontier:
    """The log's head, read without a lock."""
    size, peaks = session.execute(text(_HEAD)).one()
    return Frontier.from_text(size, peaks)


def bodies(session: Session, *, start: int = 0) -> Iterator[bytes]:
    """Entries in order, as they were hashed."""
    found = session.execute(text("SELECT body FROM twinops_event WHERE seq >= :start ORDER BY seq"), {"start": start})
    for row in found.yield_per(10_000):
        yield row[0].encode()


def names(session: Session) -> dict[str, str]:
    """Accounts by pseudonym, as far as they are still known."""
    return {p: a for a, p in session.execute(text("SELECT account, pseudonym FROM twinops_actor"))}


def keep_checkpoint(home: Home, frontier: Frontier) -> Path:
    """Sign how far the log has grown and keep it outside the database; the same size is never written twice."""
    path = home.checkpoints / f"{frontier.size:012d}.txt"
    if path.exists():
        return path
    home.checkpoints.mkdir(parents=True, exist_ok=True)
    note = signed(Checkpoint(ORIGIN, frontier.size, frontier.root), home.key)
    scratch = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass  # another worker signed the same size: what it wrote stays
    finally:
        scratch.unlink()
    return path
