"""What a stage declares in `dvc.yaml` is what its command really loads and takes."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from workshop import ROOT, Workshop

from twinops import plugins
from twinops.params import section_names

DOORS = (
    "twinops",
    "twinops.cli",
    "twinops.wiring",
    "twinops.errors",
    "twinops.plugins",
    "twinops.ports",
    "twinops.params",
    "twinops.own_params",
    "twinops.adapters.quiet",
    "twinops.workflows",
    "twinops.adapters",
    "twinops.workflows.notebook",
)
"""Modules that carry words, wires and checked parameters, and compute nothing; parameters are compared by value."""

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
RECORDER = """
import atexit, json, os, pathlib, sys
top, opened = os.path.realpath(os.environ["RECORD_ROOT"]) + os.sep, set()
def _hear(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if path.startswith(top) and os.path.isfile(path):
            opened.add(path.removeprefix(top))
sys.addaudithook(_hear)
def _write():
    seen = sorted(n for n in list(sys.modules) if n == "twinops" or n.startswith("twinops."))
    record = json.dumps({"modules": seen, "files": sorted(opened)})
    pathlib.Path(os.environ["RECORD_TO"], f"{os.getpid()}.json").write_text(record)
atexit.register(_write)
"""
"""Loaded by every Python process of a command: which of our modules it imported and which project files it opened."""

NEITHER = re.compile(
    r"(\.git|\.dvc|\.twinops)/|.*\.(py|pyc|half)$|params\.yaml$|src/twinops/adapters/quiet\.env$|dvc\.lock$"
)
"""Code is compared by module and parameters by value; locks, scratch and half-written files are no inputs.

`documents` reads `dvc.lock` to name the candidate: it depends on all that the lock's other entries speak of.
"""


def body(stage: str) -> dict:
    """A stage's description; that of a `foreach` stage is under `do`."""
    return STAGES[stage].get("do", STAGES[stage])


def workflow_of(stage: str) -> str:
    command = body(stage)["cmd"].split()
    return command[2]


def declared_sections(stage: str) -> set[str]:
    return {p for p in body(stage)["params"] if isinstance(p, str)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_parameter_sections_its_workflow_takes(stage: str) -> None:
    workflow = getattr(plugins.load("twinops.workflows", workflow_of(stage)), workflow_of(stage))
    sections = section_names()
    hints = [hint for name, hint in get_type_hints(workflow).items() if name != "return"]
    taken = {sections[h] for h in hints if h in sections} | ({"as_of"} if date in hints else set())
    uses_keys = any(getattr(h, "__name__", "") == "KeyStore" for h in hints)
    needed = taken | ({"vault"} if uses_keys else set())
    if stage == "documents":  # names the key, which is made from every parameter of every stage
        needed = {p for other in STAGES for p in declared_sections(other)}
    assert declared_sections(stage) == needed


@pytest.mark.pipeline
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_module_it_loads_and_every_file_it_opens(
    stage: str, ran: Workshop, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    (tmp_path / "seen").mkdir()
    name = next(s for s in ran.lock() if s == stage or s.startswith(f"{stage}@"))
    entry = ran.lock()[name]
    ran.do(
        *entry["cmd"].split(),
        RECORD_TO=str(tmp_path / "seen"),
        RECORD_ROOT=str(ran.root),
        PYTHONPATH=f"{tmp_path}:{ran.root / 'src'}",
    )
    records = [json.loads(file.read_text()) for file in (tmp_path / "seen").iterdir()]
    loaded = {m for record in records for m in record["modules"] if m not in DOORS and not m.startswith("twinops.cli.")}
    opened = {f for record in records for f in record["files"] if not NEITHER.match(f)}
    assert loaded, "the recorder saw nothing"
    deps = [d["path"] for d in entry["deps"]]
    outs = [o["path"] for o in entry["outs"]]
    assert (
        sorted(
            m
            for m in loaded
            if not any(covered(f"src/{m.replace('.', '/')}{end}", deps) for end in ("", ".py", "/__init__.py"))
        )
        == []
    )
    assert sorted(f for f in opened if not covered(f, deps + outs)) == []
    assert ran.do("git", "status", "--porcelain") == ""


def covered(path: str, declared: list[str]) -> bool:
    """Whether a declared file is this path, or a declared folder holds it."""
    return any(path == d or path.startswith(f"{d}/") for d in declared)


def test_every_declared_code_dependency_exists() -> None:
    missing = [
        d
        for stage in STAGES
        for d in body(stage)["deps"]
        if d.startswith(("src/", "notebooks/", "compliance")) and not (ROOT / d).exists()
    ]
    assert missing == []
