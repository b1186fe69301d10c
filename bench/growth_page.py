"""The page and the pictures that show what every stage needs at ten times the data, and some at fifty times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, panel_title, tell

Cost = Mapping[str, Mapping[str, float]]
"""Stage -> `cpu` seconds, `mem` in MB and `wall` seconds."""
AIM_MB, AIM_EXPONENT = 4_096, 1.05
LEAST_CPU = 10
"""Stages of fewer seconds are starting up, mostly."""
PINK, SKY = "#cc79a7", "#56b4e9"


def page(
    costs: Mapping[int, Cost],
    exponents: Mapping[int, Mapping[str, float]],
    *,
    lines: Mapping[int, int],
    on_cluster: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Markdown: what was run, the pictures, and a line a stage; `on_cluster` are rows of the results."""
    few, *more = sorted(costs)
    many, largest = more[0], more[-1]
    stages = list(dict.fromkeys(s for n in more for s in costs[n]))
    over = [f"`{s}` at {n}x ({c['mem']:,.0f} MB)" for n in more for s, c in costs[n].items() if c["mem"] > AIM_MB]
    steep = [f"`{s}` to {n}x ({e:.2f})" for n in more for s, e in exponents[n].items() if e > AIM_EXPONENT]
    last = _between(costs, many, largest) if more[1:] else {}
    steep += [f"`{s}` from {many}x to {largest}x ({e:.2f})" for s, e in last.items() if e > AIM_EXPONENT]
    told = (
        f"Above {AIM_MB / 1024:.0f} GB: {', '.join(over) or 'none'}. "
        f"Steeper than {AIM_EXPONENT}: {', '.join(steep) or 'none'}."
    )
    if left_out := [f"`{s}`" for s in costs[few] if s not in costs[many] and s not in costs[largest]]:
        told += f"\nNot measured at {many}x: {', '.join(left_out)}."
    head = f"| stage | {' | '.join(f'{n}x: CPU s | MB' for n in (few, *more))} | "
    ends = [f"exponent to {n}x" for n in more] + [f"{many}x to {largest}x" for _ in more[1:]]
    head += " | ".join(ends) + " |"
    rows = [
        f"| {s} | {' | '.join(_cells(costs[n].get(s)) for n in (few, *more))} | "
        f"{' | '.join(_said(each.get(s)) for each in (*(exponents[n] for n in more), *([last] if more[1:] else [])))} |"
        for s in stages
    ]
    sizes = ", ".join(f"{n}x ({lines[n]:,} lines)" for n in (few, *more))
    return (
        "# How it grows\n\n"
        "`make bench PART=growth` writes this page. A larger shop has more customers: `twinops init` makes a project "
        "out of\n"
        "copies of the shipped receipts (a file a month), products and customers, each copy with ids of its own:\n"
        f"{sizes}.\n"
        "Every stage of its `dvc.yaml` is then run by itself, one after the other. MB is the most memory of all its\n"
        "processes together. The exponent says how CPU grows: 1 is in proportion to the data.\n\n"
        + (f"![CPU and memory against lines of receipts](images/growth.png)\n\n{FAR_HOW}\n\n" if more[1:] else "")
        + "![Largest memory and growth of CPU, stage by stage](images/scale.png)\n\n"
        + f"{told}\n\n{head}\n|{'---|' * (3 + 2 * len(more) + len(ends))}\n"
        + "\n".join(rows)
        + "\n\n"
        + HOW.replace(CLUSTER_HERE, _cluster(on_cluster))
    )


def with_cluster(page: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The page as it is, but for what it says of the cluster."""
    return page[: page.index(HOW[: HOW.index("\n")])] + HOW.replace(CLUSTER_HERE, _cluster(rows))


def _cluster(rows: Sequence[Mapping[str, Any]]) -> str:
    """A picture and a table of what was measured on the cluster; of nothing, a sentence."""
    at = _on_cluster(rows)
    if not at:
        return "Ten times the receipts were not measured on a cluster."
    first = next(iter(at.values()))["cpu"]
    head = (
        f"| {first['n']:,} lines | DuckDB: CPU s | MB | s | cluster: CPU s | MB | s | times the CPU "
        f"| exponent of CPU from 1x |\n|{'---|' * 9}\n"
    )
    lines = [
        f"| {stage} | {' | '.join(f'{value:,.{digits}f}' for value, digits in _figures(told))} "
        f"| {told['cpu']['ratio']:.1f} | {told['exponent']['value']:.2f} |"
        for stage, told in at.items()
    ]
    notes = [f"- `{stage}`: {told['cpu']['note']}." for stage, told in at.items()]
    return (
        "![CPU and growth beside DuckDB](images/cluster.png)\n\n"
        + head
        + "\n".join(lines)
        + "\n\nThe cluster made all stages in one session; here each stage, and each month of `collect`, is a process\n"
        + "of its own. Everything was held against what DuckDB made of the same receipts, and nothing differs:\n\n"
        + "\n".join(notes)
    )


def _figures(told: Mapping[str, Mapping[str, Any]]) -> list[tuple[float, int]]:
    """DuckDB's CPU, memory and time, then the cluster's, each with its digits behind the point."""
    digits = {"cpu": 1, "mem": 0, "wall": 0}
    duck = [(told[what]["value"] / told[what]["ratio"], n) for what, n in digits.items()]
    return duck + [(told[what]["value"], n) for what, n in digits.items()]


def _on_cluster(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Stage -> `cpu`, `mem`, `wall` and `exponent` -> its row."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        what, _, stage = str(row["name"]).removeprefix("cluster_").rpartition(".")
        found.setdefault(stage, {})[what.partition("_")[0]] = row
    return found


def cluster_picture(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Left CPU on the cluster and on DuckDB, right how either grows."""
    at = _on_cluster(rows)
    stages = list(reversed(at))
    figure, (left, right) = canvas(columns=2, size=(11, 1.4 + 0.45 * len(stages)), sharey=True)
    for shift, colour, name, values in (
        (0.2, ORANGE, "cluster", [at[s]["cpu"]["value"] for s in stages]),
        (-0.2, BLUE, "DuckDB", [at[s]["cpu"]["value"] / at[s]["cpu"]["ratio"] for s in stages]),
    ):
        left.barh([y + shift for y in range(len(stages))], values, height=0.36, color=colour, label=name)
    left.set_yticks(range(len(stages)), stages)
    left.legend(fontsize=8.5, frameon=False, loc="lower right")
    panel_title(left, "CPU seconds of all processes")
    grows = [at[s]["exponent"]["value"] for s in stages]
    right.plot(grows, range(len(stages)), "o", color=ORANGE)
    for value, colour, style in ((1, GREY, "-"), (AIM_EXPONENT, INK, "--")):
        right.axvline(value, color=colour, linewidth=0.9, linestyle=style)
    panel_title(right, f"growth exponent of the cluster's CPU (dashed: {AIM_EXPONENT})")
    lines = next(iter(at.values()))["cpu"]["n"]
    there = sum(at[s]["cpu"]["value"] for s in stages)
    here = sum(at[s]["cpu"]["value"] / at[s]["cpu"]["ratio"] for s in stages)
    return tell(
        figure,
        finding=f"The same tables of {lines / 1e6:.1f} million lines cost a cluster {there / here:.1f} times "
        "DuckDB's CPU",
        rests_on="Every stage with the sealed files it leaves, in one session; a Master and two Workers of one core "
        "on one machine, of which one was killed at work and did not come back.",
    )


FAR_HOW = """\
At 50x `score` answers with the model that 10x learned; the fits in between were not run. `tastes` learns from all
customers up to 25,000, and from so many of a larger shop's.
At 10x `choose` to `influence`, `drift`, `tastes`, `twin` and `privacy`, and some stages at 1x, were run on one file of
receipts, and their MB is that of the largest process alone."""
CLUSTER_HERE = "{cluster}"

HOW = """## What keeps it small

- Sealed receipts are opened some subjects at a time, with all their rows of all batches (`seal.in_parts`): `features`,
  `taste_features`, `twin`, `drift` and `minimise` never hold all columns of all lines (a feature of one's own may).
- DuckDB works within a memory limit and spills into a folder of its own that is removed with the engine.
- Bootstrap draws of an AUC over pairs are sums over levels of score, not a matrix of households by households.
- Trees answer for some thousand rows at a time.
- `init` and `collect` hold one batch: a shop whose single file is larger than memory hands it in by the month, as a
  folder. One file of 14.7 million lines takes 3.5 GB.

## On a cluster

```yaml
compute:
  engine: spark
  master: spark://host:7077   # or local[2], yarn, k8s://...; the rest stands in Spark's own spark-defaults.conf
```

Every stage then asks Spark instead of DuckDB, with the same SQL files, translated, and answers come in DuckDB's
types: the sealed files have the same bytes ([ADR 23](adr/0023-spark-answers-in-duckdbs-types.md)). For `features` and
`taste_features` the executors open the sealed receipts, each with the keys of its own subjects; for `twinops score`
they also answer; for `link` they weigh pairs. They seal what a stage writes, each block with the keys of its own
subjects, and a regression of more than 131,072 rows is summed by them, one pass a step
([ADR 24](adr/0024-keys-travel-to-the-rows.md)). `make test-spark` holds every query, sums, sealed files and the scores
against DuckDB, and makes `collect`, `link`, `features`, `blend`, `fuse`, `proxies`,
`minimise` and `taste_features` on a cluster of a Master and two Workers, of which one is killed while both are at work.
It takes about four minutes of CPU.

Nothing else of a project is another: the same `params.yaml` but for these two lines, the same files in the same places.
Receipts are best a file a month (`reads: folder`, `files: "{month}.csv"`), Parquet, CSV or gzip, under one path that
driver and executors have: `collect` reads them on the driver, a month at a time.

What a cluster needs:

- Java 17, and on every node this version of twinops with what `pins.yaml` pins and PySpark (`PYSPARK_PYTHON` says
  where).
- The project's folder under the same path for driver and executors.
- `spark.authenticate` and `spark.network.crypto.enabled` (or `spark.ssl.rpc.enabled`) in `spark-defaults.conf`;
  without them a master beyond this machine is refused. What is spilled or shuffled is always encrypted.
- A driver that executors reach on any port, with memory for one row per household and as-of day (`compute.memory`).

Two Workers of one core each on one machine, one of them killed at work (`make bench PART=cluster`):

{cluster}

On one machine it never pays: much of a query is the same for one row, and 250 households over five months still cost
48 s of CPU for `features` and `taste_features`. So it is for receipts that one machine cannot work through in the time
there is, or that already live on a cluster; the table above says how far one machine goes.

From 16 MiB of sealed receipts on, one machine writes a table in several row groups and a cluster in one: the same
frames in the same order, in a file with another digest.

Not on Spark: trees and what else is fitted but regressions, features of one's own, and the receipts of `drift`,
`minimise` and `twin`: the driver does these. Answers come to it before they are sealed or learned from.
"""


def picture(at: Cost, exponents: Mapping[str, float], *, lines: int) -> Figure:
    """Left memory, right exponents; the aims as lines."""
    stages = sorted(at, key=lambda s: at[s]["mem"])
    figure, (left, right) = canvas(columns=2, size=(11, 0.9 + 0.27 * len(stages)), sharey=True)
    memory = [at[s]["mem"] for s in stages]
    left.barh(stages, memory, color=[ORANGE if mb > AIM_MB else BLUE for mb in memory], height=0.7)
    left.axvline(AIM_MB, color=INK, linewidth=0.9, linestyle="--")
    panel_title(left, "most memory, MB (dashed: 4 GB)")
    known = [s for s in stages if s in exponents]
    right.plot([exponents[s] for s in known], known, "o", color=BLUE)
    for value, colour, style in ((1, GREY, "-"), (AIM_EXPONENT, INK, "--")):
        right.axvline(value, color=colour, linewidth=0.9, linestyle=style)
    panel_title(right, f"growth exponent of CPU (dashed: {AIM_EXPONENT})")
    within = sum(mb <= AIM_MB for mb in memory)
    return tell(
        figure,
        finding=f"{within} of {len(stages)} measured stages take {lines / 1e6:.1f} million lines within 4 GB",
        rests_on="Each stage by itself, in a project made of copies of the shipped receipts. Stages that cost "
        "seconds have exponents below 1: starting up is most of what they do.",
    )


def curves(costs: Mapping[int, Cost], *, lines: Mapping[int, int]) -> Figure:
    """CPU and memory of what was measured at the largest size, against lines, both scales logarithmic."""
    few, *_, largest = sorted(costs)
    stages = [s for s in costs[largest] if s in costs[few] and costs[largest][s]["cpu"] >= LEAST_CPU]
    figure, (left, right) = canvas(columns=2, size=(11, 5))
    shapes = zip(stages, "osD^vP*Xh<>", strict=False)
    for at, (stage, shape) in enumerate(shapes):
        sizes = [n for n in sorted(costs) if stage in costs[n]]
        across = [lines[n] / 1e6 for n in sizes]
        look = {"marker": shape, "color": (BLUE, ORANGE, GREEN, GREY, INK, PINK, SKY)[at % 7], "linewidth": 1.6}
        for ax, what in ((left, "cpu"), (right, "mem")):
            ax.plot(across, [costs[n][stage][what] for n in sizes], label=stage, markersize=6, **look)
    for ax in (left, right):
        ax.set(xscale="log", yscale="log", xlabel="million lines of receipts")
        ax.set_xticks([n / 1e6 for n in lines.values()], [f"{n / 1e6:.1f}" for n in lines.values()])
        ax.minorticks_off()
    right.set_yticks([250 * 2**k for k in range(5)], [f"{250 * 2**k:,}" for k in range(5)])
    left.set_yticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    start = min(costs[few][s]["cpu"] for s in stages)
    ends = [lines[n] / 1e6 for n in (few, largest)]
    left.plot(ends, [start, start * largest / few], color=INK, linewidth=0.9, linestyle="--")
    right.axhline(AIM_MB, color=INK, linewidth=0.9, linestyle="--")
    panel_title(left, "CPU seconds (dashed: in proportion to the lines)")
    panel_title(right, "most memory, MB (dashed: 4 GB)")
    left.legend(fontsize=8.5, frameon=False)
    within = sum(costs[largest][s]["mem"] <= AIM_MB for s in stages)
    return tell(
        figure,
        finding=f"{within} of {len(stages)} stages take {lines[largest] / 1e6:.1f} million lines within 4 GB",
        rests_on="Each stage by itself on one machine, in projects made of copies of the shipped receipts, each copy "
        "with customers of its own.",
    )


def _between(costs: Mapping[int, Cost], many: int, largest: int) -> dict[str, float]:
    """Exponents of the last step alone, of stages that cost more than starting up."""
    return {
        s: math.log(spent["cpu"] / costs[many][s]["cpu"]) / math.log(largest / many)
        for s, spent in costs[largest].items()
        if s in costs[many] and spent["cpu"] >= LEAST_CPU
    }


def _cells(spent: Mapping[str, float] | None) -> str:
    return "| " if spent is None else f"{spent['cpu']:,.1f} | {spent['mem']:,.0f}"


def _said(exponent: float | None) -> str:
    return "" if exponent is None else f"{exponent:.2f}"
