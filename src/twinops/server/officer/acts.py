"""What officers do at the server: decide on a version, activate rules, take a protected alias down."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from twinops.entities.approval import Act, Actor, Case, Review
from twinops.entities.event import Kind, stamp
from twinops.errors import IntegrityError
from twinops.governance.log.told import Salted
from twinops.governance.people import approval, offices
from twinops.governance.people.offices import Offices
from twinops.governance.people.sshsig import NotSigned, signing_key
from twinops.governance.policy import judge as judges
from twinops.governance.policy.changes import Change
from twinops.server.officer import evidence, rules
from twinops.server.officer.rules import NAMESPACES
from twinops.server.refusals import refusal, refuse
from twinops.server.registry import artifact_folders, cases, records, standing
from twinops.server.registry import callers as actors
from twinops.server.registry.audit_log import AuditLog
from twinops.server.registry.cases import CaseFile
from twinops.server.registry.home import Home
from twinops.server.registry.records import Recorded
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.tables import RULES

RETOLD = 25
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
class Activation:
    """What became of rules that were handed in: `active`, or waiting for a second office."""

    seq: int
    active: bool
    changes: tuple[Change, ...]
    nobody: tuple[str, ...]
    """Accounts that the rules name and this server does not have, or not with the role, in sentences."""


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
        refuse(approval.against_reason(act, deed.reason))
        found = cases.load(log.transaction, name, version)
        active = found.rules.offices
        refuse(approval.against_act(act, found.case, store.actor(), offices=active, now=log.now))
        if act is Act.APPROVE:
            refuse_if_changed(found.case, deed.seen)
            if not loads:
                raise refusal("What stood in the way changed just now. Open the page again, read it, then decide.")
            _keep_approved(store.home, found.recorded)
        expires = _expires(log, found) if act is Act.APPROVE and active else None
        done = _keep_review(log, found.case, deed, expires)
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


def _expires(log: AuditLog, found: CaseFile) -> datetime:
    """When the first thing ends that an approval rests on: what the policy's answer rests on, or the officer's term."""
    offices = found.rules.offices
    if offices is None:
        raise refusal(approval.NO_RULES)
    officer = offices.officer(actors.current(), on=log.now.date())
    ends = [*(found.judgement.lasts.values() if found.judgement else ()), officer.valid_until if officer else None]
    return approval.expiry(offices, now=log.now, ends=[day for day in ends if day])


def _keep_review(log: AuditLog, case: Case, deed: Deed, expires: datetime | None) -> Review:
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
        refuse(approval.against_reason(Act.REVOKE, reason))
        active = cases.rules(log.transaction).offices
        if active is None:
            raise refusal(approval.NO_RULES)
        refuse(approval.against_activating(store.actor(), active, now=log.now))
        refuse(approval.against_reason(Act.REVOKE, reason))
        return store.take_down(log, name, alias, why=salted(reason))


def salted(reason: str) -> str:
    """What the log holds of a person's text."""
    return Salted.of(reason.strip(), secrets.token_hex(8)).told


def activate(store: GovernedStore, kind: str, body: str, *, signature: str | None = None) -> Activation:
    """Make rules the server's own; where they let more through, ask for a second office first.

    The first offices file is the administrator's to give.
    """
    with store.guarded({"act": f"activate {kind[:40]}"}) as log:
        active, who = cases.rules(log.transaction), store.actor()
        handed, parsed = Rules(kind, body, signature), rules.parsed(kind, body)
        if active.offices is None and kind == "offices":
            if not who.admin:
                raise refusal("The first offices file is given by the administrator who starts the server.")
        elif active.offices is None:
            raise refusal(approval.NO_RULES)
        else:
            refuse(approval.against_activating(who, active.offices, now=log.now))
            _check_signature(active.offices, who, handed, on=log.now)
            refuse(_against_own_judge(log, active.offices, who, parsed.digest))
        refuse(rules.against_policy(parsed, cases.text_of(log.transaction, "policy")))
        changes = rules.weighed(log.transaction, parsed, active)
        asked = any(change.loosens for change in changes)
        kept = replace(handed, kind=rules.asking(kind)) if asked else handed
        seq = _keep_rules(store, log, kept, {"digest": parsed.digest})
    return Activation(seq, not asked, changes, rules.nobody_here(store, parsed))


def confirm(store: GovernedStore, kind: str, digest: str, *, signature: str | None = None) -> Activation:
    """A second office lets rules through that were asked for, having seen exactly these."""
    with store.guarded({"act": f"confirm {kind[:40]}"}) as log:
        active, who = cases.rules(log.transaction), store.actor()
        if active.offices is None:
            raise refusal(approval.NO_RULES)
        asked = rules.asked(log.transaction, kind)
        if asked is None or asked.digest != digest:
            raise refusal("Nothing of this kind waits, or something else does: look again, then confirm.")
        refuse(approval.against_confirming(asked.account, who, active.offices, now=log.now))
        refuse(approval.against_activating(store.roles_of(asked.account), active.offices, now=log.now))
        handed = Rules(kind, asked.body, signature)
        _check_signature(active.offices, who, handed, on=log.now)
        parsed = rules.parsed(kind, asked.body)
        changes = rules.weighed(log.transaction, parsed, active)
        seq = _keep_rules(store, log, handed, {"digest": digest, "asked": asked.seq})
    return Activation(seq, True, changes, rules.nobody_here(store, parsed))


def _keep_rules(store: GovernedStore, log: AuditLog, handed: Rules, about: dict[str, Any]) -> int:
    account, signed = actors.current(), handed.signature is not None
    told = {"kind": handed.kind, "signed": signed, "text": standing.hidden(handed.body), **about}
    if handed.signature is not None:
        told["signature"] = standing.hidden(handed.signature)
    protects = sorted(offices.read(handed.body).protected_aliases) if handed.kind == "offices" else []
    seq = log.append(Kind.RULES, account, told | ({"protects": protects} if protects else {}))
    log.session.execute(insert(RULES).values(seq=seq, digest=about["digest"], account=account, **asdict(handed)))
    for alias in protects:
        records.protect(log.session, alias)
    if handed.kind in NAMESPACES:
        _tell_anew(store, log)
    return seq


def _against_own_judge(log: AuditLog, active: Offices, who: Actor, digest: str) -> tuple[str, ...]:
    """Who wrote part of a judge does not activate it; evidence that waits for it tells who did."""
    for name, version in records.all_versions(log.session)[:RETOLD]:
        made = records.version_of(log.session, name, version)
        given = cases.evidence_of(log.transaction, made) if made else None
        if given and given.body.get("judge") == digest:
            authors, _ = active.accounts_of(given.body.get("judge_authors", ()))
            if who.account in authors:
                return (judges.OWN_CHANGE,)
    return ()


def _tell_anew(store: GovernedStore, log: AuditLog) -> None:
    """The newest versions' pages follow new rules; older ones tell what was said of them then."""
    for name, version in records.all_versions(log.session)[:RETOLD]:
        made = records.version_of(log.session, name, version)
        if made:
            evidence.tell(store, log, made)


def _check_signature(active: Offices, who: Actor, handed: Rules, *, on: datetime) -> None:
    """An officer whose key is known signs what she activates; the signature of another file or purpose is none."""
    officer = active.officer(who.account, on=on.date())
    if officer is None or officer.key is None:
        return
    try:
        key = signing_key(handed.body.encode(), handed.signature or "", namespace=NAMESPACES[handed.kind])
    except NotSigned as problem:
        raise refusal(f"{_UNSIGNED} {str(problem).capitalize()}.") from None
    if key != officer.key:
        raise refusal(f"{_UNSIGNED} Another key signed them.")
