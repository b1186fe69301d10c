"""What ends soon: approvals of what is in production and rulings they rest on, told once a day by one process."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select

from twinops.entities.approval import Act
from twinops.entities.event import stamp
from twinops.governance import rulings
from twinops.server import records
from twinops.server.home import Home
from twinops.server.outbox import WEBHOOK, Outbox
from twinops.server.store import GovernedStore
from twinops.server.tables import GRANT, REVIEW
from twinops.server.transaction import Transaction

SOON = timedelta(days=14)
_log = logging.getLogger("twinops.outbox")


def expiring(now: Transaction) -> list[dict[str, Any]]:
    """Protected aliases whose approval, or a ruling it rests on, ends soon or has ended."""
    rows = now.session.execute(_carried()).all()
    approvals = [
        {"event": "approval.expiring", **_live(row), "expires": stamp(row.expires)}
        for row in rows
        if row.expires and row.expires - now.now < SOON
    ]
    ends = [
        {"event": "ruling.expiring", **_live(row), "gate": ruled.gate, "expires": ruled.until.isoformat()}
        for row in rows
        for ruled in rulings.standing(records.rulings_of(now.session, row.uid))
        if ruled.until - now.now.date() < SOON
    ]
    return [*approvals, *ends]


def _carried() -> Select[Any]:
    """What carries a protected alias, with its newest approval."""
    approved = REVIEW.c.act == Act.APPROVE
    newest = select(func.max(REVIEW.c.id)).where(REVIEW.c.uid == GRANT.c.uid, approved).correlate(GRANT)
    return (
        select(GRANT.c.name, GRANT.c.alias, GRANT.c.version, GRANT.c.uid, REVIEW.c.expires)
        .join(REVIEW, REVIEW.c.uid == GRANT.c.uid)
        .where(GRANT.c.active == 1, REVIEW.c.id == newest.scalar_subquery())
    )


def _live(row: Row[Any]) -> dict[str, Any]:
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
