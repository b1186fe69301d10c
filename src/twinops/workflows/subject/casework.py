"""Write what is done with a request into the ledger of rights: from a terminal or from the officer's page alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from twinops.entities.rights import BESIDE, MOST_TEXT, Right, RightsAct, held_up
from twinops.errors import ParamsError
from twinops.governance.subject_cases import RequestCase, RequestKind, Step, StepAsked, against_step, cases_of
from twinops.ports import Rights
from twinops.workflows.subject.desk import ActingOfficer

HEARD = "service-"
"""Before the event id of a message, in the reference of the case that it opened."""


def case_of(rights: Rights, case: str) -> RequestCase:
    """The case of this id.

    Raises:
        ParamsError: there is none.
    """
    found = cases_of(rights.entries()).get(case)
    if found is None:
        raise ParamsError("There is no such case.", hint="`twinops subject requests` lists them.")
    return found


def words_of(rights: Rights, case: RequestCase) -> Mapping[int, Mapping[str, str]]:
    """The sealed words of each step, by entry."""
    numbers = {s.entry for s in case.steps}
    return {e.seq: rights.told(e) for e in rights.entries() if e.seq in numbers}


def take_step(rights: Rights, case: RequestCase, asked: StepAsked, officer: ActingOfficer) -> str | None:
    """Do it, or say in a sentence why not. A contested decision that is answered is written with its outcome."""
    if len(asked.reason) > MOST_TEXT:
        return f"The reason has more than {MOST_TEXT:,} signs."
    against = against_step(case, asked, today=rights.now().date())
    if against:
        return against
    acts = [act_of(case, asked, officer)]
    if case.kind is RequestKind.CONTEST and asked.step is Step.ANSWERED:
        about = {"case": case.id, "outcome": asked.outcome}
        told = {"reason": asked.reason.strip()}
        acts.append(RightsAct(Right.CONTESTED, case.sid, officer.office, officer.person, about=about, told=told))
    rights.append(*acts)
    return None


def act_of(case: RequestCase, asked: StepAsked, officer: ActingOfficer) -> RightsAct:
    """One step as it is written."""
    about = {"case": case.id, "kind": case.kind.value, "received": case.received.isoformat(), "step": asked.step.value}
    about |= {n: v for n, v in (("ground", asked.ground), ("outcome", asked.outcome)) if v}
    about |= {"reference": case.reference} if case.reference else {}
    told = {"reason": asked.reason.strip()} if asked.reason.strip() else {}
    purpose = asked.purpose or case.purpose or None
    return RightsAct(Right.CASE, case.sid, officer.office, officer.person, purpose=purpose, about=about, told=told)


def begun(case: RequestCase, asked: StepAsked, officer: ActingOfficer, sids: Iterable[str]) -> Iterator[RightsAct]:
    """The first step of a request; what holds up a use of data does so for every record of the person (`sids`)."""
    first = act_of(case, asked, officer)
    yield first
    for sid in sorted({*sids} - {case.sid}) if held_up(first) else ():
        yield replace(first, sid=sid, about={**first.about, BESIDE: "yes"}, told={})
