"""The case of one version: bytes, evidence, verdicts, contributors and past acts, put together from our own tables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from sqlalchemy import text
from sqlalchemy.orm import Session

from twinops.adapters import model_bytes
from twinops.entities.approval import Act, Case, DigestSet, Review, Ruling
from twinops.entities.canonical import digest
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.governance import rulings, settled
from twinops.governance.approval import NOT_FORCED
from twinops.governance.decide import Decision, decide
from twinops.governance.offices import Offices
from twinops.governance.policy import Policy
from twinops.governance.signers import SIGNATURES, strange_signers
from twinops.server import folders, records
from twinops.server.records import Recorded, Submitted

if TYPE_CHECKING:
    from twinops.server.store import GovernedStore

KEPT = 256
_LIVING = text("""
SELECT creation_time FROM model_versions
WHERE name = :name AND version = :version AND current_stage <> 'Deleted_Internal'
""")
NOT_RECORDED = (
    "twinops: version {version} of {name} was made without this server. Start it with --adopt, or register anew."
)


@dataclass(frozen=True)
class Judged:
    """Evidence as it was handed in, and what the server's policy and its officers' rulings make of it today."""

    given: Submitted
    evidence: Evidence
    decision: Decision
    digests: DigestSet
    rulings: tuple[int, ...]
    """Those that count."""


@dataclass
class Known:
    """What need not be worked out twice, because its digest says that nothing changed."""

    rules: dict[int, tuple[Policy | None, Offices | None]] = field(default_factory=dict)
    decisions: dict[tuple[Any, ...], Judged] = field(default_factory=dict)
    dangers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    submitted: dict[int, Submitted] = field(default_factory=dict)


def load(store: GovernedStore, session: Session, name: str, version: int) -> tuple[Case, Recorded]:
    """The case and the recorded version; refused when the version was never recorded."""
    created = session.execute(_LIVING, {"name": name, "version": int(version)}).scalar()
    if created is None:
        raise MlflowException(f"There is no version {version} of {name}.", RESOURCE_DOES_NOT_EXIST)
    made = records.version_of(session, name, int(version), created_ms=created)
    if made is None:
        raise MlflowException(NOT_RECORDED.format(name=name, version=version), PERMISSION_DENIED)
    policy, officers = rules(store, session)
    given = records.evidence_of(session, made.uid, known=store.known.submitted)
    accounts, unknown = _contributors(session, made, given, officers)
    found = judged(store, session, made)
    case = Case(
        uid=made.uid,
        name=name,
        version=made.version,
        contributors=accounts,
        unknown=unknown,
        digests=found.digests if found else None,
        blocking=found.decision.blocking if found else None,
        problems=(*_problems(store, session, (made, given, policy)), *_strange_signers(found, officers)),
        separated=made.separated and (given is None or bool(given.body["forced"])),
        rulings=found.rulings if found else (),
        reviews=records.reviews_of(session, made.uid),
    )
    return case, made


def rules(store: GovernedStore, session: Session) -> tuple[Policy | None, Offices | None]:
    """Active policy and offices; parsed once per activation."""
    latest = session.execute(text("SELECT max(seq) FROM twinops_rules")).scalar()
    if latest is None:
        return None, None
    kept = store.known.rules
    if latest not in kept:
        kept.clear()
        kept[latest] = records.rules_of(session)
    return kept[latest]


def rules_now(store: GovernedStore) -> tuple[Policy | None, Offices | None]:
    """Active policy and offices, in a transaction of their own."""
    with store.ManagedSessionMaker() as session:
        return rules(store, session)


def judged(store: GovernedStore, session: Session, made: Recorded) -> Judged | None:
    """The version's evidence under the server's own policy and officers' rulings, today; None: nothing to judge."""
    given = records.evidence_of(session, made.uid, known=store.known.submitted)
    policy, officers = rules(store, session)
    if given is None or policy is None or officers is None:
        return None
    ruled = records.rulings_of(session, made.uid)
    today = datetime.now(UTC).date()
    key = (made.uid, given.seq, policy.digest, officers.digest, today, tuple(r.id for r in ruled))
    kept = store.known.decisions
    if key not in kept:
        if len(kept) >= KEPT:
            kept.clear()
        kept[key] = _judged((made, given), (policy, officers), ruled, today)
    return kept[key]


def _judged(
    about: tuple[Recorded, Submitted], rules: tuple[Policy, Offices], ruled: tuple[Ruling, ...], today: date
) -> Judged:
    (made, given), (policy, officers) = about, rules
    evidence = Evidence.from_json(json.dumps(given.body["evidence"]))
    if evidence.digest != given.digest:
        raise MlflowException("twinops: the evidence was changed in the database.", PERMISSION_DENIED)
    digests = _digests(made, given, evidence, policy, officers)
    # policy, approval and rulings are in force on some days only: the day of judging is judged with the rest
    day = Fact(settled.DAY, today.isoformat(), Kind.MEASURED, "the registry server's clock")
    facts = rulings.with_rulings(evidence, ruled, digests=digests)
    decision = decide(policy, replace(evidence, facts=(*(f for f in facts if f.name != settled.DAY), day)))
    counting = rulings.counting(decision, ruled)
    return Judged(
        given, evidence, decision, replace(digests, settled=digest(list(counting)) if counting else ""), counting
    )


def dangers(store: GovernedStore, made: Recorded) -> tuple[str, ...]:
    """Why these bytes may not be loaded; the same for the same digest."""
    kept = store.known.dangers
    if made.digest not in kept:
        if len(kept) >= KEPT:
            kept.clear()
        kept[made.digest] = model_bytes.dangers(store.home.artifacts / made.place)
    return kept[made.digest]


def commit_in_production(session: Session, name: str) -> list[str]:
    """Commits of versions that were promoted at some time, newest first."""
    rows = session.execute(
        text(
            "SELECT e.body FROM twinops_event p JOIN twinops_version v ON v.name = :name"
            ' JOIN twinops_evidence e ON e.uid = v.uid WHERE p.body LIKE \'%"kind":"alias.set"%\''
            " AND p.body LIKE '%' || v.uid || '%' ORDER BY p.seq DESC"
        ),
        {"name": name},
    ).scalars()
    return [commit for body in rows if (commit := json.loads(body).get("commit"))]


def _contributors(
    session: Session, made: Recorded, given: Submitted | None, officers: Offices | None
) -> tuple[frozenset[str], tuple[str, ...]]:
    accounts, unknown = records.contributors(session, made)
    if not made.separated:
        return accounts, ()  # adopted: the approval itself is stamped, roles were never apart
    if given is None or officers is None:
        return accounts, unknown
    authors, strangers = officers.accounts_of(given.body["authors"])
    return accounts | authors, (*unknown, *strangers)


def _digests(made: Recorded, given: Submitted, evidence: Evidence, policy: Policy, officers: Offices) -> DigestSet:
    documents: dict[str, str] = given.body["documents"]
    return DigestSet(
        model=made.digest,
        data=evidence.key,
        evidence=given.digest,
        documents=digest(documents),
        card=documents.get("README.md", ""),
        dpia=documents.get("dpia.json", ""),
        policy=policy.digest,
        officers=officers.digest,
    )


def _problems(
    store: GovernedStore, session: Session, case: tuple[Recorded, Submitted | None, Policy | None]
) -> tuple[str, ...]:
    made, given, policy = case
    found = [*folders.differences(store.home, made), *dangers(store, made)]
    if given is not None and made.separated and not given.body["forced"]:
        found.append(NOT_FORCED)
    if given is not None and given.body["base"] and given.body["base"] not in commit_in_production(session, made.name):
        found.append("Its authors were counted since a commit that was never in production.")
    if policy is not None and not policy.valid_on(store.now().date()):
        found.append(f"Policy {policy.version} is not in force today.")
    return tuple(found)


def _strange_signers(found: Judged | None, officers: Offices | None) -> tuple[str, ...]:
    signed = found.evidence.fact(SIGNATURES) if found else None
    return strange_signers(signed.value, officers) if signed and officers else ()


def state_of(reviews: tuple[Review, ...], *, evidence: int | None, now: datetime) -> str:
    """In one word: new, waiting, approved, rejected, changes asked, revoked or expired."""
    last = reviews[-1] if reviews else None
    if last is None or (evidence is not None and evidence > last.id and last.act is not Act.APPROVE):
        return "waiting" if evidence is not None else "new"
    if last.act is Act.APPROVE and last.expires is not None and now >= last.expires:
        return "expired"
    return WORDS[last.act]


WORDS = {
    Act.REQUEST: "waiting",
    Act.APPROVE: "approved",
    Act.REJECT: "rejected",
    Act.ASK: "changes asked",
    Act.REVOKE: "revoked",
}
"""What a version is after each act."""
