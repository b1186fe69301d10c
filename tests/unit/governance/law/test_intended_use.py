"""Intended use: the file, the AI Act class that follows from its facts, and the consumer-law duties."""

from __future__ import annotations

from datetime import date

import governed
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.fact import Kind
from twinops.errors import ParamsError
from twinops.governance.law import consumer_law, intended_use
from twinops.governance.law.ai_act import MEANS, RANKS, classify, names, truth
from twinops.governance.reading import law

TEXT = governed.text("intended_use.yaml")
USE = intended_use.read(TEXT)
NAMES = sorted(law("ai_act")["facts"])
RULES = law("ai_act")["rules"]

CLEAR = dict.fromkeys(NAMES, False) | {"infers_outputs": True, "eu_nexus": True}
"""A system that predicts, is used in the EU, and does nothing else that the Act knows."""


def refusal(text: str) -> str:
    with pytest.raises(ParamsError) as caught:
        intended_use.read(text)
    return str(caught.value)


def facts() -> dict:
    return {f.name: f for f in intended_use.facts(USE)}


# ---- the file


def test_the_judged_decision_is_the_top_fifth_by_predicted_spend():
    assert (USE.decision.share, USE.decision.score) == (0.2, "expected_spend")


def test_every_purpose_of_the_consent_ledger_is_declared_with_a_dpv_term():
    assert set(USE.purposes) == {p.value for p in Purpose}
    assert all(p.dpv in law("dpv_terms")["terms"]["purposes"].values() for p in USE.purposes.values())
    assert all(p.legal_basis in {b.value for b in LegalBasis} for p in USE.purposes.values())


def test_the_groups_of_the_fairness_test_are_fixed():
    plan = USE.fairness
    assert set(plan.attributes) == {"age", "income", "marital_status", "household_comp"}
    assert len(plan.attributes["income"].ordered) == 12


def test_the_policy_judges_every_declared_attribute():
    fairness = next(g for g in governed.shipped_policy().gates if g.gate == "fairness").checked_limits()
    assert set(fairness.attributes) == set(USE.fairness.attributes)


@pytest.mark.parametrize("written", [
    "{kind: lottery, strength: 0.5}",
    "{kind: rank_blend, strength: 0.5, toward: active_probability}",
    "{kind: group_rank_blend, strength: 1.0, attribute: income}",
])  # fmt: skip
def test_a_mitigation_is_declared_by_one_line(written):
    assert intended_use.read(TEXT.replace("{kind: none}", written)).decision.mitigation.strength > 0


@pytest.mark.parametrize(("written", "said"), [
    ("{kind: lottery}", "strength above 0"),
    ("{kind: none, strength: 0.5}", "strength above 0"),
    ("{kind: rank_blend, strength: 0.5}", "needs `toward`"),
    ("{kind: rank_blend, strength: 0.5, toward: income}", "expected_spend"),
    ("{kind: group_rank_blend, strength: 0.5}", "needs `attribute`"),
    ("{kind: lottery, strength: 0.5, attribute: age}", "takes no `attribute`"),
    ("{kind: lottery, strength: 1.5}", "less than or equal to 1"),
    ("{kind: thresholds, strength: 0.5}", "lottery"),
])  # fmt: skip
def test_a_mitigation_that_says_too_little_or_too_much_is_refused(written, said):
    assert said in refusal(TEXT.replace("{kind: none}", written))


def test_a_level_given_twice_is_refused():
    assert "level given twice: 65+" in refusal(TEXT.replace("55-64, 65+]", "65+, 65+]"))


def test_all_mistakes_are_told_at_once():
    wrong = (
        TEXT.replace("share: 0.2", "share: 20")
        .replace("  offers:", "  surveillance:")
        .replace("dpv#ServicePersonalisation", "dpv#Nothing")
    )
    told = refusal(wrong.replace("infers_outputs:", "infers_everything:"))
    for part in (
        "decision.share",
        "purposes.surveillance",
        "purposes.offers: is not declared",
        "dpv#Nothing",
        "infers_everything",
    ):
        assert part in told, part


@pytest.mark.parametrize("text", ["", "[]", "title: 1", "fairness:", "purposes: 3", "ai_act: {facts: []}"])
def test_a_file_of_another_shape_is_one_clear_error(text):
    assert "intended_use.yaml" in refusal(text)


def test_everything_declared_becomes_evidence_and_says_where_from():
    assert all(f.kind is Kind.DECLARED and "intended_use.yaml, version" in f.source for f in facts().values())
    assert {"intended_use.purposes", "intended_use.decision", "ai_act_classification"} <= set(facts())


# ---- the AI Act


def test_the_shipped_use_asks_for_a_person_and_says_as_of_when():
    value = facts()["ai_act_classification"].value
    assert value["class"] == "human_review"
    assert value["law_as_of"] == "2026-11-23"
    assert {r["rule"] for r in value["rules"]} == {"social-score-review", "a4"}


@pytest.mark.parametrize(("changed", "expected"), [
    ({}, "minimal"),
    ({"eu_nexus": False}, "out_of_scope"),
    ({"infers_outputs": False, "scrapes_faces": True}, "out_of_scope"),
    ({"scrapes_faces": True}, "prohibited"),
    ({"emotion_from_biometrics": True, "emotion_context_work_or_education": True}, "prohibited"),
    ({"exploits_age_disability_or_socioeconomic_situation": True}, "human_review"),
    ({"exploits_age_disability_or_socioeconomic_situation": True, "materially_distorts_behaviour": True,
      "significant_harm_reasonably_likely": True}, "prohibited"),
    ({"scores_social_behaviour_over_time": True}, "human_review"),
    ({"scores_social_behaviour_over_time": True, "detrimental_treatment_unrelated_context": True}, "prohibited"),
    ({"use_creditworthiness": True, "profiles_persons": True}, "high_risk"),
    ({"use_creditworthiness": True, "profiles_persons": True, "credit_use_is_fraud_detection_only": True}, "minimal"),
    ({"use_job_ads_or_recruitment": True, "filter_condition_met": True,
      "no_significant_risk_and_no_material_influence": True}, "annex_iii_derogated"),
    ({"use_job_ads_or_recruitment": True, "profiles_persons": True, "filter_condition_met": True,
      "no_significant_risk_and_no_material_influence": True}, "high_risk"),
    ({"use_election_influence": True}, "high_risk"),
    ({"annex_i_safety_component": True}, "high_risk"),
    ({"role_provider": True, "interacts_directly_with_persons": True}, "transparency"),
    ({"scrapes_faces": None}, "undetermined"),
    ({"use_creditworthiness": None, "profiles_persons": True}, "undetermined"),
    ({"use_creditworthiness": True, "profiles_persons": True, "scrapes_faces": None}, "undetermined"),
    ({"eu_nexus": None, "scrapes_faces": True}, "prohibited"),
])  # fmt: skip
def test_the_class_follows_from_the_facts(changed, expected):
    assert classify(CLEAR | changed).outcome == expected


def test_no_answers_at_all_are_undetermined_and_every_open_fact_is_named():
    answer = classify({})
    assert answer.outcome == "undetermined"
    assert "scrapes_faces" in answer.to_answer


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from([True, False, None])), st.sampled_from(NAMES))
def test_what_is_unknown_never_clears(answers, forgotten):
    """Forgetting an answer never makes the class lighter than every way of giving that answer."""
    base = CLEAR | answers
    unknown = classify(base | {forgotten: None}).outcome
    known = {classify(base | {forgotten: value}).outcome for value in (True, False)}
    graver = RANKS[RANKS.index(unknown) + 1 :] if unknown in RANKS else ()
    assert not known & set(graver)


def test_rules_say_from_which_day_they_apply():
    told = classify(CLEAR | {"use_election_influence": True, "profiles_persons": True}).to_dict(on=date(2026, 11, 23))
    rule = next(r for r in told["rules"] if r["outcome"] == "high_risk")
    assert (rule["applies_from"], rule["applies"]) == ("2027-12-02", False)


def test_every_rule_asks_only_about_facts_that_can_be_declared():
    known = {*NAMES, *(rule["sets"] for rule in RULES if "sets" in rule)}
    assert {name for rule in RULES for name in names(rule["when"])} <= known
    assert {rule["outcome"] for rule in RULES if "outcome" in rule} <= {*MEANS, "fria", "literacy"}


def test_three_valued_truth_by_hand():
    facts = {"yes": True, "no": False, "open": None}
    assert truth({"all": ("yes", "open")}, facts) is None
    assert truth({"all": ("no", "open")}, facts) is False
    assert truth({"any": ("yes", "open")}, facts) is True
    assert truth({"any": ("no", "open")}, facts) is None
    assert truth({"not": "open"}, facts) is None
    assert truth("never heard of", facts) is None


# ---- consumer law


def test_direct_marketing_brings_the_absolute_right_to_object():
    found = {d["rule"]: d for d in facts()["consumer_law_duties"].value}
    assert found["direct-marketing-objection"]["holds"] == "true"


def test_an_open_fact_keeps_a_duty_open_and_names_itself():
    text = TEXT.replace("personalised_price: {value: false", "personalised_price: {value: unknown")
    told = {f.name: f for f in intended_use.facts(intended_use.read(text))}
    found = {d["rule"]: d for d in told["consumer_law_duties"].value}
    assert (found["price-notice"]["holds"], found["price-notice"]["to_answer"]) == ("unknown", ["personalised_price"])


def test_a_credit_offer_must_be_disclosed():
    assert {
        d["rule"]
        for d in consumer_law.duties(dict.fromkeys(NAMES, False) | {"credit_offer": True, "profiling_based": True})
    } >= {"ccd2-offer"}
