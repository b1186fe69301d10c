"""The case of one version: bytes, evidence, verdicts, contributors and past acts, put together from our own tables."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from sqlalchemy import Row

from twinops.entities.approval import Act, Case, DigestSet, Review, Ruling
from twinops.entities.canonical import digest
from twinops.entities.event import Kind as EventKind
from twinops.entities.evidence import JUDGED_ON, Evidence
from twinops.entities.fact import Fact, Kind
from twinops.governance.assessment.justification import FACT as JUSTIFIED
from twinops.governance.assessment.signers import SIGNATURES, strange_justifiers, strange_signers
from twinops.governance.log.told import Entry, Rows
from twinops.governance.people.approval import NOT_FORCED
from twinops.governance.people.offices import Offices
from twinops.governance.policy import rulings
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.limits import Policy
from twinops.server.registry import artifact_folders, records, standing
from twinops.server.registry.records import ActiveRules, Recorded, Submitted
from twinops.server.registry.transaction import Transaction

NOT_RECORDED = (
    "twinops: version {version} of {name} was made without this server. Start it with --adopt, or register anew."
)
WORDS = {
    Act.REQUEST: "waiting",
    Act.APPROVE: "approved",
    Act.REJECT: "rejected",
    Act.ASK: "changes asked",
    Act.REVOKE: "revoked",
}
"""What a version is after each act."""


@dataclass(frozen=True)
class Judgement:
    """Evidence as it was handed in, and what the server's policy and its officers' rulings make of it today."""

    evidence: Evidence
    decision: Decision
    digests: DigestSet
    rulings: tuple[int, ...]
    """Those that count."""


@dataclass(frozen=True)
class Basis:
    """Everything a judgement follows from."""

    made: Recorded
    given: Submitted
    policy: Policy
    offices: Offices
    ruled: tuple[Ruling, ...]
    today: date

    @property
    def key(self) -> tuple[Any, ...]:
        """The same key, the same judgement."""
        ruled = tuple(r.id for r in self.ruled)
        return (self.made.uid, self.given.seq, self.policy.digest, self.offices.digest, self.today, ruled)


@dataclass(frozen=True)
class CaseFile:
    """A case with the records it was put together from."""

    case: Case
    recorded: Recorded
    rules: ActiveRules
    given: Submitted | None
    judgement: Judgement | None


def load(now: Transaction, name: str, version: int) -> CaseFile:
    """The case of a version; refused when the version was never recorded."""
    made = recorded(now, name, version)
    active = rules(now)
    reviews, ruled = records.reviews_of(now.session, made.uid), records.rulings_of(now.session, made.uid)
    _against_untold(now, made, (*reviews, *ruled))
    given = evidence_of(now, made)
    found = judged(now, made, ruled)
    accounts, unknown = _contributors(now, made, given, active.offices)
    case = Case(
        uid=made.uid,
        name=name,
        version=made.version,
        contributors=accounts,
        unknown=unknown,
        digests=found.digests if found else None,
        blocking=found.decision.blocking if found else None,
        problems=(*_problems(now, made, given), *_strange_signers(found, active.offices)),
        separated=made.separated and (given is None or bool(given.body["forced"])),
        rulings=found.rulings if found else (),
        reviews=reviews,
    )
    return CaseFile(case, made, active, given, found)


def recorded(now: Transaction, name: str, version: int) -> Recorded:
    """What was recorded of a version that MLflow has; refused when nothing was."""
    columns = SqlModelVersion.__table__.c
    of_mlflow = (columns["name"] == name, columns["version"] == int(version))
    there, made = records.version_among(now.session, *of_mlflow, columns["current_stage"] != "Deleted_Internal")
    if not there:
        raise MlflowException(f"There is no version {version} of {name}.", RESOURCE_DOES_NOT_EXIST)
    if made is None:
        raise MlflowException(NOT_RECORDED.format(name=name, version=version), PERMISSION_DENIED)
    return made


def rules(now: Transaction) -> ActiveRules:
    """Active policy and offices, as the log names them; read and held against it once per activation."""
    told = now.seen().rules()
    return now.known.once("rules", told[-1]["seq"] if told else None, lambda: _rules(now, told))


def _rules(now: Transaction, told: list[Entry]) -> ActiveRules:
    active = list({entry["about"]["kind"]: entry for entry in told}.values())
    rows = records.rules_at(now.session, [entry["seq"] for entry in active])
    found: Rows = {}
    for row in rows:
        found |= standing.rules(row)
    standing.against_untold(now, active, found, tables=("rules",))
    return records.active_rules({row.kind: row.body for row in rows})


def evidence_of(now: Transaction, made: Recorded) -> Submitted | None:
    """The newest evidence on a version, as the log names it; read and held against it once."""
    told = next((e for e in reversed(now.seen().of_version(made.uid)) if e["kind"] == EventKind.EVIDENCE), None)
    return now.known.once("evidence", told["seq"], lambda: _evidence_of(now, told)) if told else None


def _evidence_of(now: Transaction, told: Entry) -> Submitted | None:
    given = records.evidence_at(now.session, told["seq"])
    found = standing.evidence(given) if given else {}
    standing.against_untold(now, [told], found, tables=("evidence",))
    return given


def _against_untold(now: Transaction, made: Recorded, acts: tuple[Review | Ruling, ...]) -> None:
    """The version, who worked on it, and everything that was decided and ruled: as the log tells it, no row more."""
    found = standing.version(made)
    found["version", made.uid]["by"] = _contributing(now, made)
    for act in acts:
        found |= standing.review(act) if isinstance(act, Review) else standing.ruling(act)
    standing.against_untold(now, now.seen().of_version(made.uid), found, tables=("version", "review", "ruling"))


def _contributing(now: Transaction, made: Recorded) -> frozenset[str]:
    return now.once(("by", made.uid), lambda: records.contributing(now.session, made))


def judged(now: Transaction, made: Recorded, ruled: tuple[Ruling, ...] | None = None) -> Judgement | None:
    """The version's evidence under the server's own policy and officers' rulings, today; None: nothing to judge."""
    given, active = evidence_of(now, made), rules(now)
    if given is None or active.policy is None or active.offices is None:
        return None
    ruled = records.rulings_of(now.session, made.uid) if ruled is None else ruled
    basis = Basis(made, given, active.policy, active.offices, ruled, now.now.date())
    return now.known.once("judgement", basis.key, lambda: _judged(basis))


def _judged(basis: Basis) -> Judgement:
    evidence = Evidence.from_json(json.dumps(basis.given.body["evidence"]))
    if evidence.digest != basis.given.digest:
        raise MlflowException("twinops: the evidence was changed in the database.", PERMISSION_DENIED)
    digests = _digests(basis, evidence)
    # policy, approval and rulings are in force on some days only: the day of judging is judged with the rest
    day = Fact(JUDGED_ON, basis.today.isoformat(), Kind.MEASURED, "the registry server's clock")
    facts = rulings.with_rulings(evidence, basis.ruled, digests=digests)
    decision = decide(basis.policy, replace(evidence, facts=(*(f for f in facts if f.name != JUDGED_ON), day)))
    counting = rulings.counting(decision, basis.ruled)
    digests = replace(digests, settled=digest(list(counting)) if counting else "")
    return Judgement(evidence, decision, digests, counting)


def _digests(basis: Basis, evidence: Evidence) -> DigestSet:
    documents: dict[str, str] = basis.given.body["documents"]
    return DigestSet(
        model=basis.made.digest,
        data=evidence.key,
        evidence=basis.given.digest,
        documents=digest(documents),
        card=documents.get("README.md", ""),
        dpia=documents.get("dpia.json", ""),
        policy=basis.policy.digest,
        officers=basis.offices.digest,
    )


def _contributors(
    now: Transaction, made: Recorded, given: Submitted | None, offices: Offices | None
) -> tuple[frozenset[str], tuple[str, ...]]:
    accounts, unknown = records.named(_contributing(now, made))
    if not made.separated:
        return accounts, ()  # adopted: the approval itself is stamped, roles were never apart
    if given is None or offices is None:
        return accounts, unknown
    authors, strangers = offices.accounts_of(given.body["authors"])
    return accounts | authors, (*unknown, *strangers)


def _problems(now: Transaction, made: Recorded, given: Submitted | None) -> tuple[str, ...]:
    dangers = now.known.once("dangers", made.digest, lambda: artifact_folders.dangers(now.home, made))
    found = [*artifact_folders.differences(now.home, made), *dangers]
    if given is not None and made.separated and not given.body["forced"]:
        found.append(NOT_FORCED)
    base = given.body["base"] if given else None
    if base and base not in records.promoted_commits(now.session, made.name):
        found.append("Its authors were counted since a commit that was never in production.")
    policy = rules(now).policy
    if policy is not None and not policy.valid_on(now.now.date()):
        found.append(f"Policy {policy.version} is not in force today.")
    return tuple(found)


def _strange_signers(found: Judgement | None, offices: Offices | None) -> tuple[str, ...]:
    if found is None or offices is None:
        return ()
    signed, justified = (found.evidence.value(name) for name in (SIGNATURES, JUSTIFIED))
    return (*strange_signers(signed, offices), *strange_justifiers(justified, offices))


def state_of(last: Review | Row[Any] | None, *, evidence: int | None, now: datetime) -> str:
    """In one word: new, waiting, approved, rejected, changes asked, revoked or expired."""
    if last is None or (evidence is not None and evidence > last.id and last.act is not Act.APPROVE):
        return "waiting" if evidence is not None else "new"
    if last.act is Act.APPROVE and last.expires is not None and now >= last.expires:
        return "expired"
    return WORDS[last.act]
