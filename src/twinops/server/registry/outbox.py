"""What leaves the server after the fact, in the background: checkpoints as git notes, time stamps, a webhook.

Nothing waits for it and nothing depends on it: what must hold was committed before.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import queue
import threading
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twinops.adapters import straight
from twinops.adapters.registry_client import time_stamp
from twinops.adapters.registry_client.audit_source import note_in_git
from twinops.entities.event import Kind

WEBHOOK, SECRET = "TWINOPS_WEBHOOK_URL", "TWINOPS_WEBHOOK_SECRET"  # names of variables
NO_NOTES = "TWINOPS_NO_GIT_NOTES"
NOTES_WAIT = 1.0
"""Seconds: to start git costs as much as a promotion. The file of a checkpoint is there before the answer."""
TOLD = (
    Kind.EVIDENCE, Kind.REQUESTED, Kind.APPROVED, Kind.REJECTED, Kind.ASKED, Kind.REVOKED, Kind.RULED,
    Kind.RULING_WITHDRAWN, Kind.PROMOTED, Kind.TAKEN_DOWN,
)  # fmt: skip
"""Events that go to the webhook; `approval.expiring` and `ruling.expiring` are told besides."""
_log = logging.getLogger("twinops.outbox")


class Outbox:
    """One thread that empties a bounded queue; when it is full, the oldest news is lost, never the log."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._notes: list[str] = []
        self._turn = threading.Lock()
        self._queue: queue.Queue[tuple[str, Callable[[], object]]] = queue.Queue(1_000)
        threading.Thread(target=self._run, name="twinops-outbox", daemon=True).start()

    def checkpoint(self, note: str) -> None:
        """Keep a checkpoint as a git note of the project, where it is a git repository; all of a second go together."""
        if os.environ.get(NO_NOTES):
            return
        with self._turn:
            self._notes.append(note)
            first = len(self._notes) == 1
        if first:
            timer = threading.Timer(NOTES_WAIT, lambda: self._put("note", self._note))
            timer.daemon = True
            timer.start()

    def stamp(self, path: Path) -> None:
        """Ask for a time stamp over a checkpoint, if an authority is named."""
        if os.environ.get(time_stamp.VARIABLE) and not time_stamp.beside(path).exists():
            self._put("stamp", lambda: time_stamp.stamp(path, os.environ[time_stamp.VARIABLE]))

    def tell(self, kind: str, about: Mapping[str, Any]) -> None:
        """Send an event to the webhook, if there is one. No reason, no name: what the log holds, not more."""
        if os.environ.get(WEBHOOK):
            self._put("hook", lambda: _send({"event": kind, **about}))

    def _note(self) -> None:
        with self._turn:
            notes, self._notes = self._notes, []
        note_in_git(self._root, notes)

    def _put(self, kind: str, deliver: Callable[[], object]) -> None:
        try:
            self._queue.put_nowait((kind, deliver))
        except queue.Full:
            _log.warning("The outbox is full; one notification was dropped.")

    def _run(self) -> None:
        while True:
            kind, deliver = self._queue.get()
            try:
                deliver()
            except Exception as problem:  # whatever the other end does, the thread lives on
                _log.warning("A %s could not be delivered: %s", kind, type(problem).__name__)


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
    with straight.opened(request, seconds=10):
        return  # what it says is nobody's news, and may take as long as it likes
