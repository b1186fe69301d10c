"""What ends soon: approvals of what is in production and rulings they rest on, told once a day by one process."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from twinops.entities.approval import Act
from twinops.entities.event import stamp
from twinops.governance.policy import rulings
from twinops.server.registry import records
from twinops.server.registry.home import Home
from twinops.server.registry.outbox import WEBHOOK, Outbox
from twinops.server.registry.records import Grant
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.transaction import Transaction

SOON = timedelta(days=14)
_log = logging.getLogger("twinops.outbox")


def expiring(now: Transaction) -> list[dict[str, Any]]:
    """Protected aliases whose approval, or a ruling it rests on, ends soon or has ended."""
    return [told for grant in records.active_grants(now.session) for told in _ends(now, grant)]


def _ends(now: Transaction, grant: Grant) -> Iterator[dict[str, Any]]:
    live = {"model": grant.name, "alias": grant.alias, "version": grant.version}
    approvals = [r for r in records.reviews_of(now.session, grant.uid) if r.act is Act.APPROVE]
    expires = approvals[-1].expires if approvals else None
    if expires and expires - now.now < SOON:
        yield {"event": "approval.expiring", **live, "expires": stamp(expires)}
    for ruled in rulings.standing(records.rulings_of(now.session, grant.uid)):
        if ruled.until - now.now.date() < SOON:
            yield {"event": "ruling.expiring", **live, "gate": ruled.gate, "expires": ruled.until.isoformat()}


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
                if claimed(store.home, store.now().date()):
                    with store.reading() as now:
                        found = expiring(now)
                    for about in found:
                        outbox.tell(about.pop("event"), about)
            except Exception as problem:  # a database that is away today answers tomorrow
                _log.warning("What expires could not be told: %s", type(problem).__name__)
            pause.wait(3600)

    if os.environ.get(WEBHOOK):
        threading.Thread(target=run, name="twinops-expiring", daemon=True).start()
