"""A gate of one's own judges in the server once an officer activated the judge that carries it, and not before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import live as living
import play
import pytest
from live import Live, Version

from twinops.governance.policy import judge as judges
from twinops.workflows.ideas.new import example

pytestmark = pytest.mark.pipeline
PATH = "ideas/gates/comes_back.py"
GATE = example("gates", "comes_back")


@pytest.fixture
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with living.serving(tmp_path_factory.mktemp("own_gates"), None) as server:
        yield server


def with_gate(commit: str, text: str = GATE, *, told: str | None = None) -> judges.Judge:
    """The play's judge and one gate of the project's own; `told` is the text it carries."""
    base = play.judge(commit)
    files = {**base.files, PATH: hashlib.sha256(text.encode()).hexdigest()}
    return base.model_copy(update={"files": files, "gates": {PATH: text if told is None else told}})


def activated(live: Live, kind: str, text: str) -> living.Answer:
    return live.call("POST", "/twinops/api/rules", {"kind": kind, "text": text}, who="risk-officer")


def asking(at_least: float) -> str:
    entry = f"gates:\n  - {{id: comes_back, gate: comes_back, limits: {{at_least: {at_least}}}}}\n"
    return play.POLICY.replace("gates:\n", entry, 1)


def commit_of(version: Version) -> str:
    return str(play.handed(version.files["data/twin.json"])["commit"])


def test_evidence_judged_with_an_own_gate_is_held_until_an_officer_activates_the_judge_that_carries_it(
    live: Live,
) -> None:
    version = live.registered(1)
    judge = with_gate(commit_of(version))
    assert live.judged(version, judge=judge).status == 200, "it is kept"
    held = live.decided("approve", version)
    assert held.status == 403
    assert "Another judge than the active one measured it" in held.json["message"]
    early = activated(live, "policy", asking(0.5))
    assert (early.status, "No gate is called 'comes_back'" in early.json["message"]) == (400, True)

    assert activated(live, "judge", judge.to_json()).status == 200
    assert activated(live, "policy", asking(0.5)).status == 200
    assert live.decided("approve", version).status == 200
    assert live.alias(version).status == 200

    # the same gate, asked for more, takes back what it let through, and it alone stands in the way
    assert activated(live, "policy", asking(0.99)).status == 200
    refused = live.alias(version)
    assert refused.status == 403
    assert live.shown(version)["decision"]["blocking"] == ["comes_back"]


def test_a_judge_without_a_gate_that_the_policy_asks_is_refused(live: Live) -> None:
    assert activated(live, "judge", with_gate("5" * 40).to_json()).status == 200
    assert activated(live, "policy", asking(0.5)).status == 200
    for judge in (play.judge("6" * 40), with_gate("6" * 40, GATE.replace("at_least", "at_most"))):
        answer = activated(live, "judge", judge.to_json())
        assert answer.status == 403
        assert "With this judge the active policy cannot be read" in answer.json["message"]


UNFIT = (
    (with_gate("5" * 40, told=GATE + "\n"), "is not the file of this judge"),
    (with_gate("5" * 40).model_copy(update={"gates": {}}), "is not the file of this judge"),
    (with_gate("5" * 40, f"{GATE}\nimport os\n"), "imports os"),
    (with_gate("5" * 40, "X = 1\n"), "lacks RULE"),
)


def test_a_judge_with_a_gate_that_may_not_stand_on_its_shelf_is_refused_unread(live: Live) -> None:
    for judge, why in UNFIT:
        answer = activated(live, "judge", judge.to_json())
        assert (answer.status, why in answer.json["message"]) == (400, True), (why, answer.body)
