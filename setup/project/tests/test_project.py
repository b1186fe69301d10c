"""Is this project sound? What people typed can be acted on, nothing personal is in git, what ran is what lies here."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path

import pytest
import yaml

import twinops
from twinops import ideas
from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.running_code import strange
from twinops.workflows.compliance_files import declarations
from twinops.workflows.places import Places

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


def test_every_parameter_can_be_acted_on() -> None:
    assert twinops.open_project(ROOT).params.as_of


def test_what_people_declared_holds_no_mistake() -> None:
    assert declarations(Places(ROOT)).rules.gates


def test_the_code_that_is_installed_is_the_code_that_is_written_down() -> None:
    if said := strange(ROOT):
        pytest.fail(f"{said}: `make run`, or `twinops upgrade --write`, then `make test` again.", pytrace=False)


def test_every_stage_takes_its_code_from_what_is_written_down() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    told = {entry.partition("@")[0] for entry in json.loads((ROOT / "code.lock.json").read_text(encoding="utf-8"))}
    bodies = {name: stage.get("do", stage) for name, stage in stages.items()}
    own = {f"own_{Path(path).stem}" for path in ideas.named(ROOT).paths}
    ours = {name for name, body in bodies.items() if str(body["cmd"]).startswith("twinops ")}
    assert ours - own <= told
    assert [name for name in ours if "code.lock.json" not in str(bodies[name].get("params"))] == []


@pytest.mark.skipif(not (ROOT / "models" / "twin.json").is_file(), reason="no results lie here: make run")
def test_what_ran_is_what_lies_here() -> None:
    if changed := DvcStore(ROOT).changed():
        named = ", ".join([*changed][:5]) + (" and others" if len(changed) > 5 else "")
        told = f"What lies here is not what these {len(changed)} stages would make now: {named}."
        pytest.fail(f"{told} `make run`, then `make test` again.", pytrace=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_text_with_a_cell_of_parameters(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    ast.parse(text)
    assert '# %% tags=["parameters"]' in text.splitlines()


def test_no_row_of_a_customer_and_no_key_is_in_git() -> None:
    places = ["data/raw/x/a.parquet", "exports/answer.json", "sales.csv", "in/crm.xlsx", "me.key", "keystore/keys.db"]
    said = subprocess.run(["git", "check-ignore", *places], cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(said.stdout.split()) == set(places)
    listing = ["git", "ls-files", "-ci", "--exclude-standard"]
    held = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    assert held.stdout == "", "git holds what its own rules keep out"
