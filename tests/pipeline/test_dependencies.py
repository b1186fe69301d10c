"""What a stage declares in `dvc.yaml` is what its command really loads and takes."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from recording import Recording
from workshop import ROOT

import dependencies
from twinops.entities.day_count import DayCount
from twinops.params import section_names
from twinops.ports import KeyStore
from twinops.wiring import asked, find, load_steps

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
NEITHER = re.compile(
    r"(\.git|\.dvc|\.twinops)/|.*\.(py|pyc|half)$|(params|dvc)\.yaml$|src/twinops/adapters/quiet\.env$|dvc\.lock$"
    r"|reports/looks\.(jsonl|new)$|live/(stages|at_work|rights)\.lock$"
)
"""Code is compared by module and parameters by value; locks, scratch and half-written files are no inputs.

`documents` reads `dvc.lock` to name the candidate: it depends on all that the lock's other entries speak of.
`evaluate` adds a line to the ledger of looks and takes no figure from it; `holdout`, which does, declares it.
"""


def body(stage: str) -> dict:
    """A stage's description; that of a `foreach` stage is under `do`."""
    return STAGES[stage].get("do", STAGES[stage])


def workflow_of(stage: str) -> str:
    command = body(stage)["cmd"].split()
    return command[2]


def notebook_of(stage: str) -> str:
    """The text of the notebook that a stage executes, or nothing."""
    path = ROOT / "notebooks" / f"{workflow_of(stage)}.py"
    return path.read_text(encoding="utf-8") if body(stage)["cmd"].split()[1] == "notebook" else ""


def declared_sections(stage: str) -> set[str]:
    return {p for p in body(stage)["params"] if isinstance(p, str)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_parameter_sections_its_workflow_takes(stage: str) -> None:
    sections, supplied = section_names(), asked(find(workflow_of(stage)))
    if ".panel(" in notebook_of(stage):
        supplied |= asked(load_steps("twinops.workflows", "panel").__init__)
    taken = {sections[h] for h in supplied if h in sections} | ({"as_of"} if date in supplied else set())
    if DayCount in supplied and "features" not in taken:
        taken |= {"features.first_day"}
    needed = taken | ({"vault"} if KeyStore in supplied else set())
    if stage == "documents":  # names the key, which is made from every parameter of every stage
        needed = {p for other in STAGES for p in declared_sections(other)} - {"features.first_day"}
    assert declared_sections(stage) == needed


@pytest.mark.pipeline
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_module_it_loads_and_every_file_it_opens(stage: str, first: Recording) -> None:
    """Heard while the pipeline ran; of a `foreach` stage, for every one of its items."""
    lock = first.workshop.lock()
    names = [s for s in lock if s == stage or s.startswith(f"{stage}@")]
    assert names
    for name in names:
        loaded = {m for m in first.of(name, "modules") if dependencies.computes(m)} - dependencies.carried()
        opened = {f for f in first.of(name, "files") if not NEITHER.match(f)}
        assert loaded, "the recorder saw nothing"
        deps = [d["path"] for d in lock[name]["deps"]]
        outs = [o["path"] for o in lock[name]["outs"]]
        assert sorted(m for m in loaded if not any(covered(f, deps) for f in files_of(m))) == []
        assert sorted(f for f in opened if not covered(f, deps + outs)) == []


def files_of(module: str) -> list[str]:
    """Where a module may lie."""
    return [f"src/{module.replace('.', '/')}{end}" for end in ("", ".py", "/__init__.py")]


def covered(path: str, declared: list[str]) -> bool:
    """Whether a declared file is this path, or a declared folder holds it."""
    return any(path == d or path.startswith(f"{d}/") for d in declared)


def test_a_stage_depends_on_no_code_but_what_its_command_imports() -> None:
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert dependencies.with_code(text) == text, "run `make deps`"


def test_an_edit_in_the_data_plane_runs_few_stages_again() -> None:
    """Mean over its modules of the share of stage instances that depend on each; an edit used to run 29 of 44.

    It was 7 of 44 before own sources of every kind, rights and erasure were read at the same door.
    """
    assert sum(again(f) for f in data_plane()) / len(data_plane()) / instances() <= 9.2 / 46


def test_a_word_about_fairness_is_read_by_fairness_and_the_documents_alone() -> None:
    edited = "src/twinops/evaluation/fairness/conclusions.py"
    assert (ROOT / edited).is_file()
    assert [name for name in STAGES if covered(edited, body(name)["deps"])] == ["fairness", "documents"]


def data_plane() -> list[str]:
    """Modules on which subject-level data are read, believed and measured."""
    found = [p for plane in ("data", "twin", "evaluation") for p in (ROOT / "src" / "twinops" / plane).rglob("*.py")]
    return [p.relative_to(ROOT).as_posix() for p in found if p.name != "__init__.py"]


def again(file: str) -> int:
    """How many stage instances run again when this file changes, but for those that follow by their data."""
    return sum(
        covered(file, [d.replace("${item}", str(item)) for d in body(name)["deps"]])
        for name in STAGES
        for item in items(name)
    )


def instances() -> int:
    """How many stage instances the pipeline has."""
    return sum(len(items(name)) for name in STAGES)


def items(stage: str) -> list[object]:
    """What a `foreach` stage is made for; one thing for any other."""
    given = STAGES[stage].get("foreach", [None])
    return PARAMS["months"] if given == "${months}" else given


def test_every_declared_code_dependency_exists() -> None:
    missing = [
        d
        for stage in STAGES
        for d in body(stage)["deps"]
        if d.startswith(("src/", "notebooks/", "compliance")) and "${" not in d and not (ROOT / d).exists()
    ]
    assert missing == []


def test_new_deps_make_the_documents_run_again_and_nothing_else(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    lock.write_bytes((ROOT / "dvc.lock").read_bytes())
    dependencies.forget_documents(lock)
    before, after = (yaml.safe_load(p.read_text(encoding="utf-8"))["stages"] for p in (ROOT / "dvc.lock", lock))
    assert before.pop("documents")
    assert after == before


def test_the_stage_that_reads_the_ledger_of_looks_depends_on_it() -> None:
    assert [name for name in STAGES if "reports/looks.jsonl" in body(name)["deps"]] == ["holdout"]
