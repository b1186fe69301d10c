"""Refuse a candidate until people have answered, signed and approved its impact assessment as it now stands.

Nothing here writes an answer. A residual risk that stays high goes to the supervisory authority first (art. 36(1)).
What changed since the approval reopens it (art. 35(11)).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.governance.assessment import questions as dpia
from twinops.governance.assessment.approval import STANDS
from twinops.governance.assessment.reopening import last_day, too_old
from twinops.governance.assessment.substance import ahead
from twinops.governance.gates._trial import unsaid
from twinops.governance.reading import Record

RULE = "GDPR arts. 35(2), 35(7), 35(11), 36(1), 38(6); WP 248 rev.01"
QUESTION = "Has every declaration of the impact assessment been made and every judgement been given by a person?"
FILE = "compliance/dpia.yaml"
LOOKED_UP = ("dpia.signatures", "dpia.review")
SEE = "`twinops dpia status` says what is open and who must answer; then `make run`."


class Limits(Record):
    """Nothing to set."""


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    declared, human = (f"dpia.declared.{n}" for n in dpia.DECLARED), (f"dpia.human.{n}" for n in dpia.HUMAN)
    return (*declared, *human, *LOOKED_UP)


def check(evidence: Evidence, _limits: Limits) -> Verdict:
    """What nobody has declared yet, or judged yet, is missing, with whom to ask. All given: do they allow it?"""
    open_ = unsaid(evidence)
    if open_ is not None:
        return open_
    record = dpia.from_evidence(evidence)
    if record is None:
        return missing(
            "The impact assessment is not in this evidence, or not whole.", f"Restore {FILE}, then `make run`."
        )
    declared, human = record
    figures = _figures(evidence, human)
    undeclared = _undeclared(declared)
    if undeclared:
        return missing(
            f"Not declared yet in the impact assessment: {', '.join(undeclared)}.",
            f"The data owner fills `declared` in {FILE}, then `make run`.",
            **figures,
        )
    unanswered = {name: field for name, field in human.asked().items() if field.open_parts}
    if unanswered:
        return missing(
            _whom_to_ask(unanswered, human), f"Each gives their own answer with `twinops dpia answer`. {SEE}", **figures
        )
    return _approved(evidence, human, figures)


def ends(evidence: Evidence, _limits: Limits) -> dict[str, date]:
    """The yearly look at the assessment."""
    decided = evidence.value("dpia.review", "decided_on")
    try:
        return {"the impact assessment": last_day(date.fromisoformat(decided))} if isinstance(decided, str) else {}
    except ValueError:
        return {}  # `check` says that it carries no day


def _approved(evidence: Evidence, human: dpia.Human, figures: dict[str, Any]) -> Verdict:
    """Signatures, then what the approval was given for, then what it says."""
    signatures, review = (evidence.fact(name) for name in LOOKED_UP)
    if signatures is None or review is None or not isinstance(signatures.value, dict) or not _is_review(review.value):
        return missing("Signatures and approval are not in this evidence.", "Run `dvc repro documents`.", **figures)
    unsigned = [name for name in human.asked() if not _counts(signatures.value.get(name))]
    if unsigned:
        share = f"{len(unsigned)} of {len(human.asked())} judgements"
        return missing(
            f"{share} are not signed by whom they were asked of: {', '.join(unsigned).replace('_', ' ')}.",
            f"Each signs with `twinops dpia sign`. {SEE}",
            **figures,
        )
    changed = [*_changed(review.value, evidence.judged_on), *_ahead(human, evidence.judged_on)]
    if changed:
        told = [*changed[:6], *([f"and {len(changed) - 6} more"] if len(changed) > 6 else [])]
        return failed(f"The approval does not stand: {'; '.join(told)}.", SEE, **figures)
    return _weighed(human, figures)


def _is_review(value: Any) -> bool:
    return isinstance(value, dict) and {"state", "reasons", "triggers", "decided_on"} <= value.keys()


def _counts(signature: Any) -> bool:
    return isinstance(signature, dict) and signature.get("counts") is True and not signature.get("problem")


def _changed(review: dict[str, Any], today: date | None) -> list[str]:
    """Why the approval does not stand; a day is needed to tell whether it is too old."""
    told = [f"{t.get('trigger')}: {t.get('differs')}" for t in _list(review["triggers"]) if isinstance(t, dict)]
    found = [*told, *map(str, _list(review["reasons"]))]
    if today is not None:
        try:
            old = too_old(date.fromisoformat(str(review["decided_on"])), today)
            found += [f"{t.trigger}: {t.differs}" for t in old]
        except ValueError:
            found.append("it carries no day")
    return found or ([] if review["state"] == STANDS else [f"it is {review['state']}"])


def _ahead(human: dpia.Human, today: date | None) -> tuple[str, ...]:
    """Days that have not come; a day in the future would also put off the yearly look."""
    return ahead({name: field.dated for name, field in human.asked().items()}, today) if today else ()


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _weighed(human: dpia.Human, figures: dict[str, Any]) -> Verdict:
    answer = human.decision.answer
    if human.decision.by == human.dpo_advice.by:
        return failed(
            "The decision carries the same name as the data protection officer's advice.",
            f"Somebody other than the officer decides (art. 38(6)); see {FILE}.",
            **figures,
        )
    if answer not in ("approve", "approve_with_conditions"):
        return failed(
            f"The impact assessment was decided: {answer}.",
            "Read the reasons in compliance/dpia/decision.yaml.",
            **figures,
        )
    given = f"All {len(human.asked())} judgements of the impact assessment are given and signed by those asked"
    return passed(f"{given}; {human.decision.by} decided on {human.decision.dated}: {answer}.", **figures)


def _undeclared(declared: dpia.DeclaredContents) -> list[str]:
    return [
        name
        for name, value in declared
        if value is None or (isinstance(value, Record) and None in dict(value).values())
    ]


def _whom_to_ask(unanswered: Mapping[str, dpia.AskedField], human: dpia.Human) -> str:
    people: dict[str, list[str]] = {}
    for name, field in unanswered.items():
        people.setdefault(field.who, []).append(name.replace("_", " "))
    whom = "; ".join(f"{who}: {', '.join(names)}" for who, names in people.items())
    asked = len(human.asked())
    return f"{asked - len(unanswered)} of {asked} judgements of the impact assessment are given. To answer: {whom}."


def _figures(evidence: Evidence, human: dpia.Human) -> dict[str, Any]:
    asked = human.asked()
    answered = sum(not field.open_parts for field in asked.values())
    return {**about(evidence.fact("dpia.human.decision"), limit=len(asked)), "value": answered, "n": len(asked)}
