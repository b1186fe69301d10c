"""Not applicable: what there is nothing of, as a fact says. By leaving evidence out nobody reaches it."""

from __future__ import annotations

import json
import re

import governed
import pytest
from governed import attribute, candidate, fact, measure, without
from hypothesis import given, settings
from hypothesis import strategies as st

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Kind
from twinops.entities.verdict import Outcome, Verdict
from twinops.errors import ParamsError
from twinops.governance.documents import bom
from twinops.governance.policy import changes, limits
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.resolution import allowance
from twinops.governance.verdicts.brief import brief
from twinops.governance.verdicts.explain import headline, in_order
from twinops.workflows.pipeline.documents import build

POLICY = governed.shipped_policy()
TEXT = governed.text("policy.yaml")
OFF = {"why": "switched off in params.yaml"}
NOT_LINKED = {s: {"held": 0, "may_be_linked": 0} for s in ("registrations", "crm", "social_accounts")}
NOBODY = {"n": 0, "set_aside": 0, "levels_set_aside": {}, "groups": [], "decides": False}
READ = fact("quality_sources", {"measured": ["transactions", "consent"]})


def absent(*names: str):
    return tuple(fact(f"source_absent.{name}", OFF) for name in names)


def left(evidence: Evidence, *names: str) -> Evidence:
    for name in names:
        evidence = without(evidence, name)
    return evidence


def unlinked(*more) -> Evidence:
    """Nothing to link: no such source, and the stage that links saw no record."""
    facts = (READ, fact("linkage_records", NOT_LINKED), *absent("registrations", "crm", "social_accounts"))
    return left(candidate(*facts, *more), "linkage_precision")


def without_profiles(*more) -> Evidence:
    """Nobody's group is held."""
    ratios = [f"influence_ratio.{group}" for group in governed.WATCHED]
    facts = (READ, *absent("demographics"), fact("fairness_tests", {"demographics_held": NOBODY}))
    return left(candidate(*facts, fact("profile_columns", {}), *more), *ratios)


def with_profiles(columns: dict, tests: dict, *more) -> Evidence:
    read = fact("quality_sources", {"measured": ["transactions", "demographics"]})
    return candidate(read, fact("profile_columns", columns), fact("fairness_tests", tests), *more)


def said(evidence: Evidence, gate: str, policy: limits.Policy = POLICY) -> Verdict:
    return next(v for v in decide(policy, evidence).verdicts if v.gate == gate)


def test_no_records_to_link_no_profiles_and_no_declared_offers_are_not_applicable_and_say_why():
    assert said(unlinked(), "linkage").outcome is Outcome.NOT_APPLICABLE
    assert "crm" in said(unlinked(), "linkage").sentence
    assert "switched off" in said(unlinked(), "linkage").sentence
    for gate in ("fairness", "influence"):
        assert said(without_profiles(), gate).outcome is Outcome.NOT_APPLICABLE, said(without_profiles(), gate)
    undeclared = fact("purposes_undeclared", {"offers": "the purpose offers has no basis in own.shop"}, Kind.DECLARED)
    quiet = candidate(undeclared, measures=(measure("influence_against_guard", 0, n=0, unit_of_n="offers"),))
    assert said(quiet, "influence").outcome is Outcome.NOT_APPLICABLE
    assert "no basis in own.shop" in said(quiet, "influence").sentence
    unreached = candidate(undeclared, fact("fairness_tests", dict.fromkeys(governed.ATTRIBUTES, NOBODY)))
    assert said(unreached, "fairness").outcome is Outcome.NOT_APPLICABLE
    assert said(without(unreached, "fairness_decision"), "fairness").outcome is Outcome.MISSING
    assert said(candidate(undeclared), "fairness").outcome is Outcome.PASSED, "what was tested is judged"


def test_what_is_not_applicable_passes_or_blocks_as_the_policy_says():
    assert decide(POLICY, unlinked()).promotable
    assert decide(POLICY, unlinked()).not_applicable == ("linkage",)
    strict = limits.read(TEXT.replace("gate: linkage\n", "gate: linkage\n    not_applicable: blocks\n"))
    assert decide(strict, unlinked()).blocking == ("linkage",)
    hard = {gate.id for gate in POLICY.gates if not gate.lets_absent_pass}
    assert hard == {"accuracy_activity", "accuracy_spend", "use", "consent", "lineage", "dpia", "documents"}


@pytest.mark.parametrize("gate", ["consent", "lineage", "dpia", "documents"])
def test_no_policy_lets_the_law_s_gates_pass_for_want_of_anything(gate):
    with pytest.raises(ParamsError, match=f"{gate} always blocks"):
        limits.read(TEXT.replace(f"gate: {gate}\n", f"gate: {gate}\n    not_applicable: passes\n"))


def test_a_policy_that_does_not_speak_of_it_keeps_the_digest_it_had():
    assert "not_applicable" not in str(POLICY.model_dump(mode="json"))
    spoken = limits.read(TEXT.replace("gate: drift\n", "gate: drift\n    not_applicable: blocks\n"))
    assert spoken.digest != POLICY.digest


def test_letting_it_pass_counts_as_looser_and_blocking_as_tighter():
    strict = limits.read(TEXT.replace("gate: linkage\n", "gate: linkage\n    not_applicable: blocks\n"))
    assert [c.loosens for c in changes.of_policies(POLICY, strict)] == [False]
    assert [c.loosens for c in changes.of_policies(strict, POLICY)] == [True]
    assert changes.of_policies(POLICY, limits.read(TEXT)) == ()


def test_no_evidence_no_fact_and_a_fact_that_others_contradict_are_missing():
    nothing = left(candidate(READ, fact("linkage_records", NOT_LINKED)), "linkage_precision")
    assert said(nothing, "linkage").outcome is Outcome.MISSING
    for name in ("source_absent.crm", "linkage_records", "quality_sources"):
        assert said(without(unlinked(), name), "linkage").outcome is Outcome.MISSING, name
    read = fact("quality_sources", {"measured": ["crm"]})
    assert said(unlinked(read), "linkage").outcome is Outcome.MISSING
    some = fact("linkage_records", {**NOT_LINKED, "crm": {"held": 12}})
    assert said(unlinked(some), "linkage").outcome is Outcome.MISSING
    declared = fact("source_absent.crm", OFF, Kind.DECLARED)
    assert said(unlinked(declared), "linkage").outcome is Outcome.MISSING, "who declares it does not measure it"
    wrong = candidate(*unlinked().facts, measures=(measure("linkage_precision", 0.5, 0.4, 0.6),))
    assert said(wrong, "linkage").outcome is Outcome.FAILED


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.sets(st.sampled_from(sorted(i.name for i in (*candidate().measures, *candidate().facts))), max_size=5))
def test_leaving_evidence_out_of_a_candidate_that_has_everything_never_makes_anything_not_applicable(removed):
    assert decide(POLICY, left(candidate(READ), *removed)).not_applicable == ()


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.sets(st.sampled_from(sorted(i.name for i in (*without_profiles().measures, *without_profiles().facts))),
               max_size=4))  # fmt: skip
def test_leaving_evidence_out_of_a_candidate_without_profiles_adds_nothing_to_what_is_not_applicable(removed):
    before, after = decide(POLICY, without_profiles()), decide(POLICY, left(without_profiles(), *removed))
    assert {*after.not_applicable} <= {*before.not_applicable}
    assert not after.promotable or before.promotable


def test_an_attribute_that_no_profile_holds_leaves_a_doubt_and_a_gap_that_was_shown_fails_all_the_same():
    columns = {"age": {"ordered": ["18-24", "25+"]}, "gender": {"ordered": None}}
    told = said(with_profiles(columns, {"age": attribute()}), "fairness")
    assert told.outcome is Outcome.INCONCLUSIVE
    assert "income" in told.sentence
    assert "gender" in told.sentence
    assert "policy.yaml" in told.next
    low = {"age": attribute(0.5, low=0.3, high=0.7)}
    assert said(with_profiles(columns, low), "fairness").outcome is Outcome.FAILED
    assert said(with_profiles({"gender": {"ordered": None}}, {}), "fairness").outcome is Outcome.INCONCLUSIVE
    assert (
        said(with_profiles({**columns, "income": {}}, {"age": attribute()}), "fairness").outcome is Outcome.MISSING
    ), "held, and not tested"


def test_a_group_that_nobody_can_see_is_told_and_the_limits_of_contact_are_judged_all_the_same():
    ratios = [f"influence_ratio.{group}" for group in governed.WATCHED]
    some = left(with_profiles({"age": {}}, governed.EVEN), *(r for r in ratios if r.split(".")[1] not in AGED))
    told = said(some, "influence")
    assert told.outcome is Outcome.INCONCLUSIVE
    assert "income" in told.sentence
    against = without(without_profiles(), "influence_against_guard")
    against = against.joined((measure("influence_against_guard", 3, n=334, unit_of_n="offers"),))
    assert said(against, "influence").outcome is Outcome.FAILED
    none = left(with_profiles({"gender": {}}, {}), *ratios)
    assert said(none, "influence").outcome is Outcome.INCONCLUSIVE


AGED = ("old_age", "young_adults")


def test_a_missing_purpose_is_named():
    undeclared = fact(
        "purposes_undeclared",
        {"bias_assessment": "no household_id of own.shop is declared for bias_assessment, so it serves nobody"},
        Kind.DECLARED,
    )
    nobody = dict.fromkeys(governed.ATTRIBUTES, NOBODY)
    columns = {name: {"ordered": None} for name in governed.ATTRIBUTES}
    told = said(with_profiles(columns, nobody, undeclared), "fairness")
    assert told.outcome is Outcome.MISSING
    assert "bias_assessment" in told.sentence


def test_nobody_resolves_or_overrides_what_does_not_apply():
    told = said(unlinked(), "linkage")
    found = allowance(POLICY, "linkage", told)
    assert not found.offices
    assert "policy" in found.problem


def test_it_is_told_wherever_verdicts_are_told():
    assert "Not applicable here: `linkage`" in headline(decide(POLICY, unlinked()))
    decision: Decision = decide(POLICY, unlinked(*governed.declared()))
    assert [v.gate for v in in_order(decision)].index("linkage") < len(decision.verdicts) - 1
    assert next(g for g in decision.to_dict()["verdicts"] if g["id"] == "linkage")["outcome"] == "not applicable"
    assert said(unlinked(), "linkage").outcome.style == "not-applicable"
    built = build(unlinked(*governed.declared()), decision)
    assert "**not applicable**" in built["README.md"]
    mapped = bom.build(unlinked(*governed.declared()), decision)["bom.cdx.json"]
    conformance = [m["conformance"] for a in json.loads(mapped)["declarations"]["attestations"] for m in a["map"]]
    assert [c["rationale"] for c in conformance if "score" not in c] == ["not applicable."]
    assert "linkage" not in " ".join(map(str, brief(unlinked(), decision, policy=POLICY).asked))


OPEN = fact("legal_basis_open", {"shop": ["bases", "notice"]}, Kind.DECLARED)


@pytest.mark.parametrize("gate", ["consent", "use", "dpia"])
def test_where_no_legal_basis_has_been_said_the_gates_of_the_law_say_what_a_person_must_say(gate):
    told = said(candidate(OPEN), gate)
    assert told.outcome is Outcome.MISSING
    assert "no legal basis has been said" in told.sentence
    assert "own.shop: bases, notice" in told.sentence
    assert "params.yaml" in told.next
    assert not decide(POLICY, candidate(OPEN)).promotable
    assert said(candidate(fact("legal_basis_open", {})), gate).outcome is Outcome.PASSED


def test_sources_that_lack_the_same_facts_are_told_together():
    lacking = {name: ["controller", "notice"] for name in ("sales", "customers")} | {"products": ["notice"]}
    told = said(candidate(fact("legal_basis_open", lacking, Kind.DECLARED)), "consent").sentence
    assert "open: own.customers, own.sales: controller, notice; own.products: notice" in told


def test_a_trial_says_so_in_every_document_and_on_the_page_of_ten_minutes():
    evidence = candidate(OPEN, *governed.declared())
    decision = decide(POLICY, evidence)
    for name, text in build(evidence, decision).items():
        if name.endswith((".md", ".html")):
            above = re.split("## |<h2", text)[0]
            assert above.count("Trial: no legal basis has been said") == 1, name
    assert brief(evidence, decision).decided.startswith("Trial: no legal basis has been said")
    plain = candidate(*governed.declared())
    assert "Trial" not in build(plain, decide(POLICY, plain))["README.md"]


def control(*groups: str, households: int | None = 0):
    """What was counted of groups that have no ratio."""
    why = "nobody who may be assessed is in it" if households == 0 else "fewer than ten in the group or in the rest"
    rows = [{"group": g, "not_measured": why} | ({} if households is None else {"households": 0}) for g in groups]
    return fact("influence_control", rows)


def test_a_group_that_nobody_is_in_is_named_and_asks_for_nothing():
    first, *others = governed.WATCHED
    one = left(candidate(control(first)), f"influence_ratio.{first}")
    verdict = said(one, "influence")
    assert verdict.outcome is Outcome.PASSED, "the others were measured"
    assert first.replace("_", " ") in verdict.sentence
    assert "who may be assessed is of" in verdict.sentence
    everyone = left(candidate(control(*governed.WATCHED)), *(f"influence_ratio.{g}" for g in governed.WATCHED))
    assert said(everyone, "influence").outcome is Outcome.NOT_APPLICABLE
    assert others


def test_a_group_of_fewer_than_ten_is_missing_with_its_reason():
    first = next(iter(governed.WATCHED))
    few = left(candidate(control(first, households=None)), f"influence_ratio.{first}")
    verdict = said(few, "influence")
    assert verdict.outcome is Outcome.MISSING
    assert "fewer than ten in the group" in verdict.sentence
    silent = said(left(candidate(), f"influence_ratio.{first}"), "influence")
    assert silent.outcome is Outcome.MISSING, "without a count nobody is said to be nobody"


def test_nothing_to_link_to_and_nothing_that_could_be_linked_are_not_applicable_and_rows_that_name_customers_are_told():
    some = {"held": 9, "may_be_linked": 9}
    lone = {**NOT_LINKED, "registrations": some}
    read = fact("quality_sources", {"measured": ["registrations", "care_cases"]})
    named = fact("linkage_not_needed", ["care_cases"], Kind.DECLARED)
    told = said(unlinked(fact("linkage_records", lone), read, named), "linkage")
    assert told.outcome is Outcome.NOT_APPLICABLE
    assert "Rows of care cases name the customer" in told.sentence
    silent = without(unlinked(fact("linkage_records", lone), read), "source_absent.crm")
    assert said(silent, "linkage").outcome is Outcome.MISSING, "of profiles nobody said anything"
    both = {**lone, "social_accounts": some}
    assert said(unlinked(fact("linkage_records", both), read), "linkage").outcome is Outcome.MISSING
