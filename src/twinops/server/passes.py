"""Issue the signed pass of what a protected alias points to, after verifying it as for any resolve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from sqlalchemy import text
from sqlalchemy.orm import Session

from twinops.entities.approval import Act
from twinops.entities.event import stamp
from twinops.governance import passport
from twinops.governance.checkpoint import Checkpoint, signed
from twinops.server import ledger, records
from twinops.server.home import APPROVED
from twinops.server.ledger import ORIGIN

if TYPE_CHECKING:
    from twinops.server.store import GovernedStore


def issue(store: GovernedStore, name: str, alias: str) -> dict[str, Any]:
    """Refused exactly when resolving the alias is."""
    if alias not in store.protected():
        sentence = f"twinops: {alias[:80]!r} is not a protected alias; only those are vouched for."
        raise MlflowException(sentence, PERMISSION_DENIED)
    found = store.get_model_version_by_alias(name, alias)
    with store.ManagedSessionMaker() as session:
        made = records.version_of(session, name, int(found.version), created_ms=found.creation_timestamp)
        head = ledger.head(session)
        if made is None:
            raise MlflowException("twinops: the version is gone.", PERMISSION_DENIED)
        ruled = _rulings(session, name, alias, made.uid)
        given = [r for r in records.reviews_of(session, made.uid) if r.act is Act.APPROVE][-1]
    body = {
        "name": name,
        "version": made.version,
        "uid": made.uid,
        "alias": alias,
        "place": f"{APPROVED}/{made.digest}",
        "digest": made.digest,
        "files": made.files,
        "approval": {
            "id": given.id,
            "at": stamp(given.at),
            "expires": stamp(given.expires) if given.expires else None,
            "separated": given.separated,
            "digests": given.digests.digest if given.digests else None,
            "settled": ruled,
        },
        "issued": stamp(store.now()),
        "checkpoint": signed(Checkpoint(ORIGIN, head.size, head.root), store.home.key),
    }
    return passport.issued(body, store.home.key)


def _rulings(session: Session, name: str, alias: str, uid: str) -> list[dict[str, Any]]:
    """What officers ruled on single gates that the promotion rests on; no account is named."""
    grant = records.grant_of(session, name, alias)
    entry = {"seq": grant.etag - 1} if grant else {"seq": -1}
    body = session.execute(text("SELECT body FROM twinops_event WHERE seq = :seq"), entry).scalar()
    settled = set(json.loads(body)["about"].get("settled", ())) if body else set()
    return [
        {"gate": r.gate, "answer": r.answer, "until": r.until.isoformat()}
        for r in records.rulings_of(session, uid)
        if r.id in settled
    ]
