"""No way back in time: a log that its checkpoints do not tell of is served only when somebody says why."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import insert

from twinops.adapters.registry_client import audit_source
from twinops.entities.approval import Act
from twinops.entities.event import Kind
from twinops.errors import ParamsError, ServiceError
from twinops.governance.log import checkpoint
from twinops.governance.log.told import Salted
from twinops.governance.log.verify import Report, check
from twinops.governance.people.approval import against_reason
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import callers as actors
from twinops.server.registry.home import Home
from twinops.server.registry.tables import RESTORE

NEWEST = 20
"""So many checkpoint files are read at a start: sizes may stand twice where a log was put back before."""


def against_older(store: Any) -> None:
    """Refuse to serve a log that is not the one which the newest checkpoints in sight tell of.

    Raises:
        ServiceError: it is older, another one, changed, or its end is not signed.
    """
    found = _checked(store, _notes(store.home, newest=NEWEST))
    faults = found.faults or _unsigned(store)
    if faults:
        told = "; ".join(faults[:3]).rstrip(".")
        raise ServiceError(
            f"This database is not the one that was served last: {told}.",
            hint='Put the newest one back; if there is no newer, start once with --accept-restore "why".',
        )


def accept(store: Any, reason: str) -> None:
    """Go on with a log that is older than its checkpoints, or forked; who says so and why is an entry of its own.

    Raises:
        ParamsError: there is nothing to accept, or no reason.
        ServiceError: the log contradicts itself, so that going on would hide what was changed.
    """
    against = against_reason(Act.REVOKE, reason)
    if against:
        raise ParamsError(" ".join(against), hint='Say why: --accept-restore "backup of Monday, the disk died".')
    found, inside = _checked(store, _notes(store.home)), _checked(store, [])
    if inside.faults:
        raise ServiceError(
            f"This log contradicts itself: {'; '.join(inside.faults[:3])}.", hint="Put another backup back."
        )
    if found.sound and not _unsigned(store):
        raise ParamsError("Nothing is to be accepted: the log fits its checkpoints.", hint="Start without the option.")
    _log(store, found.unfitting, reason.strip())


def _log(store: Any, unfitting: tuple[int, ...], reason: str) -> None:
    since, left = (min(unfitting), max(unfitting)) if unfitting else (0, 0)
    about = {"since": since, "left": left, "why": Salted.of(reason, secrets.token_hex(8)).told}
    store.witness.trusting = True
    try:
        with store.writing() as log:
            seq = log.append(Kind.RESTORED, actors.current(), about)
            log.session.execute(insert(RESTORE).values(seq=seq, account=actors.current(), reason=reason))
    finally:
        store.witness.trusting = False


def _checked(store: Any, notes: list[str]) -> Report:
    with store.reading() as now:
        head = ledger.head(now.session)
        bodies = ledger.bodies(now.session)
        return check(bodies, notes, store.home.known_keys, head=(head.size, head.root.hex()))


def _unsigned(store: Any) -> tuple[str, ...]:
    from mlflow.exceptions import MlflowException

    try:
        with store.reading() as now:
            now.seen()
    except MlflowException as problem:
        return (problem.message.removeprefix("twinops: "),)
    return ()


def _notes(home: Home, *, newest: int | None = None) -> list[str]:
    """Checkpoints in sight that this server signed."""
    files = sorted(home.checkpoints.glob("*.txt"))
    found = audit_source.checkpoints(files[-newest:] if newest else files) + audit_source.checkpoints_in_git(home.root)
    return [note for note in found if _ours(note, home.known_keys)]


def _ours(note: str, keys: list[bytes]) -> bool:
    try:
        checkpoint.opened(note, keys)
    except ValueError:
        return False
    return True
