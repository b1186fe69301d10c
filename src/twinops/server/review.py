"""What the review pages show: the queue of what waits, and everything about one version. Reads only."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from sqlalchemy import text

from twinops.entities.approval import Act, Case, Review
from twinops.entities.evidence import Evidence
from twinops.governance import approval
from twinops.governance.decide import Decision
from twinops.governance.offices import Offices
from twinops.governance.policy import Policy
from twinops.governance.rulings import Bench
from twinops.server import cases, records
from twinops.server.records import Grant, Recorded, Submitted

if TYPE_CHECKING:
    from twinops.server.store import GovernedStore

_QUEUE = """
SELECT v.name, v.version, v.uid, v.registrar, v.separated, e.seq AS evidence, e.at AS evidence_at,
       r.act, r.seq AS act_seq, r.at AS act_at, r.expires, r.account AS by_account, g.alias
FROM twinops_version v
LEFT JOIN (SELECT uid, max(seq) AS seq, max(at) AS at FROM twinops_evidence GROUP BY uid) e ON e.uid = v.uid
LEFT JOIN (SELECT uid, max(seq) AS seq FROM twinops_review GROUP BY uid) last ON last.uid = v.uid
LEFT JOIN twinops_review r ON r.seq = last.seq
LEFT JOIN twinops_grant g ON g.uid = v.uid AND g.active = 1
WHERE v.deleted = 0 ORDER BY v.seq DESC
"""
_WAITS_FOR = {
    "new": "gate runner",
    "waiting": "risk officer",
    "changes asked": "scientist",
    "expired": "risk officer",
}


@dataclass(frozen=True)
class Waiting:
    """One line of the queue."""

    name: str
    version: int
    state: str
    """new, waiting, approved, rejected, changes asked, revoked or expired."""
    waits_for: str | None
    since: datetime | None
    alias: str | None
    """The protected alias it carries."""
    registrar: str
    separated: bool


@dataclass(frozen=True)
class Dossier:
    """Everything about one version that an officer reads before deciding."""

    case: Case
    recorded: Recorded
    state: str
    policy: Policy | None
    offices: Offices | None
    evidence: Evidence | None
    decision: Decision | None
    submitted: Submitted | None
    grants: tuple[Grant, ...]
    """Protected aliases of this model, whatever version carries them."""
    standing: Review | None
    files: Mapping[str, str]
    """Files that came with the evidence: path and SHA-256; `file_of` opens them."""
    production: Dossier | None = field(default=None, repr=False)
    """The same of the version that carries the first protected alias, when it is another one."""

    @property
    def bench(self) -> Bench:
        """What a ruling on one of its gates is judged by."""
        return Bench(self.policy, self.offices, self.decision)

    @property
    def digest(self) -> str | None:
        """What the form must carry to approve: a digest over everything shown."""
        return self.case.digests.digest if self.case.digests else None

    def against(self, act: Act, store: GovernedStore) -> tuple[str, ...]:
        """Why the caller may not do this; nothing when she may."""
        return approval.against_act(act, self.case, store.actor(), offices=self.offices, now=store.now())

    def against_promotion(self, store: GovernedStore) -> tuple[str, ...]:
        """Why a protected alias may not point here now."""
        return approval.against_promotion(self.case, now=store.now())


def queue(store: GovernedStore) -> list[Waiting]:
    """Every version with its state, newest first; one query whatever their number."""
    now = store.now()
    with store.ManagedSessionMaker() as session:
        rows = session.execute(text(_QUEUE)).all()
    return [_waiting(row, now) for row in rows]


def dossier(store: GovernedStore, name: str, version: int, *, compare: bool = True) -> Dossier:
    """Put everything about one version together.

    Raises:
        MlflowException: there is no such version, or it was never recorded.

    """
    with store.ManagedSessionMaker() as session:
        case, made = cases.load(store, session, name, version)
        policy, offices = cases.rules(store, session)
        given = records.evidence_of(session, made.uid, known=store.known.submitted)
        grants = tuple(records.active_grants(session, name))
        judged = cases.judged(store, session, made)
    now = store.now()
    other = next((g.version for g in grants if g.uid != made.uid), None)
    return Dossier(
        case=case,
        recorded=made,
        state=cases.state_of(case.reviews, evidence=given.seq if given else None, now=now),
        policy=policy,
        offices=offices,
        evidence=judged.evidence if judged else None,
        decision=judged.decision if judged else None,
        submitted=given,
        grants=grants,
        standing=approval.standing(case, now=now),
        files=given.body["files"] if given else {},
        production=dossier(store, name, other, compare=False) if compare and other is not None else None,
    )


def file_of(store: GovernedStore, shown: Dossier, path: str) -> Path:
    """Where the content of a file lies that came with the evidence.

    Raises:
        MlflowException: no such file came with it, or its bytes changed.

    """
    digest = shown.files.get(path)
    if digest is None or shown.submitted is None:
        raise MlflowException("No such file came with the evidence", RESOURCE_DOES_NOT_EXIST)
    found = store.home.evidence / shown.submitted.digest / digest
    if not found.is_file() or hashlib.sha256(found.read_bytes()).hexdigest() != digest:
        raise MlflowException("The file that came with the evidence was changed", RESOURCE_DOES_NOT_EXIST)
    return found


def form_token(store: GovernedStore, account: str, seen: str | None, *, now: datetime | None = None) -> str:
    """Ties a form to the account it was shown to and what it showed, for the hour."""
    hour = int((now or store.now()).timestamp() // 3600)
    return _token(store, account, seen, hour)


def form_fits(store: GovernedStore, account: str, seen: str | None, *, token: str) -> bool:
    """Was this form shown to this account, with these digests, in the last two hours?"""
    hour = int(store.now().timestamp() // 3600)
    return any(hmac.compare_digest(_token(store, account, seen, hour - ago), token) for ago in (0, 1))


def _token(store: GovernedStore, account: str, seen: str | None, hour: int) -> str:
    told = "\0".join((account, seen or "", str(hour)))
    return hmac.new(store.home.secret.encode(), told.encode(), "sha256").hexdigest()


def _waiting(row: Any, now: datetime) -> Waiting:
    state = _state(row, now)
    since = row.act_at if state in ("changes asked", "expired") else row.evidence_at or row.act_at
    return Waiting(
        name=row.name,
        version=row.version,
        state=state,
        waits_for=_WAITS_FOR.get(state),
        since=datetime.fromisoformat(since) if since else None,
        alias=row.alias,
        registrar=row.registrar,
        separated=bool(row.separated),
    )


def _state(row: Any, now: datetime) -> str:
    if row.act is None or (row.evidence is not None and row.evidence > row.act_seq and row.act != "approve"):
        return "waiting" if row.evidence is not None else "new"
    if row.act == "approve" and row.expires and now >= datetime.fromisoformat(row.expires):
        return "expired"
    return cases.WORDS[Act(row.act)]
