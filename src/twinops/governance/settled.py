"""Settle, for a time and under a name, what a gate could not tell or refused: resolutions and overrides.

One file per gate, `compliance/resolutions/<gate>.yaml`, signed by its author. The verdict stays as it is and the answer
of the person stands beside it, wherever verdicts are shown. A missing answer is never settled.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.policy import Gate, Id, Policy
from twinops.governance.reading import Record, Text, checked, parse

FOLDER = "resolutions"
NAMESPACE = "twinops-resolution"
FACT = "resolutions"
DAY = "judged_on"


class Resolution(Record):
    """What a person wrote: which answer of which gate on which candidate, why it may pass all the same, until when."""

    gate: Id
    candidate: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    evidence: Annotated[str, Field(pattern=r"^ev-[0-9a-f]{12}$")]
    answer: Literal["inconclusive", "failed"]
    by: Text
    role: Text
    reason: Annotated[str, Field(min_length=20, max_length=4000)]
    dated: date
    until: date


class Read(Resolution):
    """The same as it stands in the evidence: with what became of its signature."""

    signed: bool
    problem: str = ""


@dataclass(frozen=True)
class Settled:
    """A person's answer to one gate, and whether it counts; `problem` says why it does not."""

    gate: str
    answer: str
    by: str
    role: str
    reason: str
    dated: str
    until: str
    problem: str = ""

    @property
    def counts(self) -> bool:
        """It stands in place of a pass, for its time."""
        return not self.problem

    @property
    def sentence(self) -> str:
        """For people."""
        kind = "Overridden" if self.answer == Outcome.FAILED else "Resolved"
        told = f"{self.by} ({self.role}), {self.dated}, until {self.until}: {self.reason}"
        return f"{kind} by {told}" if self.counts else f"Not settled ({self.problem}). Written by {told}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "counts": self.counts}


def read(text: str, *, name: str) -> Resolution:
    """One file.

    Raises:
        ParamsError: it holds mistakes; all are told together.

    """
    return checked(Resolution, parse(text, name=name), name=name)


def settled(policy: Policy, evidence: Evidence, verdicts: tuple[Verdict, ...]) -> tuple[Settled, ...]:
    """Every resolution in the evidence, each with whether it counts under this policy on the day of judging."""
    fact, gates = evidence.fact(FACT), {g.id: g for g in policy.gates}
    answers = {v.gate: v for v in verdicts}
    found = []
    for raw in fact.value if fact and isinstance(fact.value, (list, tuple)) else ():
        try:
            one = Read.model_validate_json(_json(raw))
        except (ValidationError, ValueError, TypeError):
            continue  # what cannot be read settles nothing
        found.append(_told(one, _problem(one, policy, (gates.get(one.gate), answers.get(one.gate)), evidence)))
    return tuple(found)


def judged_on(evidence: Evidence) -> date | None:
    """The day on which the evidence is judged, as somebody with a clock wrote it into the evidence."""
    fact = evidence.fact(DAY)
    try:
        return date.fromisoformat(fact.value) if fact and isinstance(fact.value, str) else None
    except ValueError:
        return None


def _problem(one: Read, policy: Policy, judged: tuple[Gate | None, Verdict | None], evidence: Evidence) -> str:
    gate, verdict = judged
    if gate is None or verdict is None:
        return "no gate of the policy is called so"
    if not one.signed:
        return one.problem or "it is not signed"
    if verdict.outcome == Outcome.PASSED:
        return "the gate passes without it"
    if (one.candidate, one.evidence, one.answer) != (evidence.key, verdict.evidence, verdict.outcome.value):
        return "it was written for another candidate, evidence or answer"
    return _office(one, gate, policy) or _time(one, policy, evidence)


def _office(one: Read, gate: Gate, policy: Policy) -> str:
    if one.answer == "failed" and gate.id in policy.override.never:
        return "the policy lets nobody override this gate"
    may: tuple[str, ...] = gate.may_resolve if one.answer == "inconclusive" else policy.override.by
    return "" if one.role in may else f"the policy does not let the {one.role} settle this"


def _time(one: Read, policy: Policy, evidence: Evidence) -> str:
    days = policy.resolve.at_most_days if one.answer == "inconclusive" else policy.override.at_most_days
    if not 0 <= (one.until - one.dated).days <= days:
        return f"the policy allows at most {days} days"
    today = judged_on(evidence)
    if today is None:
        return "it counts on a day, and this evidence names none"
    return "" if one.dated <= today <= one.until else f"it does not hold on {today}"


def _told(one: Read, problem: str) -> Settled:
    return Settled(
        one.gate, one.answer, one.by, one.role, one.reason, one.dated.isoformat(), one.until.isoformat(), problem
    )


def _json(raw: Any) -> str:
    from twinops.entities.canonical import to_json

    return to_json(raw)
