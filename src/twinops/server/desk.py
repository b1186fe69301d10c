"""What people and the gate runner do at the server: hand in evidence, decide, activate rules, take an alias down."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED
from sqlalchemy import text

from twinops.entities.approval import Act, Actor, Case, Review
from twinops.entities.event import Kind, stamp
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.fact import Kind as FactKind
from twinops.errors import IntegrityError, ParamsError
from twinops.governance import approval, manifest, offices, policy
from twinops.governance.explain import verdicts_markdown
from twinops.governance.offices import Offices
from twinops.governance.sshsig import NotSigned, signing_key
from twinops.server import actors, aliases, cases, folders, records
from twinops.server.ledger import Ledger
from twinops.server.records import Recorded, Submitted

if TYPE_CHECKING:
    from twinops.server.store import GovernedStore

MAX_FILE = 8 * 1024**2
MAX_FILES = 200
RETOLD = 25
NAMESPACES = {"policy": policy.NAMESPACE, "offices": offices.NAMESPACE}
"""Kinds of rules, and what an ssh signature of each is made for."""
KIND_OF = {
    Act.REQUEST: Kind.REQUESTED,
    Act.APPROVE: Kind.APPROVED,
    Act.REJECT: Kind.REJECTED,
    Act.ASK: Kind.ASKED,
    Act.REVOKE: Kind.REVOKED,
}


@dataclass(frozen=True)
class Rules:
    """A policy or offices file as an officer hands it in, with her ssh signature where she has a key."""

    kind: str
    body: str
    signature: str | None = None


@dataclass(frozen=True)
class Handed:
    """What a gate runner hands in. `files` maps paths of the project to contents.

    `authors` are the e-mails of every git author since `base`, a commit that was in production (None: since ever);
    `model_sha256` is the digest of the model file its own run made; `forced` says that run used no cache.
    """

    files: Mapping[str, bytes]
    commit: str | None
    dirty: bool | None
    lock_matches: bool | None
    base: str | None
    authors: tuple[str, ...]
    model_sha256: str
    forced: bool

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Handed:
        """Read a request's body; everything in it is checked for its type and size."""
        try:
            files = {str(n): base64.b64decode(c, validate=True) for n, c in dict(raw["files"]).items()}
            made = cls(
                files=files,
                commit=_text_or_none(raw["commit"]),
                dirty=_bool_or_none(raw["dirty"]),
                lock_matches=_bool_or_none(raw["lock_matches"]),
                base=_text_or_none(raw["base"]),
                authors=tuple(str(a) for a in raw["authors"]),
                model_sha256=str(raw["model_sha256"]),
                forced=raw["forced"] is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as problem:
            raise _bad(f"this is not evidence as `twinops model evidence` sends it: {type(problem).__name__}") from None
        if len(files) > MAX_FILES or any(len(c) > MAX_FILE for c in files.values()):
            raise _bad("too many or too large files")
        return made


def submit(store: GovernedStore, name: str, version: int, handed: Handed) -> int:
    """Keep evidence on a version and show its verdicts on the version's page; the number of the record is returned."""
    measured = _measured(handed, name)
    documents = {n.rpartition("/")[2]: c for n, c in handed.files.items() if n.startswith(f"model_cards/{name}/")}
    evidence = measured.joined(facts=(*_lineage(handed), *document_facts(documents, measured)))
    about = {"model": name, "version": str(version), "act": "evidence"}
    with store.guarded(about) as log:
        _, active = cases.rules(store, log.session)
        refuse(approval.against_recording(store.actor(), active, forced=handed.forced))
        made = _recorded(store, log, name, version)
        if handed.model_sha256 not in made.files.values():
            raise _no("This evidence is about another model file than this version holds.")
        return keep_evidence(store, log, made, (evidence, handed, documents))


def keep_evidence(
    store: GovernedStore, log: Ledger, made: Recorded, given: tuple[Evidence, Handed, Mapping[str, bytes]]
) -> int:
    """The record, its files, its log entry and what the version's page tells; the same evidence twice is kept once."""
    evidence, handed, documents = given
    body = {
        "evidence": json.loads(evidence.to_json()),
        "documents": {n: hashlib.sha256(c).hexdigest() for n, c in sorted(documents.items())},
        "files": {n: hashlib.sha256(c).hexdigest() for n, c in sorted(handed.files.items())},
        "commit": handed.commit,
        "base": handed.base,
        "authors": sorted(set(handed.authors)),
        "model_sha256": handed.model_sha256,
        "forced": handed.forced,
    }
    before = records.evidence_of(log.session, made.uid)
    if before is not None and before.body == body:
        return before.seq
    _keep_files(store, evidence.digest, handed.files)
    account = actors.current()
    seq = log.append(
        Kind.EVIDENCE,
        account,
        {
            "model": made.name,
            "version": made.version,
            "uid": made.uid,
            "evidence": evidence.digest,
            "forced": handed.forced,
        },
    )
    kept = Submitted(seq, made.uid, account, log.now, evidence.digest, body)
    records.keep_evidence(log.session, kept, at=stamp(log.now))
    tell(store, log, made)
    return seq


def act(  # noqa: PLR0913  # the fields of the officer's form
    store: GovernedStore, what: Act, name: str, version: int, *, seen: str | None, reason: str
) -> Review:
    """Request a review, approve, reject, ask for changes or revoke. `seen` is the digest that the page showed."""
    about = {"model": name, "version": str(version), "act": what.value}
    with store.guarded(about) as log:
        case, made = cases.load(store, log.session, name, version)
        _, active = cases.rules(store, log.session)
        refuse(approval.against_act(what, case, store.actor(), offices=active, now=log.now))
        refuse(approval.against_reason(what, reason))
        if what is Act.APPROVE:
            refuse_if_changed(case, seen)
            _keep_approved(store, made)
        done = _keep_review(store, log, case, (what, reason, active))
    store.keep_checkpoint()
    return done


def activate(store: GovernedStore, kind: str, body: str, *, signature: str | None = None) -> int:
    """Make a policy or offices file the server's own. The first offices file is the administrator's to give."""
    with store.guarded({"act": f"activate {kind}"}) as log:
        _, active = cases.rules(store, log.session)
        parsed = _parsed(kind, body)
        who = store.actor()
        if active is None and kind == "offices":
            if not who.admin:
                raise _no("The first offices file is given by the administrator who starts the server.")
        elif active is None:
            raise _no(approval.NO_RULES)
        else:
            refuse(approval.against_activating(who, active, now=log.now))
            _check_signature(active, who, Rules(kind, body, signature), on=log.now)
        seq = keep_rules(log, Rules(kind, body, signature), parsed.digest)
        _tell_anew(store, log)
        return seq


def keep_rules(log: Ledger, rules: Rules, digest: str) -> int:
    """Record what is active from now on."""
    account = actors.current()
    seq = log.append(Kind.RULES, account, {"kind": rules.kind, "digest": digest, "signed": rules.signature is not None})
    log.session.execute(
        text(
            "INSERT INTO twinops_rules (seq, kind, body, digest, account, signature)"
            " VALUES (:seq, :kind, :body, :digest, :account, :signature)"
        ),
        {"seq": seq, "digest": digest, "account": account, **asdict(rules)},
    )
    if rules.kind == "offices":
        _protect(log, offices.read(rules.body).protected_aliases)
    return seq


def take_down(store: GovernedStore, name: str, alias: str, *, reason: str) -> bool:
    """An officer removes a protected alias."""
    with store.guarded({"model": name, "alias": alias, "act": "take down"}) as log:
        _, active = cases.rules(store, log.session)
        if active is None:
            raise _no(approval.NO_RULES)
        refuse(approval.against_activating(store.actor(), active, now=log.now))
        refuse(approval.against_reason(Act.REVOKE, reason))
        done = aliases.take_down(store, log, name, alias, why=salted(reason))
    store.keep_checkpoint()
    return done


def salted(reason: str) -> str:
    """What the log holds of a person's text: a digest that says nothing without the text and its salt."""
    salt = secrets.token_hex(8)
    return f"{salt}:{hashlib.sha256((salt + reason).encode()).hexdigest()}"


def _keep_review(store: GovernedStore, log: Ledger, case: Case, given: tuple[Act, str, Offices | None]) -> Review:
    what, reason, active = given
    expires = approval.expiry(active, now=log.now) if what is Act.APPROVE and active else None
    digests = case.digests
    about = {
        "model": case.name,
        "version": case.version,
        "uid": case.uid,
        "digests": digests.digest if digests else None,
        "expires": stamp(expires) if expires else None,
        "separated": case.separated,
        "why": salted(reason),
        "root": log.frontier.root.hex(),
    }
    account = actors.current()
    seq = log.append(KIND_OF[what], account, about)
    done = Review(
        id=seq,
        uid=case.uid,
        act=what,
        account=account,
        at=log.now,
        reason=reason.strip(),
        name=case.name,
        version=case.version,
        digests=digests,
        expires=expires,
        separated=case.separated,
    )
    records.keep_review(log.session, done, at=stamp(log.now), expires=stamp(expires) if expires else None)
    word = what.value if case.separated else f"{what.value}, roles not separated"
    store.mirror(case.name, case.version, {"review": word})
    return done


def tell(store: GovernedStore, log: Ledger, made: Recorded) -> None:
    """The verdicts as the version's description, with the review page; not while it carries a protected alias."""
    if any(g.uid == made.uid for g in records.active_grants(log.session, made.name)):
        return
    judged = cases.judged(store, log.session, made)
    active, _ = cases.rules(store, log.session)
    if judged is None or active is None:
        return
    evidence, decision = judged.evidence, judged.decision
    where = "/twinops/review?" + urlencode({"name": made.name, "version": made.version})
    store.stock_description(made.name, made.version, verdicts_markdown(decision, links={"review page": where}))
    tags = {"decision": decision.decision, "key": evidence.key, "evidence": evidence.digest, "policy": active.version}
    ruled = " ".join(sorted({r.gate for r in decision.rulings if r.counts}))
    store.mirror(made.name, made.version, {**tags, "settled": ruled or "none"})


def _tell_anew(store: GovernedStore, log: Ledger) -> None:
    """The newest versions' pages follow new rules; older ones tell what was said of them then."""
    for name, version in records.all_versions(log.session)[:RETOLD]:
        made = records.version_of(log.session, name, version)
        if made:
            tell(store, log, made)


def _keep_approved(store: GovernedStore, made: Recorded) -> None:
    try:
        folders.keep_copy(store.home, made)
    except IntegrityError as problem:
        raise _no(str(problem)) from None


def refuse_if_changed(case: Case, seen: str | None) -> None:
    """Who decides has seen exactly what is there now."""
    if case.digests is not None and seen != case.digests.digest:
        raise _no("What you saw is not what is there now. Open the page again, read it, then decide.")


def _recorded(store: GovernedStore, log: Ledger, name: str, version: int) -> Recorded:
    held = store._get_sql_model_version(log.session, name, version)
    made = records.version_of(log.session, name, held.version, created_ms=held.creation_time)
    if made is None:
        raise MlflowException(cases.NOT_RECORDED.format(name=name, version=version), PERMISSION_DENIED)
    return made


def _measured(handed: Handed, name: str) -> Evidence:
    try:
        evidence = Evidence.from_json(handed.files["reports/evidence.json"].decode())
    except KeyError:
        raise _bad("reports/evidence.json is not among the files") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise _bad(f"reports/evidence.json is not evidence: {str(problem)[:200]}") from None
    if evidence.model != name:
        raise _bad(f"the evidence is about the model {evidence.model[:80]!r}")
    return evidence


def _lineage(handed: Handed) -> tuple[Fact, ...]:
    source = "the gate runner's own run"
    return (
        Fact("git_revision", handed.commit, FactKind.MEASURED, source),
        Fact("git_dirty", handed.dirty, FactKind.MEASURED, source),
        Fact("lock_matches", handed.lock_matches, FactKind.MEASURED, source),
    )


def document_facts(documents: Mapping[str, bytes], measured: Evidence) -> tuple[Fact, ...]:
    """What the gate on documents reads; nothing where there is no manifest."""
    try:
        listed = json.loads(documents[manifest.NAME])
    except (KeyError, ValueError):
        return ()
    return manifest.facts_of_documents(listed if isinstance(listed, dict) else {}, documents, measured)


def _keep_files(store: GovernedStore, digest: str, files: Mapping[str, bytes]) -> None:
    """Under the digest of their content: the review page shows them, nobody uploads to them."""
    folder = store.home.evidence / digest
    folder.mkdir(parents=True, exist_ok=True)
    for content in files.values():
        path = folder / hashlib.sha256(content).hexdigest()
        if not path.exists():
            scratch = folder / f".{secrets.token_hex(8)}"
            scratch.write_bytes(content)
            scratch.replace(path)


def _parsed(kind: str, body: str) -> policy.Policy | Offices:
    if kind not in NAMESPACES:
        raise _bad(f"there are no rules of the kind {kind[:40]!r}")
    try:
        return policy.read(body) if kind == "policy" else offices.read(body)
    except ParamsError as problem:
        raise _bad(str(problem)) from None


def _check_signature(active: Offices, who: Actor, rules: Rules, *, on: datetime) -> None:
    """An officer whose key is known signs what she activates; the signature of another file or purpose is none."""
    officer = active.officer(who.account, on=on.date())
    if officer is None or officer.key is None:
        return
    try:
        key = signing_key(rules.body.encode(), rules.signature or "", namespace=NAMESPACES[rules.kind])
    except NotSigned as problem:
        raise _no(f"{_UNSIGNED} {str(problem).capitalize()}.") from None
    if key != officer.key:
        raise _no(f"{_UNSIGNED} Another key signed them.")


_UNSIGNED = "The rules do not carry this officer's signature (`twinops policy activate --key`)."


def _protect(log: Ledger, aliases_: tuple[str, ...]) -> None:
    carried = log.session.execute(text("SELECT DISTINCT alias FROM twinops_grant WHERE active = 1")).scalars()
    log.session.execute(text("DELETE FROM twinops_protected"))
    for alias in sorted({*aliases_, *carried}):
        log.session.execute(text("INSERT INTO twinops_protected VALUES (:alias)"), {"alias": alias})


def refuse(against: tuple[str, ...]) -> None:
    """Say every reason against at once; none: go on."""
    if against:
        raise _no(" ".join(against))


def _no(sentence: str) -> MlflowException:
    return MlflowException(f"twinops: {sentence.removeprefix('twinops: ')}", PERMISSION_DENIED)


def _bad(sentence: str) -> MlflowException:
    return MlflowException(f"twinops: {sentence}", INVALID_PARAMETER_VALUE)


def _text_or_none(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(value)


def _bool_or_none(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(value)
