"""Cases of law as a table: what the AI Act and consumer law make of a use, whatever is not answered, on any day.

Each case changes the answers of an ordinary prediction system used in the EU. Own reading of the law; not legal advice.
"""

from __future__ import annotations

from datetime import date

import pytest

from twinops.governance.law import consumer_law
from twinops.governance.law.ai_act import Classification, classify
from twinops.governance.reading import law

NAMES = sorted(law("ai_act")["facts"])
CLEAR = dict.fromkeys(NAMES, False) | {"infers_outputs": True, "eu_nexus": True}
TWIN = CLEAR | {"profiles_persons": True, "role_provider": True, "role_deployer": True}
"""A consumer twin always profiles persons (GDPR art. 4(4))."""

YES, NO, OPEN = True, False, None
DISTORTS = {"materially_distorts_behaviour": YES, "significant_harm_reasonably_likely": YES}
DEROGATED = {"filter_condition_met": YES, "no_significant_risk_and_no_material_influence": YES}

# (what, answers changed, class)
PROHIBITED = [
    ("5(1)(a) hidden technique that distorts and harms", {"subliminal_or_deceptive_technique": YES, **DISTORTS}),
    ("5(1)(b) exploits age or hardship", {"exploits_age_disability_or_socioeconomic_situation": YES, **DISTORTS}),
    ("5(1)(c) score used in an unrelated context",
     {"scores_social_behaviour_over_time": YES, "detrimental_treatment_unrelated_context": YES}),
    ("5(1)(c) score with disproportionate treatment",
     {"scores_social_behaviour_over_time": YES, "detrimental_treatment_disproportionate": YES}),
    ("5(1)(d) crime predicted from a profile", {"crime_prediction_from_profiling": YES}),
    ("5(1)(e) faces scraped", {"scrapes_faces": YES}),
    ("5(1)(f) emotions of workers from biometrics",
     {"emotion_from_biometrics": YES, "emotion_context_work_or_education": YES}),
    ("5(1)(g) religion from biometrics", {"biometric_categorisation_sensitive": YES}),
    ("5(1)(h) live recognition for the police", {"realtime_rbi_law_enforcement": YES}),
    ("5(1)(ba), (bb) intimate or abuse material", {"generates_ncii_or_csam": YES}),
]  # fmt: skip
ANNEX_III = [
    "use_job_ads_or_recruitment",  # 4(a), targeted job advertisements included
    "use_worker_management",  # 4(b)
    "use_education_access_or_assessment",  # 3
    "use_public_benefit_eligibility",  # 5(a)
    "use_creditworthiness",  # 5(b), pay-later included
    "use_life_or_health_insurance_pricing",  # 5(c)
    "use_election_influence",  # 8(b)
    "use_other_annex_iii",
    "emotion_from_biometrics",  # 1(c)
    "biometric_categorisation_other",  # 1(b)
]
OTHERS = [
    ("ranking grocery offers", {}, "minimal"),
    ("not used in the EU", {"eu_nexus": NO, "scrapes_faces": YES}, "out_of_scope"),
    ("infers nothing", {"infers_outputs": NO}, "out_of_scope"),
    ("hidden technique, distortion denied", {"subliminal_or_deceptive_technique": YES}, "human_review"),
    ("keyed on hardship, harm denied",
     {"exploits_age_disability_or_socioeconomic_situation": YES, "materially_distorts_behaviour": YES}, "human_review"),
    ("loyalty score in its own context", {"scores_social_behaviour_over_time": YES}, "human_review"),
    ("detriment without a score", {"detrimental_treatment_unrelated_context": YES}, "minimal"),
    ("emotions at work without biometrics", {"emotion_context_work_or_education": YES}, "minimal"),
    ("credit fraud alone", {"use_creditworthiness": YES, "credit_use_is_fraud_detection_only": YES}, "minimal"),
    ("safety component under Annex I", {"annex_i_safety_component": YES}, "high_risk"),
    ("job ads, derogation claimed, but profiling", {"use_job_ads_or_recruitment": YES, **DEROGATED}, "high_risk"),
    ("job ads, no profiling, derogation met",
     {"use_job_ads_or_recruitment": YES, "profiles_persons": NO, **DEROGATED}, "annex_iii_derogated"),
    ("job ads, no profiling, one condition unmet",
     {"use_job_ads_or_recruitment": YES, "profiles_persons": NO, **DEROGATED, "filter_condition_met": NO}, "high_risk"),
    ("talks with persons", {"interacts_directly_with_persons": YES}, "transparency"),
    ("makes texts or pictures", {"generates_synthetic_content": YES}, "transparency"),
    ("makes deep fakes", {"makes_deepfakes": YES}, "transparency"),
    ("talks with persons, as somebody else's system",
     {"interacts_directly_with_persons": YES, "role_provider": NO}, "minimal"),
    ("high risk and prohibited", {"use_creditworthiness": YES, "scrapes_faces": YES}, "prohibited"),
    # what is not answered
    ("nothing known of scraping", {"scrapes_faces": OPEN}, "undetermined"),
    ("nothing known of the place of use", {"eu_nexus": OPEN}, "minimal"),
    ("place unknown, practice prohibited", {"eu_nexus": OPEN, "scrapes_faces": YES}, "prohibited"),
    ("credit perhaps", {"use_creditworthiness": OPEN}, "undetermined"),
    ("credit, fraud only perhaps",
     {"use_creditworthiness": YES, "credit_use_is_fraud_detection_only": OPEN}, "undetermined"),
    ("credit surely, scraping perhaps", {"use_creditworthiness": YES, "scrapes_faces": OPEN}, "undetermined"),
    ("score, detriment perhaps",
     {"scores_social_behaviour_over_time": YES, "detrimental_treatment_unrelated_context": OPEN}, "undetermined"),
    ("hidden technique perhaps, harm denied",
     {"subliminal_or_deceptive_technique": OPEN, "significant_harm_reasonably_likely": NO}, "undetermined"),
    ("job ads, profiling unknown, derogation met",
     {"use_job_ads_or_recruitment": YES, "profiles_persons": OPEN, **DEROGATED}, "undetermined"),
    ("safety component perhaps", {"annex_i_safety_component": OPEN}, "undetermined"),
    ("talks with persons perhaps", {"interacts_directly_with_persons": OPEN}, "undetermined"),
    ("high risk surely, duty to tell perhaps",
     {"use_creditworthiness": YES, "interacts_directly_with_persons": OPEN}, "high_risk"),
]  # fmt: skip
CASES = [
    *((what, TWIN | answers, "prohibited") for what, answers in PROHIBITED),
    *((f"Annex III: {name}, with profiling", TWIN | {name: True}, "high_risk") for name in ANNEX_III),
    *((f"Annex III: {name}, perhaps", TWIN | {name: None}, "undetermined") for name in ANNEX_III),
    *((what, TWIN | answers, expected) for what, answers, expected in OTHERS),
]


def test_the_table_is_long_enough_and_names_every_case_once():
    assert len(CASES) + len(CONSUMER) >= 60
    assert len({what for what, _, _ in CASES}) == len(CASES)
    assert {expected for _, _, expected in CASES} >= {
        "prohibited", "high_risk", "annex_iii_derogated", "human_review", "transparency", "minimal", "undetermined",
        "out_of_scope",
    }  # fmt: skip


@pytest.mark.parametrize(("answers", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_case_has_its_class(answers, expected):
    assert classify(answers).outcome == expected


def test_every_prohibited_practice_of_the_law_file_has_a_case_that_it_alone_decides():
    rules = {r["id"] for r in law("ai_act")["rules"] if r.get("outcome") == "prohibited"}
    hit = {
        f.rule
        for _, answers in PROHIBITED
        for f in classify(TWIN | answers).found
        if f.outcome == "prohibited" and f.holds
    }
    assert hit == rules


@pytest.mark.parametrize(("what", "answers"), PROHIBITED, ids=[p[0] for p in PROHIBITED])
def test_leaving_any_answer_open_never_clears_a_prohibited_practice(what, answers):
    for name in answers:
        assert classify(TWIN | answers | {name: None}).outcome in ("undetermined", "prohibited"), name


def test_without_any_answer_nothing_is_clear():
    assert classify({}).outcome == "undetermined"


def rule(found: Classification, name: str, on: date) -> dict:
    return next(r for r in found.to_dict(on=on)["rules"] if r["rule"] == name)


# (answers, rule, the day before it applies, the day it applies)
DATES = [
    ({"scrapes_faces": True}, "a5-1-e", date(2025, 2, 1), date(2025, 2, 2)),
    ({"generates_ncii_or_csam": True}, "a5-1-ba-bb", date(2026, 12, 1), date(2026, 12, 2)),
    ({"interacts_directly_with_persons": True}, "a50-1", date(2026, 8, 1), date(2026, 8, 2)),
    ({"use_creditworthiness": True}, "high-annex-iii-profiling", date(2027, 12, 1), date(2027, 12, 2)),
    ({"use_creditworthiness": True}, "a27", date(2027, 12, 1), date(2027, 12, 2)),
    ({"annex_i_safety_component": True}, "high-annex-i", date(2028, 8, 1), date(2028, 8, 2)),
]


@pytest.mark.parametrize(("answers", "name", "before", "since"), DATES, ids=[d[1] for d in DATES])
def test_a_rule_binds_from_its_day_and_the_class_does_not_wait_for_it(answers, name, before, since):
    found = classify(TWIN | answers)
    assert not rule(found, name, before)["applies"]
    assert rule(found, name, since)["applies"]
    assert found.to_dict(on=before)["class"] == found.to_dict(on=since)["class"] != "minimal"


def test_systems_on_the_market_are_spared_for_a_while():
    found = rule(classify(TWIN | {"generates_synthetic_content": True}), "a50-2", date(2026, 11, 23))
    assert (found["applies"], found["spared_until"]) == (True, "2026-12-02")


# ---- consumer law


def outcomes(**answers: bool | None) -> dict[str, tuple[str, str]]:
    known = {name for r in law("consumer_rules")["rules"] for name in _names(r["when"])}
    given = dict.fromkeys(known, False) | answers
    return {d["rule"]: (d["outcome"], d["holds"]) for d in consumer_law.duties(given)}


def _names(condition: object) -> set[str]:
    if isinstance(condition, str):
        return {condition}
    parts = condition.values() if isinstance(condition, dict) else condition
    return {name for part in parts for name in _names(part)}


MACHINE = {"solely_automated": True, "legal_or_similarly_significant_effect": True}
GROUNDS = {"art_22_ground": True, "art_22_safeguards": True}
VOTERS = {"political_advertising": True, "profiling_based": True}
PLATFORM = {"served_on_online_platform": True, "advert": True}
CONSUMER = [
    ("an ordinary use", {}, {}),
    ("adverts from a special category", {**PLATFORM, "uses_special_category": True}, {"dsa-26-3": ("block", "true")}),
    ("adverts from an inferred one", {**PLATFORM, "infers_special_category": True}, {"dsa-26-3": ("block", "true")}),
    ("off a platform", {"advert": True, "uses_special_category": True}, {}),
    ("known minors", {**PLATFORM, "profiling_based": True, "minors_known_with_reasonable_certainty": True},
     {"dsa-28-2": ("block", "true")}),
    ("minors perhaps", {**PLATFORM, "profiling_based": True, "minors_known_with_reasonable_certainty": None},
     {"dsa-28-2": ("block", "unknown")}),
    ("a misleading interface", {"served_on_online_platform": True, "deceptive_interface": True},
     {"dsa-25": ("block", "true")}),
    ("a weak moment used", {"uses_individual_vulnerability_for_persuasion": True}, {"ucpd": ("human_review", "true")}),
    ("a personal price", {"personalised_price": True}, {"price-notice": ("duty", "true")}),
    ("credit from a social network", {"use_creditworthiness": True, "social_network_source": True},
     {"ccd2-social": ("block", "true")}),
    ("credit from special categories", {"use_creditworthiness": True, "special_category_source": True},
     {"ccd2-social": ("block", "true")}),
    ("credit, source unknown", {"use_creditworthiness": True, "social_network_source": None},
     {"ccd2-social": ("block", "unknown")}),
    ("a personal credit offer", {"credit_offer": True, "profiling_based": True}, {"ccd2-offer": ("duty", "true")}),
    ("direct marketing", {"direct_marketing": True}, {"direct-marketing-objection": ("duty", "true")}),
    ("decided by a machine, with weight, on no ground", {**MACHINE, "art_22_safeguards": True},
     {"gdpr-22-1": ("block", "true")}),
    ("decided by a machine, with weight, and nobody to ask", {**MACHINE, "art_22_ground": True},
     {"gdpr-22-1": ("block", "true")}),
    ("decided by a machine, with weight, lawfully", {**MACHINE, **GROUNDS}, {"gdpr-22-3": ("human_review", "true")}),
    ("only the score, and people follow it", {**MACHINE, "solely_automated": False,
     "recipient_draws_strongly_on_score": True}, {"gdpr-22-1": ("block", "true")}),
    ("a person decides", {**MACHINE, "solely_automated": False}, {}),
    ("weight not known", {**MACHINE, **GROUNDS, "legal_or_similarly_significant_effect": None},
     {"gdpr-22-3": ("human_review", "unknown")}),
    ("by a machine, from special categories", {**MACHINE, **GROUNDS, "uses_special_category": True},
     {"gdpr-22-3": ("human_review", "true"), "gdpr-22-4": ("block", "true")}),
    ("one consent for several uses", {"consent_relied_on": True}, {"consent-separate": ("block", "true")}),
    ("consents not known to be separate", {"consent_relied_on": True, "separate_consent_per_purpose": None},
     {"consent-separate": ("block", "unknown")}),
    ("who refuses loses the discount of all", {"consent_relied_on": True, "separate_consent_per_purpose": True,
     "refusal_costs_general_benefit": True}, {"consent-free": ("block", "true")}),
    ("separate and free", {"consent_relied_on": True, "separate_consent_per_purpose": True}, {}),
    ("a list for an advertising platform", {"uploads_to_advertising_platform": True},
     {"ad-platform": ("human_review", "true")}),
    ("voters by profile", {**VOTERS}, {"political-targeting": ("block", "true"), "political-notice": ("duty", "true")}),
    ("voters who agreed", {**VOTERS, "political_explicit_consent": True}, {"political-notice": ("duty", "true")}),
    ("voters who agreed, by their health", {**VOTERS, "political_explicit_consent": True,
     "infers_special_category": True},
     {"political-targeting": ("block", "true"), "political-notice": ("duty", "true")}),
    ("politics without profiles", {"political_advertising": True}, {}),
    ("reads the device", {"reads_or_writes_terminal_equipment": True}, {"terminal-access": ("duty", "true")}),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "expected"), [c[1:] for c in CONSUMER], ids=[c[0] for c in CONSUMER])
def test_a_case_of_consumer_law(answers, expected):
    assert outcomes(**answers) == expected


def test_every_consumer_rule_has_a_case():
    assert {name for _, _, expected in CONSUMER for name in expected} == {
        r["id"] for r in law("consumer_rules")["rules"]
    }
