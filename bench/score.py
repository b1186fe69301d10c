"""What a batch of scores costs: a million twins from states to a table, beside one by one and beside trees.

States are made up, those of 20,000 twins taken 50 times over; the model is the project's own (`make run` first). Every
case is a process of its own, so that its seconds and its largest memory are its own. Usage: python bench/score.py
[CASE TWINS].
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
from beside import ROOT, spent, started
from twin import events

BLOCK, MADE_UP, ALONE = 4_000, 20_000, 2_000
DRAWN = 1_000
"""So many rows of the sealed table are held against what is said of that twin alone."""
MILLION = 1_000_000
DAY = 365
Row = dict[str, object]
Cost = dict[str, float]


def states() -> pa.Table:
    """One row a twin."""
    from twinops.twin.state.tabled import Visits, tabled

    return tabled(Visits(*events(MADE_UP)), today=DAY, decay_days=_given()[0].decay_days).table.combine_chunks()


def sealed(twins: int) -> Cost:
    """Answers, ranges and reasons of everybody, each row under its own key; and how many drawn ones are as alone."""
    from twinops.adapters.keystore import DemoKeys
    from twinops.data.vault.seal import sealing

    keys = DemoKeys()
    sids = sorted(keys.subject_ids([str(n) for n in range(twins)]))
    into = lambda path, schema: sealing(path, schema, dataset="scores", keys=keys)  # noqa: E731
    return _written(twins, sids, into, after=lambda path: _as_alone(path, sids, keys))


def opened(twins: int) -> Cost:
    """The same in an open Parquet file."""
    import pyarrow.parquet as pq

    class Whole(pq.ParquetWriter):
        def __enter__(self):
            super().__enter__()
            return self.write_table

    return _written(twins, [f"{n:032x}" for n in range(twins)], Whole)


def loop(twins: int) -> Cost:
    """Forecasts and nothing else, of one twin after the other, as a service answers each request."""
    from twinops.twin.answers.forecast import forecasts

    table, (model, support) = states().slice(0, twins), _given()
    since, wall = started(), perf_counter()
    for row in range(table.num_rows):
        forecasts(table.slice(row, 1), model=model, support=support)
    return {"wall": perf_counter() - wall, "n": table.num_rows, **spent(since)}


def trees(twins: int) -> Cost:
    """LightGBM, 400 trees of 7 leaves for each of three heads on the same columns: means, no ranges, no reasons."""
    import lightgbm

    table, (model, _) = states(), _given()
    said = model.predict(table)
    x = np.column_stack([table[name].to_numpy() for name in table.column_names]).astype(float)
    asked = {"num_leaves": 7, "learning_rate": 0.04, "num_threads": 1, "verbose": -1}
    targets = (said.active_probability, said.baskets, said.spend)
    heads = [lightgbm.train(asked, lightgbm.Dataset(x, y), 400) for y in targets]
    since, wall = started(), perf_counter()
    for _ in range(twins // len(x)):
        for start in range(0, len(x), BLOCK):
            for head in heads:
                head.predict(x[start : start + BLOCK], num_threads=1)
    return {"wall": perf_counter() - wall, "n": twins, **spent(since)}


CASES: dict[str, tuple[Callable[[int], Cost], int]] = {
    "sealed": (sealed, MILLION), "opened": (opened, MILLION), "loop": (loop, ALONE), "trees": (trees, MADE_UP),
}  # fmt: skip


def score() -> list[Row]:
    """Every case, as rows of results."""
    cost = {name: _apart(name, twins) for name, (_, twins) in CASES.items()}
    rate = {name: c["n"] / c["cpu"] for name, c in cost.items()}
    ours = "one process; states to answers, 80 % ranges and three reasons, in blocks; made-up states; higher is better"
    n = int(cost["sealed"]["n"])

    def row(name: str, value: float, unit: str, note: str, peer: str | None = None) -> Row:
        ratio = None if peer is None else value / rate[peer]
        said = {"loop": "one by one, forecast alone", "trees": "LightGBM, three heads, means alone", None: None}[peer]
        return {"name": name, "value": value, "unit": unit, "peer": said, "ratio": ratio, "n": n, "note": note}

    return [
        row("score_twins_per_s", rate["sealed"], "twins/CPU-s", f"each row sealed under its own key; {ours}", "loop"),
        row("score_twins_per_s.open", rate["opened"], "twins/CPU-s", f"open Parquet; {ours}", "loop"),
        row("score_twins_per_s.open_lightgbm", rate["opened"], "twins/CPU-s", f"open Parquet; {ours}", "trees"),
        row(
            "score_same_as_alone",
            cost["sealed"]["same"] / cost["sealed"]["drawn"],
            "share",
            f"{cost['sealed']['drawn']:.0f} drawn rows, opened again: eight figures each as forecast alone",
        ),
        row("score_wall_1m", cost["sealed"]["wall"], "s", "sealed; wall on a machine that others use too"),
        row(
            "score_mem_1m", cost["sealed"]["mem"], "MB", "sealed; libraries, keys and a list of a million sids with it"
        ),
        row("score_mem_1m.open", cost["opened"]["mem"], "MB", "open Parquet; libraries and a list of sids with it"),
    ]


def _as_alone(path: Path, sids: list[str], keys: object) -> Cost:
    """Of drawn rows, opened again, how many have the figures of a forecast of that twin by itself."""
    from twinops.data.vault.seal import read_sealed
    from twinops.data.vault.sealed_tables import SingleSubject
    from twinops.twin.answers.forecast import forecasts
    from twinops.twin.answers.scores import FIGURES

    table, (model, support) = states(), _given()
    drawn = np.sort(np.random.default_rng(7).choice(len(sids), min(DRAWN, len(sids)), replace=False))
    theirs = SingleSubject(keys, frozenset(sids[n] for n in drawn))
    rows, same = read_sealed(path, dataset="scores", keys=theirs).to_pylist(), 0
    for n, row in zip(drawn, rows, strict=True):
        alone = forecasts(table.slice(int(n) % MADE_UP, 1), model=model, support=support)
        said = [float(getattr(alone, name)[0]) for name in FIGURES]
        same += said == [row[name] for name in FIGURES] and row["sid"] == sids[n]
    return {"drawn": len(rows), "same": same}


def _written(
    twins: int,
    sids: list[str],
    into: Callable[[Path, pa.Schema], object],
    after: Callable[[Path], Cost] = lambda _: {},
) -> Cost:
    from twinops.twin.answers.scores import scores

    table, (model, support) = states(), _given()
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as folder:
        since, wall = started(), perf_counter()
        first = scores(table.slice(0, 2), model=model, support=support).table
        schema = pa.schema([pa.field("sid", pa.string()), *first.schema])
        with into(Path(folder) / "scores.parquet", schema) as writer:
            for start, block in _blocks(table, twins):
                made = scores(block, model=model, support=support).table
                writer(made.add_column(0, "sid", pa.array(sids[start : start + block.num_rows], pa.string())))
        cost = {"wall": perf_counter() - wall, "n": twins, **spent(since)}
        return cost | after(Path(folder) / "scores.parquet")


def _blocks(table: pa.Table, twins: int) -> Iterator[tuple[int, pa.Table]]:
    for start in range(0, twins, BLOCK):
        yield start, table.slice(start % MADE_UP, min(BLOCK, twins - start))


def _given():
    from twinops.twin.model import model_file
    from twinops.twin.support import support

    model, beside = ROOT / "models" / "twin.json", ROOT / "models" / "support.json"
    if not model.is_file():
        raise SystemExit("There is no model here: `make run` first.")
    return model_file.from_text(model.read_text(encoding="utf-8")), support.from_text(
        beside.read_text(encoding="utf-8")
    )


def _apart(case: str, twins: int) -> Cost:
    told = subprocess.run([sys.executable, __file__, case, str(twins)], check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout))


if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[1]][0](int(sys.argv[2]))))
