"""Evidence as the gate runner hands it in: read, checked, kept with its files, and shown on the version's own page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from twinops.entities import canonical
from twinops.entities.canonical import from_json
from twinops.entities.event import Kind
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.fact import Kind as FactKind
from twinops.errors import IntegrityError, ParamsError
from twinops.governance import looks
from twinops.governance.log import manifest
from twinops.governance.people import approval
from twinops.governance.policy import judge as judges
from twinops.governance.policy.judge import Judge
from twinops.governance.verdicts.explain import verdicts_markdown
from twinops.server.refusals import mistake, refusal, refuse
from twinops.server.registry import artifact_folders, cases, records
from twinops.server.registry import callers as actors
from twinops.server.registry.audit_log import AuditLog
from twinops.server.registry.home import Home
from twinops.server.registry.records import Recorded, Submitted
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.transaction import Transaction
from twinops.whole_files import write

MAX_FILE = 8 * 1024**2


def _decoded(told: Any) -> Any:
    return base64.b64decode(told, validate=True) if isinstance(told, str) else told


Emails = Annotated[tuple[str, ...], BeforeValidator(lambda told: tuple(told) if isinstance(told, list) else told)]
Word = Annotated[str, Field(max_length=40)]
Commit = Annotated[str, Field(max_length=64)]


class Handed(BaseModel):
    """What a gate runner hands in. `files` maps paths of the project to contents.

    `authors` are the e-mails of every git author since `base`, a commit that was in production or the adopted base
    (None: since ever); `upstream` are those of whoever wrote up to an adopted base;
    `model_sha256` is the digest of the model file its own run made; `forced` says that run used no cache.
    `tree` is git's id of the project's files in the commit, `judge_authors` the e-mails of those who wrote what differs
    from the judge before, `own_runner` whether the gate runner's code was its own and not the candidate's, `isolation`
    how the candidate's commands were shut in. Which judge measured is among the files, as `judge.json`.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    files: dict[str, Annotated[bytes, BeforeValidator(_decoded), Field(max_length=MAX_FILE)]] = Field(max_length=200)
    commit: Commit | None
    dirty: bool | None
    lock_matches: bool | None
    base: Commit | None
    authors: Emails
    upstream: Emails = ()
    model_sha256: str
    forced: Annotated[bool, BeforeValidator(lambda told: told is True)]
    tree: str | None = None
    judge_authors: Emails = ()
    own_runner: bool = False
    isolation: dict[Word, Word] = Field(default={}, max_length=10)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Handed:
        """Read a request's body; everything in it is checked for its type and size."""
        try:
            return cls.model_validate(raw)
        except ValidationError as problem:
            where = ", ".join(sorted({str(error["loc"][0]) for error in problem.errors(include_input=False)}))
            raise mistake(f"this is not evidence as `twinops model evidence` sends it: {where}") from None


@dataclass(frozen=True)
class CompletedEvidence:
    """Evidence, completed by what the server finds out itself, and what it came with."""

    evidence: Evidence
    handed: Handed
    documents: Mapping[str, bytes]
    judge: Judge | None = None

    @classmethod
    def of(cls, measured: Evidence, handed: Handed, *, name: str, lineage: tuple[Fact, ...]) -> CompletedEvidence:
        """Join what was measured with where it came from and what the documents of the model of that name say."""
        cards = f"model_cards/{name}/"
        documents = {n.rpartition("/")[2]: c for n, c in handed.files.items() if n.startswith(cards)}
        judge = _judge(handed)
        facts = (*lineage, *_document_facts(documents, measured), *_run_facts(handed, judge))
        return cls(measured.joined(facts=facts), handed, documents, judge)

    def body(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "evidence": json.loads(self.evidence.to_json()),
            "documents": _digests(self.documents),
            "files": _digests(self.handed.files),
            "commit": self.handed.commit,
            "base": self.handed.base,
            "authors": sorted(set(self.handed.authors)),
            "upstream": sorted(set(self.handed.upstream)),
            "model_sha256": self.handed.model_sha256,
            "forced": self.handed.forced,
            "tree": self.handed.tree,
            "judge": self.judge.digest if self.judge else None,
            "judge_authors": sorted(set(self.handed.judge_authors)),
        }


def submit(store: GovernedStore, name: str, version: int, handed: Handed) -> int:
    """Keep evidence on a version and show its verdicts on the version's page; the number of the record is returned."""
    measured = _measured(handed, name)
    with store.reading() as now:
        may = not approval.against_recording(store.actor(), cases.rules(now).offices, forced=handed.forced)
    opened = opened_by_a_loader(store, name, version) if may else None
    with store.guarded({"model": name, "version": str(version), "act": "evidence"}) as log:
        offices = cases.rules(log.transaction).offices
        refuse(approval.against_recording(store.actor(), offices, forced=handed.forced))
        made = cases.recorded(log.transaction, name, version)
        if handed.model_sha256 != opened:
            raise refusal("This evidence is about another model file than the one a loader opens.")
        lineage = (*_lineage(handed), *_looks_facts(log.transaction, name, measured))
        given = CompletedEvidence.of(measured, handed, name=name, lineage=lineage)
        return keep(store, log, made, given)


def opened_by_a_loader(store: GovernedStore, name: str, version: int) -> str:
    """The digest of the file that is loaded, after loading it in a process of its own; no lock is held meanwhile."""
    with store.reading() as now:
        made = cases.recorded(now, name, version)
        try:
            return artifact_folders.opened(now, made)
        except IntegrityError as problem:
            why = problem.what
    with store.guarded({"model": name, "version": str(version), "act": "load"}):
        raise refusal(f"Version {version} of {name} does not load as it was registered. {why}")


def keep(store: GovernedStore, log: AuditLog, made: Recorded, given: CompletedEvidence) -> int:
    """The record, its files, its log entry and what the version's page tells; the same evidence twice is kept once."""
    body = given.body()
    before = cases.evidence_of(log.transaction, made)
    if before is not None and before.body == body:
        return before.seq
    digest, account = given.evidence.digest, actors.current()
    _keep_files(store.home, digest, given.handed.files)
    about = {"model": made.name, "version": made.version, "uid": made.uid, "digest": made.digest}
    about |= {"evidence": digest, "forced": given.handed.forced, "body": canonical.digest(body)}
    about |= looks.anchor(given.evidence.table(looks.FACT))
    seq = log.append(Kind.EVIDENCE, account, about)
    records.keep_evidence(log.session, Submitted(seq, made.uid, account, log.now, digest, body))
    tell(store, log, made)
    return seq


def tell(store: GovernedStore, log: AuditLog, made: Recorded) -> None:
    """The verdicts as the version's description, with the review page; not while it carries a protected alias."""
    if any(g.uid == made.uid for g in records.active_grants(log.session, made.name)):
        return
    judged, policy = cases.judged(log.transaction, made), cases.rules(log.transaction).policy
    if judged is None or policy is None:
        return
    evidence, decision = judged.evidence, judged.decision
    where = "/twinops/review?" + urlencode({"name": made.name, "version": made.version})
    base = cases.adopted_base(log.transaction, made.name)
    told = f"\n\nAdopted base: {base.base.sentence}.\n" if base else ""
    store.describe(made, verdicts_markdown(decision, links={"review page": where}) + told)
    tags = {"decision": decision.decision, "key": evidence.key, "evidence": evidence.digest, "policy": policy.version}
    tags["base"] = base.base.commit if base else "none"
    ruled = " ".join(sorted({r.gate for r in decision.rulings if r.counts}))
    store.mirror(made.name, made.version, {**tags, "settled": ruled or "none"})


def _measured(handed: Handed, name: str) -> Evidence:
    try:
        evidence = Evidence.from_json(handed.files["reports/evidence.json"].decode())
    except KeyError:
        raise mistake("reports/evidence.json is not among the files") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise mistake(f"reports/evidence.json is not evidence: {str(problem)[:200]}") from None
    if evidence.model != name:
        raise mistake(f"the evidence is about the model {evidence.model[:80]!r}")
    return evidence


def _judge(handed: Handed) -> Judge | None:
    """The judge that measured; forced evidence has one, and it is of the commit that is told."""
    if not handed.forced:
        return None
    try:
        found = judges.read(handed.files[judges.NAME].decode())
    except KeyError:
        raise mistake(f"{judges.NAME} is not among the files") from None
    except (ParamsError, UnicodeDecodeError) as problem:
        raise mistake(str(problem)[:400]) from None
    if (found.commit, found.tree) != (handed.commit, handed.tree):
        raise mistake(f"{judges.NAME} is of another commit or tree than this evidence")
    return found


def _run_facts(handed: Handed, judge: Judge | None) -> tuple[Fact, ...]:
    """How the run was made: in the evidence, so that an approval is bound to it."""
    if judge is None:
        return ()
    run = {"judge": judge.digest, "tree": handed.tree, "own_runner": handed.own_runner, **handed.isolation}
    return (Fact("gate_run", run, FactKind.MEASURED, "the gate runner's own run"),)


def _lineage(handed: Handed) -> tuple[Fact, ...]:
    source = "the gate runner's own run"
    return (
        Fact("git_revision", handed.commit, FactKind.MEASURED, source),
        Fact("git_dirty", handed.dirty, FactKind.MEASURED, source),
        Fact("lock_matches", handed.lock_matches, FactKind.MEASURED, source),
    )


def _looks_facts(now: Transaction, name: str, measured: Evidence) -> tuple[Fact, ...]:
    """What this registry remembers of the model's ledger of looks, where the one that is handed in is without it."""
    told = (e["about"] for e in now.seen().everything() if e["kind"] == Kind.EVIDENCE and e["about"]["model"] == name)
    remembered = [about["looks"] for about in told if "looks" in about]
    lost = [one for one in remembered if looks.lacks(measured.value(looks.FACT), one)]
    source = "the registry's log"
    return (Fact(looks.REMEMBERED, lost[-1], FactKind.MEASURED, source),) if lost else ()


def _document_facts(documents: Mapping[str, bytes], measured: Evidence) -> tuple[Fact, ...]:
    """What the gate on documents reads; nothing where there is no manifest."""
    try:
        listed = from_json(documents[manifest.NAME])
    except (KeyError, ValueError):
        return ()
    return manifest.facts_of_documents(listed if isinstance(listed, dict) else {}, documents, measured)


def _keep_files(home: Home, digest: str, files: Mapping[str, bytes]) -> None:
    """Under the digest of their content: the review page shows them, nobody uploads to them."""
    folder = home.evidence / digest
    for content in files.values():
        path = folder / hashlib.sha256(content).hexdigest()
        if not path.exists():
            write(path, content)


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
