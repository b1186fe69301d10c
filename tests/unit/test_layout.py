"""The repository as a stranger finds it: locked, without paths of a machine, with words for every module."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from candidate import ROOT
from packaging.requirements import Requirement
from packaging.version import Version

from twinops import plugins

SETUP = ROOT / "setup"
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|farm|root|home|Users)/[A-Za-z.]")
REGISTRY = re.compile(r"https?://[^ \"')]*/(?:simple|packages)/|index-url *=", re.IGNORECASE)


def tracked() -> list[Path]:
    """Files that are in git or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:8000] else content.decode("utf-8", errors="replace")


def test_no_file_names_a_path_of_a_machine_or_a_registry_host() -> None:
    here = Path(__file__).resolve()
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path != here
        for match in (*MACHINE_PATH.finditer(text_of(path)), *REGISTRY.finditer(text_of(path)))
    ]
    assert found == []


@pytest.mark.parametrize(
    "lock", ["requirements.lock", *(f"setup/{lock.name}" for lock in sorted(SETUP.glob("*.lock")))]
)
def test_every_locked_package_is_pinned_and_hashed(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert [e for e in entries if not re.match(r"[A-Za-z0-9_.-]+==\S+.*--hash=sha256:[0-9a-f]{64}", e, re.DOTALL)] == []
    assert "://" not in (ROOT / lock).read_text()


def test_every_declared_dependency_is_locked_as_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locks = [(ROOT / lock).read_text() for lock in ("requirements.lock", "setup/spark.lock")]
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", "\n".join(locks), re.MULTILINE))
    locked = {_normal(name): version for name, version in locked.items()}
    for line in [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]:
        told = Requirement(line)
        assert _normal(told.name) in locked, f"{told.name} is declared and not locked: run `make lock`"
        assert told.specifier.contains(locked[_normal(told.name)]), line


def test_the_siege_runs_on_the_oldest_and_the_newest_mlflow_that_may_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    may = next(r.specifier for r in map(Requirement, project["dependencies"]) if r.name == "mlflow")
    tried = [lock.stem.removeprefix("mlflow-") for lock in sorted(SETUP.glob("mlflow-*.lock"))]
    assert [version for version in tried if not may.contains(version)] == []
    assert tried[0] == f"{next(s.version for s in may if s.operator == '>=')}.0"
    beyond = Version(next(s.version for s in may if s.operator == "<"))
    assert Version(tried[-1]).release[:2] == (beyond.major, beyond.minor - 1)


def test_the_pins_that_stages_watch_are_the_pins_that_are_installed() -> None:
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    locked = {_normal(name): version for name, version in locked.items()}
    pins = yaml.safe_load((ROOT / "pins.yaml").read_text())
    assert {name: locked[_normal(name)] for name in pins} == {name: str(version) for name, version in pins.items()}


def test_personal_data_can_never_be_added_to_git() -> None:
    places = ["data/raw/x/a.parquet", "models/twin.json", "mlflow.db", "mlruns/1/a", ".twinops/nb/a.ipynb"]
    places += ["keystore/keys.db", "notebooks/train.ipynb", "notebooks/.ipynb/train.ipynb", ".dvc/cache/files/md5/00/1"]
    places += ["reports/notebooks/a.ipynb", "exports/answer.json", "sales.csv", "in/crm.xlsx", "me.key", "a_ed25519"]
    asked = ["git", "check-ignore", *places]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert set(said.split()) == set(places)


def test_every_module_says_what_it_is() -> None:
    modules = {p.relative_to(ROOT): ast.parse(p.read_text(encoding="utf-8")) for p in (ROOT / "src").rglob("*.py")}
    assert len(modules) > 900
    silent = [str(module) for module, tree in modules.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == [], "the first line says what the module is for"


def test_every_command_is_told_of() -> None:
    told = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    hidden = {"run", "notebook"}
    assert [noun for noun in plugins.names("twinops.cli") if noun not in hidden and f"twinops {noun}" not in told] == []


def test_every_decision_tells_context_options_choice_and_price() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert len(pages) >= 5
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings == ["Context", "Options", "Choice", "What we lose"], page.name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()
