"""Refuse a use that the law prohibits, and one that asks for a person's justification until a person has given it.

What the declared facts make of the use is computed from the law as data; what is unknown never clears.
"""

from __future__ import annotations

from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.governance import open_fields
from twinops.governance.gates._trial import unsaid
from twinops.governance.law.ai_act import MEANS
from twinops.governance.reading import Record

RULE = "AI Act arts. 5, 6, 50; GDPR arts. 7, 22; DSA arts. 25-28; Dir. (EU) 2023/2225 art. 18; Reg. (EU) 2024/900"
QUESTION = "Does the law allow the declared use, and has a person justified what asks for it?"
HIGH = "high_risk"
DUTIES_OF_HIGH_RISK = {
    "oversight": "named human oversight (arts. 14, 26(2))",
    "registration": "a registration (art. 49)",
}
CLASS, DUTIES = "ai_act_classification", "consumer_law_duties"
FILE = "compliance/intended_use.yaml"
OUTCOMES, HOLDS = ("block", "duty", "human_review"), ("true", "unknown")
FEW = 4
CLEAR = ("minimal", "transparency", "out_of_scope")
"""Classes that need no person's word; duties beside them stand on the card."""


class Limits(Record):
    """Nothing to set: what is prohibited is not for a policy to allow."""


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (CLASS, DUTIES)


def check(evidence: Evidence, _limits: Limits) -> Verdict:
    """Prohibited or barred: failed. High-risk, open, or to be justified: a person's word. Else passed, with duties."""
    found, duties = evidence.fact(CLASS), evidence.fact(DUTIES)
    outcome = found.value.get("class") if found and isinstance(found.value, dict) else None
    if not isinstance(outcome, str) or outcome not in MEANS or duties is None or not _readable(duties.value):
        return missing("What the law makes of the use is not in this evidence.", f"Restore {FILE}, then `make run`.")
    figures = about(found)
    told = f"AI Act class: {outcome.replace('_', ' ')}, {MEANS[outcome]}"
    barred, asked = _rules(duties.value, "block", "true"), _asked(duties.value)
    if outcome == "prohibited" or barred:
        why = "; ".join([told, *(f"consumer law bars it: {b}" for b in barred)])
        return failed(f"{why}.", f"Change the use, not the answer: {FILE}.", **figures)
    unsaid_yet = _undeclared(evidence, told, figures) or unsaid(evidence)
    if unsaid_yet is not None:
        return unsaid_yet
    lacking = _lacking(evidence, found.value) if outcome == HIGH and found else []
    if lacking:
        why = f"{told}, and the Act asks for {', '.join(lacking)}"
        return missing(f"{why}.", f"The data owner says where they are: `high_risk` in {FILE}.", **figures)
    if outcome not in CLEAR or asked:
        why = "; ".join([told, *asked])
        open_facts = _open(found.value if found else {})
        answer = f"Answer {open_facts} in {FILE}; " if open_facts else ""
        return inconclusive(
            f"{why}.", f"{answer}a named person justifies the use in writing: `twinops gates resolve use`.", **figures
        )
    return passed(f"{told}; duties: {', '.join(_rules(duties.value, 'duty', 'true')) or 'none'}.", **figures)


def _undeclared(evidence: Evidence, told: str, figures: dict[str, Any]) -> Verdict | None:
    """Where the declarations of people have open fields, which; None: they are whole."""
    owed = evidence.fact(open_fields.FACT)
    if owed is None:
        return None
    return missing(f"{told}, and {_owed(owed.value)}.", open_fields.ASK, **figures)


def _owed(value: Any) -> str:
    """How much is open, and the first of it."""
    listed = [f"{one.get('file')}: {one.get('field')}" for one in value if isinstance(one, dict)] if value else []
    more = f" and {len(listed) - FEW} more" if len(listed) > FEW else ""
    return f"people have not said yet: {', '.join(listed[:FEW])}{more}"


def _lacking(evidence: Evidence, classified: dict[str, Any]) -> list[str]:
    """What a high-risk system must have that is not declared; the documents gate asks for its Annex IV file."""
    said = evidence.value("intended_use.high_risk")
    declared = said if isinstance(said, dict) else {}
    fria = any(r.get("outcome") == "fria" and r.get("holds") in HOLDS for r in classified.get("rules") or ())
    wanted = {**DUTIES_OF_HIGH_RISK, **({"impact_on_rights": "an assessment of rights (art. 27)"} if fria else {})}
    return [words for name, words in wanted.items() if not declared.get(name)]


def _readable(duties: Any) -> bool:
    """A list of rules with what they ask for and whether they hold; one odd row makes the whole unreadable."""
    return isinstance(duties, (list, tuple)) and all(
        isinstance(d, dict) and d.get("outcome") in OUTCOMES and d.get("holds") in HOLDS for d in duties
    )


def _asked(duties: Any) -> list[str]:
    """Consumer rules that ask for a person, or whose bar an unanswered fact leaves open."""
    review = [f"consumer law asks for a person: {r}" for r in _rules(duties, "human_review", "true")]
    unsure = [*_rules(duties, "block", "unknown"), *_rules(duties, "human_review", "unknown")]
    return [*review, *(f"not known whether consumer law bars it: {r}" for r in unsure)]


def _rules(duties: Any, outcome: str, holds: str) -> list[str]:
    return [str(d.get("rule")) for d in duties if (d.get("outcome"), d.get("holds")) == (outcome, holds)]


def _open(value: Any) -> str:
    listed = value.get("to_answer") if isinstance(value, dict) else None
    return ", ".join(map(str, listed[:5])) if isinstance(listed, (list, tuple)) else ""
