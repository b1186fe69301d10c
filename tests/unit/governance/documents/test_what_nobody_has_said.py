"""Documents of a shop that has not said everything: what is open is told as open, never read out like a name."""

from __future__ import annotations

import re
from typing import Any

import governed
from governed import candidate, declared, fact

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.assessment import questions as dpia
from twinops.governance.documents import appendix, dpia_record, notices
from twinops.governance.law import intended_use
from twinops.governance.open_fields import MARK
from twinops.governance.policy.decide import decide
from twinops.workflows.project.opened import left_open

NAMES = ("intended_use.yaml", "dpia.yaml", "policy.yaml")


def opened() -> dict[str, str]:
    """The declarations of a project of one's own on its first day."""
    return left_open({name: governed.text(name) for name in NAMES})


def of_a_new_shop(*more: Fact) -> Evidence:
    texts = opened()
    use, assessment = intended_use.read(texts["intended_use.yaml"]), dpia.read(texts["dpia.yaml"])
    return candidate(*declared(), *intended_use.facts(use), *dpia.facts(assessment), *more)


def page(evidence: Evidence, *, policy: Any = None) -> str:
    return dpia_record.build(evidence, decide(policy or governed.shipped_policy(), evidence))["dpia.md"]


def test_no_sentence_of_the_assessment_or_the_notice_reads_a_placeholder_out():
    from twinops.governance.policy import limits

    evidence, policy = of_a_new_shop(), limits.read(opened()["policy.yaml"])
    told = page(evidence, policy=policy) + notices.build(evidence, decide(policy, evidence))["notices.md"]
    told += appendix.build(evidence, decide(policy, evidence))["appendix.md"].partition("## Verdicts")[0]
    assert MARK not in told
    assert "Which decision it serves, and for whom, is not said yet" in told
    assert "Whom to write to is **not said yet**" in told
    assert "under a policy that nobody has named yet" in told


def test_the_basis_of_a_purpose_that_is_open_is_told_as_its_sources_say_it():
    bases = {"offers": "consent", "twin_scoring": "open"}
    told = page(of_a_new_shop(fact("source.transactions", {"bases": bases, "controller": "A Shop"})))
    assert "Offers, on consent, as its sources say" in told
    assert "Twin scoring, on a basis that is not said yet" in told


def test_what_was_tried_without_is_told_for_each_history_and_no_attribute_twice_in_one_sentence():
    tried = [
        {"kind": "attribute", "unit": unit, "history_days": days, "outcome": outcome}
        for days, outcome in ((None, "inconclusive"), (0, "not necessary"), (42, "necessary"))
        for unit in ("age", "all_attributes")
    ]
    told = page(candidate(*declared(), fact("necessity", {"tests": tried})))
    assert re.search(r"Of all \S+, inconclusive: age, all attributes\.", told)
    assert re.search(r"Of new \S+, of whom nothing is known, not necessary: age, all attributes\.", told)
    assert re.search(r"Of \S+ known for 42 days, necessary: age, all attributes\.", told)
