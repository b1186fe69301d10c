"""Officers' rulings on single gates: kept in our own table, given and taken back in one transaction with the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from twinops.entities.approval import Ruling
from twinops.entities.event import Kind
from twinops.governance import rulings
from twinops.governance.rulings import Bench
from twinops.server import actors, cases, desk, evidence, records
from twinops.server.cases import CaseFile
from twinops.server.ledger import AuditLog
from twinops.server.records import Recorded
from twinops.server.refusals import refuse
from twinops.server.store import GovernedStore


@dataclass(frozen=True)
class Asked:
    """What an officer says of one gate: why it may pass all the same, and for how many days."""

    gate: str
    reason: str
    days: int


def settle(store: GovernedStore, name: str, version: int, asked: Asked, *, seen: str | None) -> Ruling:
    """Settle what a gate could not tell, or let it pass though it failed. `seen` is the digest that the page showed."""
    with store.guarded({"model": name, "version": str(version), "act": "settle", "gate": asked.gate[:80]}) as log:
        found = cases.load(log.transaction, name, version)
        case, bench = found.case, _bench(found)
        actor = store.actor()
        refuse(rulings.against_settling(asked.gate, case, actor, bench=bench, now=log.now))
        refuse(rulings.against_words(asked.reason, asked.days, at_most=bench.days(asked.gate)))
        desk.refuse_if_changed(case, seen)
        verdict = bench.verdict(asked.gate)
        assert verdict is not None  # noqa: S101  # refused above otherwise
        assert case.digests is not None  # noqa: S101
        ruled = Ruling(
            id=log.frontier.size,
            uid=case.uid,
            gate=asked.gate,
            answer=verdict.outcome.value,
            evidence=str(verdict.evidence),
            account=actor.account,
            role=bench.office(actor.account, on=log.now.date()),
            at=log.now,
            until=log.now.date() + timedelta(days=asked.days),
            reason=asked.reason.strip(),
            digests=replace(case.digests, settled=""),
        )
        _keep(store, log, found.recorded, ruled)
    store.keep_checkpoint()
    return ruled


def withdraw(store: GovernedStore, name: str, version: int, gate: str, *, reason: str) -> Ruling:
    """Take a ruling back: from now on the gate stands in the way again."""
    with store.guarded({"model": name, "version": str(version), "act": "unsettle", "gate": gate[:80]}) as log:
        found = cases.load(log.transaction, name, version)
        case, bench = found.case, _bench(found)
        refuse(rulings.against_withdrawing(gate, store.actor(), bench=bench, now=log.now))
        refuse(rulings.against_words(reason, 1, at_most=1))
        last = next(r for r in rulings.standing(records.rulings_of(log.session, case.uid)) if r.gate == gate)
        gone = replace(
            last, id=log.frontier.size, account=actors.current(), at=log.now, reason=reason.strip(), withdrawn=True
        )
        _keep(store, log, found.recorded, gone)
    store.keep_checkpoint()
    return gone


def _bench(found: CaseFile) -> Bench:
    return Bench(found.rules.policy, found.rules.officers, found.judgement.decision if found.judgement else None)


def _keep(store: GovernedStore, log: AuditLog, made: Recorded, ruled: Ruling) -> None:
    about = {
        "model": made.name,
        "version": made.version,
        "uid": ruled.uid,
        "gate": ruled.gate,
        "answer": ruled.answer,
        "role": ruled.role,
        "until": ruled.until.isoformat(),
        "digests": ruled.digests.digest,
        "why": desk.salted(ruled.reason),
    }
    log.append(Kind.UNSETTLED if ruled.withdrawn else Kind.SETTLED, ruled.account, about)
    records.keep_ruling(log.session, ruled)
    evidence.tell(store, log, made)
