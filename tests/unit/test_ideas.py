"""A file of the project stands on its shelf when params.yaml names it, and for no other reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import governed
import pytest

from twinops import ideas, plugins
from twinops.entities.verdict import Outcome
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.gates._shelf import SHELF, gates, of
from twinops.governance.policy import limits
from twinops.governance.policy.decide import decide
from twinops.governance.policy.lasting import lasts
from twinops.governance.policy.limits import Policy
from twinops.workflows.ideas.new import example
from twinops.workflows.pipeline.documents import build

GATE = example("gates", "warm")


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    plugins.lay(())


def project(root: Path, *paths: str, text: str = GATE) -> Path:
    """A project that names these files, each holding the text."""
    root.mkdir(exist_ok=True)
    for path in paths:
        (root / "ideas" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "ideas" / path).write_text(text, encoding="utf-8")
    (root / "params.yaml").write_text(f"ideas: [{', '.join(paths)}]\n", encoding="utf-8")
    return root


def refused(root: Path) -> str:
    before = plugins.laid()
    with pytest.raises(ParamsError) as told:
        ideas.lay(root)
    assert plugins.laid() == before, "nothing of a project is laid when part of it is refused"
    return str(told.value)


def test_a_named_file_is_found_as_a_shipped_one(tmp_path: Path) -> None:
    ideas.lay(project(tmp_path, "gates/warm.py"))
    assert "warm" in plugins.names(SHELF)
    assert plugins.load(SHELF, "warm").QUESTION.endswith("?")
    assert "warm" in {gate.__name__.rpartition(".")[2] for gate in gates()}


def test_an_unlisted_file_is_not_loaded(tmp_path: Path) -> None:
    root = project(tmp_path, "gates/warm.py")
    (root / "ideas" / "gates" / "cold.py").write_text("raise SystemExit('it ran')\n", encoding="utf-8")
    ideas.lay(root)
    assert "cold" not in plugins.names(SHELF)
    with pytest.raises(ParamsError, match="No gate is called 'cold'"):
        plugins.load(SHELF, "cold")


def test_another_project_has_none_of_it(tmp_path: Path) -> None:
    ideas.lay(project(tmp_path / "one", "gates/warm.py"))
    assert plugins.load(SHELF, "warm")
    ideas.lay(project(tmp_path / "two"))
    assert "warm" not in plugins.names(SHELF)
    with pytest.raises(ParamsError, match="No gate is called 'warm'"):
        plugins.load(SHELF, "warm")
    other = GATE.replace("Do enough", "Do so many")
    ideas.lay(project(tmp_path / "three", "gates/warm.py", text=other))
    assert plugins.load(SHELF, "warm").QUESTION.startswith("Do so many")


@pytest.mark.parametrize(
    "path", ["../gates/warm.py", "gates/../../warm.py", "/etc/passwd.py", "cli/warm.py", "gates/_w.py"]
)
def test_a_path_that_is_no_place_for_an_idea_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "params.yaml").write_text(f"ideas: ['{path}']\n", encoding="utf-8")
    assert "params.yaml: ideas" in refused(tmp_path)


@pytest.mark.parametrize("linked", ["ideas/gates/warm.py", "ideas/gates", "ideas"])
def test_a_link_out_of_the_project_is_refused(tmp_path: Path, linked: str) -> None:
    outside = project(tmp_path / "outside", "gates/warm.py")
    root = project(tmp_path / "shop")
    (root / "params.yaml").write_text("ideas: [gates/warm.py]\n", encoding="utf-8")
    (root / linked).parent.mkdir(parents=True, exist_ok=True)
    (root / linked).symlink_to(outside / linked)
    assert "ideas/gates/warm.py is a link" in refused(root)


@pytest.mark.parametrize(
    ("path", "name"), [("gates/fairness.py", "fairness"), ("documents/model_card.py", "model_card")]
)
def test_nothing_takes_the_place_of_what_is_shipped(tmp_path: Path, path: str, name: str) -> None:
    text = GATE if path.startswith("gates") else example("documents", name)
    assert f"ideas/{path} takes the name of what twinops ships" in refused(project(tmp_path, path, text=text))


def broken(old: str, new: str) -> str:
    assert old in GATE
    return GATE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def (:\n", "ideas/gates/warm.py is no Python, line 1"),
        (broken("def needs", "def need"), "ideas/gates/warm.py lacks needs"),
        (broken("RULE =", "LAW ="), "ideas/gates/warm.py lacks RULE"),
        (f"{GATE}\nimport os\n", "imports os"),
        (f"{GATE}\nfrom twinops.governance.policy import limits\n", "imports twinops.governance.policy.limits"),
        (
            f"{GATE}\nfrom twinops.governance.policy.decide import plugins\n",
            "imports twinops.governance.policy.decide.plugins",
        ),
        (f"{GATE}\nfrom twinops.wiring import open_project\n", "imports twinops.wiring"),
        (f"{GATE}\nFOUND = open('/etc/passwd')\n", "uses open"),
        (f"{GATE}\nFOUND = ().__class__\n", "uses __class__"),
        (f"{GATE}\nVerdict.outcome = 1\n", "changes outcome of something"),
        (f"{GATE}\nLATER = 'later'\n", "may not define LATER"),
        ("#" * 70_000, "ideas/gates/warm.py is longer than 64 KiB"),
        ("\udcff", "is no file of UTF-8 text"),
    ],
)
def test_a_file_that_may_not_stand_there_is_told_in_a_sentence(tmp_path: Path, text: str, why: str) -> None:
    root = project(tmp_path, "gates/warm.py")
    (root / "ideas" / "gates" / "warm.py").write_bytes(text.encode(errors="surrogateescape"))
    assert why in refused(root)


def test_a_file_that_is_not_there_and_one_that_is_wrong_are_told_together(tmp_path: Path) -> None:
    root = project(tmp_path, "gates/warm.py", "gates/cold.py", text="X = 1\n")
    (root / "ideas" / "gates" / "cold.py").unlink()
    told = refused(root)
    assert "cold.py is not there" in told
    assert "warm.py lacks RULE" in told


def test_what_breaks_while_it_is_loaded_is_a_sentence(tmp_path: Path) -> None:
    ideas.lay(project(tmp_path, "gates/warm.py", text=f"{GATE}\nX = 1 // 0\n"))
    with pytest.raises(ParamsError, match=r"ideas/gates/warm\.py cannot be loaded: ZeroDivisionError"):
        plugins.load(SHELF, "warm")


# a gate of one's own among the shipped ones


def policy_with(gate: str) -> Policy:
    text = (governed.ROOT / "compliance" / "policy.yaml").read_text(encoding="utf-8")
    return limits.read(text.replace("gates:\n", f"gates:\n  - {gate}\n", 1))


def test_an_own_gate_adds_one_verdict_and_changes_no_other(tmp_path: Path) -> None:
    evidence = governed.candidate()
    before = decide(governed.shipped_policy(), evidence).verdicts
    ideas.lay(project(tmp_path, "gates/warm.py"))
    decision = decide(policy_with("{id: warm, gate: warm, limits: {at_least: 0.99}}"), evidence)
    assert decision.verdicts[0].outcome is Outcome.FAILED
    assert "warm" in decision.blocking
    assert decision.verdicts[1:-1] == before[:-1]


def test_a_policy_that_asks_a_gate_nobody_brings_is_a_mistake() -> None:
    with pytest.raises(ParamsError, match="No gate is called 'warm'"):
        policy_with("{id: warm, gate: warm}")


@pytest.mark.parametrize("answer", ["raise KeyError('x')", "return None", "return True"])
def test_an_own_gate_that_stumbles_has_not_said_yes(tmp_path: Path, answer: str) -> None:
    text = GATE.replace('    """Judge the end that hurts: the low one."""\n', f"    {answer}\n")
    ideas.lay(project(tmp_path, "gates/warm.py", text=text))
    decision = decide(policy_with("{id: warm, gate: warm}"), governed.candidate())
    assert decision.verdicts[0].outcome is Outcome.MISSING
    assert "warm" in decision.blocking


def test_an_own_gate_answers_for_no_shipped_one_and_moves_no_end(tmp_path: Path) -> None:
    fairness, ends = (
        plugins.load(SHELF, "fairness"),
        "{'policy 2026-11-23': date(2099, 1, 1), 'mine': date(2098, 1, 1)}",
    )
    text = GATE.replace('RULE = "own rule warm of this project, 2026"', f"RULE = {fairness.RULE!r}")
    more = (
        "from datetime import date\n\nPICTURES = ('mine',)\n\n\n"
        f"def ends(_evidence: Evidence, _limits: Limits) -> dict[str, date]:\n    return {ends}\n"
    )
    evidence = governed.candidate()
    policy = policy_with_text(project(tmp_path, "gates/aaa.py", text=text + more))
    decision = decide(policy, evidence)
    verdict = next(v for v in decision.verdicts if v.gate == "fairness")
    assert of(verdict, "PICTURES") == getattr(fairness, "PICTURES", None)
    found = lasts(policy, evidence, decision)
    assert found[f"policy {policy.version}"] == policy.valid_until
    assert found["aaa: mine"].year == 2098


def policy_with_text(root: Path) -> Policy:
    ideas.lay(root)
    return policy_with("{id: aaa, gate: aaa}")


def test_an_own_document_is_built_bound_and_held_to_its_citations(tmp_path: Path) -> None:
    root = project(tmp_path, "gates/warm.py")
    (root / "ideas" / "documents").mkdir()
    letter = example("documents", "floor_letter")
    (root / "ideas" / "documents" / "floor_letter.py").write_text(letter, encoding="utf-8")
    (root / "params.yaml").write_text("ideas: [gates/warm.py, documents/floor_letter.py]\n", encoding="utf-8")
    ideas.lay(root)
    evidence = governed.candidate()
    decision = decide(policy_with("{id: warm, gate: warm}"), evidence)
    built = build(evidence, decision)
    assert built["floor_letter.md"].startswith("# To the shop floor\n\nWho comes back is told with AUC")
    listed = json.loads(built["manifest.json"])["documents"]["floor_letter.md"]
    assert (listed["cited"], listed["faults"]) == (1, [])
    assert "| `warm` |" in built["appendix.md"], "the gate's verdict stands among the others"

    bare = letter.replace("said(f", "str(f").replace(", found) if", ") if")
    (root / "ideas" / "documents" / "floor_letter.py").write_text(bare, encoding="utf-8")
    ideas.lay(root)
    with pytest.raises(IntegrityError, match=r"floor_letter\.md states a figure without evidence"):
        build(evidence, decision)
