"""The one page for who has ten minutes: what, decided, why, who must do what by when, and what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import governed
import pytest
from governed import attribute, candidate, declared, fact, shipped_policy
from hostile_evidence import hostile

from twinops.entities.evidence import JUDGED_ON
from twinops.entities.fact import Fact, Kind
from twinops.governance.policy.decide import decide
from twinops.governance.policy.lasting import lasts
from twinops.governance.verdicts.brief import brief
from twinops.governance.verdicts.compare import Side

POLICY = shipped_policy()
DAY = Fact(JUDGED_ON, "2026-11-25", Kind.MEASURED, "clock")
NOW = candidate(*declared(), DAY)
UNFAIR = candidate(
    *declared(), DAY, fact("fairness_tests", {**governed.EVEN, "age": attribute(0.3, low=0.1, high=0.5)})
)


def page(evidence, before=None):
    side = Side("version 3, in production", before, decide(POLICY, before)) if before else None
    return brief(evidence, decide(POLICY, evidence), policy=POLICY, before=side)


def heard(made, heading: str) -> str:
    return "\n".join(next(p.lines for p in made.passages if p.heading == heading))


def test_it_says_who_does_what_and_by_when():
    told = heard(page(NOW), "What to do, by whom, by when")
    assert "data protection officer: answer and sign 1 question" in told
    assert f"by {POLICY.valid_until}: renew policy {POLICY.version}" in told


def test_an_office_that_may_let_a_doubt_pass_is_asked_for_it():
    doubt = candidate(*declared(), DAY, fact("fairness_tests", {**governed.EVEN, "age": attribute(0.7, low=0.5)}))
    told = heard(page(doubt), "What to do, by whom, by when")
    assert "risk officer: say in writing whether it may pass all the same, for at most 90 days:" in told
    assert "fairness" in told.split("90 days:")[1]


def test_the_first_has_nothing_to_compare_with():
    assert heard(page(NOW), "What changed") == "There is nothing to compare it with."


def test_gates_figures_and_declarations_that_changed_are_named():
    measures = tuple(replace(m, value=m.value + 0.01) if m.name == "active_auc" else m for m in UNFAIR.measures)
    other = replace(UNFAIR, key="b" * 64, measures=measures, facts=tuple(
        replace(f, value=["everything else"]) if f.name == "intended_use.not_for" else f for f in UNFAIR.facts
    ))  # fmt: skip
    told = heard(page(other, NOW), "What changed")
    assert told.startswith("Against version 3, in production:")
    assert "fairness passed → failed" in told
    assert "intended_use.not_for" in told
    assert ("active_auc" in told) is any(m.name == "active_auc" for m in other.headlines)


def test_the_same_candidate_is_said_to_be_the_same():
    assert "the same candidate" in heard(page(NOW, NOW), "What changed")


@pytest.mark.parametrize("before", [None, NOW])
def test_hostile_text_is_one_line_each_and_bounded(before):
    made = page(hostile(), before)
    lines = [made.title, *(line for p in made.passages for line in p.lines)]
    assert sum(map(len, lines)) < 9_000
    assert not any(ord(c) < 32 or c in "\u202e\u200b" for line in lines for c in line)


def test_what_is_stale_is_said_before_the_decision():
    told = heard(replace(page(NOW), stale="It was made before something changed."), "What was decided")
    assert told.startswith("It was made before something changed.")


def test_the_terminal_says_the_same_as_the_page():
    made = page(UNFAIR, NOW)
    assert all(line in made.text() for p in made.passages for line in p.lines)


def test_an_answer_rests_on_the_policy_the_assessment_and_the_rulings_that_count():
    evidence = candidate(*governed.answered(), DAY)
    found = lasts(POLICY, evidence, decide(POLICY, evidence))
    assert found["the impact assessment"] == date(2027, 11, 20)
    assert found[f"policy {POLICY.version}"] == POLICY.valid_until
    assert list(found.values()) == sorted(found.values())
