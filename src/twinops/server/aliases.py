"""Set, verify and take down a protected alias. Each in one transaction with its grant and its log entry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ABORTED, PERMISSION_DENIED
from sqlalchemy import text
from sqlalchemy.orm import Session

from twinops.entities.approval import Act
from twinops.entities.event import Kind
from twinops.governance import approval
from twinops.governance.audit import Frontier
from twinops.server import actors, cases, folders, records
from twinops.server.ledger import Ledger
from twinops.server.records import Grant

if TYPE_CHECKING:
    from twinops.server.store import GovernedStore


@dataclass(frozen=True)
class Moved:
    """The alias's new ETag, whether anything moved, and how far the log has grown."""

    etag: int
    moved: bool
    frontier: Frontier


def promote(store: GovernedStore, log: Ledger, what: tuple[str, str, int], *, etag: int | None) -> Moved:
    """Point the alias to the version, if nothing stands against it.

    The ETag is the number of the alias's last event, 0 before the first. Asking again for what was just done with the
    same ETag answers the same, so a client whose connection broke may ask again.
    """
    name, alias, version = what
    case, made = cases.load(store, log.session, name, version)
    now = records.grant_of(log.session, name, alias)
    there = now is not None and now.active and now.uid == made.uid
    again = there and now is not None and etag in (None, now.etag_before)
    if etag is not None and not again:
        _compare(now, etag)
    against = approval.against_promotion(case, now=log.now)
    if against:
        raise _refusal(name, version, alias, against)
    if again and now is not None:
        store.stock_alias(name, alias, version)
        return Moved(now.etag, moved=False, frontier=log.frontier)
    given = approval.standing(case, now=log.now)
    seq = log.append(
        Kind.PROMOTED,
        actors.current(),
        {
            "model": name,
            "alias": alias,
            "version": version,
            "uid": made.uid,
            "digest": made.digest,
            "digests": case.digests.digest if case.digests else None,
            "approval": given.id if given else None,
            "evidence": case.digests.evidence if case.digests else None,
            "policy": case.digests.policy if case.digests else None,
            "settled": list(case.rulings),
            "separated": case.separated,
            "before": now.etag if now else 0,
        },
    )
    before = now.etag if now else 0
    records.keep_grant(log.session, Grant(name, alias, version, made.uid, made.digest, True, _etag(seq), before))
    store.stock_alias(name, alias, version)
    return Moved(_etag(seq), moved=True, frontier=log.frontier)


def take_down(store: GovernedStore, log: Ledger, name: str, alias: str, *, why: str) -> bool:
    """Remove a protected alias; the reason's text is kept with the review."""
    grant = records.grant_of(log.session, name, alias)
    if grant is None or not grant.active:
        return False
    about = {"model": name, "alias": alias, "version": grant.version, "uid": grant.uid, "why": why}
    seq = log.append(Kind.TAKEN_DOWN, actors.current(), about)
    gone = Grant(name, alias, grant.version, grant.uid, grant.digest, False, _etag(seq), grant.etag)
    records.keep_grant(log.session, gone)
    store.stock_alias_gone(name, alias)
    return True


def verify(store: GovernedStore, session: Session, found: Any, alias: str) -> None:
    """At resolve: identity, bytes and explicit revocation only. A failed monitor opens a review and cuts nothing."""
    number = int(found.version)
    row = session.execute(_SERVED, {"name": found.name, "alias": alias}).one_or_none()
    if row is None or (row.version, row.created_ms) != (number, found.creation_timestamp):
        raise _refusal(found.name, number, alias, ("The alias was not set by this server's promotion.",))
    if row.granted != row.digest:
        raise _refusal(found.name, number, alias, ("The grant is for other bytes.",))
    if row.act != Act.APPROVE:
        raise _refusal(found.name, number, alias, ("Its approval was revoked.",))
    folders.against_changed_copy(store.home, row.digest, json.loads(row.files), what=(found.name, number))


_SERVED = text("""
SELECT v.version, v.created_ms, v.digest, v.files, g.digest AS granted,
       (SELECT r.act FROM twinops_review r WHERE r.uid = v.uid AND r.act IN ('approve', 'reject', 'revoke')
        ORDER BY r.seq DESC LIMIT 1) AS act
FROM twinops_grant g JOIN twinops_version v ON v.uid = g.uid AND v.deleted = 0 AND v.name = g.name
WHERE g.active = 1 AND g.name = :name AND g.alias = :alias AND v.version = g.version
""")


def _compare(now: Grant | None, etag: int) -> None:
    current = now.etag if now else 0
    if current != etag:
        raise MlflowException(
            f"twinops: the alias changed meanwhile (its ETag is {current}, not {etag}). Look again, then decide.",
            ABORTED,
        )


def _etag(seq: int) -> int:
    """Event numbers start at 0; an ETag of 0 says that nothing happened yet."""
    return seq + 1


def _refusal(name: str, version: int, alias: str, against: tuple[str, ...]) -> MlflowException:
    sentence = f"twinops: version {version} of {name} may not be {alias!r}. {' '.join(against)}"
    return MlflowException(sentence, PERMISSION_DENIED)
