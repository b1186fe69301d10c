"""The case of one version: bytes, evidence, verdicts, contributors and past acts, put together from our own tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from sqlalchemy import Row

from twinops import plugins
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
from twinops.governance.policy import judge as judges
from twinops.governance.policy import rulings
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.lasting import lasts
from twinops.governance.policy.limits import Policy
from twinops.server.registry import artifact_folders, records, standing
from twinops.server.registry.records import ActiveRules, Adoption, Recorded, Submitted
from twinops.server.registry.transaction import Transaction

NOT_RECORDED = (
    "twinops: version {version} of {name} was made without this server. Start it with --adopt, or register anew."
)
STRANGE_BASE = "Its authors were counted since a commit that was never in production and is no adopted base now."
ANEW = (NOT_FORCED, STRANGE_BASE)
"""Problems that new evidence ends."""
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
    lasts: Mapping[str, date]
    """What the answer rests on, and the last day of each."""
    dated: Evidence
    """As it was judged: with the day of judging and what officers ruled."""


@dataclass(frozen=True)
class Basis:
    """Everything a judgement follows from."""

    made: Recorded
    given: Submitted
    policy: Policy
    offices: Offices
    ruled: tuple[Ruling, ...]
    today: date
    gates: tuple[str, ...]
    """Digests of the gates of the project's own, as they are activated."""

    @property
    def key(self) -> tuple[Any, ...]:
        """The same key, the same judgement."""
        ruled = tuple(r.id for r in self.ruled)
        return (self.made.uid, self.given.seq, self.policy.digest, self.offices.digest, self.today, self.gates, ruled)


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
        problems=(
            *_judged_by(made, given, active),
            *_problems(now, made, given),
            *_strange_signers(found, active.offices),
        ),
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
    """Active policy, offices and judge, as the log names them; read and held against it once per activation."""
    newest = {row.kind: row for row in reversed(activations(now, "policy", "offices", "judge"))}
    key = tuple(sorted(row.seq for row in newest.values()))
    active = now.known.once("rules", key, lambda: records.active_rules(newest))
    # whatever this thread judges from here on, it judges with the gates that officers activated, and no others
    plugins.lay(active.judge.judge.ideas if active.judge else ())
    return active


def text_of(now: Transaction, kind: str) -> str | None:
    """The text of what is active of a kind."""
    row = next(iter(activations(now, kind)), None)
    return str(row.body) if row is not None else None


def activations(now: Transaction, *kinds: str) -> tuple[Row[Any], ...]:
    """What was activated of these kinds, newest first: rows that the log names, each as it tells it."""
    told = [entry for entry in now.seen().rules() if entry["about"]["kind"] in kinds]
    return now.known.once(f"rules {kinds}", told[-1]["seq"] if told else None, lambda: _activations(now, told))


def _activations(now: Transaction, told: list[Entry]) -> tuple[Row[Any], ...]:
    rows = records.rules_at(now.session, [entry["seq"] for entry in told])
    found: Rows = {}
    for row in rows:
        found |= standing.rules(row)
    standing.against_untold(now, told, found, tables=("rules",))
    return tuple(sorted(rows, key=lambda row: -row.seq))


def adopted_base(now: Transaction, name: str) -> Adoption | None:
    """The commit up to which this model's history is upstream's, as officers accepted it last; None: they did not."""
    found = (records.adoption(row) for row in activations(now, "base"))
    return next((one for one in found if one.base.model == name), None)


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
    basis = Basis(made, given, active.policy, active.offices, ruled, now.now.date(), own_gates())
    return now.known.once("judgement", basis.key, lambda: _judged(basis))


def own_gates() -> tuple[str, ...]:
    """Digests of the gates of the project's own that judge here."""
    return tuple(idea.sha256 for idea in plugins.laid())


def judged_by(now: Transaction, made: Recorded, policy: Policy) -> Decision | None:
    """What a policy that nobody activated would say of the version's evidence; it binds nobody."""
    given, offices = evidence_of(now, made), rules(now).offices
    if given is None or offices is None:
        return None
    basis = Basis(made, given, policy, offices, (), now.now.date(), own_gates())
    return now.known.once("judged_by", basis.key, lambda: _judged(basis)).decision


def _judged(basis: Basis) -> Judgement:
    evidence = Evidence.from_json(json.dumps(basis.given.body["evidence"]))
    if evidence.digest != basis.given.digest:
        raise MlflowException("twinops: the evidence was changed in the database.", PERMISSION_DENIED)
    digests = _digests(basis, evidence)
    # policy, approval and rulings are in force on some days only: the day of judging is judged with the rest
    day = Fact(JUDGED_ON, basis.today.isoformat(), Kind.MEASURED, "the registry server's clock")
    facts = rulings.with_rulings(evidence, basis.ruled, digests=digests)
    dated = replace(evidence, facts=(*(f for f in facts if f.name != JUDGED_ON), day))
    decision = decide(basis.policy, dated)
    counting = rulings.counting(decision, basis.ruled)
    digests = replace(digests, settled=digest(list(counting)) if counting else "")
    return Judgement(evidence, decision, digests, counting, lasts(basis.policy, dated, decision), dated)


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
    authors, _ = offices.accounts_of(given.body["authors"])
    # whoever is known here counts even where the history is upstream's: a base hides no colleague
    before, _ = offices.accounts_of(given.body.get("upstream", ()))
    nobody = len(strangers(given, offices))
    told = (f"{nobody} git author(s) whose e-mail belongs to no account",) if nobody else ()
    return accounts | authors | before, (*unknown, *told)


def strangers(given: Submitted | None, offices: Offices | None) -> tuple[str, ...]:
    """E-mails of authors that belong to no account, for officers' eyes."""
    return offices.accounts_of(given.body["authors"])[1] if given and offices else ()


def _judged_by(made: Recorded, given: Submitted | None, active: ActiveRules) -> tuple[str, ...]:
    """Evidence of another judge than the active one does not count; what was adopted says that it has none."""
    if given is None or active.offices is None or not (made.separated and given.body["forced"]):
        return ()
    authors, _ = active.offices.accounts_of(given.body.get("judge_authors", ()))
    return judges.against(given.body.get("judge"), active.judge, authors)


def _problems(now: Transaction, made: Recorded, given: Submitted | None) -> tuple[str, ...]:
    dangers = now.known.once("dangers", made.digest, lambda: artifact_folders.dangers(now.home, made))
    found = [*artifact_folders.differences(now.home, made), *dangers]
    if given is not None and made.separated and not given.body["forced"]:
        found.append(NOT_FORCED)
    base = given.body["base"] if given else None
    if base and not _known_base(now, made.name, base):
        found.append(STRANGE_BASE)
    policy = rules(now).policy
    if policy is not None and not policy.valid_on(now.now.date()):
        found.append(f"Policy {policy.version} is not in force today.")
    return tuple(found)


def _known_base(now: Transaction, name: str, commit: str) -> bool:
    adopted = adopted_base(now, name)
    return (adopted is not None and adopted.base.commit == commit) or records.was_promoted(now.session, name, commit)


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
