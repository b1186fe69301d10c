"""Declarations that contradict each other: each is found, named with both sides, and blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import governed
import pytest

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome
from twinops.governance.gates import consistency
from twinops.workflows.evidence import source_facts


def declared() -> Evidence:
    """The candidate with the sources that are shipped."""
    evidence = governed.candidate()
    others = tuple(f for f in evidence.facts if not f.name.startswith("source."))
    return replace(evidence, facts=(*others, *source_facts()))


def verdict(evidence: Evidence) -> Any:
    return consistency.check(evidence, consistency.Limits())


def changed(name: str, *path: str, to: Any) -> Evidence:
    """The candidate with one declared value otherwise."""
    evidence = declared()
    fact = evidence.fact(name)
    assert fact is not None, name

    def put(value: Any, steps: tuple[str, ...]) -> Any:
        return to if not steps else {**value, steps[0]: put(value[steps[0]], steps[1:])}

    kept = [f for f in evidence.facts if f.name != name]
    return replace(evidence, facts=(*kept, replace(fact, value=put(fact.value, path))))


def test_the_shipped_declarations_agree() -> None:
    assert verdict(declared()).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("name", "path", "to", "told"),
    [
        ("dpia.declared.notice", ("not_collected_from_the_person",), "None ", "nothing was collected from elsewhere"),
        ("dpia.need", ("answers", "external_source_profile"), "false", "need.external_source_profile is false"),
        ("dpia.need", ("answers", "profiles_persons"), "false", "need.profiles_persons is false"),
        ("ai_act_facts", ("profiles_persons", "value"), "false", "false under ai_act"),
        (
            "dpia.need",
            ("answers", "decision_legal_or_similar_effect"),
            "true",
            "decision_legal_or_similar_effect is true",
        ),
        ("intended_use.decision", ("legal_or_similarly_significant_effect",), "true", "true under decision"),
        ("consumer_law_facts", ("social_network_source", "value"), "false", "social_network_source is false"),
        ("consumer_law_facts", ("direct_marketing", "value"), "false", "direct_marketing is false"),
        ("intended_use.purposes", ("offers", "legal_basis"), "vital_interest", "rests on vital interest"),
        ("intended_use.purposes", ("twin_training", "legal_basis"), "legitimate_interest", "(consent) differ"),
        ("source.crm", ("bases", "twin_training"), "contract", "crm (contract) differ"),
        ("intended_use.controller", ("name",), "Somebody Else", "Somebody Else in the use"),
        ("intended_use.controller", ("synthetic",), False, "synthetic in one declaration"),
        ("dpia.synthetic_controller", (), False, "synthetic in one declaration"),
        ("dpia.declared.notice", ("not_collected_from_the_person",), "Nothing at all.", "nothing was collected"),
        ("dpia.declared.notice", ("not_collected_from_the_person",), "N/A, see above", "nothing was collected"),
        ("dpia.need", ("answers", "systematic_extensive"), "false", "need.systematic_extensive is false"),
        ("ai_act_facts", ("role_deployer", "value"), "false", "role_deployer is false beside a decision"),
        ("ai_act_facts", ("use_creditworthiness", "value"), "true", "is false beside use_creditworthiness"),
        ("ai_act_facts", ("use_election_influence", "value"), "true", "political_advertising is false beside"),
        ("consumer_law_facts", ("advert", "value"), "false", "advert is false beside the purpose offers"),
    ],
)
def test_a_contradiction_is_named_and_blocks(name: str, path: tuple[str, ...], to: Any, told: str) -> None:
    found = verdict(changed(name, *path, to=to))
    assert found.outcome is Outcome.FAILED
    assert told in found.sentence


FORETELLS = {"ai_act_facts": ("infers_outputs", "profiles_persons"), "consumer_law_facts": ("profiling_based",)}


@pytest.mark.parametrize(("fact", "name"), [(fact, name) for fact, names in FORETELLS.items() for name in names])
def test_a_model_that_foretells_infers_and_profiles(fact: str, name: str) -> None:
    family = governed.fact("model.family", {"foretells": ["activity"]})
    denied = changed(fact, name, "value", to="false")
    denied = replace(denied, facts=(*(f for f in denied.facts if f.name != family.name), family))
    assert f"{name} is false beside a model that foretells" in verdict(denied).sentence


@pytest.mark.parametrize("need", ["profiles_persons", "continuous_behaviour_tracking"])
def test_a_twin_is_no_assessment_without_profiles(need: str) -> None:
    family = governed.fact("model.family", {"foretells": ["activity"]})
    denied = changed("dpia.need", "answers", need, to="false")
    denied = replace(denied, facts=(*(f for f in denied.facts if f.name != family.name), family))
    assert f"need.{need} is false beside a model that foretells" in verdict(denied).sentence


@pytest.mark.parametrize("word", ["uses_special_category", "infers_special_category", "special_category_source"])
def test_special_categories_on_one_side_only_are_a_contradiction(word: str) -> None:
    evidence = changed("consumer_law_facts", word, "value", to="true")
    need = evidence.fact("dpia.need")
    assert need is not None
    denied = replace(
        need, value={**need.value, "answers": {**need.value["answers"], "special_or_highly_personal": "false"}}
    )
    both = replace(evidence, facts=(*(f for f in evidence.facts if f.name != "dpia.need"), denied))
    assert "need.special_or_highly_personal is false" in verdict(both).sentence


@pytest.mark.parametrize("name", consistency.NEEDED)
def test_what_is_not_declared_is_missing_and_never_agrees(name: str) -> None:
    evidence = declared()
    without = replace(evidence, facts=tuple(f for f in evidence.facts if f.name != name))
    assert verdict(without).outcome is Outcome.MISSING
    for odd in ({}, [], "x", None, {"a": 1}, {"": ""}):
        assert verdict(changed(name, to=odd)).outcome is Outcome.MISSING
