"""The whole pipeline on the shipped data, forced and without cache, gives what is committed.

`.ci/run` takes `dvc.lock` away in a clone that has no cache and no data, runs the pipeline, and says so with
`TWINOPS_MADE_ANEW=1`: then what it made is compared with the last commit. Else the pipeline runs here, in a folder of
its own, and is compared with the working tree.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from workshop import ROOT, Workshop, make_workshop

from twinops.data import products

pytestmark = pytest.mark.pipeline

TOLERANCE = 1e-4
"""Relative; another processor's last bits may show in bytes, never beyond this in a measured value."""
HERE = os.environ.get("TWINOPS_MADE_ANEW") == "1"
"""The pipeline ran in this very folder, from nothing, just now."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The project as committed, run from nothing."""
    if HERE:
        here = Workshop(ROOT)
        assert "up to date" in here.do("dvc", "status"), "the lock does not tell of the files that lie here"
        return here
    workshop = make_workshop(tmp_path_factory.mktemp("full") / "project", {})
    workshop.do("twinops", "repro")
    return workshop


def committed(name: str) -> Any:
    """What the last commit holds where the working tree was made anew; else what the working tree holds."""
    text = shown(name) if HERE else (ROOT / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def shown(name: str) -> str:
    """A file of the last commit."""
    asked = ["git", "show", f"HEAD:{name}"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def measured() -> list[str]:
    """The measures files that are committed."""
    if HERE:
        asked = ["git", "ls-tree", "--name-only", "HEAD", "reports/measures/"]
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "reports" / "measures").glob("*.json"))


def figures(findings: dict[str, Any]) -> dict[str, float]:
    """Every number of a measures file by its name."""
    return {
        f"{m['name']}.{k}": m[k]
        for m in findings["measures"].values()
        for k in ("value", "low", "high", "n")
        if m[k] is not None
    }


def test_commands_code_and_parameters_are_those_of_the_committed_lock(full: Workshop) -> None:
    ours, theirs = full.lock(), committed("dvc.lock")["stages"]
    produced = {out["path"] for entry in theirs.values() for out in entry.get("outs", [])}
    assert sorted(ours) == sorted(theirs)
    for stage in theirs:
        assert ours[stage]["cmd"] == theirs[stage]["cmd"]
        assert ours[stage].get("params") == theirs[stage].get("params"), stage
        inputs = [
            {d["path"]: d["md5"] for d in entry["deps"] if not _made(d["path"], produced)}
            for entry in (ours[stage], theirs[stage])
        ]
        assert inputs[0] == inputs[1], f"{stage}: run `dvc repro` and commit dvc.lock"


def test_outputs_are_the_committed_bytes_or_at_least_the_committed_values(full: Workshop) -> None:
    theirs = {o["path"]: o["md5"] for entry in committed("dvc.lock")["stages"].values() for o in entry.get("outs", [])}
    differing = sorted(path for path, md5 in full.outs().items() if theirs.get(path) != md5)
    for name in measured():
        expected, got = figures(committed(name)), figures(json.loads((full.root / name).read_text(encoding="utf-8")))
        assert sorted(expected) == sorted(got)
        off = [k for k in expected if not math.isclose(expected[k], got[k], rel_tol=TOLERANCE, abs_tol=1e-9)]
        assert off == [], f"{name}: beyond {TOLERANCE}"
    if differing:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"equal in value within {TOLERANCE}, not in bytes: {', '.join(differing)}", stacklevel=1)


def _made(path: str, produced: set[str]) -> bool:
    """Whether a dependency is itself an output, or a folder of outputs."""
    return path in produced or any(out.startswith(f"{path}/") for out in produced)


def test_no_plain_row_is_in_the_cache(full: Workshop) -> None:
    """Every columnar file DVC keeps is sealed: a subject id and a frame, nothing else."""
    import pyarrow.parquet as pq

    names = set()
    for path in Path(full.root / ".dvc" / "cache").rglob("*"):
        if path.is_file() and path.read_bytes()[:4] == b"PAR1":
            columns = set(pq.read_schema(path).names)
            # the table of products tells of nobody, and is what it is by its columns alone
            names |= set() if columns == set(products.NOTHING.column_names) else columns
    assert names
    assert names <= {"sid", "frame", "reason", "rows"}
