"""Importing twinops is light, and imports go only where the architecture lets them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from candidate import ROOT
from packaging.requirements import Requirement

from twinops.adapters.mlflow.described import NEEDS

HEAVY = {
    "mlflow",
    "dvc",
    "papermill",
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "sklearn",
    "scipy",
    "matplotlib",
    "evidently",
    "fairlearn",
}


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_twinops_and_opening_a_project_loads_no_heavy_library() -> None:
    assert not HEAVY & loaded("import twinops")
    assert not HEAVY & loaded(f"import twinops; twinops.open_project({str(ROOT)!r}).params")


def test_the_control_plane_is_light_enough_to_judge_inside_a_server() -> None:
    judged = "from twinops import plugins; import twinops.governance.policy.decide, twinops.governance.policy.limits\n"
    judged += "for name in plugins.names('twinops.governance.gates'): plugins.load('twinops.governance.gates', name)"
    assert not HEAVY & loaded(judged)


def test_the_registered_model_loads_where_only_what_its_requirements_name_is_installed() -> None:
    there = _with_their_own(NEEDS)
    ours = {_plain(r) for r in requires("twinops") or () if "extra ==" not in r} - there
    beyond = {module for module, dists in packages_distributions().items() if {*map(_plain, dists)} <= ours}
    assert {"duckdb", "typer"} <= beyond
    flavours = "import twinops.adapters.mlflow.twin_flavour, twinops.adapters.mlflow.tastes_flavour"
    assert not beyond & {name.partition(".")[0] for name in loaded(flavours)}


def _plain(requirement: str) -> str:
    return Requirement(requirement).name.lower().replace("_", "-")


def _with_their_own(names: Iterable[str]) -> set[str]:
    """Packages, and what they ask for themselves, here."""
    found: set[str] = set()
    left = [_plain(name) for name in names]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            with suppress(PackageNotFoundError):
                left += [_plain(r) for r in requires(name) or () if "extra ==" not in r]
    return found


def test_the_contracts_on_imports_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
