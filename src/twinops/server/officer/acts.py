"""What officers do at the server: decide on a version, activate rules, take a protected alias down."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert

from twinops.entities.approval import Act, Actor, Case, Review
from twinops.entities.event import Kind, stamp
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.log.told import Salted
from twinops.governance.people import approval, offices
from twinops.governance.people.offices import Offices
from twinops.governance.people.sshsig import NotSigned, signing_key
from twinops.governance.policy import limits as policy
from twinops.server.officer import evidence
from twinops.server.refusals import mistake, refusal, refuse
from twinops.server.registry import artifact_folders, cases, records, standing
from twinops.server.registry import callers as actors
from twinops.server.registry.audit_log import AuditLog
from twinops.server.registry.home import Home
from twinops.server.registry.records import Recorded
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.tables import RULES

RETOLD = 25
NAMESPACES = {"policy": policy.NAMESPACE, "offices": offices.NAMESPACE}
"""Kinds of rules, and what an ssh signature of each is made for."""
_UNSIGNED = "The rules do not carry this officer's signature (`twinops policy activate --key`)."
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
class Deed:
    """What somebody does on a version, why, and the digest that the page showed."""

    act: Act
    reason: str
    seen: str | None = None


def decide(store: GovernedStore, name: str, version: int, deed: Deed) -> Review:
    """Request a review, approve, reject, ask for changes or revoke."""
    act = deed.act
    loads = act is Act.APPROVE and _loads(store, name, version)
    with store.guarded({"model": name, "version": str(version), "act": act.value}) as log:
        found = cases.load(log.transaction, name, version)
        active = found.rules.offices
        refuse(approval.against_act(act, found.case, store.actor(), offices=active, now=log.now))
        refuse(approval.against_reason(act, deed.reason))
        if act is Act.APPROVE:
            refuse_if_changed(found.case, deed.seen)
            if not loads:
                raise refusal("What stood in the way changed just now. Open the page again, read it, then decide.")
            _keep_approved(store.home, found.recorded)
        done = _keep_review(log, found.case, deed, active)
        word = act.value if done.separated else f"{act.value}, roles not separated"
        store.mirror(name, found.case.version, {"review": word})
    return done


def _loads(store: GovernedStore, name: str, version: int) -> bool:
    """Try it elsewhere before any lock is taken, if nothing else stands in the way; refused when it does not load."""
    with store.reading() as now:
        found = cases.load(now, name, version)
        office = found.rules.offices
        against = approval.against_act(Act.APPROVE, found.case, store.actor(), offices=office, now=now.now)
    return not against and bool(evidence.opened_by_a_loader(store, name, version))


def _keep_review(log: AuditLog, case: Case, deed: Deed, active: Offices | None) -> Review:
    expires = approval.expiry(active, now=log.now) if deed.act is Act.APPROVE and active else None
    about = {
        "model": case.name,
        "version": case.version,
        "uid": case.uid,
        "digests": case.digests.digest if case.digests else None,
        "expires": stamp(expires) if expires else None,
        "separated": case.separated,
        "reason": salted(deed.reason),
        "root": log.frontier.root.hex(),
    }
    account = actors.current()
    done = Review(
        id=log.append(KIND_OF[deed.act], account, about),
        uid=case.uid,
        act=deed.act,
        account=account,
        at=log.now,
        reason=deed.reason.strip(),
        name=case.name,
        version=case.version,
        digests=case.digests,
        expires=expires,
        separated=case.separated,
    )
    records.keep_review(log.session, done)
    return done


def _keep_approved(home: Home, made: Recorded) -> None:
    try:
        artifact_folders.keep_copy(home, made)
    except IntegrityError as problem:
        raise refusal(str(problem)) from None


def refuse_if_changed(case: Case, seen: str | None) -> None:
    """Who decides has seen exactly what is there now."""
    if case.digests is not None and seen != case.digests.digest:
        raise refusal("What you saw is not what is there now. Open the page again, read it, then decide.")


def take_down(store: GovernedStore, name: str, alias: str, *, reason: str) -> bool:
    """An officer removes a protected alias."""
    with store.guarded({"model": name, "alias": alias, "act": "take down"}) as log:
        active = cases.rules(log.transaction).offices
        if active is None:
            raise refusal(approval.NO_RULES)
        refuse(approval.against_activating(store.actor(), active, now=log.now))
        refuse(approval.against_reason(Act.REVOKE, reason))
        return store.take_down(log, name, alias, why=salted(reason))


def salted(reason: str) -> str:
    """What the log holds of a person's text."""
    return Salted.of(reason.strip(), secrets.token_hex(8)).told


def activate(store: GovernedStore, kind: str, body: str, *, signature: str | None = None) -> int:
    """Make a policy or offices file the server's own. The first offices file is the administrator's to give."""
    with store.guarded({"act": f"activate {kind}"}) as log:
        active = cases.rules(log.transaction).offices
        handed, parsed = Rules(kind, body, signature), _parsed(kind, body)
        who = store.actor()
        if active is None and kind == "offices":
            if not who.admin:
                raise refusal("The first offices file is given by the administrator who starts the server.")
        elif active is None:
            raise refusal(approval.NO_RULES)
        else:
            refuse(approval.against_activating(who, active, now=log.now))
            _check_signature(active, who, handed, on=log.now)
        about = {"kind": kind, "digest": parsed.digest, "signed": signature is not None, "text": standing.hidden(body)}
        if signature is not None:
            about["signature"] = standing.hidden(signature)
        if isinstance(parsed, Offices):
            about["protects"] = sorted(parsed.protected_aliases)
        seq = log.append(Kind.RULES, who.account, about)
        values = {"digest": parsed.digest, "account": who.account, **asdict(handed)}
        log.session.execute(insert(RULES).values(seq=seq, **values))
        if isinstance(parsed, Offices):
            for alias in parsed.protected_aliases:
                records.protect(log.session, alias)
        _tell_anew(store, log)
        return seq


def _tell_anew(store: GovernedStore, log: AuditLog) -> None:
    """The newest versions' pages follow new rules; older ones tell what was said of them then."""
    for name, version in records.all_versions(log.session)[:RETOLD]:
        made = records.version_of(log.session, name, version)
        if made:
            evidence.tell(store, log, made)


def _parsed(kind: str, body: str) -> policy.Policy | Offices:
    if kind not in NAMESPACES:
        raise mistake(f"there are no rules of the kind {kind[:40]!r}")
    try:
        return policy.read(body) if kind == "policy" else offices.read(body)
    except ParamsError as problem:
        raise mistake(str(problem)) from None


def _check_signature(active: Offices, who: Actor, rules: Rules, *, on: datetime) -> None:
    """An officer whose key is known signs what she activates; the signature of another file or purpose is none."""
    officer = active.officer(who.account, on=on.date())
    if officer is None or officer.key is None:
        return
    try:
        key = signing_key(rules.body.encode(), rules.signature or "", namespace=NAMESPACES[rules.kind])
    except NotSigned as problem:
        raise refusal(f"{_UNSIGNED} {str(problem).capitalize()}.") from None
    if key != officer.key:
        raise refusal(f"{_UNSIGNED} Another key signed them.")
