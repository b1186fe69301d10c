"""Work off the cases that are in work and need no hand: what is asked is done, and the case answered with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twinops.entities.consent import Purpose
from twinops.errors import DataError
from twinops.governance.subject_cases import RequestCase, RequestKind, Step, StepAsked, cases_of, queue
from twinops.workflows.subject.act import RightsAsked, act
from twinops.workflows.subject.casework import take_step
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk

BY_HAND = {
    RequestKind.ACCESS: "`twinops subject export` makes the copy; hand it over, then answer the case",
    RequestKind.PORTABILITY: "`twinops subject export` makes the copy; hand it over, then answer the case",
    RequestKind.RECTIFICATION: "`twinops subject correct` puts a field right, then answer the case",
    RequestKind.CONTEST: "a person looks at the decision and answers with an outcome and reasons",
    RequestKind.ERASURE: "with --key it is erased here and signed; or `twinops subject erase`, then answer the case",
}
"""What a person does first."""
ACTS = {RequestKind.RESTRICTION: "restrict", RequestKind.OBJECTION: "object", RequestKind.WITHDRAWAL: "withdraw"}


@dataclass(frozen=True)
class Worked:
    """Cases that were done, and those that wait for a hand, each with what to do."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    refused: str | None = None

    def text(self) -> str:
        """In words."""
        return self.refused or "\n".join([*(f"done: {d}" for d in self.done), *self.left]) or "Nothing is in work."


Erase = Callable[[str, str], str | None]
"""Erases the person of a sid for a case; returns why not."""


def work(*, by: str, desk: Desk, erase: Erase | None = None) -> Worked:
    """Restrict, object, withdraw and, where `erase` is given, erase for every such case in work.

    Whoever is killed in between runs it again: what was done is done once, and the case is answered then.

    Raises:
        ParamsError: nobody was named.
    """
    officer = desk.officer(by)
    if officer is None:
        return Worked((), (), WRONG_OFFICE)
    done, left = [], []
    for case in queue(cases_of(desk.rights.entries()).values()):
        if case.state is not Step.WORKING:
            continue
        if case.kind not in ACTS and (erase is None or case.kind is not RequestKind.ERASURE):
            left.append(f"{case.id}: {BY_HAND[case.kind]}")
            continue
        # by its sid: what is done twice is written once, so whoever died between the two only answers now
        problem = _done(case, by, desk, erase) or take_step(
            desk.rights, case, StepAsked(Step.ANSWERED, "done"), officer
        )
        if problem:
            left.append(f"{case.id}: {problem}")
        else:
            done.append(case.id)
    return Worked(tuple(done), tuple(left))


def _done(case: RequestCase, by: str, desk: Desk, erase: Erase | None) -> str | None:
    """Do what is asked; why not, where it may not be done."""
    try:
        if case.kind is RequestKind.ERASURE and erase is not None:
            return erase(case.sid, case.id)
        refused = act(list(_asked(case)), by=by, desk=desk).refused
    except DataError as problem:
        return problem.what
    return refused[0] if refused else None


def _asked(case: RequestCase) -> Iterator[RightsAsked]:
    """An objection or withdrawal without a purpose is of everything, as it was while it was open."""
    for purpose in [case.purpose] if case.purpose else [p.value for p in Purpose]:
        yield RightsAsked(case.sid, ACTS[case.kind], purpose=purpose, ground=case.ground)
        if case.kind is RequestKind.RESTRICTION:
            return
