"""What still stands between a version and its alias: whose turn it is, and what that person types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from twinops.entities.approval import Act
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.people import approval
from twinops.governance.people.offices import GATE_RUNNER, RISK_OFFICER
from twinops.governance.policy import judge as judges
from twinops.server.officer.dossier import Dossier
from twinops.server.registry import cases
from twinops.server.registry.store import GovernedStore

ANYBODY = "scientist"
"""Whoever may edit the model."""

JUDGE = "twinops judge activate"
JUDGED = {
    judges.NONE_ACTIVE: "say which code and stages may measure",
    judges.ANOTHER: "read what differs in the judge that measured this (`twinops judge show`), activate it or let be",
    judges.OWN_CHANGE: "activate the judge in her place",
}
"""Problems that a risk officer ends by activating a judge."""


@dataclass(frozen=True)
class Step:
    """Who, what in a sentence, and the command where there is one."""

    who: str
    what: str
    command: str = ""


def needed(shown: Dossier, store: GovernedStore) -> tuple[Step, ...]:
    """Every step that is open now, in the order in which they are taken; none: it carries its alias or may."""
    return tuple(_steps(shown, store))


def _steps(shown: Dossier, store: GovernedStore) -> Iterator[Step]:
    case, which = shown.case, f"{shown.case.name} {shown.case.version}"
    yield from _rules(shown)
    anew = [p for p in case.problems if p in cases.ANEW]
    if shown.submitted is None or anew:
        yield Step(GATE_RUNNER, "make everything anew and hand in evidence", f"twinops model evidence {which}")
    if case.unknown:
        yield from _strangers(shown, which)
    told = {*anew, *JUDGED}
    yield from (Step(RISK_OFFICER, f"who wrote none of it: {JUDGED[p]}", JUDGE) for p in case.problems if p in JUDGED)
    yield from (Step(ANYBODY, f"mend this: {problem}") for problem in case.problems if problem not in told)
    if shown.decision is not None:
        listed = {v.gate: v for v in shown.decision.verdicts}
        for gate in shown.decision.blocking:
            yield from _gate(shown, listed[gate], which)
    if shown.policy is not None and shown.offices is not None:
        yield from _deciding(shown, store, which)


def _rules(shown: Dossier) -> Iterator[Step]:
    if shown.offices is None:
        yield Step("admin", "put compliance/offices.yaml into the server's folder and start it again")
    if shown.policy is None:
        yield Step(RISK_OFFICER, "say what the server judges by", "twinops policy activate compliance/policy.yaml")


def _strangers(shown: Dossier, which: str) -> Iterator[Step]:
    name = shown.case.name
    if shown.adopted is None:
        what = "say up to which commit the history is upstream's; or name the authors, see the next line"
        yield Step(RISK_OFFICER, what, f"twinops model adopt-base {name} COMMIT")
    what = "name unknown authors with e-mail and account, commit, activate"
    yield Step(RISK_OFFICER, what, "twinops officers add NAME --email E-MAIL --account ACCOUNT")
    yield Step(GATE_RUNNER, "hand in evidence anew after that", f"twinops model evidence {which}")


def _gate(shown: Dossier, verdict: Verdict, which: str) -> Iterator[Step]:
    allowed = shown.bench.allowance(verdict.gate)
    if verdict.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE) and allowed.offices and not allowed.problem:
        verb = "override" if verdict.outcome is Outcome.FAILED else "resolve"
        what = f"{verb} {verdict.gate} for at most {allowed.at_most_days} days, if there is a reason to"
        command = f'twinops model resolve {which} {verdict.gate} --digest {shown.digest} --reason "..."'
        yield Step(" or ".join(allowed.offices), what, command)
    else:
        yield Step(ANYBODY, f"mend {verdict.gate}, which nobody may let through: {verdict.next or verdict.sentence}")


def _deciding(shown: Dossier, store: GovernedStore, which: str) -> Iterator[Step]:
    case, now = shown.case, store.now()
    free = _free(shown, now.date())
    if shown.standing is None or approval.against_promotion(case, now=now):
        if not free:
            what = "name a risk officer who did not work on this version, activate, make her an account"
            add = "twinops officers add NAME --office 'risk officer' --email E-MAIL --account ACCOUNT"
            yield Step(RISK_OFFICER, what, add)
        who = f"{RISK_OFFICER} ({', '.join(free)})" if free else f"another {RISK_OFFICER}"
        what = "read the review page, then decide" if case.digests else "decide, once there is evidence"
        digest = shown.digest or "DIGEST"
        yield Step(who, what, f'twinops model review {which} {Act.APPROVE.value} --digest {digest} --reason "..."')
    if not any(g.uid == case.uid for g in shown.grants):
        yield Step(ANYBODY, "set the alias", f"twinops model promote {which}")


def _free(shown: Dossier, day: date) -> list[str]:
    people = shown.offices.people if shown.offices else ()
    holding = [p.account for p in people if p.account and p.holds(RISK_OFFICER, on=day)]
    return [account for account in holding if account not in shown.case.contributors]
