"""Officers' rulings on single gates: kept in our own table, given and withdrawn in one transaction with the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from twinops.entities.approval import Case, Ruling
from twinops.entities.event import Kind, stamp
from twinops.governance import rulings
from twinops.governance.rulings import Bench
from twinops.server import actors, cases, desk, records

if TYPE_CHECKING:
    from twinops.server.ledger import Ledger
    from twinops.server.records import Recorded
    from twinops.server.store import GovernedStore


@dataclass(frozen=True)
class RulingAsked:
    """What an officer says of one gate: why it may pass all the same, and for how many days."""

    gate: str
    reason: str
    days: int


@dataclass(frozen=True)
class Sitting:
    """One version before the officer: its case, the record it is about, and what a ruling is judged by."""

    case: Case
    made: Recorded
    bench: Bench


def resolve(store: GovernedStore, name: str, version: int, asked: RulingAsked, *, seen: str | None) -> Ruling:
    """Resolve what a gate could not tell, or override that it failed. `seen` is the digest that the page showed."""
    with store.guarded({"model": name, "version": str(version), "act": "resolve", "gate": asked.gate[:80]}) as log:
        sitting = _sitting(store, log, name, version)
        bench = sitting.bench
        desk.refuse(rulings.against_resolving(asked.gate, sitting.case, store.actor(), bench=bench, now=log.now))
        at_most = bench.allowance(asked.gate).at_most_days
        desk.refuse(rulings.against_words(asked.reason, asked.days, at_most=at_most))
        desk.refuse_if_changed(sitting.case, seen)
        ruling = _ruling(sitting, asked, store.actor().account, log)
        _keep(store, log, sitting.made, ruling)
    store.keep_checkpoint()
    return ruling


def withdraw(store: GovernedStore, name: str, version: int, gate: str, *, reason: str) -> Ruling:
    """Withdraw a ruling: from now on the gate stands in the way again."""
    with store.guarded({"model": name, "version": str(version), "act": "withdraw", "gate": gate[:80]}) as log:
        sitting = _sitting(store, log, name, version)
        desk.refuse(rulings.against_withdrawing(gate, store.actor(), bench=sitting.bench, now=log.now))
        desk.refuse(rulings.against_words(reason, 1, at_most=1))
        given = rulings.standing(records.rulings_of(log.session, sitting.case.uid))
        last = next(r for r in given if r.gate == gate)
        gone = replace(
            last, id=log.frontier.size, account=actors.current(), at=log.now, reason=reason.strip(), withdrawn=True
        )
        _keep(store, log, sitting.made, gone)
    store.keep_checkpoint()
    return gone


def _sitting(store: GovernedStore, log: Ledger, name: str, version: int) -> Sitting:
    case, made = cases.load(store, log.session, name, version)
    judged = cases.judged(store, log.session, made)
    policy, offices = cases.rules(store, log.session)
    return Sitting(case, made, Bench(policy, offices, judged.decision if judged else None))


def _ruling(sitting: Sitting, asked: RulingAsked, account: str, log: Ledger) -> Ruling:
    """The ruling of an officer against whom nothing stands."""
    verdict, digests = sitting.bench.verdict(asked.gate), sitting.case.digests
    if verdict is None or digests is None:
        raise LookupError(asked.gate)  # refused before
    return Ruling(
        id=log.frontier.size,
        uid=sitting.case.uid,
        gate=asked.gate,
        answer=verdict.outcome.value,
        evidence=str(verdict.evidence),
        account=account,
        role=sitting.bench.office(account, on=log.now.date()),
        at=log.now,
        until=log.now.date() + timedelta(days=asked.days),
        reason=asked.reason.strip(),
        digests=replace(digests, settled=""),
    )


def _keep(store: GovernedStore, log: Ledger, made: Recorded, ruling: Ruling) -> None:
    about = {
        "model": made.name,
        "version": made.version,
        "uid": ruling.uid,
        "gate": ruling.gate,
        "answer": ruling.answer,
        "role": ruling.role,
        "until": ruling.until.isoformat(),
        "digests": ruling.digests.digest,
        "why": desk.salted(ruling.reason),
    }
    log.append(Kind.RULING_WITHDRAWN if ruling.withdrawn else Kind.RULED, ruling.account, about)
    records.keep_ruling(log.session, ruling, at=stamp(ruling.at))
    desk.tell(store, log, made)
