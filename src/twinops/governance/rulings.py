"""Settle one gate of one version on the registry: who may, for how long, and what it is bound to.

The registry's twin of `compliance/resolutions/`: the same policy lets or does not let it, and the same rule
(`settled.settled`) says whether it counts. Here the login and the officers file stand in place of an ssh signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from twinops.entities.approval import Act, Actor, Case, DigestSet, Ruling
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance import approval, settled
from twinops.governance.decide import Decision
from twinops.governance.officers import OFFICES, Officers
from twinops.governance.policy import Gate, Policy

MIN_REASON, MAX_REASON = 20, 4_000
OWN = "it stands in the candidate's own files; on this registry an officer gives it on the review page"


@dataclass(frozen=True)
class Bench:
    """What a ruling is judged by: the active policy and officers file, and what the gates said under them."""

    policy: Policy | None
    officers: Officers | None
    decision: Decision | None

    def verdict(self, gate: str) -> Verdict | None:
        """What the gate said."""
        return next((v for v in self.decision.verdicts if v.gate == gate), None) if self.decision else None

    def gate(self, gate: str) -> Gate | None:
        """The gate as the policy has it."""
        return next((g for g in self.policy.gates if g.id == gate), None) if self.policy else None

    def days(self, gate: str) -> int:
        """For how many days at most the policy lets somebody settle this gate now; 0: nobody may."""
        verdict, listed = self.verdict(gate), self.gate(gate)
        if verdict is None or listed is None or self.policy is None or not _may(verdict, listed, self.policy):
            return 0
        doubt = verdict.outcome is Outcome.INCONCLUSIVE
        return self.policy.resolve.at_most_days if doubt else self.policy.override.at_most_days

    def office(self, account: str, *, on: date) -> str:
        """The account's office on that day, in the policy's words; empty: none."""
        held = self.officers.officer(account, on=on) if self.officers else None
        return OFFICES[held.role] if held else ""


def against_settling(gate: str, case: Case, actor: Actor, *, bench: Bench, now: datetime) -> tuple[str, ...]:
    """Reasons why this account may not settle this gate of this version now; none: it may."""
    if bench.policy is None or bench.officers is None:
        return (approval.NO_RULES,)
    if bench.decision is None or case.digests is None:
        return ("There is no evidence for these bytes from the gate runner.",)
    against = [
        *approval.against_office(None, actor, bench.officers, now=now),
        *approval.against_dependence(case, actor),
    ]
    return (*against, *_against_gate(gate, bench, bench.office(actor.account, on=now.date())))


def against_withdrawing(gate: str, actor: Actor, *, bench: Bench, now: datetime) -> tuple[str, ...]:
    """The risk officer takes a ruling back, whoever gave it; so does whoever gave it."""
    if bench.officers is None:
        return (approval.NO_RULES,)
    standing = [s for s in bench.decision.about(gate) if s.counts] if bench.decision else []
    if not standing:
        return ("No ruling on this gate counts now.",)
    own = all(s.by == actor.account for s in standing)
    return approval.against_office(None if own else Act.REVOKE, actor, bench.officers, now=now)


def against_words(reason: str, days: int, *, at_most: int) -> tuple[str, ...]:
    """An officer says why, and for how long."""
    against = []
    if not MIN_REASON <= len(reason.strip()) <= MAX_REASON:
        against.append(f"A reason of {MIN_REASON} to {MAX_REASON} characters is needed.")
    if not 1 <= days <= at_most:
        against.append(f"The policy allows 1 to {at_most} days.")
    return tuple(against)


def standing(rulings: Iterable[Ruling]) -> tuple[Ruling, ...]:
    """The newest ruling of each gate, unless it was withdrawn."""
    newest = {r.gate: r for r in rulings}
    return tuple(r for r in newest.values() if not r.withdrawn)


def with_rulings(evidence: Evidence, rulings: Iterable[Ruling], *, digests: DigestSet) -> tuple[Fact, ...]:
    """The evidence's facts, where what officers ruled here stands in place of what the candidate brought along.

    What the candidate's own files settle is shown and does not count: their signatures were checked against the
    candidate's own list of keys.
    """
    others = tuple(f for f in evidence.facts if f.name != settled.FACT)
    brought = evidence.fact(settled.FACT)
    listed = brought.value if brought and isinstance(brought.value, (list, tuple)) else ()
    own = [{**one, "signed": False, "problem": OWN} for one in listed if isinstance(one, dict)]
    ruled = [_written(r, key=evidence.key, digests=digests) for r in standing(rulings)]
    if not own and not ruled:
        return others
    return (*others, Fact(settled.FACT, [*own, *ruled], Kind.HUMAN, "rulings of this registry's officers"))


def counting(decision: Decision, rulings: Iterable[Ruling]) -> tuple[int, ...]:
    """Which rulings stand in place of a pass now."""
    free = {s.gate for s in decision.settled if s.counts}
    return tuple(r.id for r in standing(rulings) if r.gate in free)


def _written(ruling: Ruling, *, key: str, digests: DigestSet) -> dict[str, Any]:
    """In the shape of a resolution's file, as `settled` reads it."""
    changed = ruling.digests.changed(digests)
    return {
        "gate": ruling.gate,
        "candidate": key,
        "evidence": ruling.evidence,
        "answer": ruling.answer,
        "by": ruling.account,
        "role": ruling.role,
        "reason": ruling.reason,
        "dated": ruling.at.date().isoformat(),
        "until": ruling.until.isoformat(),
        "signed": not changed,
        "problem": f"it lapsed: {', '.join(changed)} changed since it was given" if changed else "",
    }


def _against_gate(gate: str, bench: Bench, office: str) -> tuple[str, ...]:
    verdict, listed, policy = bench.verdict(gate), bench.gate(gate), bench.policy
    if verdict is None or listed is None or policy is None:
        return ("The server's policy has no gate called so.",)
    if verdict.outcome is Outcome.PASSED:
        return ("The gate passes: there is nothing to settle.",)
    if verdict.outcome is Outcome.MISSING or verdict.evidence is None:
        return ("What is missing must be made; nobody settles it.",)
    may = _may(verdict, listed, policy)
    if not may:
        kind = "override" if verdict.outcome is Outcome.FAILED else "settle"
        return (f"The policy lets nobody {kind} this gate.",)
    if office and office not in may:
        return (f"The policy does not let the {office} settle this gate; it lets: {', '.join(may)}.",)
    return ()


def _may(verdict: Verdict, gate: Gate, policy: Policy) -> tuple[str, ...]:
    """Offices that may settle what the gate said."""
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return gate.may_resolve
    if verdict.outcome is Outcome.FAILED and gate.id not in policy.override.never:
        return policy.override.by
    return ()
