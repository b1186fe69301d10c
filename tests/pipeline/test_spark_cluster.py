"""With `compute.engine: spark` the pipeline makes the same bytes on a cluster, also when a Worker is lost.

Spark is not installed by default: `make test-spark` fetches it, and Java 17 where it may.
"""

from __future__ import annotations

import importlib.util
import shutil
import sysconfig
import time
from pathlib import Path

import pytest
from workshop import Workshop

from spark_cluster import ON_CLUSTER, cluster

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.spark,
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="PySpark is not installed: twinops[spark]"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no java on the path; Spark 4 needs Java 17"),
]


def test_the_stages_make_the_same_bytes_on_a_cluster_that_loses_a_worker(made: Workshop, tmp_path: Path) -> None:
    shutil.copytree(made.root, tmp_path / "project", symlinks=True)
    project = Workshop(tmp_path / "project")
    before = project.outs()
    stages = [name for name in project.lock() if name.partition("@")[0] in ON_CLUSTER]
    stages = [name for name in stages if not name.startswith("collect@") or name.endswith("01")]
    with cluster(tmp_path) as spark:
        project.set(compute__engine="spark", compute__master=spark.address)
        for name in stages:
            running = project.start("dvc", "repro", "-f", "-s", name, PYTHONPATH=beside(project))
            if name == "taste_features":
                time.sleep(20)
                assert running.poll() is None, "it ended before a Worker could be lost"
                spark.kill_worker()
            told, _ = running.communicate(timeout=900)
            assert running.returncode == 0, told[-4000:]
    assert project.outs() == before


def beside(project: Workshop) -> str:
    """The project's code, and where PySpark lies, which is no part of the environment."""
    return f"{project.root / 'src'}:{sysconfig.get_path('purelib')}"
