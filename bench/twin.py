"""What a living twin costs: events a second, the batch's state and training at 1x, 10x and 50x, memory, and the peers.

Households are made up: as many, and as busy, as those of the shipped data, times the factor. Every case is a process of
its own, so that its CPU seconds and its largest memory are its own. Usage: python bench/twin.py [CASE FACTOR]; the peer
BG/NBD of pymc-marketing is measured where BENCH_PYMC names the Python of an environment that has it.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa

HOUSEHOLDS, BASKETS_A_YEAR, DAYS = 2_469, 63.0, 365
FACTORS = (1, 10, 50)
DECAYS = (10, 30, 90)
Row = dict[str, object]
Cost = dict[str, float]


def events(households: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Household, day and cents of made-up baskets: gamma-Poisson in how often, log-normal in how much."""
    rng = np.random.default_rng(seed)
    many = rng.poisson(rng.gamma(1.2, BASKETS_A_YEAR / 1.2, households)).clip(1)
    household = np.repeat(np.arange(households), many)
    day = rng.integers(0, DAYS, len(household))
    cents = np.rint(100 * rng.lognormal(3, 0.9, len(household))).astype(np.int64)
    return household, day, cents


def updates(factor: int) -> Cost:
    """Take in every basket, one by one, in the order of days, in plain Python."""
    from twinops.twin.state.streaming import Basket, StreamingState

    household, day, cents = events(HOUSEHOLDS * factor)
    order = np.argsort(day, kind="stable")
    heard = [
        (h, Basket(i, d, c))
        for i, (h, d, c) in enumerate(
            zip(household[order].tolist(), day[order].tolist(), cents[order].tolist(), strict=True)
        )
    ]
    twins = [StreamingState(DECAYS) for _ in range(HOUSEHOLDS * factor)]
    gc.freeze()  # the made-up events are no part of a twin's cost
    started = process_time()
    for h, event in heard:
        twins[h].update(event)
    return {"cpu": process_time() - started, "n": len(heard)}


def floats(factor: int) -> Cost:
    """The least a decayed state could do: eight floats, no late events, no duplicates, no forgetting."""
    household, day, cents = events(HOUSEHOLDS * factor)
    order = np.argsort(day, kind="stable")
    heard = list(zip(household[order].tolist(), day[order].tolist(), cents[order].tolist(), strict=True))
    twins = [[0.0] * 8 for _ in range(HOUSEHOLDS * factor)]
    gc.freeze()
    started = process_time()
    for h, now, spent in heard:
        twin = twins[h]
        since = now - twin[7]
        for place, tau in enumerate(DECAYS):
            kept = math.exp(-since / tau)
            twin[place] = twin[place] * kept + 1
            twin[place + 3] = twin[place + 3] * kept + spent
        twin[6] += 1
        twin[7] = now
    return {"cpu": process_time() - started, "n": len(heard)}


def million(_factor: int) -> Cost:
    """A million baskets of one twin, one by one; what it then takes in memory."""
    from twinops.twin.state.streaming import Basket, StreamingState

    rng = np.random.default_rng(2)
    listed = list(
        zip(sorted(rng.integers(0, DAYS, 1_000_000).tolist()), rng.integers(0, 9999, 1_000_000).tolist(), strict=True)
    )
    twin = StreamingState(DECAYS)
    started = process_time()
    for i, (day, cents) in enumerate(listed):
        twin.update(Basket(i, day, cents))
    spent = process_time() - started
    numbers = [*twin.decayed, *twin.days, *twin.days.values(), *(x for pair in twin.recent.values() for x in pair)]
    kept = sum(map(sys.getsizeof, (twin.days, twin.recent, *numbers)))
    return {"cpu": spent, "n": 1_000_000, "kept_kb": kept / 1024}


def world(factor: int, cutoffs: tuple[int, ...]) -> tuple[object, object]:
    """An engine that holds receipt lines and permissions, and the grid."""
    from twinops.adapters.sql.duckdb_engine import DuckDBEngine
    from twinops.params import FeaturesParams
    from twinops.twin.state import features

    household, day, cents = events(HOUSEHOLDS * factor)
    sids = pa.array([f"{n:032x}" for n in range(HOUSEHOLDS * factor)])
    nothing = np.zeros(len(day), dtype=np.int64)
    engine = DuckDBEngine(threads=2)
    discounts = {f"{k}_cents": nothing for k in ("retail_discount", "coupon_discount", "coupon_match_discount")}
    lines = pa.table({
        "sid": sids.take(pa.array(household)), "day": day, "basket_id": np.arange(len(day)), "store_id": nothing,
        "sales_cents": cents, **discounts,
    })  # fmt: skip
    engine.register("transactions", lines)
    flags = {f: np.ones(len(cutoffs) * len(sids), dtype=bool) for f in features.PERMISSIONS}
    who = sids.take(pa.array(np.repeat(np.arange(len(sids)), len(cutoffs))))
    engine.register("permissions", pa.table({"sid": who, "cutoff": np.tile(np.array(cutoffs), len(sids)), **flags}))
    step = cutoffs[1] - cutoffs[0] if len(cutoffs) > 1 else 14
    grid = FeaturesParams(first_day=date(2017, 1, 1), first_cutoff=cutoffs[0], last_cutoff=cutoffs[-1], step_days=step,
                          horizon_days=28, decay_days=DECAYS)  # fmt: skip
    return engine, grid


def state(factor: int) -> Cost:
    """The batch's state of every household as of one day, by SQL from receipt lines of one line a basket."""
    from twinops.twin.state import features

    engine, grid = world(factor, (337,))
    started = process_time()
    table = features.panel(engine, grid, known_until=DAYS)
    return {"cpu": process_time() - started, "n": table.num_rows}


def rows_of(factor: int) -> tuple[object, object]:
    """Closed rows to train on: those of one shop, as many times as asked, households apart."""
    from twinops.twin.state import features
    from twinops.twin.state.examples import Examples, examples

    engine, grid = world(1, tuple(range(57, 338, 14)))
    panel = features.panel(engine, grid, known_until=DAYS)
    once = examples(engine, panel, features.labels(engine, panel)).all_closed()
    place = once.table.schema.get_field_index("household")
    parts = [
        Examples(once.table.set_column(place, "household", pa.array(once.household + k * HOUSEHOLDS)))
        for k in range(factor)
    ]
    return parts, grid


def train(factor: int) -> Cost:
    """The three heads, priors and scaling."""
    from twinops.params import TrainParams
    from twinops.twin.model.fit import fit_twin
    from twinops.twin.state.examples import Examples

    parts, grid = rows_of(factor)
    known = Examples(pa.concat_tables(p.table for p in parts))
    started = process_time()
    fit_twin(known, grid, TrainParams(activity_c=1.0, spend_alpha=0.001))
    return {"cpu": process_time() - started, "n": len(known)}


def lightgbm(factor: int) -> Cost:
    """LightGBM as it comes on the same state, one model for each of the three questions, one thread."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    from twinops.twin.state.features import STATE

    parts, _ = rows_of(factor)
    x = np.concatenate([np.column_stack([p.table[c].to_numpy() for c in STATE]) for p in parts])
    y = [np.concatenate([getattr(p, t) for p in parts]) for t in ("active", "baskets", "spend")]
    started = process_time()
    LGBMClassifier(n_jobs=1, verbose=-1).fit(x, y[0])
    for target in y[1:]:
        LGBMRegressor(objective="poisson", n_jobs=1, verbose=-1).fit(x, target)
    return {"cpu": process_time() - started, "n": len(x)}


def bgnbd(_factor: int) -> Cost:
    """Our BG/NBD with gamma-gamma, by maximum likelihood, as of one day."""
    from twinops.twin.model.bgnbd import fit_classic
    from twinops.twin.state import features

    engine, grid = world(1, (337,))
    table = features.panel(engine, grid, known_until=DAYS)
    started = process_time()
    fit_classic(table, horizon_days=28)
    return {"cpu": process_time() - started, "n": table.num_rows}


CASES: dict[str, Callable[[int], Cost]] = {
    case.__name__: case for case in (updates, floats, million, state, train, lightgbm, bgnbd)
}

PYMC = """
import json, resource, sys, warnings
from time import process_time
warnings.filterwarnings("ignore")
import pandas as pd
from pymc_marketing.clv import BetaGeoModel
data = pd.read_csv(sys.argv[1])
started = process_time()
model = BetaGeoModel(data=data)
model.fit(method="map", progressbar=False)
spent = process_time() - started
print(json.dumps({"cpu": spent, "n": len(data), "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
"""The peer, in an environment of its own: it wants other versions of numpy and scipy than ours."""


def measured(case: str, factor: int) -> Cost:
    """One case in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, case, str(factor)], capture_output=True, text=True, check=True, env=environment
    )
    return dict(json.loads(done.stdout))


def pymc() -> Cost | None:
    """BG/NBD of pymc-marketing, where there is an environment that has it."""
    python = os.environ.get("BENCH_PYMC")
    if not python:
        return None
    household, day, _ = events(HOUSEHOLDS)
    seen = [np.unique(d) for d in np.split(day[day < 337], np.flatnonzero(np.diff(household[day < 337])) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "histories.csv"
        lines = ["customer_id,frequency,recency,T"]
        lines += [f"{i},{len(d) - 1},{d[-1] - d[0]},{337 - d[0]}" for i, d in enumerate(seen)]
        told.write_text("\n".join(lines), encoding="utf-8")
        done = subprocess.run([python, "-c", PYMC, str(told)], capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None


def twin() -> list[Row]:
    """Every figure, as rows of `bench/results.json`."""
    out = [*_streaming()]
    for case, what in (
        ("state", "the state of every household as of one day, SQL"),
        ("train", "priors, scaling, three heads"),
    ):
        costs = {f: measured(case, f) for f in FACTORS}
        for f, cost in costs.items():
            out.append(
                _row(
                    f"twin_{case}_cpu_{f}x",
                    cost["cpu"],
                    "CPU s",
                    int(cost["n"]),
                    f"{what}; n: rows made or learned from",
                )
            )
            out.append(
                _row(
                    f"twin_{case}_mem_{f}x",
                    cost["rss_mb"],
                    "MB",
                    int(cost["n"]),
                    "largest memory of the whole process, data included",
                )
            )
        grown = math.log(costs[FACTORS[-1]]["cpu"] / costs[FACTORS[0]]["cpu"]) / math.log(FACTORS[-1])
        out.append(_row(f"twin_{case}_growth_exponent", grown, "", len(FACTORS), "CPU from 1x to 50x; 1 is linear"))
    return [*out, *_peers()]


def _streaming() -> list[Row]:
    heard = min((measured("updates", 1) for _ in range(3)), key=lambda cost: cost["cpu"])
    least = min((measured("floats", 1) for _ in range(3)), key=lambda cost: cost["cpu"])
    one = measured("million", 1)
    note = "plain Python, one basket at a time in the order of days, best of three; higher is better; n: baskets"
    return [
        _row("state_updates_per_s", heard["n"] / heard["cpu"], "1/s", int(heard["n"]), note)
        | {
            "peer": "eight floats in order, nothing else; ratio: its rate over ours",
            "ratio": heard["cpu"] / least["cpu"],
        },
        _row(
            "state_updates_per_s_one_twin",
            one["n"] / one["cpu"],
            "1/s",
            int(one["n"]),
            "a million baskets of one twin; higher is better",
        ),
        _row(
            "state_memory_one_twin", one["kept_kb"], "KB", int(one["n"]), "what one twin keeps after a million baskets"
        ),
    ]


def _peers() -> list[Row]:
    out = []
    for f in FACTORS[:2]:
        ours, trees = measured("train", f), measured("lightgbm", f)
        note = "the three heads against LightGBM as it comes on the same state, one thread; n: rows"
        told = _row(f"twin_train_cpu_against_lightgbm_{f}x", ours["cpu"], "CPU s", int(ours["n"]), note)
        out.append({**told, "peer": "lightgbm 4.7, 3 models", "ratio": ours["cpu"] / trees["cpu"]})
    classic, peer = measured("bgnbd", 1), pymc()
    told = _row(
        "bgnbd_fit_cpu",
        classic["cpu"],
        "CPU s",
        int(classic["n"]),
        "our BG/NBD and gamma-gamma by maximum likelihood; n: households",
    )
    if peer is not None:
        told |= {"peer": "pymc-marketing BetaGeoModel, MAP, without gamma-gamma", "ratio": classic["cpu"] / peer["cpu"]}
    return [*out, told]


def _row(name: str, value: float, unit: str, n: int, note: str) -> Row:
    return {"name": name, "value": value, "unit": unit, "peer": None, "ratio": None, "n": n, "note": note}


def main() -> None:
    """One case, as a child; or all of them, printed."""
    if len(sys.argv) > 1:
        cost = CASES[sys.argv[1]](int(sys.argv[2]))
        print(json.dumps({**cost, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    else:
        print(json.dumps(twin(), indent=1))


if __name__ == "__main__":
    main()
