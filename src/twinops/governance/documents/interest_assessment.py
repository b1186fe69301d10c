"""Lay out the assessment of legitimate interests (GDPR art. 6(1)(f)) for people to write and judge."""

from __future__ import annotations

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.wording import MANY
from twinops.governance.documents._evidence import CitedEvidence
from twinops.governance.markdown import render
from twinops.governance.policy.decide import Decision
from twinops.governance.reading import law

FILES = ("legitimate_interest.md",)
STEPS = {
    "interest_is_lawful_clear_and_real": "Which interest is it, is it lawful, and is it real today?",
    "processing_is_necessary_no_less_intrusive_means": "Why is this needed for it, and why would less not do?",
    "balance_incl_reasonable_expectations_and_vulnerable_people": (
        f"What do {MANY} expect, who among them is vulnerable, and what would it do to them?"
    ),
    "safeguards": "What protects them?",
    "objection_route_21": "How do they object, and what happens then?",
    "outcome_signed": "Does the interest stand? Who says so, and until when?",
}


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`legitimate_interest.md`: facts filled in, judgements left open."""
    told = CitedEvidence(evidence, decision)
    asked = [STEPS[step] for step in law("gdpr_ropa")["lia_steps"]]
    return {
        "legitimate_interest.md": render(
            "interest_assessment.md.j2", {"told": told, "pairs": _pairs(told), "asked": asked}
        )
    }


def _pairs(told: CitedEvidence) -> list[tuple[Fact, str, str]]:
    """Every source and purpose that rests on a legitimate interest, and whether somebody signed for it."""
    signed = told.value("interests_assessed", "signed") or ()
    found = []
    for fact in told.sources():
        bases = fact.value.get("bases")
        for purpose, basis in sorted(bases.items()) if isinstance(bases, dict) else ():
            if basis == "legitimate_interest":
                done = f"{fact.name.removeprefix('source.')}: {purpose}" in signed
                found.append((fact, str(purpose), "signed" if done else "nobody has signed"))
    return found
