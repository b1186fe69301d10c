"""Assemble the impact assessment: measured and declared fields filled, human fields as people left them.

The order follows the sections of the EDPB's DPIA template (version 1.0 for consultation, 2026) as data in
`law/gdpr_dpia.yaml` maps them to GDPR art. 35(7); the wording is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.governance.citations import items
from twinops.governance.documents._dpia_prose import Prose
from twinops.governance.gates._shelf import speaking_to
from twinops.governance.markdown import inert, render
from twinops.governance.policy.decide import Decision
from twinops.governance.reading import law

FILES = ("dpia.json", "dpia.md")
SCHEMA = "twinops.dpia/1"
TEMPLATE = (
    "EDPB DPIA template, version 1.0 for consultation (2026); sections as third parties report them, wording ours"
)

SECTIONS = {
    "0": "The processing, who answers for it, and whether an assessment is needed",
    "1": "Description of the processing",
    "2": "Lawfulness, necessity, proportionality and rights",
    "3": "Risks with everything working as designed",
    "4": "Risks when something goes wrong, plan of action and what remains",
    "5": "Advice and views",
    "6": "Decision",
}
TITLES = {
    "need": "Whether an assessment is needed, and what other law says of the use",
    "description": "What the processing is",
    "actors": "Who decides, who helps, who receives",
    "standards_codes": "Codes of conduct and standards",
    "data_inventory": "Which data, from where",
    "assets": "On what it runs",
    "purposes": "Purposes, and uses that are none of them",
    "legal_basis": "Legal basis of each purpose",
    "minimisation": "Why so much and not less",
    "accuracy": "Accuracy of data and predictions",
    "retention": "How long data are kept",
    "notice": f"What {MANY} were told",
    "access_portability": "Access and portability",
    "rectify_erase": "Rectification and erasure",
    "object_restrict": "Objection, withdrawal, restriction and human review",
    "transfers": "Transfers to third countries",
    "by_design": "Protection by design and by default",
    "security_measures": "Security measures",
    "risk_design": "Risks by design",
    "risk_incident": "Risks by incident",
    "action_plan": "Plan of action",
    "residual": "What remains, and whether the authority is consulted",
    "dpo_advice": "Advice of the data protection officer",
    "subjects_views": f"Views of the {MANY}",
    "decision": "The controller's decision",
}
_DECLARED = {
    "description": ("dpia.declared.description", "intended_use.decision"),
    "actors": ("intended_use.controller", "dpia.declared.actors"),
    "purposes": ("intended_use.purposes", "intended_use.not_for", "dpia.declared.secondary_use"),
    "data_inventory": ("dpia.declared.data_inventory", "source."),
    "by_design": ("dpia.declared.by_design", "dpia.declared.minimisation"),
}
_MEASURED = {
    "description": ("population.",),
    "data_inventory": ("quarantined", "dropped_columns"),
    "minimisation": ("necessity", "minimisation_"),
    "accuracy": ("quarantined", "fusion_segment_", "sentiment_macro_f1"),
    "retention": ("retention", "oldest_"),
    "risk_incident": ("singling_out_risk", "linkability_risk", "inference_risk"),
}
"""What no gate judges; a gate says itself to which contents it speaks."""
_NEED = ("dpia.need", "dpia.synthetic_controller", "intended_use.about", "ai_act_classification", "consumer_law_duties")
_HUMAN = {
    "risk_design": ("risk_",),
    "risk_incident": ("incident_",),
    "residual": ("residual", "authority_consultation"),
}


@dataclass(frozen=True)
class Field:
    """One field of the record. `value` None: not measured, not declared, or not yet judged."""

    name: str
    content: str
    kind: Kind
    value: Any
    evidence: tuple[str, ...]
    asked: dict[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `asked` stands only at what a human must answer."""
        asked = {"asked": self.asked} if self.asked else {}
        return {"id": self.name, "kind": self.kind.value, "value": self.value, "evidence": list(self.evidence), **asked}


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`dpia.json`, the record with every field, and `dpia.md`, what a person reads of it: sentences."""
    contents = law("gdpr_dpia")["contents"]
    sections = [_section(number, contents, evidence) for number in SECTIONS]
    record = {
        "schema": SCHEMA,
        "template": TEMPLATE,
        "status": _status(evidence),
        "model": evidence.model,
        "key": evidence.key,
        "as_of": evidence.as_of.isoformat(),
        "evidence_digest": evidence.digest,
        "policy": {"version": decision.policy_version, "digest": decision.policy_digest},
        "approval": [_looked_up(n, evidence).to_dict() for n in ("dpia.review", "dpia.signatures")],
        "sections": sections,
    }
    return {"dpia.json": to_json(inert(record), indent=1) + "\n", "dpia.md": _readable(record, evidence, decision)}


def _status(evidence: Evidence) -> str:
    decided, review = evidence.fact("dpia.human.decision"), evidence.fact("dpia.review")
    answer = decided.value.get("answer") if decided else None
    if not answer:
        return "Assembled; not decided by a person"
    state = review.value.get("state") if review and isinstance(review.value, dict) else "not looked up"
    return f"Assembled; decided: {answer}; the approval {_STATES.get(str(state), 'was not looked up')}"


_STATES = {
    "stands": "stands for what is described here",
    "reopened": "is reopened, because what it was given for has changed",
    "lapsed": "has lapsed, because it does not fit its own files",
    "open": "is not given",
}


def _section(number: str, contents: tuple[dict[str, Any], ...], evidence: Evidence) -> dict[str, Any]:
    own = [c for c in contents if _belongs(c) == number]
    need = [_need(evidence)] if number == "0" else []
    return {"id": number, "title": SECTIONS[number], "contents": need + [_content(c, evidence) for c in own]}


def _belongs(content: dict[str, Any]) -> str:
    """The section of the template that most of a content's fields stand in."""
    leading: list[str] = [place[0] for place in content["edpb"]]
    return max(leading, key=lambda number: (leading.count(number), number))


def _need(evidence: Evidence) -> dict[str, Any]:
    return {
        "id": "need",
        "title": TITLES["need"],
        "article": "35(1), 35(3), 35(4)",
        "template_sections": ["0.3", "0.5"],
        "cnil": [],
        "fields": [field.to_dict() for field in _declared("need", _NEED, evidence)],
    }


def _content(content: dict[str, Any], evidence: Evidence) -> dict[str, Any]:
    name = content["id"]
    kinds = {
        "measured": lambda: _measured(name, evidence),
        "declared": lambda: _declared(name, _DECLARED.get(name, (f"dpia.declared.{name}",)), evidence),
        "human": lambda: _human(name, evidence),
    }
    order = sorted(content["kind"], key=lambda kind: kind == "human")  # people judge by what was measured and declared
    fields = [field.to_dict() for kind in order for field in kinds[kind]()]
    return {
        "id": name,
        "title": TITLES[name],
        "article": str(content["art"]),
        "template_sections": list(content["edpb"]),
        "cnil": [str(question) for question in content["cnil"]],
        "fields": fields,
    }


def _measured(content: str, evidence: Evidence) -> list[Field]:
    names = (*_MEASURED.get(content, ()), *speaking_to(f"dpia.{content}"))
    measured = [i for i in items(evidence) if isinstance(i, Measure) or i.kind is Kind.MEASURED]
    found = [i for i in measured if i.name.startswith(names)]
    fields = [Field(i.name, content, Kind.MEASURED, _value(i), (i.id,)) for i in found]
    return fields or [_nothing(content, Kind.MEASURED)]


def _declared(content: str, names: tuple[str, ...], evidence: Evidence) -> list[Field]:
    facts = [fact for name in names for fact in evidence.facts if _is_called(fact, name)]
    fields = [Field(f.name, content, Kind.DECLARED, f.value, (f.id,) if f.value is not None else ()) for f in facts]
    return fields or [_nothing(content, Kind.DECLARED)]


def _looked_up(name: str, evidence: Evidence) -> Field:
    fact = evidence.fact(name)
    return Field(name, "decision", fact.kind, fact.value, (fact.id,)) if fact else _nothing(name, Kind.MEASURED)


def _is_called(fact: Fact, name: str) -> bool:
    return fact.name == name or (name.endswith(".") and fact.name.startswith(name))


def _human(content: str, evidence: Evidence) -> list[Field]:
    prefixes = tuple(f"dpia.human.{name}" for name in _HUMAN.get(content, (content,)))
    found = [_judgement(content, f) for f in evidence.facts if f.name.startswith(prefixes)]
    return found or [_nothing(content, Kind.HUMAN)]


def _judgement(content: str, fact: Fact) -> Field:
    asked = {part: str(fact.value[part]) for part in ("who", "question")}
    answers = {part: value for part, value in fact.value.items() if part not in asked}
    given = any(value is not None for value in answers.values())
    return Field(fact.name, content, Kind.HUMAN, answers if given else None, (fact.id,), asked)


def _nothing(content: str, kind: Kind) -> Field:
    return Field(f"{content}.{kind.value}", content, kind, None, ())


def _value(item: Measure | Fact) -> Any:
    if isinstance(item, Fact):
        return item.value
    return {part: value for part, value in item.to_dict().items() if part not in ("id", "name")}


def _readable(record: dict[str, Any], evidence: Evidence, decision: Decision) -> str:
    told = Prose(evidence, decision)
    return render("dpia_record.md.j2", {"record": record, "told": told})
