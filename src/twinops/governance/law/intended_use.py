"""Read `compliance/intended_use.yaml`: purposes, the judged decision, its groups, and the legal facts of the use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from twinops.entities.consent import Purpose
from twinops.entities.fact import Fact, Kind
from twinops.governance.law import ai_act, consumer_law
from twinops.governance.reading import Record, Text, TriState, checked, law, parse

SOURCE = "compliance/intended_use.yaml"
Share = Annotated[float, Field(gt=0, lt=1)]
Score = Literal["expected_spend", "expected_baskets", "active_probability"]
"""By what a decision may rank: every head of the twin that ships."""


class Controller(Record):
    """Who decides why and how (GDPR art. 4(7))."""

    name: Text
    contact: Text
    synthetic: bool


class DeclaredPurpose(Record):
    """One purpose with its DPV term and its basis (arts. 5(1)(b), 6(1)); `open`: nobody has said it yet."""

    dpv: Text
    legal_basis: Literal["consent", "contract", "legitimate_interest", "open"]
    why: Text


class DeclaredMitigation(Record):
    """How the plain order by score is changed, and how strongly; what each kind does: `evaluation/fairness`."""

    kind: Literal["none", "lottery", "rank_blend", "group_rank_blend"] = "none"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.0
    toward: Score | None = None
    attribute: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        asked = {"rank_blend": "toward", "group_rank_blend": "attribute"}.get(self.kind)
        for name in ("toward", "attribute"):
            if (getattr(self, name) is not None) != (name == asked):
                raise ValueError(f"{self.kind} {'needs' if name == asked else 'takes no'} `{name}`")
        if (self.kind == "none") != (self.strength == 0):
            raise ValueError("a mitigation has a strength above 0, and `none` has none")
        return self


class JudgedDecision(Record):
    """The one decision that gates judge; `share` of the population with the highest `score`, mitigated, is selected."""

    name: Text
    score: Score
    share: Share
    mitigation: DeclaredMitigation = DeclaredMitigation()
    population: Text
    effect: Text
    solely_automated: TriState
    legal_or_similarly_significant_effect: TriState
    recipient_draws_strongly_on_score: TriState
    contest: Text


class PlannedAttribute(Record):
    """Levels in order, so that small neighbours can be merged; null: no order."""

    ordered: Annotated[tuple[Text, ...], Field(min_length=2)] | None

    @field_validator("ordered")
    @classmethod
    def _each_once(cls, levels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = sorted({x for x in levels or () if (levels or ()).count(x) > 1})
        if twice:
            raise ValueError(f"level given twice: {', '.join(twice)}")
        return levels


class FairnessPlan(Record):
    """By what the decision is assessed: what is held of these attributes, or where none is named all that is held.

    Which of it decides, and by which limits, is the policy's to say.
    """

    attributes: dict[str, PlannedAttribute] = Field(default_factory=dict)


class AnsweredFact(Record):
    """One legal fact: true, false or unknown, and why."""

    value: TriState
    why: Text


class AiActFacts(Record):
    """Answers to `law/ai_act.yaml`, and the day as of which the law is read."""

    law_as_of: date
    facts: dict[str, AnsweredFact]


class ConsumerFacts(Record):
    """Answers to `law/consumer_rules.yaml`."""

    facts: dict[str, AnsweredFact]


class HighRiskDuties(Record):
    """Where what the AI Act asks of a high-risk system is to be found: a file, a number, a person."""

    oversight: Text | None = None
    """Who watches it, and how they can stop it (arts. 14, 26(2))."""
    registration: Text | None = None
    """Its number in the EU database (art. 49)."""
    impact_on_rights: Text | None = None
    """The fundamental rights impact assessment (art. 27), where one is asked for."""


LICENCE = r"^[a-z0-9][a-z0-9.+-]{0,63}$"
"""An SPDX identifier in small letters, as model cards have it."""


class IntendedUse(Record):
    """The whole file."""

    version: Text
    title: Text
    controller: Controller
    summary: Text
    purposes: Annotated[dict[str, DeclaredPurpose], Field(min_length=1)]
    decision: JudgedDecision
    not_for: Annotated[tuple[Text, ...], Field(min_length=1)]
    fairness: FairnessPlan
    ai_act: AiActFacts
    consumer_law: ConsumerFacts
    high_risk: HighRiskDuties = HighRiskDuties()
    model_license: Annotated[str, Field(pattern=LICENCE)] | None = None
    """Under which licence the model may be given away (SPDX, in small letters); None: under none."""


def read(text: str, *, name: str = SOURCE) -> IntendedUse:
    """The file of this text.

    Raises:
        ParamsError: not YAML, an unknown key, purpose, DPV term or legal fact; all mistakes together.
    """
    raw = parse(text, name=name)
    return checked(IntendedUse, raw, name=name, more=_mistakes(raw))


def facts(use: IntendedUse) -> tuple[Fact, ...]:
    """What is declared, one fact per part, and what follows from it in law."""
    source = f"{SOURCE}, version {use.version}"
    parts = use.model_dump(mode="json", exclude={"ai_act", "consumer_law", "version", "title", "summary"})
    if use.model_license is None:
        del parts["model_license"]
    ai = ai_act.classify(answers(use.ai_act.facts)).to_dict(on=use.ai_act.law_as_of)
    declared = {
        "intended_use.about": {"title": use.title, "summary": use.summary, "version": use.version},
        **{f"intended_use.{name}": value for name, value in parts.items()},
        "ai_act_facts": use.ai_act.model_dump(mode="json")["facts"],
        "ai_act_classification": ai,
        "consumer_law_facts": use.consumer_law.model_dump(mode="json")["facts"],
        "consumer_law_duties": consumer_law.duties(_for_consumers(use)),
    }
    return tuple(Fact(name, value, Kind.DECLARED, source) for name, value in declared.items())


def _for_consumers(use: IntendedUse) -> ai_act.Facts:
    """All that the rules for consumers ask, each fact from the one place where it is answered."""
    decision, values = use.decision, {"true": True, "false": False, "unknown": None}
    decided = {name: values[getattr(decision, name)] for name in _decided_by("decision")}
    consent = any(p.legal_basis == "consent" for p in use.purposes.values())
    return {**answers(use.consumer_law.facts), **answers(use.ai_act.facts), **decided, "consent_relied_on": consent}


def _decided_by(where: str) -> tuple[str, ...]:
    return tuple(name for name, place in law("consumer_rules")["decided_by"].items() if place == where)


def answers(given: dict[str, AnsweredFact]) -> ai_act.Facts:
    """True, False or None per fact, for the evaluator."""
    return {name: {"true": True, "false": False, "unknown": None}[a.value] for name, a in given.items()}


def _mistakes(raw: Any) -> Iterator[str]:
    purposes = _table(raw, "purposes")
    yield from _strangers("purposes", purposes, {p.value for p in Purpose})
    yield from (f"purposes.{p.value}: is not declared" for p in Purpose if purposes and p.value not in purposes)
    yield from _strangers("ai_act.facts", _table(raw, "ai_act", "facts"), set(law("ai_act")["facts"]))
    asked = {name for rule in law("consumer_rules")["rules"] for name in ai_act.names({"all": rule["when"]})}
    answered = {**dict.fromkeys(law("ai_act")["facts"], "ai_act.facts"), **law("consumer_rules")["decided_by"]}
    given = _table(raw, "consumer_law", "facts")
    yield from (f"consumer_law.facts.{n}: is answered under {answered[n]}, once" for n in given if n in answered)
    yield from _strangers("consumer_law.facts", (n for n in given if n not in answered), asked - answered.keys())
    terms = set(law("dpv_terms")["terms"]["purposes"].values())
    for name, purpose in purposes.items():
        if isinstance(purpose, dict) and purpose.get("dpv") not in terms:
            yield f"purposes.{name}.dpv: {purpose.get('dpv')!r:.60} is no DPV 2.3 purpose of law/dpv_terms.yaml"


def _table(raw: Any, *path: str) -> dict[Any, Any]:
    for step in path:
        raw = raw.get(step) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else {}


def _strangers(where: str, given: Iterable[Any], known: set[str]) -> Iterator[str]:
    yield from (
        f"{where}.{name}: not known; choose of {', '.join(sorted(known))}" for name in given if name not in known
    )
