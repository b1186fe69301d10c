"""Officers' rulings on single gates: kept in our own table, given and withdrawn in one transaction with the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from twinops.entities.approval import Ruling
from twinops.entities.event import Kind
from twinops.governance.policy import rulings
from twinops.governance.policy.rulings import Bench
from twinops.server.officer import acts as desk
from twinops.server.officer import evidence
from twinops.server.refusals import refuse
from twinops.server.registry import callers as actors
from twinops.server.registry import cases, records
from twinops.server.registry.audit_log import AuditLog
from twinops.server.registry.cases import CaseFile
from twinops.server.registry.records import Recorded
from twinops.server.registry.store import GovernedStore


@dataclass(frozen=True)
class RulingAsked:
    """What an officer says of one gate: why it may pass all the same, and for how many days."""

    gate: str
    reason: str
    days: int


def resolve(store: GovernedStore, name: str, version: int, asked: RulingAsked, *, seen: str | None) -> Ruling:
    """Resolve what a gate could not tell, or override that it failed. `seen` is the digest that the page showed."""
    with store.guarded({"model": name, "version": str(version), "act": "resolve", "gate": asked.gate[:80]}) as log:
        found = cases.load(log.transaction, name, version)
        bench = _bench(found)
        refuse(rulings.against_resolving(asked.gate, found.case, store.actor(), bench=bench, now=log.now))
        at_most = bench.allowance(asked.gate).at_most_days
        refuse(rulings.against_words(asked.reason, asked.days, at_most=at_most))
        desk.refuse_if_changed(found.case, seen)
        ruling = _ruling(found, asked, store.actor().account, log)
        _keep(store, log, found.recorded, ruling)
    return ruling


def withdraw(store: GovernedStore, name: str, version: int, gate: str, *, reason: str) -> Ruling:
    """Withdraw a ruling: from now on the gate stands in the way again."""
    with store.guarded({"model": name, "version": str(version), "act": "withdraw", "gate": gate[:80]}) as log:
        found = cases.load(log.transaction, name, version)
        refuse(rulings.against_withdrawing(gate, store.actor(), bench=_bench(found), now=log.now))
        refuse(rulings.against_words(reason, 1, at_most=1))
        given = rulings.standing(records.rulings_of(log.session, found.case.uid))
        last = next(r for r in given if r.gate == gate)
        gone = replace(
            last, id=log.frontier.size, account=actors.current(), at=log.now, reason=reason.strip(), withdrawn=True
        )
        _keep(store, log, found.recorded, gone)
    return gone


def _bench(found: CaseFile) -> Bench:
    return Bench(found.rules.policy, found.rules.offices, found.judgement.decision if found.judgement else None)


def _ruling(found: CaseFile, asked: RulingAsked, account: str, log: AuditLog) -> Ruling:
    """The ruling of an officer against whom nothing stands."""
    bench, digests = _bench(found), found.case.digests
    verdict = bench.verdict(asked.gate)
    if verdict is None or digests is None:
        raise LookupError(asked.gate)  # refused before
    return Ruling(
        id=log.frontier.size,
        uid=found.case.uid,
        gate=asked.gate,
        answer=verdict.outcome.value,
        evidence=str(verdict.evidence),
        account=account,
        role=bench.office(account, on=log.now.date()),
        at=log.now,
        until=log.now.date() + timedelta(days=asked.days),
        reason=asked.reason.strip(),
        digests=replace(digests, settled=""),
    )


def _keep(store: GovernedStore, log: AuditLog, made: Recorded, ruling: Ruling) -> None:
    about = {
        "model": made.name,
        "version": made.version,
        "uid": ruling.uid,
        "gate": ruling.gate,
        "answer": ruling.answer,
        "role": ruling.role,
        "until": ruling.until.isoformat(),
        "evidence": ruling.evidence,
        "digests": ruling.digests.digest,
        "why": desk.salted(ruling.reason),
    }
    log.append(Kind.RULING_WITHDRAWN if ruling.withdrawn else Kind.RULED, ruling.account, about)
    records.keep_ruling(log.session, ruling)
    evidence.tell(store, log, made)
