"""What the review pages show: the queue of what waits, and everything about one version. Reads only."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from sqlalchemy import Row, Select, func, select

from twinops.entities.approval import Act, Actor, Case, Review
from twinops.entities.evidence import Evidence
from twinops.errors import ParamsError
from twinops.governance.people import approval
from twinops.governance.people.offices import Offices
from twinops.governance.policy import limits as policy_file
from twinops.governance.policy.decide import Decision
from twinops.governance.policy.judge import ActiveJudge
from twinops.governance.policy.limits import Policy
from twinops.governance.policy.rulings import Bench
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import cases, records
from twinops.server.registry.records import Adoption, Grant, Recorded, Submitted
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.tables import EVIDENCE, GRANT, REVIEW, VERSION
from twinops.server.registry.transaction import Transaction

_WAITS_FOR = {"new": "gate runner", "waiting": "risk officer", "changes asked": "scientist", "expired": "risk officer"}


@dataclass(frozen=True)
class Waiting:
    """One line of the queue."""

    name: str
    version: int
    state: str
    """new, waiting, approved, rejected, changes asked, revoked or expired."""
    waits_for: str | None
    since: datetime
    """Of what made its state: the act, the evidence, else when the version was made."""
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
    dated: Evidence | None
    """The evidence as it was judged today."""
    submitted: Submitted | None
    strangers: tuple[str, ...]
    """E-mails of authors whom nobody here is; officers see them."""
    adopted: Adoption | None
    """The base up to which the model's history is upstream's."""
    adopted_at: datetime | None
    grants: tuple[Grant, ...]
    """Protected aliases of this model, whatever version carries them."""
    standing: Review | None
    files: Mapping[str, str]
    """Files that came with the evidence: path and SHA-256; `file_of` opens them."""
    unbound: Policy | None = None
    """Where no policy is active: the one that lies in the server's folder."""
    preview: Decision | None = None
    """What that one would say; it binds nobody."""
    judge: ActiveJudge | None = None
    """The one that is active on this server."""
    production: Dossier | None = field(default=None, repr=False)
    """The same of the version that carries the first protected alias, when it is another one."""
    previous: Dossier | None = field(default=None, repr=False)
    """Where none is: the same of the newest version before this one that has evidence."""

    @property
    def bench(self) -> Bench:
        """What a ruling on one of its gates is judged by."""
        return Bench(self.policy, self.offices, self.decision)

    @property
    def since(self) -> str:
        """From where authors were counted, in a sentence."""
        if self.submitted is None:
            return "Git authors are counted when evidence is handed in."
        base = self.submitted.body["base"]
        if self.adopted is not None and base == self.adopted.base.commit:
            found = len(self.submitted.body.get("upstream", ()))
            told = f"{self.adopted.base.sentence}; the gate runner found {found} there"
            return f"Authors are counted since an adopted base: {told}."
        return f"Authors are counted since {base[:12]}, which was in production." if base else "All authors count."

    def sees_people(self, actor: Actor, day: date) -> bool:
        """Who holds an office here sees the e-mails of unknown authors."""
        return bool(self.bench.office(actor.account, on=day))

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
    with store.reading() as now:
        return [_waiting(row, now.now) for row in now.session.execute(_everything())]


def _everything() -> Select[Any]:
    """Each version with its newest evidence, its newest act and the alias it carries; newest version first."""
    given = select(EVIDENCE.c.uid, func.max(EVIDENCE.c.seq).label("seq"), func.max(EVIDENCE.c.at).label("at"))
    evidence = given.group_by(EVIDENCE.c.uid).subquery()
    last = select(REVIEW.c.uid, func.max(REVIEW.c.id).label("id")).group_by(REVIEW.c.uid).subquery()
    return (
        select(VERSION.c.name, VERSION.c.version, VERSION.c.registrar, VERSION.c.separated, GRANT.c.alias)
        .add_columns(VERSION.c.created_ms, evidence.c.seq.label("evidence"), evidence.c.at.label("evidence_at"))
        .add_columns(REVIEW.c.id.label("id"), REVIEW.c.act, REVIEW.c.at.label("act_at"), REVIEW.c.expires)
        .outerjoin(evidence, evidence.c.uid == VERSION.c.uid)
        .outerjoin(last, last.c.uid == VERSION.c.uid)
        .outerjoin(REVIEW, REVIEW.c.id == last.c.id)
        .outerjoin(GRANT, (GRANT.c.uid == VERSION.c.uid) & (GRANT.c.active == 1))
        .where(VERSION.c.deleted == 0)
        .order_by(VERSION.c.seq.desc())
    )


def _waiting(row: Row[Any], now: datetime) -> Waiting:
    state = cases.state_of(row if row.act else None, evidence=row.evidence, now=now)
    return Waiting(
        name=row.name,
        version=row.version,
        state=state,
        waits_for=_WAITS_FOR.get(state),
        since=_since(row, state),
        alias=row.alias,
        registrar=row.registrar,
        separated=row.separated,
    )


def _since(row: Row[Any], state: str) -> datetime:
    made = datetime.fromtimestamp(row.created_ms / 1000, UTC)
    return (row.act_at if state in ("changes asked", "expired") else row.evidence_at or row.act_at) or made


def in_the_way(store: GovernedStore, lines: Iterable[Waiting]) -> dict[Waiting, str]:
    """Of those that wait for a decision: why none of them can be approved as it is, counted; the page says each."""
    with store.reading() as now:
        found = {line: _counted(now, line) for line in lines if line.state == "waiting"}
    return {line: why for line, why in found.items() if why}


def _counted(now: Transaction, line: Waiting) -> str:
    try:
        case = cases.load(now, line.name, line.version).case
    except MlflowException:
        return "cannot be approved: its records do not fit"
    if case.blocking is None:
        return "cannot be approved: no policy is active"
    many = {"gate": len(case.blocking), "other problem": len(case.problems) + len(case.unknown)}
    told = [f"{number} {what}{'' if number == 1 else 's'}" for what, number in many.items() if number]
    return f"cannot be approved: {' and '.join(told)} in the way" if told else ""


def dossier(store: GovernedStore, name: str, version: int, *, compare: bool = True) -> Dossier:
    """Put everything about one version together.

    Raises:
        MlflowException: there is no such version, or it was never recorded.
    """
    with store.reading() as now:
        found = cases.load(now, name, version)
        grants = tuple(records.active_grants(now.session, name))
        adopted = cases.adopted_base(now, name)
        unbound = _policy_in(store.home.root) if found.rules.policy is None else None
        preview = cases.judged_by(now, found.recorded, unbound) if unbound else None
        before = now.session.execute(_before(name, version)).scalar() if compare else None
        adopted_at = ledger.moment_of(now.session, adopted.seq) if adopted else None
    case, given, judged = found.case, found.given, found.judgement
    other = next((g.version for g in grants if g.uid != case.uid), None)
    earlier = None if not compare or other is not None else before
    last = case.reviews[-1] if case.reviews else None
    return Dossier(
        case=case,
        recorded=found.recorded,
        state=cases.state_of(last, evidence=given.seq if given else None, now=now.now),
        policy=found.rules.policy,
        offices=found.rules.offices,
        judge=found.rules.judge,
        evidence=judged.evidence if judged else None,
        decision=judged.decision if judged else None,
        dated=judged.dated if judged else None,
        submitted=given,
        strangers=cases.strangers(given, found.rules.offices) if case.separated else (),
        adopted=adopted,
        adopted_at=adopted_at,
        grants=grants,
        standing=approval.standing(case, now=now.now),
        files=given.body["files"] if given else {},
        unbound=unbound,
        preview=preview,
        production=dossier(store, name, other, compare=False) if compare and other is not None else None,
        previous=dossier(store, name, earlier, compare=False) if earlier is not None else None,
    )


def _before(name: str, version: int) -> Select[Any]:
    """The newest version before this one that has evidence."""
    listed = select(func.max(VERSION.c.version)).join(EVIDENCE, EVIDENCE.c.uid == VERSION.c.uid)
    return listed.where(VERSION.c.name == name, VERSION.c.version < version, VERSION.c.deleted == 0)


def _policy_in(root: Path) -> Policy | None:
    """The policy file that lies there, if it can be read."""
    try:
        return policy_file.read((root / "compliance" / "policy.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ParamsError):
        return None


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
