"""What people write about a gate that did not pass: named, reasoned, for a time, within what the policy lets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import governed
import offices
import pytest
from candidate import commit, make_candidate, write
from governed import attribute, candidate, fact, measure

from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.ssh_keygen import SshKeygen
from twinops.entities.approval import Actor, Case, DigestSet
from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome, Verdict
from twinops.errors import ParamsError
from twinops.governance.people.offices import read
from twinops.governance.policy import resolution
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.rulings import Bench, against_resolving
from twinops.workflows.candidate.resolve import resolve

POLICY = governed.shipped_policy()
DOUBT = fact("fairness_tests", {**governed.EVEN, "age": attribute(0.7, low=0.5)})
DRIFTED = (measure("drift_share", 0.5, 0.4, 0.6),)
REVIEWED = {**governed.STANDS, "decided_on": "2026-11-25"}
REASON = "Seen with the analysts; the lower bound rests on 41 households and no complaint."


def written(judged, of: str, /, **changes) -> dict:
    verdict = next(v for v in decide(POLICY, judged).verdicts if v.gate == of)
    told = {
        "gate": of, "candidate": judged.key, "evidence": verdict.evidence, "answer": verdict.outcome.value,
        "by": "Rita Risk", "role": "risk officer", "reason": REASON, "dated": "2026-11-24", "until": "2026-12-20",
        "signed": True, "problem": "",
    }  # fmt: skip
    return {**told, **changes}


def doubt(**changes) -> Decision:
    evidence = candidate(DOUBT)
    return decide(POLICY, candidate(DOUBT, fact("rulings", [written(evidence, "fairness", **changes)])))


def drift(**changes) -> Decision:
    evidence = candidate(measures=DRIFTED)
    return decide(POLICY, candidate(fact("rulings", [written(evidence, "drift", **changes)]), measures=DRIFTED))


def test_a_doubt_resolved_in_writing_no_longer_blocks_and_stays_a_doubt():
    decision = doubt()
    assert decision.promotable
    assert next(v for v in decision.verdicts if v.gate == "fairness").outcome.value == "inconclusive"
    assert decision.about("fairness")[0].sentence == (
        f"Resolved by Rita Risk (risk officer), 2026-11-24, until 2026-12-20: {REASON}"
    )


def test_a_reason_that_repeats_the_impact_assessment_resolves_nothing():
    asked = candidate(DOUBT).table("dpia.human.risk_discrimination")["question"]
    assert "repeats risk_discrimination of the impact assessment" in doubt(reason=asked).about("fairness")[0].problem


def test_a_refusal_may_be_overridden_where_the_policy_lets_somebody():
    assert drift().promotable
    assert drift().about("drift")[0].sentence.startswith("Overridden by Rita Risk")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"signed": False, "problem": "it is not signed"}, "not signed"),
        ({"candidate": "b" * 64}, "another candidate"),
        ({"evidence": "ev-000000000000"}, "another candidate, evidence"),
        ({"answer": "failed"}, "another candidate, evidence or answer"),
        ({"role": "data owner"}, "does not let the data owner"),
        ({"role": "data protection officer"}, "does not let the data protection officer"),
        ({"until": "2027-03-24"}, "at most 90 days"),
        ({"until": "2026-11-23"}, "at most 90 days"),
        ({"dated": "2026-11-26"}, "does not hold on 2026-11-25"),
        ({"reason": "." * 40}, "its reason says too little"),
        ({"reason": "Seen. seen SEEN s\u00e9en seen seen seen"}, "its reason says too little"),
        ({"reason": f"{REASON}\u2060"}, "its reason holds characters that nobody sees"),
        ({"reason": "Lorem ipsum dolor sit amet, consectetur elit"}, "its reason is placeholder text"),
        ({"dated": "2026-11-01", "until": "2026-11-24"}, "does not hold on 2026-11-25"),
        ({"gate": "weather"}, "no gate"),
        ({"gate": "drift"}, "passes without a ruling"),
    ],
)
def test_what_the_policy_does_not_let_counts_for_nothing_and_says_why(changes, problem):
    decision = doubt(**changes)
    assert decision.blocking == ("fairness",)
    assert problem in decision.rulings[0].problem
    assert decision.rulings[0].sentence.startswith("Not resolved")


def test_an_override_is_shorter_than_a_resolution():
    assert not drift(until="2027-01-24").promotable


@pytest.mark.parametrize("raw", [None, 3, "x", {}, [None], [{}], [{"gate": "fairness"}], [{"signed": True}]])
def test_what_cannot_be_read_resolves_nothing(raw):
    assert not decide(POLICY, candidate(DOUBT, fact("rulings", raw))).promotable


@pytest.mark.parametrize("reason", ["", "ok", "because"])
def test_a_reason_is_more_than_a_word(reason):
    assert not doubt(reason=reason).promotable


def test_a_failed_gate_that_the_policy_protects_cannot_be_overridden():
    bad = fact("rows_without_valid_basis", 3)
    evidence = candidate(bad)
    decision = decide(POLICY, candidate(bad, fact("rulings", [written(evidence, "consent")])))
    assert decision.blocking == ("consent",)
    assert "nobody override" in decision.rulings[0].problem


def test_what_is_missing_cannot_be_resolved():
    evidence = governed.without(candidate(), "drift_share")
    one = written(candidate(measures=DRIFTED), "drift")
    for answer in ("failed", "inconclusive"):
        assert not decide(POLICY, evidence.joined(facts=[fact("rulings", [{**one, "answer": answer}])])).promotable


def test_without_a_day_nothing_is_resolved_and_the_policy_is_not_known_to_be_in_force():
    evidence = governed.without(candidate(DOUBT), "judged_on")
    one = written(candidate(DOUBT), "fairness")
    decision = decide(POLICY, evidence.joined(facts=[fact("rulings", [one])]))
    assert decision.blocking == ("fairness", "policy")
    assert "names none" in decision.rulings[0].problem


DAYS = [
    ("2026-11-22", "failed"),
    ("2026-11-23", "passed"),
    ("2027-11-23", "passed"),
    ("2027-11-24", "failed"),
    ("soon", "missing"),
    (None, "missing"),
]


@pytest.mark.parametrize(("day", "outcome"), DAYS)
def test_a_policy_out_of_its_time_promotes_nothing(day, outcome):
    decision = decide(POLICY, candidate(fact("judged_on", day), fact("dpia.review", REVIEWED)))
    assert decision.verdicts[-1].outcome.value == outcome
    assert decision.promotable == (outcome == "passed")


def test_the_file_is_checked_as_a_whole():
    with pytest.raises(ParamsError) as caught:
        resolution.read("gate: fairness\nanswer: missing\nreason: ok\ncolour: red\n", name="x.yaml")
    for part in ("answer", "reason", "colour", "until", "candidate"):
        assert part in str(caught.value)


def test_every_form_of_the_verdicts_prints_what_was_written():
    from twinops.governance.verdicts import explain

    for decision in (doubt(), doubt(signed=False)):
        said = decision.about("fairness")[0]
        for text in (
            explain.verdicts_text(decision),
            explain.verdicts_markdown(decision),
        ):
            assert "Rita Risk" in text
            assert ("Not resolved" in text) != said.counts


def test_the_card_prints_what_was_written():
    from twinops.workflows.pipeline.documents import build

    evidence = candidate(DOUBT, fact("rulings", [written(candidate(DOUBT), "fairness")]))
    built = build(evidence, replace(decide(POLICY, evidence)))
    assert "Resolved by Rita Risk" in built["README.md"]
    assert "Rita Risk" in built["verdicts.json"]


# ---- one rule of who may resolve what, asked by all three ways

UNEVEN = fact("fairness_tests", {**governed.EVEN, "age": attribute(0.3, low=0.1, high=0.7)})


def by_the_decision(_: Path) -> str:
    evidence = candidate(UNEVEN)
    decided = decide(POLICY, candidate(UNEVEN, fact("rulings", [written(evidence, "fairness")])))
    assert "fairness" in decided.blocking
    return decided.rulings[0].problem


def by_the_registry(_: Path) -> str:
    people = offices.offices_text({}).replace("name: Rita Risk,", "name: Rita Risk, account: rita,")
    bench = Bench(POLICY, read(people), decide(POLICY, candidate(UNEVEN)))
    case = Case("u", "twin", 1, frozenset(), digests=DigestSet(*"abcdefgh"))
    rita, now = Actor("rita", frozenset({"risk-officer"})), datetime(2026, 11, 25, tzinfo=UTC)
    return " ".join(against_resolving("fairness", case, rita, bench=bench, now=now))


def by_a_file(root: Path) -> str:
    keys = offices.keys_of(root)
    places = make_candidate(root / "project")
    write(places.compliance / "offices.yaml", offices.offices_text(keys))
    measured = Evidence.from_json(places.evidence.read_text())
    made = (UNEVEN, fact("fairness_decision", governed.DECIDED))
    facts = tuple(f for f in measured.facts if f.name not in {m.name for m in made})
    write(places.evidence, replace(measured, facts=(*facts, *made)).to_json())
    commit(places.root)
    who = {"email": offices.PEOPLE["risk officer"][1], "key": keys["risk officer"], "today": offices.TODAY}
    with pytest.raises(ParamsError) as refused:
        resolve(places, DvcStore(places.root), SshKeygen(), gate="fairness", reason=REASON, days=20, **who)
    assert not (places.compliance / "rulings" / "fairness.yaml").exists()
    return str(refused.value)


@pytest.mark.parametrize("way", [by_the_decision, by_the_registry, by_a_file])
def test_what_the_policy_says_nobody_overrides_is_refused_whichever_way_it_is_asked(tmp_path, way):
    assert "fairness" in POLICY.override.never
    assert "the policy lets nobody override this gate" in way(tmp_path).lower()


@pytest.mark.parametrize(
    ("outcome", "gate", "offices_", "days"),
    [
        (Outcome.INCONCLUSIVE, "fairness", ("risk officer",), 90),
        (Outcome.FAILED, "fairness", (), 0),
        (Outcome.FAILED, "drift", ("risk officer",), 30),
        (Outcome.INCONCLUSIVE, "lineage", (), 0),
        (Outcome.MISSING, "drift", (), 0),
        (Outcome.PASSED, "drift", (), 0),
        (Outcome.FAILED, "policy", (), 0),
    ],
)
def test_who_may_resolve_which_answer_and_for_how_long(outcome, gate, offices_, days):
    verdict = Verdict(gate=gate, outcome=outcome, sentence="Said.", rule="r", next="n", evidence="ev-0123456789ab")
    found = resolution.allowance(POLICY, gate, verdict)
    assert (found.offices, found.at_most_days) == (offices_, days)
    assert bool(found.problem) == (not offices_)
    assert bool(found.against("risk officer")) == ("risk officer" not in offices_)
    assert found.against("data protection officer"), "the officer who advises resolves nothing"
