"""The receipts, and ten times, on a Spark cluster of a Master and two Workers, one killed at work, beside DuckDB.

`growth` makes the project and its tables on DuckDB. The same stages are then made in a copy of it on the cluster, in
one session, and after each one every sealed file must hold the same frames under the same label as DuckDB's: frames of
equal rows are equal, so no row is opened. A record is written after each stage, and a bench that was interrupted goes
on behind it. Each Worker has one core; memory is that of all processes together, CPU that of each as long as it lives.
Needs `sh setup/spark.sh`. Usage: python bench/cluster.py FOLDER [STAGE ...], or `make bench PART=cluster`, which works
in `.twinops/cluster`, removed once all is told.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

import yaml
from growth import LINES, SIZES, Spent, kept, measured, stages
from growth_page import cluster_picture, with_cluster
from process_tree import Tree, watched
from scratch import ROOT

from twinops.entities.wording import Wording
from twinops.evaluation.canvas import save

sys.path.insert(0, str(ROOT / "tests"))
STAGES = ("collect", "lawful", "link", "features", "blend", "fuse", "taste_features", "score")
"""Scores need a model, which only a project has whose heads were fitted."""
PYTHON = ROOT / ".twinops" / "spark" / "bin" / "python"
CONF = ROOT / "bench" / "spark_conf"
WORKER_MEMORY = "3000M"
ALONE = "--on-cluster"
LOOK_SECONDS = 1.0
SEALED, MEASURES = ".parquet", "reports/measures/"

Row = dict[str, object]


@dataclass(frozen=True)
class Made:
    """What a stage spent on the cluster, whether a Worker was lost in it, files by subjects, and those that differ."""

    spent: Spent
    lost: bool
    files: dict[str, int]
    differ: tuple[str, ...]


def cluster() -> list[Row]:
    """Rows of results; the page and its picture are written."""
    home = ROOT / ".twinops" / "cluster"
    found = rows(home)
    tell(found)
    shutil.rmtree(home)
    return found


def rows(home: Path, asked: tuple[str, ...] = STAGES) -> list[Row]:
    """Of the projects in this folder's folders `1` and `10`, which are made unless they are there.

    Raises:
        SystemExit: a file differs, or no Worker was lost at work.
    """
    found = {}
    for copies in SIZES:
        folder = home / str(copies)
        if not (folder / "project").is_dir():
            measured(folder, copies, only=("none",))
        told = tuple(s for s in asked if s != "score" or any((folder / "project" / "models").glob("*")))
        if left := tuple(s for s in told if s not in kept(folder)):
            measured(folder, copies, only=left)
        # in the environment that has PySpark, where executors start too
        command = [str(PYTHON), "-W", "ignore", __file__, ALONE, str(folder), *told]
        subprocess.run(command, check=True, env=_environment())
        found[copies] = {stage: made for stage, made in recorded(folder).items() if stage in told}
        if differ := [name for made in found[copies].values() for name in made.differ]:
            raise SystemExit(f"At {copies}x other frames are in {', '.join(differ)}.")
        if not any(made.lost for made in found[copies].values()):
            raise SystemExit(f"At {copies}x no Worker was lost at work.")
    here = {copies: kept(home / str(copies)) for copies in SIZES}
    return [row for stage in found[SIZES[-1]] for row in _rows(stage, found, here)]


def tell(told: list[Row]) -> None:
    """Write what the page says of the cluster, and its picture."""
    page = ROOT / "docs" / "scale.md"
    page.write_text(with_cluster(page.read_text(encoding="utf-8"), told), encoding="utf-8")
    save(cluster_picture(told), ROOT / "docs" / "images" / "cluster.png", Wording())


def _rows(stage: str, found: dict[int, dict[str, Made]], here: dict[int, dict[str, Spent]]) -> Iterator[Row]:
    few, many = SIZES
    made, duck = found[many][stage], here[many][stage]
    name, n = f"{many}x.{stage}", many * LINES
    said = f"{_same(made.files)}{'; a Worker was killed in the middle of it' if made.lost else ''}"
    for what, unit, note in (
        ("cpu", "CPU s", said),
        ("mem", "MB", "Master, Workers, executors and driver together"),
        ("wall", "s", "of wall time, beside whatever else the machine did"),
    ):
        value, other = getattr(made.spent, what), getattr(duck, what)
        yield {"name": f"cluster_{what}_{name}", "value": value, "unit": unit, "peer": "DuckDB",
               "ratio": value / other, "n": n, "note": note}  # fmt: skip
    if stage in found[few]:
        once, one = found[few][stage].spent.cpu, here[few][stage].cpu
        there = _exponent(one, duck.cpu)
        yield {"name": f"cluster_exponent.{stage}", "value": _exponent(once, made.spent.cpu), "unit": "",
               "peer": None, "ratio": None, "n": n,
               "note": f"CPU, {few}x ({once:.1f} CPU s) to {many}x; DuckDB {there:.2f}"}  # fmt: skip


def _same(files: dict[str, int]) -> str:
    """What was held against each other."""
    sealed = [subjects for name, subjects in files.items() if name.endswith(SEALED)]
    told = [f"{sum(sealed):,} frames of {len(sealed)} sealed table(s) are the same"] if sealed else []
    told += ["its measures have the same bytes"] if len(files) > len(sealed) else []
    return ", ".join(told)


def _exponent(one: float, many: float) -> float:
    few, most = SIZES
    return math.log(many / one) / math.log(most / few)


def recorded(folder: Path) -> dict[str, Made]:
    """What was made on the cluster in this folder and held against DuckDB's, by stage."""
    there = folder / "cluster.json"
    raw = json.loads(there.read_text(encoding="utf-8")) if there.is_file() else {}
    return {s: Made(Spent(**m["spent"]), m["lost"], m["files"], tuple(m["differ"])) for s, m in raw.items()}


def _record(folder: Path, made: dict[str, Made]) -> None:
    told = json.dumps({stage: asdict(m) for stage, m in made.items()}, indent=1)
    (folder / "cluster.json").write_text(told + "\n", encoding="utf-8")


def on_cluster(folder: Path, asked: tuple[str, ...]) -> None:
    """Make the stages that were not recorded on a cluster that loses a Worker, and hold each against DuckDB's."""
    from spark_cluster import cluster

    project, ours, made = folder / "project", folder / "cluster", recorded(folder)
    if not ours.is_dir():
        shutil.copytree(project, ours, symlinks=True)
    outs, left = _outs(project), [stage for stage in asked if stage not in made]
    for name in (name for stage in left for name in outs[stage]):
        (ours / name).unlink(missing_ok=True)
    commands = [(s, command) for s, command in stages(project) if _stage(s) in left]
    lost_before = any(m.lost for m in made.values())
    with (
        tempfile.TemporaryDirectory(prefix="twinops-spark-") as work,
        watched(LOOK_SECONDS) as tree,
        cluster(Path(work), workers=1 if lost_before else 2, memory=WORKER_MEMORY) as spark,
    ):
        params = (project / "params.yaml").read_text(encoding="utf-8")
        engine = f"compute:\n  engine: spark\n  master: {spark.address}"
        (ours / "params.yaml").write_text(re.sub(r"(?m)^compute:.*$", engine, params, count=1), encoding="utf-8")
        doing = _Doing(folder, tree, made, outs, [_stage(s) for s, _ in commands])
        script = [str(ROOT / "tests" / "spark_stages.py"), str(ours), "--holding"]
        child = subprocess.Popen(
            [str(PYTHON), "-W", "ignore", *script, *(_words(command) for _, command in commands)],
            cwd=ours, env={**os.environ, "SPARK_CONF_DIR": str(CONF)}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with child:
            for line in child.stdout or ():
                if line.startswith("busy"):
                    spark.kill_worker()
                doing.heard(line.strip())
        if child.returncode:
            raise SystemExit(f"The stages ended with {child.returncode}.")


class _Doing:
    """Which of the commands are done, and what they cost; after the last of a stage its files are compared."""

    def __init__(
        self, folder: Path, tree: Tree, made: dict[str, Made], outs: dict[str, list[str]], left: list[str]
    ) -> None:
        self._folder, self._tree, self._made, self._outs, self._left = folder, tree, made, outs, left
        self._lost, self._since = False, self._now()

    def heard(self, line: str) -> None:
        """A line of `spark_stages.py`."""
        kind, _, _ = line.partition(" ")
        self._lost |= kind == "lost"
        if kind != "done":
            _say(f"{self._folder.name}x {line}")
            return
        stage = self._left.pop(0)
        if stage not in self._left:
            self._done(stage)

    def _done(self, stage: str) -> None:
        (cpu, wall), mem = self._since, self._tree.mem
        self._since = self._now()
        spent = Spent(self._since[0] - cpu, mem, self._since[1] - wall)
        files, differ = compared(self._folder, self._outs[stage])
        self._made[stage] = Made(spent, self._lost, files, differ)
        _record(self._folder, self._made)
        told = (
            f"{spent.cpu:.1f} CPU s, {spent.mem:,.0f} MB, {spent.wall:.1f} s; {len(files)} files, differ {len(differ)}"
        )
        _say(f"{self._folder.name}x {stage}: {told}")
        self._lost = False

    def _now(self) -> tuple[float, float]:
        self._tree.look()
        self._tree.mem = 0.0
        return self._tree.cpu, monotonic()


def compared(folder: Path, names: list[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Subjects of each file as both projects have it, and the names of those that are not the same."""
    held, differ = {}, []
    for name in names:
        subjects, here = frames(folder / "project" / name)
        _, there = frames(folder / "cluster" / name)
        held[name] = subjects
        differ += [] if here == there else [name]
    return held, tuple(differ)


def frames(path: Path) -> tuple[int, str]:
    """How many subjects, and a digest of label, sids and frames, in whatever groups of rows they lie; none: no file.

    Of measures, of whom there are no subjects, that of the bytes.
    """
    from twinops.data.vault.sealed_file import SealedFile

    if not path.is_file():
        return 0, "none"
    if path.suffix != SEALED:
        return 0, hashlib.sha256(path.read_bytes()).hexdigest()
    file, said = SealedFile.copy(path), hashlib.sha256()
    said.update(repr(file.label).encode())
    for sid, frame in zip(file.sids, file.frames, strict=True):
        said.update(sid + hashlib.sha256(frame).digest())
    return len(file.sids), said.hexdigest()


def _outs(project: Path) -> dict[str, list[str]]:
    """The sealed tables and the measures that each stage leaves, as DuckDB made them."""
    said = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found: dict[str, list[str]] = {"score": ["scores.parquet"]}
    for name, stage in said.items():
        told = stage.get("do", stage)
        left = (*told.get("outs", ()), *told.get("metrics", ()))
        outs = [out if isinstance(out, str) else next(iter(out)) for out in left]
        found.setdefault(_stage(name), []).extend((*_sealed(project, outs), *filter(_measures, outs)))
    return {stage: sorted(set(names)) for stage, names in found.items()}


def _sealed(project: Path, outs: list[str]) -> Iterator[str]:
    from twinops.data.vault.sealed_file import label_of

    for out in outs:
        # of a stage for each item: every item's
        for path in project.glob(re.sub(r"\$\{.*?\}", "*", out)):
            files = sorted(path.rglob(f"*{SEALED}")) if path.is_dir() else [path] * (path.suffix == SEALED)
            yield from (str(f.relative_to(project)) for f in files if label_of(f) is not None)


def _measures(out: str) -> bool:
    return out.startswith(MEASURES)


def _stage(name: str) -> str:
    return "collect" if name.startswith("collect") else name


def _words(command: list[str]) -> str:
    """`twinops run NAME ...` and `twinops score ...` as the script takes them."""
    return " ".join(command[2:] if command[1] == "run" else command[1:])


def _environment() -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "TWINOPS_", "PYTHON"))}
    return own | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


def _say(text: str) -> None:
    print(f"bench: cluster: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == ALONE:
        on_cluster(Path(sys.argv[2]), tuple(sys.argv[3:]))
    else:
        print(json.dumps(rows(Path(sys.argv[1]).resolve(), tuple(sys.argv[2:]) or STAGES), indent=1))
