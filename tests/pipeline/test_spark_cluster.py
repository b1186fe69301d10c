"""With `compute.engine: spark` the pipeline makes the same bytes on a cluster, also when a Worker is lost.

Spark is not installed by default: `make test-spark` fetches it, and Java 17 where it may.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from workshop import Workshop, make_workshop

from spark_cluster import CONF, ON_CLUSTER, cluster
from twinops.adapters.keystore import DemoKeys
from twinops.data.vault.sealed_file import subjects_in

SCRIPT = Path(__file__).resolve().parents[1] / "spark_stages.py"
pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.spark,
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="PySpark is not installed: twinops[spark]"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no java on the path; Spark 4 needs Java 17"),
]


def test_the_stages_make_the_same_bytes_on_a_cluster_that_loses_a_worker_at_work(tmp_path: Path) -> None:
    project = make_workshop(tmp_path / "project")
    project.repro(*(stage for stage in ON_CLUSTER if stage != "collect"))
    stages = asked(project)
    before = {path: path.read_bytes() for stage in stages.values() for path in made_by(project, stage)}
    for path in before:
        path.unlink()
    with cluster(tmp_path) as spark:
        project.set(compute__engine="spark", compute__master=spark.address)
        running = project.start(
            sys.executable,
            "-W",
            "ignore",
            str(SCRIPT),
            str(project.root),
            *stages,
            PYTHONPATH=beside(project),
            SPARK_CONF_DIR=str(CONF),
        )
        told, secrets, written = [], told_of(project), {}
        with running:
            for line in running.stdout or ():
                told.append(line.strip())
                if line.startswith("busy"):
                    spark.kill_worker()
                if line.startswith("done"):
                    written |= on_disk(tmp_path, secrets)
        assert running.returncode == 0, "\n".join(told[-40:])
    # it was lost while it worked, in the stage in which it was seen at work
    busy, lost = (next((x.split()[1] for x in told if x.startswith(kind)), None) for kind in ("busy", "lost"))
    assert busy == lost is not None, told
    assert [path for path in written if path.endswith(".data")], "nothing was shuffled"
    assert [path for path, tells in written.items() if tells] == []
    changed = [str(path) for path, was in before.items() if not path.is_file() or path.read_bytes() != was]
    assert changed == []


def told_of(project: Workshop) -> re.Pattern[bytes]:
    """The sids of the receipts, as text, and their subjects' keys."""
    sids = sorted(subjects_in((project.root / "data" / "raw" / "transactions").glob("*.parquet")))
    assert sids
    told = [*(sid.encode() for sid in sids), *DemoKeys().subject_keys(sids).values()]
    return re.compile(b"|".join(map(re.escape, told)))


def on_disk(folder: Path, secrets: re.Pattern[bytes]) -> dict[str, bool]:
    """What executors have shuffled, spilled or logged by now, and whether it tells anything."""
    found = {}
    # while we look, Spark removes what it needs no more: `os.walk` passes over folders that are gone
    for place, _, names in (step for top in ("spill", "work") for step in os.walk(folder / top)):
        for file in (Path(place, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                found[str(file)] = bool(secrets.search(file.read_bytes()))
    return found


def asked(project: Workshop) -> dict[str, dict[str, Any]]:
    """What the lock says of the stages that are made on the cluster, by their command; of many months the first."""
    found = {}
    for name in ON_CLUSTER:
        lock = project.lock()
        one = next(stage for stage in lock if stage.partition("@")[0] == name)
        found[lock[one]["cmd"].split(maxsplit=2)[2]] = lock[one]
    return found


def made_by(project: Workshop, stage: dict[str, Any]) -> list[Path]:
    """Every file a stage made of the data: no record of the code that ran, no executed notebook."""
    outs = [project.root / out["path"] for out in stage["outs"]]
    files = [file for out in outs for file in (sorted(out.rglob("*")) if out.is_dir() else [out]) if file.is_file()]
    return [f for f in files if f.parent.name not in ("code", "notebooks")]


def beside(project: Workshop) -> str:
    """The project's code, and where PySpark lies, which is no part of the environment."""
    return f"{project.root / 'src'}:{sysconfig.get_path('purelib')}"
