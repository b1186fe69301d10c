"""Ten times the receipts on a Spark cluster of a Master and two Workers, of which one is killed at work, beside DuckDB.

`growth` makes the project and the tables on DuckDB; then the same stages are made on the cluster in one session, and
every sealed file must hold the same frames under the same label: the frames of equal rows are equal. Each Worker has
one core; memory is that of all processes together, CPU that of each as long as it lives. Needs `sh setup/spark.sh`.
Usage: python bench/cluster.py FOLDER [STAGE ...], or `make bench PART=cluster`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from growth import LINES, Spent, kept, measured
from process_tree import Tree, watched
from scratch import ROOT

sys.path.insert(0, str(ROOT / "tests"))
COPIES = 10
BEFORE = ("collect", "lawful", "link")
STAGES = ("features", "blend", "taste_features")
PYTHON = ROOT / ".twinops" / "spark" / "bin" / "python"
ALONE = "--on-cluster"
MADE = ("data/features", "data/holdout", "data/tastes")

Row = dict[str, object]


@dataclass(frozen=True)
class Made:
    """What each stage spent on the cluster, in which one a Worker was lost, how many files are equal and differ."""

    spent: dict[str, Spent]
    lost: str
    equal: int
    differ: tuple[str, ...]


def cluster() -> list[Row]:
    """Rows of results."""
    with tempfile.TemporaryDirectory(prefix="twinops-cluster-") as folder:
        return rows(Path(folder))


def rows(folder: Path, stages: tuple[str, ...] = STAGES) -> list[Row]:
    """Of a project in this folder, which is made unless it is there.

    Raises:
        SystemExit: a file differs, or no Worker was lost at work.
    """
    if not (folder / "project").is_dir():
        measured(folder, COPIES, only=(*BEFORE, *stages))
    here = kept(folder)
    # in the environment that has PySpark, where executors start too
    command = [str(PYTHON), "-W", "ignore", __file__, ALONE, str(folder / "project"), *stages]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=_environment()).stdout)
    spent = {stage: Spent(**cost) for stage, cost in told["spent"].items()}
    made = Made(spent, told["lost"], told["equal"], tuple(told["differ"]))
    if made.differ or not made.equal or not made.lost:
        raise SystemExit(f"Lost in {made.lost or 'no stage'}; other frames in {', '.join(made.differ) or 'no file'}.")
    return [row for stage in stages for row in _rows(stage, made, here[stage])]


def _rows(stage: str, made: Made, duck: Spent) -> Iterator[Row]:
    spark = made.spent[stage]
    equal = f"{made.equal} sealed files hold the same frames; a Worker was killed in {made.lost}"
    beside = {"peer": "DuckDB", "n": COPIES * LINES}
    said = f"two Workers of one core; {spark.wall:.0f} s of wall time, DuckDB {duck.wall:.0f} s; {equal}"
    name = f"{COPIES}x.{stage}"
    yield {"name": f"cluster_cpu_{name}", "value": spark.cpu, "unit": "CPU s", "ratio": spark.cpu / duck.cpu,
           "note": said, **beside}  # fmt: skip
    yield {"name": f"cluster_mem_{name}", "value": spark.mem, "unit": "MB", "ratio": spark.mem / duck.mem,
           "note": "Master, Workers, executors and driver together", **beside}  # fmt: skip


def on_cluster(project: Path, stages: tuple[str, ...]) -> Made:
    """Make the stages again on a cluster that loses a Worker, and hold every sealed file against what was there."""
    from spark_cluster import CONF, cluster

    before = dict(frames(project))
    params = project / "params.yaml"
    asked = params.read_text(encoding="utf-8")
    spent, lost = {}, ""
    with tempfile.TemporaryDirectory(prefix="twinops-spark-") as folder, watched() as tree:
        try:
            with cluster(Path(folder)) as spark:
                engine = f"compute:\n  engine: spark\n  master: {spark.address}"
                params.write_text(re.sub(r"(?m)^compute:.*$", engine, asked, count=1), encoding="utf-8")
                said = {**os.environ, "SPARK_CONF_DIR": str(CONF)}
                command = [str(PYTHON), "-W", "ignore", str(ROOT / "tests" / "spark_stages.py"), str(project), *stages]
                child = subprocess.Popen(command, cwd=project, env=said, stdout=subprocess.PIPE, text=True)
                since = _since(tree)
                with child:
                    for line in child.stdout or ():
                        kind, *words = line.split()
                        _say(line.strip())
                        if kind == "busy":
                            spark.kill_worker()
                        if kind == "lost":
                            lost = words[0]
                        if kind == "done":
                            spent[words[0]], since = _until(since, tree), _since(tree)
                if child.returncode:
                    raise SystemExit(f"The stages ended with {child.returncode}.")
        finally:
            params.write_text(asked, encoding="utf-8")
    after = dict(frames(project))
    again = {name: (was, after[name]) for name, was in before.items() if after[name].written != was.written}
    differ = tuple(name for name, (was, now) in again.items() if now.digest != was.digest)
    return Made(spent, lost, len(again) - len(differ), differ)


class Frames(NamedTuple):
    """When a file was written, and a digest of its label, sids and frames, however they are put in groups."""

    written: int
    digest: str


def frames(project: Path) -> Iterator[tuple[str, Frames]]:
    """Each sealed file that the stages may make."""
    from twinops.data.vault.sealed_file import SealedFile

    for path in sorted(p for place in MADE for p in (project / place).rglob("*.parquet")):
        file, said = SealedFile.copy(path), hashlib.sha256()
        said.update(repr(file.label).encode())
        for sid, frame in zip(file.sids, file.frames, strict=True):
            said.update(sid + hashlib.sha256(frame).digest())
        yield str(path.relative_to(project)), Frames(path.stat().st_mtime_ns, said.hexdigest())


def _since(tree: Tree) -> tuple[float, float]:
    tree.look()
    tree.mem = 0.0
    return tree.cpu, time.monotonic()


def _until(since: tuple[float, float], tree: Tree) -> Spent:
    tree.look()
    return Spent(tree.cpu - since[0], tree.mem, time.monotonic() - since[1])


def _environment() -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "TWINOPS_", "PYTHON"))}
    return own | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


def _say(text: str) -> None:
    print(f"bench: cluster: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == ALONE:
        print(json.dumps(asdict(on_cluster(Path(sys.argv[2]), tuple(sys.argv[3:])))))
    else:
        print(json.dumps(rows(Path(sys.argv[1]).resolve(), tuple(sys.argv[2:]) or STAGES), indent=1))
