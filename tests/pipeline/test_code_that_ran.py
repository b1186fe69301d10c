"""The code that ran is the code recorded, however the environment came about."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from workshop import Workshop, make_workshop

from twinops.adapters import running_code
from twinops.adapters.dvc.lock_file import DvcStore
from twinops.entities.fact import Kind
from twinops.errors import IntegrityError
from twinops.governance.gates import lineage as gate
from twinops.wiring import open_project
from twinops.workflows.candidate.files import evidence_of, lineage_facts

pytestmark = pytest.mark.pipeline
WRITING = (
    ("repro",),
    ("run", "features"),
    ("notebook", "train"),
    ("track",),
    ("register",),
    ("status", "--record"),
    ("documents", "build"),
    ("sources", "fingerprint"),
    ("release", "generalised"),
    ("quarantine", "expire"),
)
READING = (("--help",), ("gates", "list"), ("documents", "list"), ("sources", "list"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A project that never ran, with code of its own."""
    made = make_workshop(tmp_path_factory.mktemp("own") / "project")
    yield made
    assert made.do("git", "status", "--porcelain", "--", "src", "dvc.yaml") == ""


@pytest.fixture(scope="module")
def other(project: Workshop, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The code of another checkout, in which one stage does something else."""
    elsewhere = tmp_path_factory.mktemp("other") / "src"
    shutil.copytree(project.root / "src", elsewhere, ignore=shutil.ignore_patterns("__pycache__"))
    return str(elsewhere)


@pytest.mark.parametrize("words", WRITING, ids=lambda words: words[-1] if len(words) == 1 else "-".join(words[:2]))
def test_a_command_that_writes_is_refused_with_another_checkouts_code(
    project: Workshop, other: str, words: tuple[str, ...]
) -> None:
    said = project.do("twinops", *words, expect=4, PYTHONPATH=other)
    assert f"Nothing was written: this command runs the code in {other}/twinops" in said
    assert "Traceback" not in said
    assert project.do("git", "status", "--porcelain") == ""
    assert not (project.root / "data").exists()


def test_an_environment_that_was_made_in_another_folder_is_no_better(project: Workshop) -> None:
    environment = {k: v for k, v in project.environment.items() if k != "PYTHONPATH"}
    assert "PYTHONPATH" not in environment
    said = project.do("env", "-u", "PYTHONPATH", "twinops", "run", "collect_consent", expect=4)
    assert "and the project has its own in" in said
    said = project.do("env", "-u", "PYTHONPATH", "dvc", "repro", "collect_consent", expect=None)
    assert "Nothing was written: this command runs the code in" in said
    assert not (project.root / "dvc.lock").exists()


@pytest.mark.parametrize("words", READING, ids="-".join)
def test_a_command_that_only_reads_answers(project: Workshop, other: str, words: tuple[str, ...]) -> None:
    project.do("twinops", *words, PYTHONPATH=other)


@pytest.mark.parametrize("words", [("gates", "list"), ("gates", "explain"), ("status",)], ids="-".join)
def test_a_command_that_reads_the_project_says_that_other_code_reads_it(
    project: Workshop, other: str, words: tuple[str, ...]
) -> None:
    said = project.do("twinops", *words, expect=None, PYTHONPATH=other)
    told = f"Beware: this command runs the code in {other}/twinops, and the project has its own in {project.root}/src"
    assert said.count(told) == 1
    assert "Beware" not in project.do("twinops", *words, expect=None)


def test_one_module_from_elsewhere_is_enough(project: Workshop, other: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import twinops.evaluation\n"
        f"twinops.evaluation.__path__.insert(0, {other!r} + '/twinops/evaluation')\n"
        "import twinops.evaluation.influence\n"
    )
    said = project.do("twinops", "track", expect=4, PYTHONPATH=f"{tmp_path}:{project.root / 'src'}")
    assert "twinops.evaluation.influence was loaded from outside" in said


def test_a_worktree_and_an_experiment_in_a_copy_run_their_own_code_or_nothing(
    project: Workshop, tmp_path: Path
) -> None:
    project.do("git", "worktree", "add", "-q", str(tmp_path / "tree"))
    tree = Workshop(tmp_path / "tree")
    said = tree.do("twinops", "run", "collect_consent", expect=4, PYTHONPATH=str(project.root / "src"))
    assert "set PYTHONPATH=src" in said
    assert not (tree.root / "data").exists()
    tree.do("twinops", "run", "collect_consent", PYTHONPATH="src")
    assert (tree.root / "data" / "raw" / "consent" / "all.parquet").exists()

    said = project.do("dvc", "exp", "run", "--temp", "collect_consent", expect=None)
    assert "Nothing was written: this command runs the code in" in said
    assert not (project.root / "dvc.lock").exists()
    said = project.do("dvc", "exp", "run", "--temp", "-n", "own", "collect_consent", PYTHONPATH="src")
    assert "Ran experiment" in said


def test_a_project_without_code_runs_the_version_it_pins(tmp_path: Path) -> None:
    assert running_code.strange(tmp_path) == "", "a folder that makes nothing pins nothing"
    pins = tmp_path / "pins.yaml"
    for text, problem in (
        ("duckdb: 1\n", "pins.yaml pins no version of it"),
        ("twinops: 0.0.1\n", "pins.yaml pins 0.0.1"),
        ("- x\n", "pins no version"),
        (f"twinops: {version('twinops')}\n", ""),
    ):
        pins.write_text(text)
        assert problem in running_code.strange(tmp_path)
        assert bool(problem) == bool(running_code.strange(tmp_path))
    pins.write_text("duckdb: 1\n")
    with pytest.raises(IntegrityError, match="Nothing was written"):
        open_project(tmp_path).run("documents")


def test_a_no_is_taken_down_whatever_code_runs(project: Workshop, other: str) -> None:
    asked = ("subject", "object", "nobody-at-all", "--purpose", "offers", "--by", "dpo")
    said = project.do("twinops", *asked, expect=None, PYTHONPATH=other)
    assert "Nothing was written: this command runs" not in said


def test_every_stage_leaves_which_of_its_files_it_loaded_and_they_are_those_of_the_lock(made: Workshop) -> None:
    store = DvcStore(made.root)
    assert store.ran_otherwise() == {}
    for name, stage in made.lock().items():
        record = json.loads((made.root / f"reports/code/{name}.json").read_text())
        deps = {dep["path"]: dep["md5"] for dep in stage["deps"]}
        assert record, f"{name} loaded nothing of what it depends on"
        assert {p: m for p, m in record.items() if p in deps} == {p: deps[p] for p in record if p in deps}
        assert all(p in deps or any(p.startswith(f"{d}/") for d in deps) for p in record)
    notebook = json.loads((made.root / "reports/code/fairness.json").read_text())
    assert any(path.startswith("src/twinops/evaluation/fairness") for path in notebook), "what its cells loaded, too"


def test_a_stage_that_ran_other_code_fails_the_gate_on_lineage(made: Workshop, tmp_path: Path) -> None:
    copy = Workshop(tmp_path / "project")
    shutil.copytree(made.root, copy.root, symlinks=True)
    path = "src/twinops/evaluation/influence/findings.py"
    record = copy.root / "reports/code/influence.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps(told | {path: "0" * 32}))
    store = DvcStore(copy.root)
    assert store.ran_otherwise() == {"influence": (path,)}
    assert not store.lock_matches()
    measured = evidence_of(copy.root / "reports" / "evidence.json")
    facts = lineage_facts(store, measured)
    assert {f.kind for f in facts} == {Kind.MEASURED}
    verdict = gate.check(measured.joined(facts=facts), gate.Limits())
    assert "`influence` ran other code than dvc.lock records" in verdict.sentence
    record.write_text("[")
    assert DvcStore(copy.root).ran_otherwise() == {"influence": ("reports/code/influence.json",)}


def test_a_file_that_changes_while_a_stage_runs_shows(made: Workshop, tmp_path: Path) -> None:
    """DVC hashes what a stage depends on before it runs; what is imported later may be something else."""
    copy = Workshop(tmp_path / "project")
    shutil.copytree(made.root, copy.root, symlinks=True)
    path = copy.root / "src/twinops/evaluation/influence/findings.py"
    before = copy.lock()["influence"]
    honest = path.read_bytes()
    path.write_bytes(honest + b"\n# changed meanwhile\n")
    copy.do("twinops", "run", "influence", DVC_STAGE="influence")
    path.write_bytes(honest)
    assert copy.lock()["influence"] == before
    assert DvcStore(copy.root).ran_otherwise() == {"influence": (path.relative_to(copy.root).as_posix(),)}
