"""Whatever a gate tells people to do can be done in a project of theirs, and changes what the gate was about."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from candidate import ROOT
from own_world import RETAIL, TWIN, but, params

from twinops.adapters import installed_code
from twinops.cli._door import app
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.governance.gates import _absent, fairness, influence
from twinops.params import read
from twinops.workflows.candidate.owed import owed
from twinops.workflows.evidence import to_declare, undeclared_fact
from twinops.workflows.places import Places
from twinops.workflows.project.begin import begin
from twinops.workflows.project.own_files import Installed

GATES = ROOT / "src/twinops/governance"
MADE_BY_A_RUN = ("reports/", "model_cards/")
JUDGED_LATER = ("documents.py", "lineage.py", "decide.py")
"""Whose answer in the pipeline is replaced by another one in `twinops status`."""


def sentences(path: Path) -> Iterator[str]:
    """Every text of a file that people may be shown; what is filled in stands as {}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inner = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docs | inner):
            yield node.value


def shown() -> list[tuple[str, str]]:
    files = [*GATES.glob("gates/*.py"), GATES / "policy/decide.py", GATES / "open_fields.py"]
    return [(path.name, text) for path in sorted(files) for text in sentences(path)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop") / "shop"
    begin(Places(root), installed=Installed("9.9", installed_code.pipeline(), "twinops==9.9"), own=True)
    return root


def test_every_command_that_a_gate_names_can_be_typed(project: Path) -> None:
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    targets = set(re.findall(r"^([a-z-]+):", (project / "Makefile").read_text(encoding="utf-8"), re.M))
    known = typer.main.get_command(app)
    told = [(name, c) for name, text in shown() for c in re.findall(r"`((?:twinops|dvc|make) [^`{]+)`", text)]
    assert len(told) > 30
    for name, command in told:
        tool, *words = [w for w in command.split() if not w.startswith(("-", "..."))]
        if tool == "make":
            assert set(words) <= targets, (name, command)
        elif tool == "dvc":
            assert (words[0], set(words[1:]) <= set(stages)) == ("repro", True), (name, command)
        else:
            at: Any = known
            for word in words:
                if hasattr(at, "get_command"):
                    at = at.get_command(typer.Context(at), word)
                    assert at is not None, (name, command)


def test_every_file_that_a_gate_names_lies_in_a_project_of_ones_own_or_is_made_by_a_run(project: Path) -> None:
    pattern = re.compile(r"\b((?:src|compliance|docs|notebooks|reports|model_cards|setup)/[\w./-]*\w)")
    for name, text in shown():
        for path in pattern.findall(text):
            made = path.startswith(MADE_BY_A_RUN) or path == "compliance/dpia/decision.yaml"
            assert made or (project / path).exists(), f"{name}: {path}"


def test_status_sends_nobody_to_itself() -> None:
    assert [(n, t) for n, t in shown() if n not in JUDGED_LATER and re.search(r"`twinops status`", t)] == []


# Whom nobody may assess.

ONE = {"reads": "csv", "path": "crm.csv", "columns": {"household_id": "id", "age": "age"}, "kind": "profiles"}
FOR_ALL = {"household_id": ["bias_assessment"], "age": ["bias_assessment"]}


def shop(profiles: Any = "open") -> dict[str, Any]:
    crm = {**ONE, "legal": {**RETAIL["legal"], "bases": profiles, "purposes": FOR_ALL}}
    lines = copy.deepcopy(RETAIL)
    lines["legal"] |= {"bases": dict.fromkeys(TWIN, "consent")}
    return {"shop": lines, "crm": crm}


def evidence(own: dict[str, Any]) -> Evidence:
    said = params(**own).own
    rows = tuple({"group": g, "not_measured": "no one"} for g in ("old_age",))
    facts = (
        undeclared_fact(said),
        *to_declare(said),
        Fact(influence.GROUPS, {"old_age": {"age": ["65+"]}}, Kind.MEASURED, "reports"),
        Fact(influence.CONTROL, rows, Kind.MEASURED, "reports"),
    )
    return Evidence("twin", "0" * 64, "2026-01-01", (), facts)


def followed(own: dict[str, Any], remedy: str) -> dict[str, Any]:
    """The declarations with every key said that the remedy names."""
    said = copy.deepcopy(own)
    for source, key in re.findall(r"own\.(\w+)\.legal\.([\w.]+\w)", remedy):
        legal = said[source]["legal"]
        place, _, purpose = key.partition(".")
        if place == "bases":
            legal["bases"] = {**(legal["bases"] if isinstance(legal["bases"], dict) else {}), purpose: "consent"}
        else:
            legal["purposes"] = {**legal["purposes"], purpose: [*legal["purposes"][purpose], "bias_assessment"]}
    return said


@pytest.mark.parametrize("profiles", ["open", {"bias_assessment": "consent"}])
def test_who_may_not_be_assessed_is_declared_where_the_remedy_says(profiles: Any) -> None:
    own = shop(profiles)
    remedy = _absent.declaring(evidence(own))
    assert ("own.crm.legal.bases.bias_assessment" in remedy) is (profiles == "open")
    assert "own.shop.legal.bases.bias_assessment" in remedy
    assert "own.shop.legal.purposes.household_id" in remedy
    done = evidence(followed(own, remedy))
    assert "bias_assessment" not in done.table(_absent.UNDECLARED)
    assert "bias_assessment" not in done.table(_absent.TO_DECLARE)
    assert "bias_assessment" not in _absent.declaring(done)


def test_no_run_is_advised_where_a_declaration_is_lacking() -> None:
    nobody = fairness.AttributeTest(n=0, set_aside=0, groups=())
    found = evidence(shop())
    told = fairness._remedy(found, {"age": nobody})
    assert "own.crm.legal.bases.bias_assessment" in told
    assert "dvc repro" not in told
    assert fairness._remedy(found, {}) == fairness.RUN
    assert "own.crm.legal.bases.bias_assessment" in influence._remedy(found, never=False)
    assert "dvc repro" not in influence._remedy(evidence(followed(shop(), told)), never=False)


def test_every_open_fact_is_listed_with_the_line_on_which_it_is_said(project: Path) -> None:
    places = Places(project)
    said = yaml.safe_load(places.params.read_text(encoding="utf-8"))
    said["own"] = shop() | {"shop": but(RETAIL, legal=RETAIL["legal"] | {"notice": "open", "retention_days": "open"})}
    places.params.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    found = owed(places, read(places.params))
    in_params = {one.field: one for one in found if one.file == "params.yaml"}
    assert set(in_params) == {
        f"own.{key}" for key in ("crm.legal.bases", "shop.legal.notice", "shop.legal.retention_days")
    }
    assert {"compliance/offices.yaml", "compliance/intended_use.yaml", "compliance/dpia.yaml"} <= {
        o.file for o in found
    }
    for one in found:
        assert one.line is not None
        line = (project / one.file).read_text(encoding="utf-8").splitlines()[one.line - 1]
        assert one.field.rpartition(".")[2] in line or one.field.split(".")[-1].isdigit() or ":" in line, one


def test_a_group_is_told_with_how_many_are_in_it_and_not_with_everybody_alone():
    control = ({"group": "old_age", "households": 77, "offers": 20},)
    ratio = Measure("influence_ratio.old_age", 1.108, 905, "replayed", "score bounds", 0.73, 1.75)
    kept = Measure(influence.KEPT, 0, 223, "replayed", "counted", unit_of_n="offers")
    facts = (
        Fact(influence.GROUPS, {"old_age": {"age": ["65+"]}}, Kind.MEASURED, "reports"),
        Fact(influence.CONTROL, control, Kind.MEASURED, "reports"),
    )
    limits = influence.Limits(ratio_at_most=1.25, groups={"old_age": {"age": ("65+",)}})
    told = influence.check(Evidence("twin", "0" * 64, "2026-01-01", (ratio, kept), facts), limits)
    assert "old age (77 ⟨many⟩ beside the rest) 1.108" in told.sentence
