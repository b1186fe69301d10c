"""Say what is open in the impact assessment and who must answer, and whether its approval still stands."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from twinops.governance.assessment import questions as dpia
from twinops.governance.assessment.answers import GivenAnswer
from twinops.governance.assessment.approval import LAPSED, OPEN, STANDS, Signature
from twinops.governance.assessment.reopening import too_old
from twinops.governance.assessment.substance import ahead, thin_in
from twinops.governance.people.offices import office_asked
from twinops.workflows.candidate.judge import Day
from twinops.workflows.compliance_files import AnsweredDpia, Declarations, declarations
from twinops.workflows.evidence import CandidateFolder


@dataclass(frozen=True)
class DpiaQuestion:
    """One question, who is asked, and how it stands."""

    field: str
    question: str
    who: str
    state: str
    by: str
    dated: str
    may_answer: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Answered and signed."""
        return self.state == "signed"


@dataclass(frozen=True)
class DpiaStatus:
    """All questions, and what became of the approval."""

    asked: tuple[DpiaQuestion, ...]
    review: dict[str, Any]

    @property
    def open(self) -> tuple[DpiaQuestion, ...]:
        """What somebody must still do."""
        return tuple(a for a in self.asked if not a.done)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"asked": [asdict(a) for a in self.asked], "open": len(self.open), "review": self.review}


def status(candidate: CandidateFolder, today: Day = None) -> DpiaStatus:
    """Compare what people wrote with what is asked and with what is so now; nothing is written."""
    declared = declarations(candidate.places)
    part = declared.assessment
    asked = tuple(
        DpiaQuestion(
            field=name,
            question=field.question,
            who=field.who,
            state=_state(part, name),
            by=part.answers[name].by if name in part.answers else "",
            dated=part.answers[name].dated.isoformat() if name in part.answers else "",
            may_answer=tuple(str(p.name) for p in declared.offices.holding(office_asked(field.who))),
        )
        for name, field in part.dpia.human.asked().items()
    )
    return DpiaStatus(asked, review(candidate, declared, today=today))


def review(candidate: CandidateFolder, declared: Declarations, *, today: Day = None) -> dict[str, Any]:
    """Whether the approval stands for what is described now and is not too old."""
    if not candidate.places.all_measures:
        return {"state": OPEN, "reasons": ["nothing was measured yet"], "triggers": []}
    stands = declared.assessment.review(declared.described(candidate.gather(declared)))
    day = today or datetime.now(UTC).date()
    early = ahead({name: given.dated for name, given in declared.assessment.answers.items()}, day)
    stands["reasons"] += early
    stands["state"] = LAPSED if early and stands["state"] == STANDS else stands["state"]
    if stands["decided_on"] is not None:
        old = too_old(date.fromisoformat(stands["decided_on"]), day)
        stands["triggers"] += [t.to_dict() for t in old]
        stands["state"] = "reopened" if old and stands["state"] == "stands" else stands["state"]
    return stands


def _state(part: AnsweredDpia, name: str) -> str:
    given, field = part.answers.get(name), getattr(part.dpia.human, name)
    if given is None:
        return "open"
    return _fault(given, field) or _open(field) or _unsigned(part.signatures.get(name, Signature()))


def _fault(given: GivenAnswer, field: dpia.AskedField) -> str:
    if given.question != field.question:
        return "the question has changed: answer it anew"
    if thin := thin_in(given):
        return f"{'; '.join(f'{why} in {part}' for part, why in thin.items())}: answer it anew"
    return "" if given.intact else "changed since it was given: answer it anew"


def _open(field: dpia.AskedField) -> str:
    return f"still to say: {', '.join(field.open_parts).replace('_', ' ')}" if field.open_parts else ""


def _unsigned(signature: Signature) -> str:
    return "signed" if signature.counts else f"answered; {signature.problem}"
