"""What every gate owes, checked for each gate on the shelf on the day it arrives; then what each one decides."""

from __future__ import annotations

import re
from dataclasses import replace

import governed
import pytest
from governed import attribute, candidate, fact, measure, without
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from twinops import plugins
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.verdict import Outcome, Verdict
from twinops.entities.wording import MANY
from twinops.governance.gates import accuracy
from twinops.governance.gates._shelf import PROMISES, SHELF
from twinops.governance.reading import law

GATES = {name: plugins.load(SHELF, name) for name in plugins.names(SHELF)}
POLICY = {gate.id: gate for gate in governed.shipped_policy().gates}
each_gate = pytest.mark.parametrize("name", GATES)
each_listed = pytest.mark.parametrize("listed", POLICY)


def verdict_of(listed: str, evidence: Evidence) -> Verdict:
    gate = POLICY[listed]
    return GATES[gate.gate].check(evidence, gate.checked_limits())


# ---- what every gate owes


@each_gate
def test_a_gate_keeps_the_promises_of_its_shelf(name):
    assert plugins.missing_promises(GATES[name], PROMISES) == ()
    assert (GATES[name].__doc__ or "").startswith("Refuse ")


def test_every_gate_has_a_rule_of_its_own_by_which_its_verdict_is_known():
    assert len({gate.RULE for gate in GATES.values()}) == len(GATES)


@each_gate
def test_what_a_gate_speaks_to_is_an_item_of_the_law(name):
    items = {f"dpia.{content['id']}" for content in law("gdpr_dpia")["contents"]}
    items |= {f"annex_iv.{number}" for number in law("ai_act_annex_iv")["items"]}
    assert {*getattr(GATES[name], "SPEAKS_TO", {})} <= items


@each_gate
def test_a_gate_cites_an_article_or_a_paper_and_asks_a_question(name):
    assert re.search(r"art|doi|CFR|\d{4}", GATES[name].RULE)
    assert GATES[name].QUESTION.endswith("?")


@each_gate
def test_the_shipped_policy_uses_the_gate(name):
    assert name in {gate.gate for gate in POLICY.values()}


@each_gate
def test_limits_are_frozen_and_refuse_what_they_do_not_know(name):
    limits_class = GATES[name].Limits
    with pytest.raises(ValidationError):
        limits_class.model_validate({"surprise": 1})
    assert limits_class.model_config["frozen"]


@each_listed
def test_a_gate_answers_missing_when_there_is_no_evidence(listed):
    verdict = verdict_of(listed, governed.empty())
    assert verdict.outcome is Outcome.MISSING
    assert verdict.sentence
    assert verdict.next


@each_listed
def test_a_gate_passes_the_candidate_that_is_in_order(listed):
    assert verdict_of(listed, candidate()).outcome is Outcome.PASSED


@each_listed
def test_removing_anything_a_gate_needs_makes_it_answer_missing(listed):
    gate = POLICY[listed]
    needed = GATES[gate.gate].needs(gate.checked_limits())
    assert needed
    for name in needed:
        assert verdict_of(listed, without(candidate(), name)).outcome is Outcome.MISSING, name


@each_listed
def test_removing_what_a_gate_does_not_need_does_not_make_it_pass_or_fail(listed):
    gate = POLICY[listed]
    needed = set(GATES[gate.gate].needs(gate.checked_limits()))
    others = [i for i in (*candidate().measures, *candidate().facts) if i.name not in needed]
    assert all(verdict_of(listed, without(candidate(), i.name)).outcome is Outcome.PASSED for i in others)


@each_listed
def test_a_verdict_on_evidence_names_the_evidence(listed):
    verdict = verdict_of(listed, candidate())
    ids = {i.id for i in (*candidate().measures, *candidate().facts)}
    assert verdict.evidence in ids


@each_listed
def test_whoever_does_not_pass_is_told_what_to_do_next(listed):
    for evidence in (governed.empty(), broken()):
        verdict = verdict_of(listed, evidence)
        assert verdict.next or verdict.outcome is Outcome.PASSED


@each_listed
def test_next_steps_name_a_command_or_a_file(listed):
    for evidence in (governed.empty(), broken()):
        verdict = verdict_of(listed, evidence)
        assert verdict.outcome is Outcome.PASSED or re.search(
            r"`(make|dvc|git|twinops) |\w+/\w+\.(py|yaml)|params\.yaml", verdict.next + verdict.sentence
        )


@each_listed
def test_a_sentence_holds_the_figures_it_judged_by(listed):
    for evidence in (candidate(), broken()):
        verdict = verdict_of(listed, evidence)
        figures = [f for f in (verdict.value, verdict.low) if f is not None]
        assert all(f"{f:.3g}" in verdict.sentence or f"{f:,.4g}" in verdict.sentence for f in figures) or not verdict.n
        if verdict.low is not None:
            assert f"n={verdict.n:,}" in verdict.sentence


@each_listed
def test_words_that_promise_too_much_are_not_used(listed):
    for evidence in (candidate(), broken(), governed.empty()):
        verdict = verdict_of(listed, evidence)
        assert not re.search(r"compliant|anonym|unbias|debias|certif", verdict.sentence + verdict.next, re.IGNORECASE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["age", "income", "n", "ratio", "answer", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FACT_NAMES = sorted(f.name for f in candidate().facts)


@each_listed
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(FACT_NAMES), value=json_values)
def test_a_gate_answers_whatever_a_fact_holds(listed, name, value):
    """Evidence files come from elsewhere: a strange fact gives an answer, never an exception."""
    verdict = verdict_of(listed, candidate(replace(candidate().fact(name), value=value)))
    assert isinstance(verdict.outcome, Outcome)


def broken() -> Evidence:
    """Everything measured, and everything bad."""
    return candidate(
        *governed.declared(),
        fact("fairness_tests", {**governed.EVEN, "income": attribute(0.35, low=0.14, high=0.7)}),
        fact("rows_without_valid_basis", 3),
        fact("git_dirty", True),
        fact("documents.problems", ["dpia.md was changed after it was built"]),
        measures=(
            measure("active_auc.gain_over_rfm", -0.01, -0.02, -0.004),
            measure("spend_mae.gain_over_rfm", 0.4, -0.5, 1.3, unit="USD"),
            measure("drift_share", 0.5, 0.4, 0.6),
            measure("linkage_precision", 0.9, 0.88, 0.92, unit_of_n="pairs of records"),
            measure("interval_coverage_80.spend", 0.72, 0.71, 0.73),
        ),
    )


# ---- accuracy


def gain(low: float, high: float) -> Outcome:
    middle = (low + high) / 2
    return verdict_of(
        "accuracy_activity", candidate(measures=(measure("active_auc.gain_over_rfm", middle, low, high),))
    ).outcome


def test_a_gain_passes_only_when_all_of_its_interval_is_above_zero():
    assert gain(0.001, 0.01) is Outcome.PASSED
    assert gain(-0.01, -0.001) is Outcome.FAILED
    assert gain(-0.001, 0.01) is Outcome.INCONCLUSIVE
    assert gain(0.0, 0.01) is Outcome.INCONCLUSIVE
    assert gain(-0.01, 0.0) is Outcome.FAILED


@settings(derandomize=True, deadline=None)
@given(low=st.floats(-1, 1), width=st.floats(0, 1))
def test_a_gain_has_exactly_one_of_three_outcomes(low, width):
    expected = (
        Outcome.PASSED
        if round_six(low) > 0
        else Outcome.FAILED
        if round_six(low + width) <= 0
        else Outcome.INCONCLUSIVE
    )
    assert gain(low, low + width) is expected


def round_six(value: float) -> float:
    return measure("x", value).value


def test_a_gain_without_an_interval_is_missing():
    verdict = verdict_of("accuracy_activity", candidate(measures=(measure("active_auc.gain_over_rfm", 0.01),)))
    assert verdict.outcome is Outcome.MISSING


def test_a_policy_that_names_a_weak_baseline_is_judged_by_the_hardest_to_beat():
    rival = measure("active_auc.gain_over_segment", 0.0, -0.01, 0.01)
    limits = accuracy.Limits(gain="active_auc.gain_over_naive")
    named = measure("active_auc.gain_over_naive", 0.2, 0.19, 0.21)
    verdict = accuracy.check(candidate(measures=(named, rival)), limits)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the gain over segment, the hardest to beat of 3 plain baselines" in verdict.sentence


def test_the_hardest_to_beat_is_the_one_over_which_the_gain_is_smallest_however_unsure_another_is():
    close = measure("active_auc.gain_over_bgnbd", 0.001, -0.02, 0.02)
    unsure = measure("active_auc.gain_over_segment", 0.03, -0.03, 0.09)
    sentence = verdict_of("accuracy_activity", candidate(measures=(close, unsure))).sentence
    assert "the gain over bgnbd, the hardest to beat of" in sentence


def test_where_another_than_the_hardest_to_beat_decides_the_sentence_names_both():
    close = measure("active_auc.gain_over_bgnbd", 0.001, 0.0005, 0.0015)
    unsure = measure("active_auc.gain_over_segment", 0.03, -0.03, 0.09)
    verdict = verdict_of("accuracy_activity", candidate(measures=(close, unsure)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert (
        "the gain over segment, the least sure of 3 plain baselines (bgnbd is the hardest to beat)" in verdict.sentence
    )


def test_the_challenger_is_told_and_decides_nothing():
    trees = measure("active_auc.gain_over_lightgbm", -0.02, -0.03, -0.01)
    verdict = verdict_of("accuracy_activity", candidate(measures=(trees,)))
    assert verdict.outcome is Outcome.PASSED
    assert "the gain over rfm" in verdict.sentence
    assert "lightgbm, which decides nothing: -0.02" in verdict.sentence


# ---- fairness


def fairness(**tests: dict) -> Verdict:
    return verdict_of("fairness", candidate(fact("fairness_tests", {**governed.EVEN, **tests})))


def test_fairness_fails_when_a_group_is_shown_to_be_below_the_limit():
    verdict = fairness(income=attribute(0.35, low=0.14, high=0.79))
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.value, verdict.low, verdict.high, verdict.n, verdict.limit) == (0.35, 0.14, 0.79, 801, 0.8)
    assert "income: ‘Under 15K’ would get the offer 0.35 [0.14, 0.79]" in verdict.sentence


def test_a_low_ratio_that_may_lie_on_either_side_is_inconclusive_and_says_how_many_households_would_tell():
    verdict = fairness(income=attribute(0.7, low=0.4, high=0.81))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert f"about 4,200 {MANY}, reached as these, would settle it" in verdict.sentence
    assert f"more {MANY} would tell" in fairness(income=attribute(0.7, low=0.4)).next
    endless = fairness(income=attribute(0.7, low=0.4, households_to_settle=None))
    assert "no number" in endless.sentence
    assert f"more {MANY}" not in endless.next


def test_every_group_that_can_tell_must_be_shown_above_the_limit_and_no_more():
    assert fairness(income=attribute(0.85, low=0.81)).outcome is Outcome.PASSED
    assert fairness(income=attribute(0.85, low=0.79)).outcome is Outcome.INCONCLUSIVE


def test_an_attribute_that_the_policy_does_not_name_decides_nothing():
    assert fairness(demographics_held=attribute(0.3, low=0.2, high=0.4)).outcome is Outcome.PASSED


def small(n: int, **more: float | bool) -> dict:
    """An attribute with one group of `n` that is too small to tell, and 800 households shown even."""
    one = {"group": "65+", "n": n, "ratio": 0.7, "low": 0.4, "high": 1.0, "enough": False, **more}
    other = {"group": "19-64", "n": 800, "ratio": 0.95, "low": 0.9, "high": 1.0, "enough": True}
    return attribute(groups=[one, other], n=n + 800)


def test_a_group_too_small_to_tell_is_published_and_blocks_when_it_is_more_than_a_fifth():
    told = fairness(age=small(200))
    assert told.outcome is Outcome.PASSED
    assert "Too small to be told by themselves: 65+ (200)" in told.sentence
    assert fairness(age=small(201)).outcome is Outcome.INCONCLUSIVE
    assert fairness(age=small(200, enough=True)).outcome is Outcome.INCONCLUSIVE
    assert fairness(age=small(20, high=0.79)).outcome is Outcome.FAILED, "however small, once it is shown"
    aside = fairness(age=attribute(set_aside=None, levels_set_aside={"65+": None}))
    assert aside.outcome is Outcome.PASSED
    assert "65+ (not told)" in aside.sentence


NOTHING = attribute(n=0, set_aside=0, groups=[], worst_group=None, households_to_settle=None)


def test_groups_too_small_to_compare_are_inconclusive_and_nobody_at_all_is_missing():
    untested = {**NOTHING, "set_aside": 12, "levels_set_aside": {"65+": 12}}
    assert fairness(age=untested).outcome is Outcome.INCONCLUSIVE
    verdict = fairness(**dict.fromkeys(governed.ATTRIBUTES, NOTHING))
    assert verdict.outcome is Outcome.MISSING
    assert "nobody" in verdict.sentence


@pytest.mark.parametrize("change", [
    {"low": 0.9, "ratio": 0.5}, {"ratio": 1.2}, {"n": 0}, {"high": None}, {"enough": "maybe"}, {"ratio": float("nan")},
])  # fmt: skip
def test_a_group_that_cannot_be_read_is_no_test(change):
    row = {"group": "65+", "n": 100, "ratio": 0.9, "low": 0.85, "high": 1.0, "enough": True, **change}
    assert fairness(age=attribute(groups=[row])).outcome is Outcome.MISSING


@pytest.mark.parametrize(("change", "said"), [
    ({"share": 0.5}, "share 0.5 instead of 0.2"),
    ({"score": "active_probability"}, "score active_probability instead of expected_spend"),
    ({"mitigation": {"kind": "lottery", "strength": 1.0, "toward": None, "attribute": None}}, "lottery"),
    ({"rule": {"attributes": sorted(governed.ATTRIBUTES), "ratio": 0.5, "alpha": 0.05}}, "another rule"),
    ({"rule": {"attributes": ["age"], "ratio": 0.8, "alpha": 0.05}}, "another rule"),
    ({"rule": None}, "another rule"),
])  # fmt: skip
def test_a_test_of_another_decision_or_rule_is_no_test_of_the_declared_one(change, said):
    verdict = verdict_of("fairness", candidate(fact("fairness_decision", {**governed.DECIDED, **change})))
    assert verdict.outcome is Outcome.MISSING
    assert said in verdict.sentence


# ---- drift, consent, lineage, documents


def test_drift_judges_the_high_end_of_the_interval():
    shares = {(0.0, 0.2): Outcome.PASSED, (0.1, 0.3): Outcome.INCONCLUSIVE, (0.21, 0.3): Outcome.FAILED}
    for (low, high), expected in shares.items():
        evidence = candidate(measures=(measure("drift_share", 0.0 if high <= 0.2 else low, low, high),))
        assert verdict_of("drift", evidence).outcome is expected


def test_one_feature_that_moved_is_for_a_person_to_look_at():
    verdict = verdict_of("drift", candidate(measures=(measure("drift_share", 0.04, 0.0, 0.1),)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "more than passes by itself" in verdict.sentence


def test_drift_of_a_shop_whose_calm_pairs_moved_more_is_judged_by_them_up_to_a_half():
    moved = measure("drift_share", 0.25, 0.22, 0.4)
    own = {"calm_pairs": {"look_above": 0.25, "at_most": 0.3, "wide": 0.45}, "pairs": 17}
    assert verdict_of("drift", candidate(measures=(moved,))).outcome is Outcome.FAILED
    verdict = verdict_of("drift", candidate(fact("drift_limits", own), measures=(moved,)))
    assert verdict.outcome is Outcome.PASSED
    assert "earlier pairs of days of this shop" in verdict.sentence
    far = measure("drift_share", 0.8, 0.7, 0.9)
    wild = fact("drift_limits", {"calm_pairs": dict.fromkeys(("look_above", "at_most", "wide"), 1.0)})
    assert verdict_of("drift", candidate(wild, measures=(far,))).outcome is Outcome.FAILED


def test_one_row_without_a_basis_fails_consent():
    verdict = verdict_of("consent", candidate(fact("rows_without_valid_basis", 1)))
    assert verdict.outcome is Outcome.FAILED
    assert "1 used rows lack a valid basis" in verdict.sentence


def test_consent_says_how_many_were_left_out_and_why():
    assert "212 consent refused, 97 consent withdrawn" in verdict_of("consent", candidate()).sentence
    few = candidate(fact("excluded", {"erased": 0}), fact("excluded_suppressed", ["erased"]))
    assert "fewer than 10 erased" in verdict_of("consent", few).sentence


@pytest.mark.parametrize("value", [True, None, "0", 0.0])
def test_a_count_that_is_no_whole_number_is_missing(value):
    assert verdict_of("consent", candidate(fact("rows_without_valid_basis", value))).outcome is Outcome.MISSING


@pytest.mark.parametrize(("changed", "value", "expected"), [
    ("git_dirty", True, Outcome.FAILED),
    ("lock_matches", False, Outcome.FAILED),
    ("git_revision", None, Outcome.MISSING),
    ("git_dirty", "no", Outcome.FAILED),
])  # fmt: skip
def test_lineage_needs_a_clean_commit_and_a_lock_that_fits(changed, value, expected):
    assert verdict_of("lineage", candidate(fact(changed, value))).outcome is expected


def test_an_absent_or_changed_document_fails():
    assert verdict_of("documents", candidate(fact("documents.present", ["README.md"]))).outcome is Outcome.FAILED
    verdict = verdict_of(
        "documents", candidate(fact("documents.problems", ["README.md was changed after it was built"]))
    )
    assert verdict.outcome is Outcome.FAILED
    assert "README.md was changed" in verdict.sentence


# ---- dpia


def dpia(*facts: Fact) -> Verdict:
    return verdict_of("dpia", candidate(*facts))


def test_an_empty_human_field_is_missing_and_says_who_must_answer():
    verdict = dpia(*governed.declared())
    assert verdict.outcome is Outcome.MISSING
    assert "0 of 14 judgements" in verdict.sentence
    assert "data protection officer: dpo advice" in verdict.sentence


def test_one_part_left_open_is_enough_to_be_missing():
    verdict = dpia(*governed.answered(risk_inference={"likelihood": None}))
    assert verdict.outcome is Outcome.MISSING
    assert "risk inference" in verdict.sentence


def test_a_declaration_left_open_is_missing_before_anything_else():
    verdict = dpia(*governed.declared(), fact("dpia.declared.transfers", None))
    assert verdict.outcome is Outcome.MISSING
    assert "transfers" in verdict.sentence


def test_a_risk_that_stays_high_goes_to_the_authority_first():
    high = {"residual_severity": 3, "residual_likelihood": 4}
    assert dpia(*governed.answered(risk_discrimination=high)).outcome is Outcome.PASSED
    verdict = dpia(*governed.answered(risk_discrimination=high, authority_consultation={"answer": None}))
    assert verdict.outcome is Outcome.MISSING
    assert "authority consultation" in verdict.sentence


def test_the_authority_is_not_asked_when_no_risk_stays_high():
    assert dpia(*governed.answered(authority_consultation={"answer": None})).outcome is Outcome.PASSED


@pytest.mark.parametrize("answer", ["reject", "refer_to_authority"])
def test_a_decision_against_the_processing_fails(answer):
    assert dpia(*governed.answered(decision={"answer": answer})).outcome is Outcome.FAILED


def test_the_data_protection_officer_cannot_also_decide():
    verdict = dpia(*governed.answered(decision={"by": "Ada"}, dpo_advice={"by": "Ada"}))
    assert verdict.outcome is Outcome.FAILED
    assert "38(6)" in verdict.next


# ---- linkage


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.991, 0.999, Outcome.PASSED),
        (0.99, 0.99, Outcome.PASSED),
        (0.95, 0.989, Outcome.FAILED),
        (0.98, 0.995, Outcome.INCONCLUSIVE),
        (0.98, 0.99, Outcome.INCONCLUSIVE),
    ],
)
def test_linkage_is_judged_by_the_end_of_precision_that_hurts(low, high, outcome):
    found = measure("linkage_precision", (low + high) / 2, low, high, unit_of_n="pairs of records")
    assert verdict_of("linkage", candidate(measures=(found,))).outcome is outcome


# ---- coverage


@pytest.mark.parametrize(
    ("name", "low", "high", "outcome"),
    [
        ("spend", 0.785, 0.815, Outcome.PASSED),
        ("spend", 0.775, 0.8, Outcome.INCONCLUSIVE),
        ("spend", 0.76, 0.779, Outcome.FAILED),
        ("baskets", 0.83, 0.85, Outcome.FAILED),
        ("spend.tier_low", 0.771, 0.829, Outcome.PASSED),
        ("spend.tier_low", 0.76, 0.8, Outcome.INCONCLUSIVE),
        ("baskets.tier_high", 0.84, 0.86, Outcome.FAILED),
    ],
)
def test_coverage_is_judged_by_both_ends_overall_and_in_every_tier(name, low, high, outcome):
    found = measure(f"interval_coverage_80.{name}", (low + high) / 2, low, high)
    assert verdict_of("coverage", candidate(measures=(found,))).outcome is outcome


@pytest.mark.parametrize(
    ("held", "attained", "outcome"),
    [
        ((0.9, 0.92), (0.79, 0.81), Outcome.PASSED),
        ((0.9, 0.92), (0.84, 0.86), Outcome.FAILED),
        ((0.9, 0.92), (0.81, 0.83), Outcome.INCONCLUSIVE),
        ((0.74, 0.77), (0.74, 0.77), Outcome.FAILED),
        ((0.77, 0.79), (0.79, 0.8), Outcome.INCONCLUSIVE),
    ],
)
def test_a_range_of_whole_numbers_is_too_wide_only_where_a_narrower_one_would_do(held, attained, outcome):
    name = "interval_coverage_80.baskets"
    measures = (measure(name, sum(held) / 2, *held), measure(f"{name}.attainable", sum(attained) / 2, *attained))
    verdict = verdict_of("coverage", candidate(measures=measures))
    assert verdict.outcome is outcome, verdict.sentence


def test_a_tier_that_fails_is_named():
    found = measure("interval_coverage_80.spend.tier_low", 0.7, 0.69, 0.71)
    verdict = verdict_of("coverage", candidate(measures=(found,)))
    assert "spend, tier low 0.7" in verdict.sentence
    assert verdict.evidence == found.id


# ---- use


def use(outcome: str, *duties: tuple[str, str, str], beside: tuple[Fact, ...] = (), **more: object) -> Verdict:
    told = [{"rule": r, "outcome": o, "holds": h} for r, o, h in duties]
    classified = fact("ai_act_classification", {"class": outcome, **more})
    return verdict_of("use", candidate(classified, fact("consumer_law_duties", told), *beside))


@pytest.mark.parametrize(
    ("outcome", "duties", "expected"),
    [
        ("minimal", (), Outcome.PASSED),
        ("transparency", (("price-notice", "duty", "true"),), Outcome.PASSED),
        ("out_of_scope", (), Outcome.PASSED),
        ("prohibited", (), Outcome.FAILED),
        ("minimal", (("dsa-28-2", "block", "true"),), Outcome.FAILED),
        ("minimal", (("dsa-28-2", "block", "unknown"),), Outcome.INCONCLUSIVE),
        ("minimal", (("ucpd", "human_review", "true"),), Outcome.INCONCLUSIVE),
        ("minimal", (("price-notice", "duty", "unknown"),), Outcome.PASSED),
        ("high_risk", (), Outcome.MISSING),
        ("annex_iii_derogated", (), Outcome.INCONCLUSIVE),
        ("human_review", (), Outcome.INCONCLUSIVE),
        ("undetermined", (), Outcome.INCONCLUSIVE),
        ("harmless", (), Outcome.MISSING),
    ],
)
def test_a_use_is_judged_by_what_the_law_makes_of_it(outcome, duties, expected):
    assert use(outcome, *duties).outcome is expected


@pytest.mark.parametrize(("outcome", "expected"), [("minimal", Outcome.MISSING), ("prohibited", Outcome.FAILED)])
def test_what_nobody_has_said_yet_is_missing_whatever_else_is_clear(outcome, expected):
    owed = [{"file": "intended_use.yaml", "field": f"field_{n}", "who": "the data owner"} for n in range(6)]
    verdict = use(outcome, beside=(fact("declarations.open", owed),))
    assert verdict.outcome is expected
    if expected is Outcome.MISSING:
        assert "people have not said yet: intended_use.yaml: field_0" in verdict.sentence
        assert "field_3 and 2 more" in verdict.sentence
        assert "`twinops status --open` lists" in verdict.next


def test_an_open_fact_is_named_and_a_person_is_asked():
    verdict = use("undetermined", to_answer=["scrapes_faces"])
    assert "Answer scrapes_faces in compliance/intended_use.yaml" in verdict.next
    assert "twinops gates resolve use" in verdict.next


def test_the_shipped_use_waits_for_a_persons_justification():
    verdict = verdict_of("use", candidate(*governed.declared()))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "human review" in verdict.sentence


# ---- the final hold-out


def held_out(*changes: Fact, **figures: tuple[float, float, float]) -> Verdict:
    """The verdict on a candidate with these facts and final figures."""
    told = tuple(measure(f"holdout_{name}", *figure, n=371) for name, figure in figures.items())
    return verdict_of("holdout", candidate(*changes, measures=told))


def looked(**changes: object) -> Fact:
    return fact("looks", {**governed.LOOKED, **changes})


def test_figures_that_hold_for_households_that_chose_nothing_pass_and_say_how_often_they_were_looked_at():
    verdict = held_out()
    assert verdict.outcome is Outcome.PASSED
    assert "3 candidates were measured on the held-out days" in verdict.sentence
    assert f"371 of 1902 {MANY} stand apart, and looks at them are: on these days 1, on any days 1." in verdict.sentence


@pytest.mark.parametrize(
    ("figures", "outcome"),
    [
        ({"active_auc": (0.85, 0.82, 0.8800)}, Outcome.FAILED),
        ({"active_auc": (0.85, 0.82, 0.8802)}, Outcome.PASSED),
        ({"active_auc": (0.93, 0.91, 0.95)}, Outcome.PASSED),
        ({"spend_mae": (72.0, 66.3, 78.0)}, Outcome.FAILED),
        ({"spend_mae": (72.0, 66.2, 78.0)}, Outcome.PASSED),
        ({"spend_mae": (55.0, 50.0, 60.0)}, Outcome.PASSED),
    ],
)
def test_only_an_interval_that_lies_wholly_on_the_worse_side_contradicts_what_was_shown(figures, outcome):
    assert held_out(**figures).outcome is outcome


def test_a_hold_out_that_was_never_opened_for_this_candidate_is_missing():
    evidence = candidate(looked(openings=[], of_this_split=0))
    verdict = verdict_of("holdout", without(evidence, "holdout_active_auc"))
    assert verdict.outcome is Outcome.MISSING
    assert "on these days none, on any days none" in verdict.sentence
    assert "twinops holdout open" in verdict.next


def test_figures_that_no_opening_of_this_candidate_stands_behind_are_nobodys():
    for openings in ([], [{**governed.OPENING, "of_this": False}], ["no table"]):
        assert held_out(looked(openings=openings)).outcome is Outcome.MISSING


def test_more_looks_than_agreed_are_inconclusive_and_a_bad_figure_fails_all_the_same():
    twice = looked(openings=[governed.OPENING, {**governed.OPENING, "number": 2}], of_this_split=2)
    assert held_out(twice).outcome is Outcome.INCONCLUSIVE
    assert "on these days 2, " in held_out(twice).sentence
    assert held_out(twice, active_auc=(0.8, 0.78, 0.82)).outcome is Outcome.FAILED


def test_a_small_shop_without_a_hold_out_is_inconclusive_with_the_reason():
    apart = {**governed.APART, "households": 0, "of": 120, "why_not": "Of 120 households a fifth is too few."}
    verdict = held_out(fact("holdout.split", apart))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.sentence.startswith("Not applicable: Of 120 households a fifth is too few.")


@pytest.mark.parametrize(
    "changes",
    [
        (looked(declared=False),),
        (fact("looks.remembered", {"size": 9, "head": "e" * 64}),),
        (looked(declared=False), fact("holdout.split", {**governed.APART, "why_not": "too few", "households": 0})),
    ],
)
def test_an_undeclared_split_or_a_shortened_ledger_fails_whatever_the_figures(changes):
    assert held_out(*changes).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "changes",
    [
        looked(tried="3"), looked(openings=None), looked(declared=1), looked(of_this_split=True), fact("looks", None),
        fact("looks", []), fact("holdout.split", {}), fact("holdout.split", {**governed.APART, "why_not": None}),
        fact("holdout.split", {**governed.APART, "households": -1.5}),
    ],
)  # fmt: skip
def test_facts_that_are_not_whole_are_missing(changes):
    assert held_out(changes).outcome is Outcome.MISSING


def test_two_figures_that_are_alike_contradict_each_other_by_chance_as_seldom_as_the_gate_says():
    import numpy as np

    rng, runs = np.random.default_rng(5), 2_000
    shown, final = rng.normal(0.88, 0.005, runs), rng.normal(0.88, 0.01, runs)
    failed = [held_out_alike(s, f) for s, f in zip(shown, final, strict=True)]
    assert np.mean(failed) <= 0.05


def held_out_alike(shown: float, final: float) -> bool:
    """Whether the gate's own comparison calls a final figure worse; half the standard error in the shown one."""
    worse = GATES["holdout"]._worse
    return worse(measure("holdout_active_auc", final, final - 0.0196, final + 0.0196), measure("active_auc", shown))
