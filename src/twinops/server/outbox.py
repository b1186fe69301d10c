"""What leaves the server after the fact, in the background: checkpoints as git notes, time stamps, a webhook.

Nothing waits for it and nothing depends on it: what must hold was committed before.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import queue
import threading
import urllib.request
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from twinops.adapters import time_stamp
from twinops.adapters.audit_source import note_in_git
from twinops.entities.event import Kind
from twinops.governance import rulings
from twinops.server import records
from twinops.server.home import Home

if TYPE_CHECKING:
    from twinops.server.store import GovernedStore

WEBHOOK, SECRET = "TWINOPS_WEBHOOK_URL", "TWINOPS_WEBHOOK_SECRET"  # names of variables
NO_NOTES = "TWINOPS_NO_GIT_NOTES"
TOLD = (
    Kind.EVIDENCE,
    Kind.REQUESTED,
    Kind.APPROVED,
    Kind.REJECTED,
    Kind.ASKED,
    Kind.REVOKED,
    Kind.RULED,
    Kind.RULING_WITHDRAWN,
    Kind.PROMOTED,
    Kind.TAKEN_DOWN,
)
"""Events that go to the webhook; `approval.expiring` and `ruling.expiring` are told besides."""
SOON = timedelta(days=14)
_EXPIRING = """
SELECT g.name, g.alias, g.version, g.uid, r.expires FROM twinops_grant g
JOIN twinops_review r ON r.uid = g.uid AND r.act = 'approve'
WHERE g.active = 1 AND r.seq = (SELECT max(seq) FROM twinops_review x WHERE x.uid = g.uid AND x.act = 'approve')
"""
_log = logging.getLogger("twinops.outbox")


class Outbox:
    """One thread that empties a bounded queue; when it is full, the oldest news is lost, never the log."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(1_000)
        threading.Thread(target=self._run, name="twinops-outbox", daemon=True).start()

    def checkpoint(self, note: str) -> None:
        """Keep a checkpoint as a git note of the project, where it is a git repository."""
        if not os.environ.get(NO_NOTES):
            self._put(("note", note))

    def stamp(self, path: Path) -> None:
        """Ask for a time stamp over a checkpoint, if an authority is named."""
        if os.environ.get(time_stamp.VARIABLE) and not time_stamp.beside(path).exists():
            self._put(("stamp", path))

    def tell(self, kind: str, about: Mapping[str, Any]) -> None:
        """Send an event to the webhook, if there is one. No reason, no name: what the log holds, not more."""
        if os.environ.get(WEBHOOK):
            self._put(("hook", {"event": kind, **about}))

    def finish(self) -> None:
        """Wait until everything is out; for tests and for a server that stops."""
        self._queue.join()

    def _put(self, what: tuple[str, Any]) -> None:
        try:
            self._queue.put_nowait(what)
        except queue.Full:
            _log.warning("The outbox is full; one notification was dropped.")

    def _run(self) -> None:
        while True:
            kind, what = self._queue.get()
            try:
                if kind == "note":
                    note_in_git(self._root, what)
                elif kind == "stamp":
                    time_stamp.stamp(what, os.environ[time_stamp.VARIABLE])
                else:
                    _send(what)
            except Exception as problem:  # whatever the other end does, the thread lives on
                _log.warning("A %s could not be delivered: %s", kind, type(problem).__name__)
            finally:
                self._queue.task_done()


def expiring(store: GovernedStore, now: datetime) -> list[dict[str, Any]]:
    """Protected aliases whose approval, or a ruling it rests on, ends soon or has ended."""
    with store.ManagedSessionMaker() as session:
        rows = session.execute(text(_EXPIRING)).all()
        ruled = [(row, r) for row in rows for r in rulings.standing(records.rulings_of(session, row.uid))]
    approvals = [
        {"event": "approval.expiring", **_live(row), "expires": row.expires}
        for row in rows
        if row.expires and datetime.fromisoformat(row.expires) - now < SOON
    ]
    ends = [
        {"event": "ruling.expiring", **_live(row), "gate": r.gate, "expires": r.until.isoformat()}
        for row, r in ruled
        if r.until - now.date() < SOON
    ]
    return [*approvals, *ends]


def _live(row: Any) -> dict[str, Any]:
    return {"model": row.name, "alias": row.alias, "version": row.version}


def claimed(home: Home, day: date) -> bool:
    """Is it this process that tells what expires on this day? Of several workers and restarts one only."""
    home.folder.mkdir(parents=True, exist_ok=True)
    with (home.folder / "told.txt").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if file.read().strip() == day.isoformat():
            return False
        file.truncate(0)
        file.write(day.isoformat() + "\n")
        return True


def watch(store: GovernedStore, outbox: Outbox) -> None:
    """Tell once a day what expires, however many processes serve."""

    def run() -> None:
        pause = threading.Event()
        while True:
            try:
                now = store.now()
                if claimed(store.home, now.date()):
                    for about in expiring(store, now):
                        outbox.tell(about.pop("event"), about)
            except Exception as problem:  # a database that is away today answers tomorrow
                _log.warning("What expires could not be told: %s", type(problem).__name__)
            pause.wait(3600)

    if os.environ.get(WEBHOOK):
        threading.Thread(target=run, name="twinops-expiring", daemon=True).start()


def _send(body: Mapping[str, Any]) -> None:
    address = os.environ[WEBHOOK]
    if not address.startswith(("http://", "https://")):
        raise ValueError("the webhook's address is not http(s)")
    data = json.dumps(body, sort_keys=True).encode()
    request = urllib.request.Request(address, data=data, method="POST")  # noqa: S310  # checked above
    request.add_header("Content-Type", "application/json")
    secret = os.environ.get(SECRET)
    if secret:
        signature = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
        request.add_header("X-Twinops-Signature", f"sha256={signature}")
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        answer.read(1024)
