"""Who may resolve what a gate could not tell or refused, for how long, and which rulings in the evidence count.

A ruling is a person's written answer to one gate: a signed file, `compliance/rulings/<gate>.yaml`, or an officer's
entry on the registry. The verdict stays as it is and the ruling stands beside it, wherever verdicts are shown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.assessment.questions import HUMAN
from twinops.governance.assessment.substance import WORDS
from twinops.governance.assessment.wording import copied, empty, seen_words
from twinops.governance.policy.limits import Id, Policy
from twinops.governance.reading import Record, Text, checked, parse

FOLDER = "rulings"
NAMESPACE = "twinops-ruling"
FACT = "rulings"
MIN_REASON, MAX_REASON = 20, 4_000
"""Characters. One word is no reason."""


class WrittenRuling(Record):
    """What a person wrote: which answer of which gate on which candidate, why it may pass all the same, until when."""

    gate: Id
    candidate: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    evidence: Annotated[str, Field(pattern=r"^ev-[0-9a-f]{12}$")]
    answer: Literal["inconclusive", "failed"]
    by: Text
    role: Text
    reason: Annotated[str, Field(min_length=MIN_REASON, max_length=MAX_REASON)]
    dated: date
    until: date


class SubmittedRuling(WrittenRuling):
    """The same as it stands in the evidence: with what became of its signature."""

    signed: bool
    problem: str = ""


@dataclass(frozen=True)
class JudgedRuling:
    """A ruling on one gate, and whether it counts; `problem` says why it does not."""

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
        told = f"{self.by} ({self.role}), {self.dated}, until {self.until}: {self.reason}"
        if not self.counts:
            return f"Not resolved ({self.problem}). Ruling by {told}"
        return f"{'Overridden' if self.answer == Outcome.FAILED else 'Resolved'} by {told}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "counts": self.counts}


@dataclass(frozen=True)
class Allowance:
    """Which offices may resolve one answer, and for how many days at most; `problem` says why nobody may."""

    offices: tuple[str, ...] = ()
    at_most_days: int = 0
    problem: str = ""

    def against(self, office: str) -> str:
        """Why this office may not; empty: it may."""
        if self.problem or office in self.offices:
            return self.problem
        return f"the policy does not let the {office} resolve this gate; it lets: {', '.join(self.offices)}"


def allowance(policy: Policy, gate: str, verdict: Verdict | None) -> Allowance:
    """Who may resolve what this gate said. Pure; the file, the registry and the decision all ask here.

    The policy names offices for a doubt at the gate (`may_resolve`), for a refusal once for all gates (`override`), and
    gates that nobody overrides (`override.never`).
    """
    listed = next((g for g in policy.gates if g.id == gate), None)
    if verdict is None or listed is None:
        return Allowance(problem="no gate of the policy is called so")
    if verdict.outcome is Outcome.PASSED:
        return Allowance(problem="the gate passes without a ruling")
    if verdict.outcome is Outcome.NOT_APPLICABLE:
        return Allowance(
            problem="there is nothing to resolve where a gate does not apply; the policy says if it blocks"
        )
    if verdict.outcome is Outcome.MISSING or verdict.evidence is None:
        return Allowance(problem="what is missing must be made; nobody resolves it")
    if verdict.outcome is Outcome.INCONCLUSIVE:
        found = Allowance(listed.may_resolve, policy.resolve.at_most_days)
    else:
        found = Allowance(() if gate in policy.override.never else policy.override.by, policy.override.at_most_days)
    word = "resolve" if verdict.outcome is Outcome.INCONCLUSIVE else "override"
    return found if found.offices else Allowance(problem=f"the policy lets nobody {word} this gate")


def read(text: str, *, name: str) -> WrittenRuling:
    """One file.

    Raises:
        ParamsError: it holds mistakes; all are told together.
    """
    return checked(WrittenRuling, parse(text, name=name), name=name)


def judged_rulings(policy: Policy, evidence: Evidence, verdicts: tuple[Verdict, ...]) -> tuple[JudgedRuling, ...]:
    """Every ruling in the evidence, each with whether it counts under this policy on the day of judging."""
    fact, said = evidence.fact(FACT), {v.gate: v for v in verdicts}
    found = []
    for raw in fact.value if fact and isinstance(fact.value, (list, tuple)) else ():
        try:
            one = SubmittedRuling.model_validate_json(to_json(raw))
        except (ValidationError, ValueError, TypeError):
            continue  # what cannot be read resolves nothing
        found.append(_judged(one, _problem(one, policy, said.get(one.gate), evidence)))
    return tuple(found)


def _problem(one: SubmittedRuling, policy: Policy, verdict: Verdict | None, evidence: Evidence) -> str:
    allowed = allowance(policy, one.gate, verdict)
    if allowed.problem or verdict is None:
        return allowed.problem
    if not one.signed:
        return one.problem or "it is not signed"
    if (one.candidate, one.evidence, one.answer) != (evidence.key, verdict.evidence, verdict.outcome.value):
        return "it was written for another candidate, evidence or answer"
    out_of_time = _out_of_time(one, allowed.at_most_days, evidence.judged_on)
    return allowed.against(one.role) or out_of_time or _no_reason(one.reason, evidence)


def _no_reason(reason: str, evidence: Evidence) -> str:
    """A reason says something, and something of its own: not what the impact assessment answers or asks."""
    why = empty(reason)
    if why:
        return f"its reason {why}"
    told = seen_words(reason)
    said = {name: evidence.table(f"dpia.human.{name}") for name in HUMAN}
    texts = ((n, t) for n, answer in said.items() for p, t in answer.items() if p in (*WORDS, "question"))
    repeated = (n for n, text in texts if isinstance(text, str) and text and copied(told, seen_words(text)))
    return next((f"its reason repeats {name} of the impact assessment" for name in repeated), "")


def _out_of_time(one: SubmittedRuling, days: int, today: date | None) -> str:
    if not 0 <= (one.until - one.dated).days <= days:
        return f"the policy allows at most {days} days"
    if today is None:
        return "it counts on a day, and this evidence names none"
    return "" if one.dated <= today <= one.until else f"it does not hold on {today}"


def _judged(one: SubmittedRuling, problem: str) -> JudgedRuling:
    days = one.dated.isoformat(), one.until.isoformat()
    return JudgedRuling(one.gate, one.answer, one.by, one.role, one.reason, *days, problem)
