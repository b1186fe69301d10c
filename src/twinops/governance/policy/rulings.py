"""An officer's ruling on one gate of one version on the registry: who may give and withdraw it, what it is bound to.

The registry's twin of `compliance/rulings/`: the same policy lets or does not let it (`settled.allowance`), and the
same rule says whether it counts. Here the login and the offices file stand in place of an ssh signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from twinops.entities.approval import Act, Actor, Case, DigestSet, Ruling
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.verdict import Verdict
from twinops.governance.people import approval, lookalikes
from twinops.governance.people.offices import Offices
from twinops.governance.policy import resolution
from twinops.governance.policy.decide import Decision
from twinops.governance.policy.limits import Policy
from twinops.governance.policy.resolution import MAX_REASON, MIN_REASON, Allowance

OWN = "it stands in the candidate's own files; on this registry an officer gives it on the review page"


@dataclass(frozen=True)
class Bench:
    """What a ruling is judged by: the active policy and offices file, and what the gates said under them."""

    policy: Policy | None
    offices: Offices | None
    decision: Decision | None

    def verdict(self, gate: str) -> Verdict | None:
        """What the gate said."""
        return next((v for v in self.decision.verdicts if v.gate == gate), None) if self.decision else None

    def allowance(self, gate: str) -> Allowance:
        """Who may resolve the gate now, and for how long."""
        nobody = Allowance(problem="no policy is active")
        return resolution.allowance(self.policy, gate, self.verdict(gate)) if self.policy else nobody

    def office(self, account: str, *, on: date) -> str:
        """The account's office on that day; empty: none."""
        held = self.offices.officer(account, on=on) if self.offices else None
        return str(held.office) if held else ""


def against_resolving(gate: str, case: Case, actor: Actor, *, bench: Bench, now: datetime) -> tuple[str, ...]:
    """Reasons why this account may not resolve this gate of this version now; none: it may."""
    if bench.policy is None or bench.offices is None:
        return (approval.NO_RULES,)
    if bench.decision is None or case.digests is None:
        return ("There is no evidence for these bytes from the gate runner.",)
    against = [*approval.against_office(None, actor, bench.offices, now=now), *approval.against_dependence(case, actor)]
    allowed, office = bench.allowance(gate), bench.office(actor.account, on=now.date())
    problem = allowed.against(office) if office else allowed.problem
    return (*against, f"{problem[0].upper()}{problem[1:]}.") if problem else tuple(against)


def against_withdrawing(gate: str, actor: Actor, *, bench: Bench, now: datetime) -> tuple[str, ...]:
    """The risk officer withdraws a ruling, whoever gave it; so does whoever gave it."""
    if bench.offices is None:
        return (approval.NO_RULES,)
    standing = [r for r in bench.decision.about(gate) if r.counts] if bench.decision else []
    if not standing:
        return ("No ruling on this gate counts now.",)
    own = all(r.by == actor.account for r in standing)
    return approval.against_office(None if own else Act.REVOKE, actor, bench.offices, now=now)


def against_words(reason: str, days: int, *, at_most: int) -> tuple[str, ...]:
    """An officer says why, and for how long."""
    against = list(lookalikes.against_text(reason))
    if len(lookalikes.seen(reason)) < MIN_REASON or len(reason) > MAX_REASON:
        against.append(f"A reason of {MIN_REASON} to {MAX_REASON} characters is needed.")
    if not 1 <= days <= at_most:
        against.append(f"The policy allows 1 to {at_most} days.")
    return tuple(against)


def standing(rulings: Iterable[Ruling]) -> tuple[Ruling, ...]:
    """The newest ruling on each gate, unless it was withdrawn."""
    newest = {r.gate: r for r in rulings}
    return tuple(r for r in newest.values() if not r.withdrawn)


def with_rulings(evidence: Evidence, rulings: Iterable[Ruling], *, digests: DigestSet) -> tuple[Fact, ...]:
    """The evidence's facts, where what officers ruled here stands in place of what the candidate brought along.

    Rulings in the candidate's own files are shown and do not count: their signatures were checked against the
    candidate's own list of keys.
    """
    others = tuple(f for f in evidence.facts if f.name != resolution.FACT)
    brought = evidence.fact(resolution.FACT)
    listed = brought.value if brought and isinstance(brought.value, (list, tuple)) else ()
    own = [{**one, "signed": False, "problem": OWN} for one in listed if isinstance(one, dict)]
    given = [_written(r, key=evidence.key, digests=digests) for r in standing(rulings)]
    if not own and not given:
        return others
    return (*others, Fact(resolution.FACT, [*own, *given], Kind.HUMAN, "rulings of this registry's officers"))


def counting(decision: Decision, rulings: Iterable[Ruling]) -> tuple[int, ...]:
    """Which rulings stand in place of a pass now."""
    free = {r.gate for r in decision.rulings if r.counts}
    return tuple(r.id for r in standing(rulings) if r.gate in free)


def _written(ruling: Ruling, *, key: str, digests: DigestSet) -> dict[str, Any]:
    """In the shape of a ruling's file, as `settled` reads it."""
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
