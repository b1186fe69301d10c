"""Deciding: every gate is asked, nothing else is read, and the same evidence gives the same decision anywhere."""

from __future__ import annotations

import builtins
import random
import socket
import time
from dataclasses import replace
from pathlib import Path

import governed
import pytest
from governed import candidate, fact, without
from hypothesis import given, settings
from hypothesis import strategies as st

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome
from twinops.governance.policy import limits as policy
from twinops.governance.policy.decide import decide

POLICY = governed.shipped_policy()
IDS = tuple(gate.id for gate in POLICY.gates)


def test_a_candidate_in_order_is_promotable():
    decision = decide(POLICY, candidate())
    assert decision.promotable
    assert decision.blocking == ()


def test_every_gate_answers_even_when_the_first_refuses():
    decision = decide(POLICY, governed.empty())
    assert tuple(v.gate for v in decision.verdicts) == (*IDS, "policy")
    assert decision.blocking == (*IDS, "policy")
    assert decision.decision == "refused"


def test_verdicts_carry_the_name_of_the_policy_and_the_rule_of_the_gate():
    verdict = decide(POLICY, candidate()).verdicts[0]
    assert verdict.gate == "accuracy_activity"
    assert "art. 5(1)(c)" in verdict.rule


def test_an_inconclusive_answer_blocks():
    tests = {**governed.EVEN, "age": governed.attribute(0.7, low=0.5)}
    decision = decide(POLICY, candidate(fact("fairness_tests", tests)))
    assert decision.blocking == ("fairness",)
    assert decision.verdicts[IDS.index("fairness")].outcome is Outcome.INCONCLUSIVE


def test_an_advisory_gate_is_told_and_does_not_block():
    text = governed.text("policy.yaml").replace("gate: drift\n", "gate: drift\n    severity: advisory\n")
    decision = decide(policy.read(text), without(candidate(), "drift_share"))
    assert decision.promotable
    assert decision.advisory == ("drift",)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.sets(st.sampled_from(sorted(i.name for i in (*candidate().measures, *candidate().facts))), max_size=4))
def test_removing_evidence_never_turns_a_refusal_into_a_promotion(removed):
    evidence = candidate()
    for name in removed:
        evidence = without(evidence, name)
    before, after = decide(POLICY, candidate()), decide(POLICY, evidence)
    worse = {v.gate for v in after.verdicts if v.outcome is not Outcome.PASSED}
    assert set(before.blocking) <= worse
    assert after.promotable == (not worse)


def test_the_decision_can_be_reproduced_from_the_evidence_file_alone():
    evidence = candidate(*governed.declared())
    again = Evidence.from_json(evidence.to_json())
    assert decide(POLICY, again) == decide(POLICY, evidence)
    assert again.digest == decide(POLICY, again).evidence_digest


def test_the_order_in_which_evidence_was_gathered_does_not_matter():
    evidence = candidate()
    turned = replace(evidence, measures=evidence.measures[::-1], facts=evidence.facts[::-1])
    assert decide(POLICY, turned) == decide(POLICY, evidence)


def test_deciding_reads_no_clock_file_network_or_chance(monkeypatch):
    evidence = candidate(*governed.declared())
    expected = decide(POLICY, evidence)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("deciding is deaf")

    for home, name in ((time, "time"), (builtins, "open"), (Path, "open"), (socket, "socket"), (random, "random")):
        monkeypatch.setattr(home, name, forbidden)
    assert decide(POLICY, evidence) == expected


@pytest.mark.parametrize("field", ["policy_digest", "evidence_digest"])
def test_a_decision_names_exactly_what_it_judged(field):
    told = decide(POLICY, candidate()).to_dict()
    assert told[field] == {"policy_digest": POLICY.digest, "evidence_digest": candidate().digest}[field]
    assert set(told["verdicts"][0]) == {
        "id",
        "outcome",
        "sentence",
        "next",
        "value",
        "low",
        "high",
        "limit",
        "n",
        "evidence",
        "rule",
    }
