"""A project that can be worked on in a notebook: a crowd's sealed features, what `choose` left, its own notebooks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from candidate import ROOT
from shoppers import GRID, crowd, everyone_agrees, ledger_of, sealed_project
from supplying import supplied

from twinops.adapters.keystore import DemoKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.params import ChallengerParams, ChooseParams, TrainParams
from twinops.workflows.pipeline.choose import choose
from twinops.workflows.pipeline.features import features

AS_OF = date(2017, 7, 20)
RECEIPTS = crowd(90)
SIDS = sorted(set(RECEIPTS["sid"].to_pylist()))
WITHDRAWN = SIDS[7]
"""Took back, the day before the pipeline runs, what everybody else of the crowd allows."""
LATE = SIDS[11]
"""Allowed nothing before day 100, and everything since."""
SMALL: dict[str, dict[str, Any]] = {
    "features": {"first_cutoff": 57, "last_cutoff": 141, "step_days": 28},
    "evaluate": {"cutoffs": [141], "draws": 50},
    "choose": {"cutoffs": [85], "draws": 50},
    "challenger": {"least_rows": 10, "activity_trees": 5, "rate_trees": 5},
    "fairness": {"cutoff": 141},
    "drift": {"reference_cutoff": 113, "current_cutoff": 141, "early_from": 85, "draws": 20, "early_draws": 50},
}


def laboratory(root: Path) -> Path:
    """The project, its panel and labels sealed under the published key."""
    keys = DemoKeys()
    granted = everyone_agrees(SIDS).to_pylist()
    rows = [(r["sid"], r["purpose"], r["event"], 100 if r["sid"] == LATE else r["day"]) for r in granted]
    rows += [(WITHDRAWN, r["purpose"], "withdrawn", 199) for r in granted if r["sid"] == WITHDRAWN]
    places = sealed_project(root, keys, RECEIPTS, ledger_of(*rows))
    shared = {"engine": DuckDBEngine(threads=1), "keys": keys, "grid": GRID}
    supplied(features, places, as_of=AS_OF, **shared)
    trees, penalties = ChallengerParams(**SMALL["challenger"]), TrainParams(activity_c=0.2, spend_alpha=0.01)
    earlier = ChooseParams(cutoffs=(85,), draws=50)
    supplied(choose, places, penalties=penalties, trees=trees, margins=earlier, **shared)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for section, values in SMALL.items():
        params[section].update(values)
    for section in ("proxies", "privacy"):  # of other stages, whose days are not those of this grid
        del params[section]
    params["as_of"] = AS_OF.isoformat()
    places.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    for part in ("notebooks", "compliance"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns(".ipynb*", "__pycache__"))
    for part in ("epoch.json", "jupytext.toml"):
        shutil.copy2(ROOT / part, root / part)
    return root


def twinops(root: Path, *words: str, **told: str) -> subprocess.CompletedProcess[str]:
    """The command line in that folder, as a user's shell starts it, which is told this too."""
    return run(root, sys.executable, "-m", "twinops", *words, **told)


def run(root: Path, *command: str, **told: str) -> subprocess.CompletedProcess[str]:
    """A command in that folder."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TWINOPS_", "DVC_", "PYTEST_"))}
    ours = {"OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env={**clean, **ours, **told})


def changed_cell(root: Path, notebook: str, before: str, after: str) -> None:
    """Edit a notebook as its reader would."""
    path = root / "notebooks" / f"{notebook}.py"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def outputs(root: Path, notebook: str) -> str:
    """All that an executed notebook shows, but for the bytes of pictures."""
    cells = json.loads((root / "reports" / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = [o for c in cells for o in c.get("outputs", [])]
    return json.dumps([{k: v for k, v in o.get("data", o).items() if k != "image/png"} for o in shown])
