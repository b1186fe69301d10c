"""A failed fairness gate has one way out, for income alone, in the words of three people, for a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import governed
import offices
import pytest
import yaml
from candidate import commit, make_candidate, write
from governed import attribute, candidate, fact, measure

from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.ssh_keygen import SshKeygen
from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome, Verdict
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.assessment import justification
from twinops.governance.assessment.signers import strange_justifiers
from twinops.governance.gates import fairness as gate
from twinops.governance.people.offices import read as read_offices
from twinops.governance.policy import limits as policy
from twinops.workflows.candidate.justification_draft import justification_draft
from twinops.workflows.candidate.justify import justify
from twinops.workflows.compliance_files import justification_facts, offices_of

RATIOS = {
    "declared": 0.5, "lottery_0.5": 0.7, "lottery_1": 0.95, "rank_blend_active_probability_1": 0.8, "share_0.1": 0.4,
}  # fmt: skip
KINDS = {"declared": "declared", "lottery_0.5": "lottery", "lottery_1": "lottery", "share_0.1": "share"}
FAMILY = {
    "rows": [
        {"name": n, "kind": KINDS.get(n, "rank_blend"), "ratios": {"income": r}, "price": {"value": r}}
        for n, r in RATIOS.items()
    ]
}
REACHED = tuple(measure(f"alternative_reach.{name}", ratio, ratio - 0.1, 1.0, n=539) for name, ratio in RATIOS.items())
IDS = {m.name.removeprefix("alternative_reach."): m.id for m in REACHED}
LOW = attribute(0.5, low=0.4, high=0.7)
WORDS = {
    "aim": "Offers for pantry stock-up packs are printed on paper and pay for themselves only in large baskets.",
    "necessity": "No cheaper channel reaches households without a phone, and smaller packs do not cover postage.",
    "advice": "The difference is explained by basket size; look again after two campaigns and tell the council of it.",
}
WHY = {
    "lottery_0.5": "Half of the letters by lot would cost more than the whole campaign earned in each of two years.",
    "rank_blend_active_probability_1": "Ranking by activity sends letters to households that buy bread and milk alone.",
    "lottery_1": "All letters by lot is no campaign any more, and was refused by the merchants for its price.",
    "share_0.1": "Fewer letters would reach even fewer households of low income than the declared number does.",
}
TODAY = date(2026, 11, 25)


def evidence(*more: Any, income: dict[str, Any] = LOW, **tests: dict[str, Any]) -> Evidence:
    tested = fact("fairness_tests", {**governed.EVEN, "income": income, **tests})
    return candidate(tested, fact("fairness_family", FAMILY), *more, measures=REACHED)


def said(**changes: Any) -> dict[str, Any]:
    """As the evidence carries it; `alternatives` by the names of the decisions."""
    about = evidence()
    named = changes.pop("alternatives", ("lottery_0.5", "rank_blend_active_probability_1"))
    whole = {
        "attribute": "income",
        "candidate": about.key,
        "evidence": about.fact("fairness_tests").id,
        **WORDS,
        "alternatives": [{"evidence": IDS[n], "why_not": WHY[n]} for n in named],
        "data_owner": "Olga Owner",
        "risk_officer": "Rita Risk",
        "dpo": "Dora Dpo",
        "dated": "2026-11-20",
        "until": "2027-02-01",
        "signed": True,
        "problem": "",
    }
    return {**whole, **changes}


def verdict(*rows: dict[str, Any], **tests: dict[str, Any]) -> Verdict:
    rules = {g.id: g for g in governed.shipped_policy().gates}["fairness"].checked_limits()
    return gate.check(evidence(fact(justification.FACT, list(rows)), **tests), rules)


def test_without_one_it_fails_and_says_that_it_may_be_justified():
    bare = verdict()
    assert bare.outcome is Outcome.FAILED
    assert "may be justified for a time" in bare.next


def test_a_justified_attribute_is_out_of_the_way_and_said_in_the_verdict():
    told = verdict(said())
    assert told.outcome is Outcome.PASSED
    assert "justified until 2027-02-01" in told.sentence
    assert "Olga Owner and Rita Risk, advised by Dora Dpo" in told.sentence


@pytest.mark.parametrize(("age", "outcome"), [
    (attribute(0.7, low=0.4), Outcome.INCONCLUSIVE), (LOW, Outcome.FAILED),
])  # fmt: skip
def test_it_excuses_nothing_else(age, outcome):
    row = said(evidence=evidence(age=age).fact("fairness_tests").id)
    told = verdict(row, age=age)
    assert told.outcome is outcome
    assert "justified until" in told.sentence
    assert "may be justified" not in told.next, "age never is"


@pytest.mark.parametrize(("changes", "problem"), [
    ({"candidate": "0" * 64}, "another candidate"),
    ({"evidence": "ev-000000000000"}, "another candidate or other evidence"),
    ({"until": "2026-11-24"}, "does not hold on 2026-11-25"),
    ({"dated": "2026-11-26"}, "does not hold on 2026-11-25"),
    ({"until": "2027-11-20"}, "at most 180 days"),
    ({"until": "2026-11-19"}, "at most 180 days"),
    ({"signed": False, "problem": "data owner: it is not signed"}, "data owner: it is not signed"),
    ({"alternatives": ("lottery_0.5",)}, "does not say why these were not taken: rank blend"),
    ({"alternatives": ("lottery_0.5", "rank_blend_active_probability_1", "share_0.1")}, "is not less unequal"),
    ({"alternatives": ("share_0.1",)}, "is not less unequal"),
])  # fmt: skip
def test_what_does_not_fit_has_no_effect_and_says_why(changes, problem):
    told = verdict(said(**changes))
    assert told.outcome is Outcome.FAILED
    assert f"has no effect: {problem}" in told.sentence or problem in told.sentence


def test_evidence_of_something_else_is_no_alternative():
    other = [{"evidence": measure("active_auc", 0.8801, 0.871, 0.889).id, "why_not": WHY["lottery_1"]}]
    assert "not evidence of measured decisions" in verdict({**said(), "alternatives": other}).sentence


@pytest.mark.parametrize("attribute_name", ["age", "marital_status", "household_comp"])
def test_no_other_attribute_can_be_justified(attribute_name):
    row = {**said(), "attribute": attribute_name}
    assert verdict(row, **{attribute_name: LOW, "income": attribute()}).outcome is Outcome.FAILED


@pytest.mark.parametrize("raw", [None, 3, "x", {}, {"signed": True}, {**said(), "aim": "."}, {**said(), "extra": 1}])
def test_what_cannot_be_read_justifies_nothing(raw):
    assert verdict(raw).outcome is Outcome.FAILED


@pytest.mark.parametrize("barred", ["age", "sex", "home_ownership", "Income", "ethnicity", "household_size", "alter"])
def test_the_policy_cannot_list_a_ground_of_discrimination_nor_what_it_does_not_know(barred):
    text = governed.text("policy.yaml").replace("justifiable: [income]", f"justifiable: [income, {barred}]")
    with pytest.raises(ParamsError, match=f"{barred} cannot be justified"):
        policy.read(text)


def test_a_policy_that_lists_nothing_lets_nothing_be_justified():
    rules = gate.Limits(attributes=governed.ATTRIBUTES, ratio=0.8, alpha=0.05)
    told = gate.check(evidence(fact(justification.FACT, [said()])), rules)
    assert told.outcome is Outcome.FAILED
    assert "the policy allows none" in told.sentence


@pytest.mark.parametrize("change", [
    {"aim": "." * 80}, {"aim": WORDS["necessity"]}, {"alternatives": []}, {"aim": "too short"}, {"until": "never"},
])  # fmt: skip
def test_a_file_that_says_nothing_is_refused(change):
    row = {k: v for k, v in said().items() if k not in ("signed", "problem")} | change
    with pytest.raises(ParamsError):
        justification.read(yaml.safe_dump(row), name="income.yaml")


# ---- the file, its draft and its three signatures


@pytest.fixture
def project(tmp_path: Path):
    """A candidate that failed by income, and three officers with keys."""
    keys = offices.keys_of(tmp_path)
    places = make_candidate(tmp_path / "project")
    write(places.compliance / "offices.yaml", offices.offices_text(keys))
    measured, made = (
        Evidence.from_json(places.evidence.read_text()),
        evidence(fact("fairness_decision", governed.DECIDED)),
    )
    taken = ("fairness_tests", "fairness_decision", "fairness_family")
    facts = (*(f for f in measured.facts if f.name not in taken), *(f for f in made.facts if f.name in taken))
    write(places.evidence, replace(measured, facts=facts, measures=(*measured.measures, *REACHED)).to_json())
    commit(places.root)
    return places, keys


def filled(places, **changes: Any) -> Path:
    drafted = yaml.safe_load(justification_draft(places, DvcStore(places.root), attribute="income", today=TODAY))
    by_id = {IDS[name]: why for name, why in WHY.items()}
    drafted |= WORDS | {"alternatives": [{**a, "why_not": by_id[a["evidence"]]} for a in drafted["alternatives"]]}
    path = places.compliance / justification.FOLDER / "income.yaml"
    write(path, yaml.safe_dump(drafted | changes, sort_keys=False, allow_unicode=True))
    return path


def signed(places, keys, *roles: str, key_of: str = "") -> str:
    """What is left after these have signed."""
    left = "nobody signed"
    for role in roles:
        who = {"email": offices.PEOPLE[role][1], "key": keys[key_of or role], "today": TODAY}
        left = justify(places, DvcStore(places.root), SshKeygen(), attribute="income", **who).problem
    return left


def test_a_draft_names_the_cheapest_less_unequal_decision_of_each_kind(project):
    drafted = yaml.safe_load(
        justification_draft(project[0], DvcStore(project[0].root), attribute="income", today=TODAY)
    )
    assert {a["evidence"] for a in drafted["alternatives"]} == {
        IDS["lottery_0.5"], IDS["rank_blend_active_probability_1"]
    }  # fmt: skip
    assert (drafted["data_owner"], drafted["dpo"]) == ("Olga Owner", "Dora Dpo")
    assert drafted["until"] == TODAY + timedelta(days=90)


def test_it_counts_when_all_three_have_signed_and_lapses_with_any_word(project):
    places, keys = project
    path = filled(places)
    assert "data protection officer: it is not signed" in signed(places, keys, "data owner", "risk officer")
    assert signed(places, keys, "data protection officer") == ""
    write(path, path.read_text().replace("postage", "postage stamps"))
    assert "data owner" in signed(places, keys, "risk officer")


def test_nobody_signs_for_another_office_or_with_another_key(project):
    places, keys = project
    filled(places, data_owner="Rita Risk")
    with pytest.raises(ParamsError, match="names Rita Risk as data owner"):
        signed(places, keys, "data owner")
    filled(places)
    with pytest.raises(IntegrityError, match="does not count"):
        signed(places, keys, "data owner", key_of="risk officer")


def test_what_did_not_fail_or_may_not_be_justified_is_not_drafted(project):
    with pytest.raises(ParamsError, match="does not let age be justified"):
        justification_draft(project[0], DvcStore(project[0].root), attribute="age", today=TODAY)


def test_a_registry_asks_whether_those_who_signed_are_its_own_officers(project):
    places, keys = project
    filled(places)
    signed(places, keys, "data owner", "risk officer", "data protection officer")
    found = justification_facts(places, offices_of(places))[0].value
    people = offices_text = offices.offices_text(keys)
    for account, name in (("olga", "Olga Owner"), ("rita", "Rita Risk"), ("dora", "Dora Dpo")):
        people = people.replace(f"name: {name},", f"name: {name}, account: {account},")
    assert strange_justifiers(found, read_offices(people)) == ()
    told = strange_justifiers(found, read_offices(people.replace("office: data owner, ", "")))
    assert told == (
        "The justification of income is signed for the data owner by somebody who, by the offices file, "
        "is not the data owner.",
    )
    assert len(strange_justifiers(found, read_offices(offices_text))) == 3, "people without an account here"
    assert len(strange_justifiers([{**said(), "signatures": {}}], read_offices(people))) == 3
    assert strange_justifiers([{**said(), "signed": False}], read_offices(people)) == ()
    assert strange_justifiers(None, read_offices(people)) == ()
