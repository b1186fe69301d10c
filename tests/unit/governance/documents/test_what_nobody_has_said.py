"""Documents of a shop that has not said everything: what is open is told as open, never read out like a name."""

from __future__ import annotations

import re
from typing import Any

import governed
from governed import candidate, declared, fact

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.assessment import questions as dpia
from twinops.governance.documents import appendix, dpia_record, model_card, notices
from twinops.governance.documents._blended import lost
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


def test_no_document_says_of_one_thing_that_it_is_said_and_not_said_or_leaves_a_mark_alone():
    evidence = of_a_new_shop()
    texts = opened()
    named = texts["intended_use.yaml"].replace("name: to be said by the controller", "name: MAJSTER", 1)
    use = intended_use.read(named)
    known = {f.name for f in intended_use.facts(use)}
    evidence = candidate(*declared(), *intended_use.facts(use), *(f for f in evidence.facts if f.name.startswith("dpia")
                                                                  and f.name not in known))  # fmt: skip
    decision = decide(governed.shipped_policy(), evidence)
    card = model_card.build(evidence, decision)["README.md"]
    assert re.search(r"\| Controller \| MAJSTER \S+; whom to write to is \*\*not said yet\*\* \|", card)
    told = card + notices.build(evidence, decision)["notices.md"] + appendix.build(evidence, decision)["appendix.md"]
    alone = [line for line in told.splitlines() if re.match(r"\*{2,3}not (said yet|declared)\*{2,3}", line.strip())]
    assert alone == []
    assert "How it can be contested is **not said yet**." in card
    assert "What we keep and foretell is **not said yet**." in told


def test_what_law_asks_is_told_in_words_and_not_by_the_name_of_an_outcome():
    asked = [{"cite": "DSA Art. 28(2)", "duty": "", "outcome": outcome, "holds": "unknown", "to_answer": []}
             for outcome in ("block", "human_review")]  # fmt: skip
    evidence = candidate(*declared(), fact("consumer_law_duties", asked))
    decision = decide(governed.shipped_policy(), evidence)
    told = page(evidence) + model_card.build(evidence, decision)["README.md"]
    assert not re.search(r": (block|human_review)\b", told)
    assert told.count("nothing may go live where it holds") == 2


def test_what_is_switched_off_is_not_told_again_as_empty():
    off, empty = fact("blend_sources_off", ["crm", "choices"]), fact("blend_empty_sources", ["crm", "social_posts"])
    said = " ".join(lost(candidate(*declared(), off, empty)))
    assert said.count("crm") == 1
    assert "Empty: social_posts" in said


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
