"""Set, verify and take down a protected alias. Each in one transaction with its grant and its log entry."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ABORTED, PERMISSION_DENIED
from sqlalchemy import Select, bindparam, func, select

from twinops.entities.approval import Act
from twinops.entities.event import Kind
from twinops.governance.log import signed_pass
from twinops.governance.people import approval
from twinops.server.registry import artifact_folders, cases, records, standing
from twinops.server.registry import callers as actors
from twinops.server.registry.audit_log import AuditLog
from twinops.server.registry.cases import CaseFile
from twinops.server.registry.records import Grant
from twinops.server.registry.tables import GRANT, REVIEW, VERSION
from twinops.server.registry.transaction import Transaction


@dataclass(frozen=True)
class Promotion:
    """Which version a protected alias shall point to."""

    name: str
    alias: str
    version: int


def promote(log: AuditLog, wanted: Promotion, *, etag: int | None) -> int:
    """Grant the alias to the version, if nothing stands against it; the store then writes MLflow's own row.

    The new ETag is returned: the number of the alias's last event, 0 before the first. Asking again for what was just
    done with the same ETag answers the same, so a client whose connection broke may ask again.
    """
    found = cases.load(log.transaction, wanted.name, wanted.version)
    made = found.recorded
    now = records.grant_of(log.session, wanted.name, wanted.alias)
    there = now is not None and now.active and now.uid == made.uid
    again = there and now is not None and etag in (None, now.etag_before)
    if etag is not None and not again:
        _compare(now, etag)
    against = approval.against_promotion(found.case, now=log.now)
    if against:
        raise _refusal(wanted, against)
    if again and now is not None:
        return now.etag
    before = now.etag if now else 0
    seq = log.append(Kind.PROMOTED, actors.current(), _about(log, found, wanted) | {"before": before})
    given = Grant(wanted.name, wanted.alias, wanted.version, made.uid, made.digest, True, _etag(seq), before)
    records.keep_grant(log.session, given)
    records.keep_promotion(log.session, seq, made.uid)
    return _etag(seq)


def _about(log: AuditLog, found: CaseFile, wanted: Promotion) -> dict[str, Any]:
    """What the log says of a promotion: everything it rests on."""
    case, made = found.case, found.recorded
    given = approval.standing(case, now=log.now)
    return {
        "model": wanted.name,
        "alias": wanted.alias,
        "version": wanted.version,
        "uid": made.uid,
        "digest": made.digest,
        "digests": case.digests.digest if case.digests else None,
        "approval": given.id if given else None,
        "evidence": case.digests.evidence if case.digests else None,
        "policy": case.digests.policy if case.digests else None,
        "settled": list(case.rulings),
        "separated": case.separated,
    }


def take_down(log: AuditLog, name: str, alias: str, *, why: str) -> bool:
    """End the grant of a protected alias, if it has one; the reason's text is kept with the review."""
    grant = records.grant_of(log.session, name, alias)
    if grant is None or not grant.active:
        return False
    about = {"model": name, "alias": alias, "version": grant.version, "uid": grant.uid, "why": why}
    seq = log.append(Kind.TAKEN_DOWN, actors.current(), about)
    records.keep_grant(log.session, replace(grant, active=False, etag=_etag(seq), etag_before=grant.etag))
    return True


def protected(now: Transaction) -> tuple[str, ...]:
    """Aliases that need an approval, as the log and our tables tell; what was protected once stays so."""
    told = now.seen().told
    added = (a for entry in told.rules for a in entry["about"].get("protects", ()))
    return tuple(sorted({*records.protected_aliases(now.session), *added, *(alias for _, alias in told.aliases)}))


def verify(now: Transaction, found: Any, alias: str) -> str:
    """At resolve: identity, bytes and revocation; the approval's end where the policy says so. A monitor cuts nothing.

    Grant, version and last decision are those that the log tells: a row that somebody wrote by hand serves nothing.
    What is served although its approval has ended is answered with the sentence that says so; else nothing.
    """
    wanted = Promotion(found.name, alias, int(found.version))
    seen = now.seen()
    row = now.session.execute(_SERVED, asdict(wanted)).one_or_none()
    if row is None or row.created_ms != found.creation_timestamp:
        raise _refusal(wanted, ("The alias was not set by this server's promotion.",))
    if row.granted != row.digest:
        raise _refusal(wanted, ("The grant is for other bytes.",))
    decided = seen.decision(row.uid)
    if row.act != Act.APPROVE or decided is None or decided["kind"] != Kind.APPROVED:
        raise _refusal(wanted, ("Its approval was revoked.",))
    if row.decision != decided["seq"]:
        raise _refusal(wanted, ("Its approval is not the one that the log tells of.",))
    last = seen.last_move(wanted.name, wanted.alias)
    told = [*seen.of_version(row.uid), *([last] if last else ())]
    rows = standing.version(row) | standing.grant(row)
    standing.against_untold(now, told, rows, tables=("version", "grant"))
    artifact_folders.against_changed_copy(now.home, row)
    over = refused_after_end(now, row.uid)
    if over:
        raise _refusal(wanted, (over,))
    return ended(now, row.uid)


def ended(now: Transaction, uid: str) -> str:
    """That the approval by which a version is served has ended, as the log tells it and by this server's clock."""
    decided = now.seen().decision(uid)
    expires = decided["about"].get("expires") if decided and decided["kind"] == Kind.APPROVED else None
    return signed_pass.over(expires) if expires and now.now >= datetime.fromisoformat(expires) else ""


def refused_after_end(now: Transaction, uid: str) -> str:
    """The same where the active policy lets nothing be served after that; empty: it may be."""
    told = ended(now, uid)
    policy = cases.rules(now).policy if told else None
    return f"{told} The policy refuses what would be served after that." if policy and policy.refuses_ended else ""


def _served() -> Select[Any]:
    """One question for all that is compared: every load of a model in production asks it."""
    acts = REVIEW.alias()
    last = select(func.max(acts.c.id)).where(acts.c.uid == VERSION.c.uid, acts.c.act.in_(records.DECIDED))
    return (
        select(VERSION, GRANT.c.digest.label("granted"), REVIEW.c.act, REVIEW.c.id.label("decision"))
        .add_columns(GRANT.c.alias, GRANT.c.active, GRANT.c.etag, GRANT.c.etag_before)
        .select_from(VERSION)
        .join(GRANT, (GRANT.c.uid == VERSION.c.uid) & (GRANT.c.name == VERSION.c.name))
        .outerjoin(REVIEW, REVIEW.c.id == last.scalar_subquery())
        .where(VERSION.c.deleted == 0, VERSION.c.version == GRANT.c.version)
        .where(GRANT.c.active == 1, *(GRANT.c[f.name] == bindparam(f.name) for f in fields(Promotion)))
    )


_SERVED = _served()


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


def _refusal(wanted: Promotion, against: tuple[str, ...]) -> MlflowException:
    sentence = f"twinops: version {wanted.version} of {wanted.name} may not be {wanted.alias!r}. {' '.join(against)}"
    return MlflowException(sentence, PERMISSION_DENIED)
