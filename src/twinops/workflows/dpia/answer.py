"""Write one person's answer to one question of the impact assessment, as a file that the person owns and signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinops.entities.canonical import digest, to_json
from twinops.errors import ParamsError
from twinops.governance.assessment import questions as dpia
from twinops.governance.assessment.answers import ADVICE, DECISION, GivenAnswer, GivenFor, before, give, written
from twinops.governance.assessment.reopening import triggers
from twinops.governance.assessment.substance import thin_in
from twinops.governance.assessment.wording import FEWEST_WORDS
from twinops.governance.people.offices import DPO
from twinops.governance.reading import sentences
from twinops.whole_files import write
from twinops.workflows.compliance_files import ASSESSED, SIGNATURE, AnsweredDpia, Declarations, declarations
from twinops.workflows.evidence import CandidateFolder


@dataclass(frozen=True)
class AnswerFile:
    """The file that was written and what it still lacks."""

    field: str
    path: Path
    digest: str
    still_to_say: tuple[str, ...]


def answer(
    candidate: CandidateFolder, *, field: str, answer: Mapping[str, str], by: str, dated: str | None = None
) -> AnswerFile:
    """Take down what a person says, under the name given; an older signature falls away.

    Raises:
        ParamsError: nobody asks this, a part that is not asked, the officer deciding, or a decision out of turn.

    """
    declared = declarations(candidate.places)
    part, folder = declared.assessment, candidate.places.compliance / "dpia"
    if field not in dpia.HUMAN:
        raise ParamsError(f"Nobody asks {field!r}.", hint=f"Choose one of {', '.join(dpia.HUMAN)}.")
    _may(declared, field, by)
    now = declared.described(candidate.gather(declared)) if field in (ADVICE, DECISION) else None
    given_for = None if now is None else _given_for(part, field, now)
    day = _day(dated)
    question = getattr(part.dpia.human, field).question
    made = give(field, question, _parts(part, field, answer, by), by=by, dated=day, given_for=given_for)
    left = _checked(part, made)
    _substantial(made)
    path = folder / f"{field}.yaml"
    if field == ADVICE:
        write(folder / ASSESSED, to_json(now, indent=1) + "\n")
    write(path, written(made))
    path.with_name(path.name + SIGNATURE).unlink(missing_ok=True)
    return AnswerFile(field, path, made.digest, left)


def _day(dated: str | None) -> date:
    """The day of the answer: today, or an earlier one when somebody wrote it down before."""
    today = datetime.now(UTC).date()
    try:
        day = date.fromisoformat(dated) if dated else today
    except ValueError:
        raise ParamsError(f"{dated!r:.30} is no day.", hint="Write it as YYYY-MM-DD.") from None
    if day > today:
        raise ParamsError(f"{day} has not come.", hint="An answer carries the day on which it was given.")
    return day


def _substantial(made: GivenAnswer) -> None:
    thin = thin_in(made)
    if thin:
        raise ParamsError(
            f"{made.field} {'; '.join(f'{why} in {part}' for part, why in thin.items())}.",
            hint=f"A sentence of {FEWEST_WORDS} different words is the least that another person can weigh.",
        )


def _may(declared: Declarations, field: str, by: str) -> None:
    officers = {p.name for p in declared.offices.holding(DPO)}
    if field == DECISION and by in officers:
        raise ParamsError(
            f"{by} is the data protection officer, who advises and never decides (GDPR art. 38(6)).",
            hint="The risk officer decides; the officer answers dpo_advice.",
        )


def _given_for(part: AnsweredDpia, field: str, now: dict[str, Any]) -> GivenFor:
    """Advice is given for what is so now; a decision for what the officer advised on, if that is still so."""
    if field == ADVICE:
        _demand_answers(part, {ADVICE, DECISION})
        return GivenFor(assessed=digest(now), answers=before(ADVICE, part.answers))
    _demand_answers(part, {DECISION})
    advice, approved = part.answers[ADVICE], part.approved
    stale = _stale(advice, approved, part, now)
    if stale or approved is None:
        raise ParamsError(
            f"The advice was given for something else: {'; '.join(stale[:5]) or 'its description is gone'}.",
            hint="The data protection officer advises anew (`twinops dpia answer dpo_advice`), then it is decided.",
        )
    return GivenFor(assessed=digest(approved), answers=before(DECISION, part.answers))


def _stale(
    advice: GivenAnswer, approved: Mapping[str, Any] | None, part: AnsweredDpia, now: dict[str, Any]
) -> list[str]:
    if approved is None or advice.given_for is None or advice.given_for.assessed != digest(approved):
        return ["its description was replaced"]
    same = advice.given_for.answers == before(ADVICE, part.answers)
    return [t.differs for t in triggers(approved, now)] + ([] if same else ["answers were changed since"])


def _demand_answers(part: AnsweredDpia, later: set[str]) -> None:
    lacking = [n for n, f in part.dpia.human.asked().items() if n not in later and f.open_parts]
    if lacking:
        raise ParamsError(
            f"Not answered yet: {', '.join(lacking)}.",
            hint="`twinops dpia status` says who must answer; this comes last.",
        )


def _parts(part: AnsweredDpia, field: str, answer: Mapping[str, str], by: str) -> dict[str, Any]:
    """What this person said before stays, part by part; somebody else's answer is replaced."""
    old = part.answers.get(field)
    kept = dict(old.answer) if old and old.by == by and old.intact else {}
    asked = dpia.parts(field)
    unknown = [name for name in answer if name not in asked]
    if unknown:
        raise ParamsError(f"{field} does not ask for {', '.join(unknown)}.", hint=f"It asks for {', '.join(asked)}.")
    return kept | {name: _level(name, value) for name, value in answer.items()}


def _level(name: str, value: str) -> Any:
    return int(value) if name.endswith(("severity", "likelihood")) and value.isdigit() else value


def _checked(part: AnsweredDpia, made: GivenAnswer) -> tuple[str, ...]:
    try:
        filled = dpia.with_answers(part.dpia, {made.field: made.filled})
    except ValidationError as problem:
        what = f"The answer to {made.field} cannot be taken:\n  " + "\n  ".join(sentences(problem))
        raise ParamsError(what, hint="Say it anew.") from None
    left: tuple[str, ...] = getattr(filled.human, made.field).open_parts
    return left
