"""Refuse a candidate whose documents are absent, changed since they were built, or say what no evidence carries."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.governance.reading import Record, Text

RULE = "GDPR art. 5(2); Mitchell et al. 2019, doi:10.1145/3287560.3287596"
QUESTION = "Are all documents there, unchanged, and does every generated sentence cite evidence that exists?"
FACTS = ("documents.present", "documents.problems")
LATER = "They are judged once they are built: `twinops status` shows the answer, `twinops register` records it."


class Limits(Record):
    """`required`: files that must lie beside the model card."""

    required: Annotated[tuple[Text, ...], Field(min_length=1)]


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return FACTS


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Required files present; digests, citations and key fit."""
    present, problems = (evidence.fact(name) for name in FACTS)
    if (
        present is None
        or problems is None
        or not isinstance(present.value, (list, tuple))
        or not isinstance(problems.value, (list, tuple))
    ):
        return missing("The documents of this candidate are not in this evidence.", LATER)
    required = (*limits.required, *_asked_by_law(evidence))
    absent = [name for name in required if name not in present.value]
    figures = {**about(problems), "n": len(present.value), "limit": 0}
    found = [*(f"{name} is not there" for name in absent), *map(str, problems.value)]
    if found:
        shown = "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
        return failed(
            f"{len(found)} fault(s) in the documents: {shown}.",
            "Run `dvc repro --force documents`.",
            value=len(found),
            **figures,
        )
    return passed(
        f"All {len(required)} required documents are there, unchanged, citing known evidence: 0 faults.",
        value=0,
        **figures,
    )


def _asked_by_law(evidence: Evidence) -> tuple[str, ...]:
    """A high-risk system has technical documentation, whatever a policy says (AI Act art. 11)."""
    found = evidence.value("ai_act_classification")
    return ("annex_iv.md",) if isinstance(found, dict) and found.get("class") == "high_risk" else ()
