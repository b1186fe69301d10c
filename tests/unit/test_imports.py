"""Importing twinops is light, and imports go only where the architecture lets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from candidate import ROOT

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


def test_the_contracts_on_imports_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
