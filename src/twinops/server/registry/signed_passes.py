"""Issue the signed pass of what a protected alias points to, after verifying it as for any resolve."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy.orm import Session

from twinops.entities.approval import Act
from twinops.entities.event import stamp
from twinops.governance.log import signed_pass as passport
from twinops.governance.log.checkpoint import Checkpoint, signed
from twinops.server.refusals import mistake, refusal
from twinops.server.registry import aliases, records
from twinops.server.registry import audit_log as ledger
from twinops.server.registry.audit_log import ORIGIN
from twinops.server.registry.home import APPROVED
from twinops.server.registry.records import Grant
from twinops.server.registry.store import GovernedStore


def issue(store: GovernedStore, name: str, alias: str, *, nonce: str | None = None) -> dict[str, Any]:
    """Refused exactly when resolving the alias is. Without a caller's nonce it can be read, and loads nothing."""
    if nonce is not None and not re.fullmatch(passport.NONCE, nonce):
        raise mistake(f"`nonce` is {2 * passport.NONCE_BYTES} hexadecimal digits, drawn anew for each call")
    with store.reading() as now:
        if alias not in aliases.protected(now):
            raise refusal(f"{alias[:80]!r} is not a protected alias; only those are vouched for.")
        found = store.get_model_version_by_alias(name, alias)
        made = records.version_of(now.session, name, int(found.version), created_ms=found.creation_timestamp)
        grant = records.grant_of(now.session, name, alias)
        if made is None or grant is None:
            raise refusal("the version is gone.")
        head = ledger.head(now.session)
        ruled = _rulings(now.session, grant)
        given = [r for r in records.reviews_of(now.session, made.uid) if r.act is Act.APPROVE][-1]
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
            "ended": aliases.ended(now, made.uid),
        },
        "issued": stamp(now.now),
        "nonce": nonce,
        "log": {"size": head.size, "root": head.root.hex()},
        "checkpoint": signed(Checkpoint(ORIGIN, head.size, head.root), store.home.key),
    }
    return passport.issued(body, store.home.key)


def _rulings(session: Session, grant: Grant) -> list[dict[str, Any]]:
    """What officers ruled on single gates that the promotion rests on; no account is named."""
    body = ledger.body_of(session, grant.etag - 1)  # an ETag is the number of the event, and one
    settled = set(json.loads(body)["about"].get("settled", ())) if body else set()
    return [
        {"gate": r.gate, "answer": r.answer, "until": r.until.isoformat()}
        for r in records.rulings_of(session, grant.uid)
        if r.id in settled
    ]
