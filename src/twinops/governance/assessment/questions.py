"""Read `compliance/dpia.yaml`: what the controller declares, and what is asked of people (GDPR art. 35)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.governance.reading import Record, Text, TriState, checked, law, parse

SOURCE = "compliance/dpia.yaml"
ANSWERS = "compliance/dpia"
Level = Annotated[int, Field(ge=1, le=4)]
"""1 negligible, 2 limited, 3 important, 4 maximum."""
HIGH = 3


class Actors(Record):
    """Who decides and who helps (arts. 4(7), 26, 28)."""

    controller: Text | None
    contact: Text | None
    dpo_contact: Text | None
    processors: tuple[Text, ...] | None
    recipients: tuple[Text, ...] | None


class NoticeDeclared(Record):
    """What households were told (arts. 12-14)."""

    version: Text | None
    issued: date | None
    not_collected_from_the_person: Text | None
    obligation: Text | None


class SecurityMeasure(Record):
    """One technical or organisational measure (art. 32)."""

    title: Text
    status: Literal["implemented", "planned"]
    evidence: Text
    owner: Text


class Breach(Record):
    """One breach or failed erasure, as art. 33(5) asks to record it. A new one reopens the assessment."""

    dated: date
    what: Text
    consequence: Text
    remedy: Text


class DeclaredContents(Record):
    """What is so, said in a versioned file. Null: not said yet."""

    description: Text | None
    actors: Actors | None
    standards_codes: Text | None
    data_inventory: Text | None
    assets: Text | None
    secondary_use: Text | None
    legal_basis: Text | None
    minimisation: Text | None
    retention: Text | None
    notice: NoticeDeclared | None
    transfers: Text | None
    by_design: Text | None
    security_measures: Annotated[tuple[SecurityMeasure, ...], Field(min_length=1)] | None
    incidents: tuple[Breach, ...] | None


class AskedField(Record):
    """A judgement asked of a person: who, what, and the empty place for name and day."""

    who: Text
    question: Text
    by: Text | None = None
    dated: date | None = None

    @property
    def open_parts(self) -> tuple[str, ...]:
        """What nobody has filled yet."""
        return tuple(sorted(part for part, value in self if value is None))


class Answer(AskedField):
    """A judgement in words."""

    answer: Text | None = None


class Advice(Answer):
    """The data protection officer's advice: what it says, and which way it points, so that departing from it shows."""

    stance: Literal["favourable", "with_conditions", "unfavourable"] | None = None


class RiskJudged(AskedField):
    """A risk with everything working as designed (art. 35(7)(c))."""

    severity: Level | None = None
    likelihood: Level | None = None
    justification: Text | None = None
    measures: Text | None = None
    residual_severity: Level | None = None
    residual_likelihood: Level | None = None

    @property
    def stays_high(self) -> bool:
        """Severity and likelihood both remain important or worse with all measures in place (art. 36(1))."""
        return min(self.residual_severity or 0, self.residual_likelihood or 0) >= HIGH


class Incident(RiskJudged):
    """A risk when something goes wrong (WP248, annex 2)."""

    impacts: Text | None = None
    threats: Text | None = None
    sources: Text | None = None


class Conclusion(AskedField):
    """The controller's decision. Never the data protection officer's (art. 38(6))."""

    answer: Literal["approve", "approve_with_conditions", "reject", "refer_to_authority"] | None = None
    reasons: Text | None = None


class Human(Record):
    """Every judgement, by name. None of them is ever filled by a generator."""

    def asked(self) -> dict[str, AskedField]:
        """The judgements needed now: the authority is consulted only when a residual risk stays high (art. 36(1))."""
        fields = {name: field for name, field in self if isinstance(field, AskedField)}
        if not any(isinstance(field, RiskJudged) and field.stays_high for field in fields.values()):
            fields.pop("authority_consultation")
        return fields

    minimisation: Answer
    risk_discrimination: RiskJudged
    risk_manipulation: RiskJudged
    risk_inference: RiskJudged
    risk_autonomy: RiskJudged
    risk_disadvantage: RiskJudged
    incident_access: Incident
    incident_change: Incident
    incident_loss: Incident
    action_plan: Answer
    residual: Answer
    dpo_advice: Advice
    subjects_views: Answer
    authority_consultation: Answer
    decision: Conclusion


class Dpia(Record):
    """The whole file."""

    version: Text
    synthetic_controller: bool
    need: dict[str, TriState]
    declared: DeclaredContents
    human: Human


DECLARED = tuple(DeclaredContents.model_fields)
HUMAN = tuple(Human.model_fields)


def read(text: str, *, name: str = SOURCE) -> Dpia:
    """The file of this text.

    Raises:
        ParamsError: not YAML, a key that is unknown or absent, a wrong type; all mistakes together.
    """
    raw = parse(text, name=name)
    return checked(Dpia, raw, name=name, more=_mistakes(raw))


def with_answers(dpia: Dpia, answers: Mapping[str, Mapping[str, Any]]) -> Dpia:
    """The same with what people answered, by field: the parts of the answer, `by` and `dated`.

    Raises:
        pydantic.ValidationError: a part that the field does not have, or of another type.
    """
    filled = {
        name: type(field).model_validate({**dict(field), **answers[name]})
        for name, field in dpia.human
        if name in answers
    }
    return dpia.model_copy(update={"human": dpia.human.model_copy(update=filled)})


def parts(name: str) -> tuple[str, ...]:
    """What an answer to this field consists of, beside name and day.

    >>> parts("minimisation"), parts("decision")
    (('answer',), ('answer', 'reasons'))
    """
    model: Any = Human.model_fields[name].annotation
    return tuple(part for part in model.model_fields if part not in AskedField.model_fields)


def facts(dpia: Dpia) -> tuple[Fact, ...]:
    """One fact per declared and per human field, and whether an assessment is needed. Not said: None."""
    source = f"{SOURCE}, version {dpia.version}"
    declared = dpia.declared.model_dump(mode="json")
    human = dpia.human.model_dump(mode="json")
    asked = {name: {"who": field.who, "question": field.question} for name, field in dpia.human}
    return (
        Fact("dpia.asked", {"version": dpia.version, "questions": asked}, Kind.DECLARED, source),
        Fact("dpia.synthetic_controller", dpia.synthetic_controller, Kind.DECLARED, source),
        Fact("dpia.need", need(dpia), Kind.DECLARED, source),
        *(Fact(f"dpia.declared.{name}", value, Kind.DECLARED, source) for name, value in declared.items()),
        *(Fact(f"dpia.human.{name}", value, Kind.HUMAN, _home(name, value, source)) for name, value in human.items()),
    )


def _home(name: str, value: Mapping[str, Any], source: str) -> str:
    return source if value["by"] is None else f"{ANSWERS}/{name}.yaml"


def from_evidence(evidence: Evidence) -> tuple[DeclaredContents, Human] | None:
    """Both parts as the evidence holds them, or None when a field is absent or cannot be read."""
    parts = [_part(evidence, "declared", DECLARED), _part(evidence, "human", HUMAN)]
    try:
        return DeclaredContents.model_validate_json(parts[0]), Human.model_validate_json(parts[1])
    except ValidationError:
        return None


def _part(evidence: Evidence, part: str, names: tuple[str, ...]) -> str:
    found = {name: evidence.fact(f"dpia.{part}.{name}") for name in names}
    return to_json({name: fact.value for name, fact in found.items() if fact})


def need(dpia: Dpia) -> dict[str, Any]:
    """Cases of art. 35(3) and criteria of WP 248 rev.01 and of authorities' lists that are met or open.

    A twin always needs an assessment: "no" is never computed.
    """
    test = law("gdpr_dpia")["need"]
    criteria = {c["name"]: _criterion(c, dpia) for c in test["wp248"]}
    criteria |= {f"art. 35(3)({letter}): {c['text']}": _criterion(c, dpia) for letter, c in test["art_35_3"].items()}
    criteria |= {f"{c['authority']}: {c['trigger']}": _criterion(c, dpia) for c in test["national_lists"]}
    return {
        "required": True,
        "met": [name for name, state in criteria.items() if state == "true"],
        "open": [name for name, state in criteria.items() if state == "unknown"],
        "answers": dict(sorted(dpia.need.items())),
        "rule": "GDPR art. 35(1), (3), (4); WP 248 rev.01",
    }


def _criterion(criterion: dict[str, Any], dpia: Dpia) -> str:
    if criterion.get("twin_default"):
        return "true"
    needed = [dpia.need.get(name, "unknown") for name in (criterion["fact"], *criterion.get("with", ()))]
    return next((state for state in ("false", "unknown") if state in needed), "true")


def _mistakes(raw: Any) -> Iterator[str]:
    yield from _need_mistakes(raw)
    human = raw.get("human") if isinstance(raw, dict) else None
    for name, field in human.items() if isinstance(human, dict) else ():
        for part in field if isinstance(field, dict) else ():
            if part not in ("who", "question"):
                yield f"human.{name}.{part}: questions stand here; answers stand in {ANSWERS}/{name}.yaml"


def _need_mistakes(raw: Any) -> Iterator[str]:
    known = need_facts()
    given = raw.get("need") if isinstance(raw, dict) else None
    for name in given if isinstance(given, dict) else ():
        if name not in known:
            yield f"need.{name}: no such fact; choose of {', '.join(sorted(known))}"


def need_facts() -> frozenset[str]:
    """Names that the need test of law/gdpr_dpia.yaml asks about."""
    test = law("gdpr_dpia")["need"]
    named = [*test["wp248"], *test["national_lists"], *test["art_35_3"].values()]
    return frozenset(c["fact"] for c in named if "fact" in c) | frozenset(f for c in named for f in c.get("with", ()))
