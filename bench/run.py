"""Measure twinops against its peers and write `bench/results.json`.

CPU seconds, user and system: wall time on a shared machine says little. Works in temporary folders that are gone
afterwards. Usage: python bench/run.py [--quick] [--far] [MINUTES] [PART ...], or `make bench`; parts are pipeline,
sealing, features, linkage, twin, score, heads, erasure, serve, months, endure, growth, cluster, million. Without one
all are run; a part's rows replace its old ones. `--quick` takes the smallest sizes and only prints; `--far` adds
features, and stages of growth, at 50x, and months of 40,000 customers; MINUTES are those of endure (ten).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from string import ascii_lowercase

from cluster import cluster
from endure import endure
from erasure import erasure
from features import features
from growth import growth
from heads import heads
from linkage import linkage
from months import months
from score import score
from scratch import ROOT
from sealing import sealing
from stages import pipeline
from twin import twin

from serve import serve

Row = dict[str, object]
RESULTS = ROOT / "bench" / "results.json"
OPTIONS = {"--quick", "--far"}
PARTS: dict[str, tuple[Callable[[set[str]], list[Row]], tuple[str, ...]]] = {
    "pipeline": (lambda _: pipeline(), ("pipeline_", "noop_", "param_")),
    "sealing": (lambda _: sealing(), ("seal_", "open_")),
    "features": (
        lambda asked: features(quick="--quick" in asked, far="--far" in asked),
        ("features_", "growth_exponent"),
    ),
    "linkage": (lambda asked: linkage(*(("2k5",) if "--quick" in asked else ("2k5", "100k"))), ("linkage_",)),
    "twin": (lambda _: twin(), ("state_", "batch_", "train_", "bgnbd_", "lightgbm_", "twin_")),
    "score": (lambda _: score(), ("score_",)),
    "heads": (lambda _: heads(), ("heads.",)),
    "erasure": (lambda asked: erasure(quick="--quick" in asked), ("erase_",)),
    "serve": (lambda asked: serve(quick="--quick" in asked), ("serve_",)),
    "months": (lambda asked: months(quick="--quick" in asked, far="--far" in asked), ("update_month_",)),
    "endure": (lambda asked: endure(next((float(a) for a in asked if a.isdigit()), 10.0)), ("endured_",)),
    "growth": (
        lambda asked: growth(quick="--quick" in asked, far="--far" in asked),
        ("growth_cpu_", "growth_mem_", *(f"growth_exponent.{letter}" for letter in ascii_lowercase)),
    ),
    "cluster": (lambda _: cluster(), ("cluster_",)),
    "million": (lambda _: linkage("1m"), ("linkage_f1_1m", "linkage_cpu_1m", "linkage_mem_1m")),
}
"""Part -> how it is measured, and how the names of its rows begin."""
SLOW = {"pipeline", "months", "score", "heads", "million", "growth", "cluster", "endure"}
"""Left out of a quick look."""


def main() -> None:
    """Measure what is asked for, print it, and put it among the results."""
    asked = set(sys.argv[1:])
    minutes = {a for a in asked if a.isdigit()}
    options, parts = asked & OPTIONS | minutes, [p for p in PARTS if p in asked]
    if unknown := asked - OPTIONS - minutes - PARTS.keys():
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    for part in parts or [p for p in PARTS if p not in SLOW or "--quick" not in options]:
        rows = PARTS[part][0](options)
        told = [{k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
        _show(told)
        if "--quick" not in options:
            _keep(part, told)


def _keep(part: str, rows: list[Row]) -> None:
    """In the order of the parts; what belongs to no part stays at the end."""
    old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    of = {row["name"]: _part(str(row["name"])) for row in old}
    kept = {p: [r for r in old if of[r["name"]] == p] for p in (*PARTS, "")} | {part: rows}
    text = json.dumps([r for group in kept.values() for r in group], indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def _part(name: str) -> str:
    return next((p for p, (_, begins) in reversed(PARTS.items()) if name.startswith(begins)), "")


def _show(rows: list[Row]) -> None:
    for row in rows:
        ratio = "" if row["ratio"] is None else f"  {row['ratio']:.2f} x {row['peer']}"
        print(f"{row['name']:28} {row['value']:12.3f} {row['unit']}{ratio}", flush=True)


if __name__ == "__main__":
    main()
