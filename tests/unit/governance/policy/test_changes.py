"""What new rules change is told in words; whatever could let more through counts as looser."""

from __future__ import annotations

import governed
import pytest

from twinops.governance.people import offices
from twinops.governance.policy import adopted_base, changes, limits
from twinops.governance.policy import judge as judges
from twinops.governance.policy.judge import Judge, JudgedStage

POLICY = governed.text("policy.yaml")
OFFICES = governed.text("offices.yaml")


def told(old: str, new: str, *, times: int = 1) -> dict[str, bool]:
    assert old in POLICY, old
    return _told(limits.read(POLICY.replace(old, new, times)))


def _told(new: limits.Policy) -> dict[str, bool]:
    return {c.sentence: c.loosens for c in changes.of_policies(limits.read(POLICY), new)}


LOOSER = [
    ("rate_at_most: 0.06", "rate_at_most: 0.99"),
    ("auc_at_most: 0.65", "auc_at_most: 0.99"),
    ("at_least: 0.99", "at_least: 0.5"),
    ("ratio: 0.8", "ratio: 0.1"),
    ("alpha: 0.05", "alpha: 0.1"),
    ("warn: 0.07", "warn: 0.09"),
    ("gain: active_auc.gain_over_best", "gain: active_auc.gain_over_naive"),
    ("attributes: [age, income,", "attributes: [age,"),
    ("        old_age: {age: [65+]}\n", ""),
    ("old_age: {age: [65+]}", "old_age: {age: [19-24]}"),
    ("        - bom.cdx.json\n", ""),
    ("at_most_days: 90", "at_most_days: 91"),
    ("at_most_days: 30", "at_most_days: 90"),
    ("never: [use,", "never: ["),
    ("by: [risk officer]", "by: [risk officer, data owner]"),
    ("may_resolve: [risk officer]", "may_resolve: [risk officer, data owner]"),
    ("gate: drift\n", "gate: drift\n    severity: advisory\n"),
    ("most_contacts: 2", "most_contacts: 3"),
    ("epsilon_at_most: 3.0", "epsilon_at_most: 4.0"),
    ("delta: 0.000001", "delta: 0.0001"),
    ("valid_until: 2027-11-23", "# no end"),
    ("vulnerable: [under_age, open_complaint]", "vulnerable: [under_age]"),
]
TIGHTER = [
    ("rate_at_most: 0.06", "rate_at_most: 0.05"),
    ("at_least: 0.99", "at_least: 0.999"),
    ("at_most_days: 90", "at_most_days: 30"),
    ("never: [use,", "never: [use, drift,"),
    ("by: [risk officer]", "by: []"),
    ("may_resolve: [risk officer]", "may_resolve: []"),
    ("most_contacts: 2", "most_contacts: 1"),
    ("valid_until: 2027-11-23", "valid_until: 2028-11-23"),
    ('version: "2026-11-23"', 'version: "2026-12-01"'),
]


@pytest.mark.parametrize(("old", "new"), LOOSER)
def test_what_could_let_more_through_is_looser(old: str, new: str) -> None:
    assert any(told(old, new).values())


@pytest.mark.parametrize(("old", "new"), TIGHTER)
def test_what_lets_less_through_is_told_and_needs_nobody_else(old: str, new: str) -> None:
    found = told(old, new)
    assert found
    assert not any(found.values()), found


def test_a_gate_that_leaves_or_is_another_one_is_looser_and_one_that_comes_is_not() -> None:
    whole = limits.read(POLICY)
    less = whole.model_copy(update={"gates": tuple(g for g in whole.gates if g.id != "fairness")})
    left = _told(less.model_copy(update={"not_judged": {"fairness": "a play"}}))
    assert left == {"fairness: the gate leaves.": True, "fairness: is no longer judged (a play).": True}
    came = changes.of_policies(less, whole)
    assert [(c.sentence, c.loosens) for c in came] == [("fairness: is judged from now.", False)]
    other = tuple(g.model_copy(update={"gate": "coverage"}) if g.id == "drift" else g for g in whole.gates)
    assert True in _told(whole.model_copy(update={"gates": other})).values()


def test_figures_stand_in_the_words() -> None:
    assert told("rate_at_most: 0.06", "rate_at_most: 0.99") == {
        "membership: rate_at_most: 0.06 becomes 0.99, loosened.": True
    }
    assert told("by: [risk officer]", "by: []") == {"override.by: risk officer becomes nothing, tightened.": False}


def test_a_first_policy_is_told_whole_and_the_same_again_changes_nothing() -> None:
    first = changes.of_policies(None, limits.read(POLICY))
    assert len(first) > len(limits.read(POLICY).gates)
    assert not any(c.loosens for c in first)
    assert _told(limits.read(POLICY)) == {}


@pytest.mark.parametrize(
    ("old", "new", "looser"),
    [
        ("approval_days: 180", "approval_days: 90", False),
        ("approval_days: 180", "approval_days: 365", True),
        ("gate_runners: [ci]", "gate_runners: [ci, mine]", True),
        ("account: dpo,", "account: mole,", True),
        ("scientist@example.org", "other@example.org", True),
        ("[production]", "[production, staging]", False),
        ("[production]", "[staging]", True),
    ],
)
def test_who_is_who_changes_with_a_second_office_only(old: str, new: str, looser: bool) -> None:
    assert old in OFFICES
    found = changes.of_offices(offices.read(OFFICES), offices.read(OFFICES.replace(old, new, 1)))
    assert any(c.loosens for c in found) is looser
    assert "@" not in " ".join(c.sentence for c in found), "no e-mail where many read"


def judge(**files: str) -> Judge:
    stages = {name: JudgedStage(cmd=f"twinops run {name}", digest="0" * 64) for name in ("features", "documents")}
    return Judge(commit="a" * 40, tree="b" * 40, files={"src/kept.py": "1" * 64, **files}, stages=stages)


def test_a_first_judge_is_told_by_its_size_and_its_digest() -> None:
    first = judge()
    (said,) = judges.change(None, first)
    assert "1 file(s) of code and 2 stage(s) measure from now" in said.sentence
    assert first.digest in said.sentence


def test_of_a_later_judge_every_path_that_differs_is_told_up_to_a_bound_and_how_many_there_are() -> None:
    old, new = judge(**{"src/gone.py": "2" * 64, "src/other.py": "3" * 64}), judge(**{"src/other.py": "4" * 64})
    told = [c.sentence for c in judges.change(old, new)]
    assert told[0] == f"Files and stages that measure: 1 changed, 1 gone; digest {new.digest}."
    assert told[1:] == ["src/gone.py: gone", "src/other.py: changed"]
    assert judges.change(new, new) == ()
    many = judge(**{f"src/{n}.py": "5" * 64 for n in range(judges.TOLD + 7)})
    told = [c.sentence for c in judges.change(judge(), many)]
    assert f"{judges.TOLD + 7} new" in told[0]
    assert (len(told), told[-1]) == (judges.TOLD + 2, "and 7 more: `twinops judge show` lists all.")


def test_one_commit_of_one_person_is_told_in_the_singular() -> None:
    told = adopted_base.AdoptedBase(model="twin", commit="a" * 40, commits=1, people=1).sentence
    assert told == "1 commit of 1 e-mail up to aaaaaaaaaaaa counts as upstream's"
    many = adopted_base.AdoptedBase(model="twin", commit="a" * 40, commits=338, people=1).sentence
    assert many == "338 commits of 1 e-mail up to aaaaaaaaaaaa count as upstream's"
