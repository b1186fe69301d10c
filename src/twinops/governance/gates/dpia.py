"""Refuse a candidate until people have answered every judgement that the impact assessment asks of them.

Nothing here writes an answer. A residual risk that stays high goes to the supervisory authority first (art. 36(1)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.governance import dpia
from twinops.governance.reading import Record

RULE = "GDPR arts. 35(2), 35(7), 36(1), 38(6); WP 248 rev.01"
QUESTION = "Has every declaration of the impact assessment been made and every judgement been given by a person?"
FILE = "compliance/dpia.yaml"


class Limits(Record):
    """Nothing to set."""


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (*(f"dpia.declared.{name}" for name in dpia.DECLARED), *(f"dpia.human.{name}" for name in dpia.HUMAN))


def check(evidence: Evidence, _limits: Limits) -> Verdict:
    """Declared but empty: failed. A judgement not given: missing, with whom to ask. All given: do they allow it?"""
    record = dpia.from_evidence(evidence)
    if record is None:
        return missing(
            "The impact assessment is not in this evidence, or not whole.", f"Restore {FILE}, then `make run`."
        )
    declared, human = record
    figures = _figures(evidence, human)
    undeclared = _undeclared(declared)
    if undeclared:
        return failed(
            f"Not declared in the impact assessment: {', '.join(undeclared)}.",
            f"The data owner fills `declared` in {FILE}, then `make run`.",
            **figures,
        )
    unanswered = {name: field for name, field in human.asked().items() if field.open_parts}
    if unanswered:
        return missing(
            _whom_to_ask(unanswered, human),
            f"Each fills their own part of `human` in {FILE}, then `make run`.",
            **figures,
        )
    return _weighed(human, figures)


def _weighed(human: dpia.Human, figures: dict[str, Any]) -> Verdict:
    answer = human.decision.answer
    if human.decision.by == human.dpo_advice.by:
        return failed(
            "The decision carries the same name as the data protection officer's advice.",
            f"Somebody other than the officer decides (art. 38(6)): {FILE}.",
            **figures,
        )
    if answer not in ("approve", "approve_with_conditions"):
        return failed(f"The impact assessment was decided: {answer}.", f"Read `decision.reasons` in {FILE}.", **figures)
    given = f"All {len(human.asked())} judgements of the impact assessment are given and it was decided: {answer}."
    return passed(f"{given} Names stand as written in {FILE}, unsigned.", **figures)


def _undeclared(declared: dpia.Declared) -> list[str]:
    return [
        name
        for name, value in declared
        if value is None or (isinstance(value, Record) and None in dict(value).values())
    ]


def _whom_to_ask(unanswered: Mapping[str, dpia.Asked], human: dpia.Human) -> str:
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
