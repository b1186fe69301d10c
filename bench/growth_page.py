"""The page and the picture that show what every stage needs at ten times the data."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from twinops.evaluation.canvas import BLUE, GREY, INK, ORANGE, canvas, panel_title, tell

Cost = Mapping[str, Mapping[str, float]]
"""Stage -> `cpu` seconds, `mem` in MB and `wall` seconds."""
AIM_MB, AIM_EXPONENT = 4_096, 1.05


def page(costs: Mapping[int, Cost], exponents: Mapping[str, float], *, lines: Mapping[int, int]) -> str:
    """Markdown: what was run, the picture, and a line a stage."""
    few, many = min(costs), max(costs)
    at = costs[many]
    over = [f"`{s}` ({c['mem']:,.0f} MB)" for s, c in at.items() if c["mem"] > AIM_MB]
    steep = [f"`{s}` ({e:.2f})" for s, e in exponents.items() if e > AIM_EXPONENT]
    told = (
        f"Above {AIM_MB / 1024:.0f} GB: {', '.join(over) or 'none'}. "
        f"Steeper than {AIM_EXPONENT}: {', '.join(steep) or 'none'}."
    )
    if left_out := [f"`{s}`" for s in costs[few] if s not in at]:
        told += f"\nNot measured at {many}x: {', '.join(left_out)}."
    head = f"| stage | {' | '.join(f'{n}x: CPU s | MB | s' for n in (few, many))} | exponent |"
    rows = [
        f"| {s} | {' | '.join(_cells(costs[n].get(s)) for n in (few, many))} | {_said(exponents.get(s))} |" for s in at
    ]
    return (
        "# How it grows\n\n"
        "`make bench PART=growth` writes this page. `twinops init` makes a project out of copies of the shipped\n"
        f"receipts ({few} and {many} of them, {lines[few]:,} and {lines[many]:,} lines), products and customers, each "
        "copy with\nids of its own; every stage of its `dvc.yaml` is then run by itself, one after the other. MB is "
        "the largest memory of\none process. The exponent says how CPU grows: 1 is in proportion to the data.\n\n"
        f"![Largest memory and growth of CPU, stage by stage](images/scale.png)\n\n{told}\n\n"
        f"{head}\n|{'---|' * 8}\n" + "\n".join(rows) + "\n\n" + HOW
    )


HOW = """## What keeps it small

- Sealed receipts are opened some subjects at a time, with all their rows of all batches (`seal.in_parts`): `features`,
  `taste_features`, `twin`, `drift` and `minimise` never hold all columns of all lines (a feature of one's own may).
- DuckDB works within a memory limit and spills into a folder of its own that is removed with the engine.
- Bootstrap draws of an AUC over pairs are sums over levels of score, not a matrix of households by households.
- Trees answer for some thousand rows at a time.
- `collect` holds one batch: a shop whose single file is larger than memory hands it in by the month, as a folder.

## On a cluster

```yaml
compute:
  engine: spark
  master: spark://host:7077   # or local[2], yarn, k8s://...; the rest stands in Spark's own spark-defaults.conf
```

Every stage then asks Spark instead of DuckDB, with the same SQL files, translated, and answers come in DuckDB's
types: the sealed files have the same bytes ([ADR 23](adr/0023-spark-answers-in-duckdbs-types.md)). `features` and
`taste_features` have sealed receipts opened by the executors, each with the keys of its own subjects, and `link`
has pairs weighed there ([ADR 24](adr/0024-keys-travel-to-the-rows.md)). `make test-spark` holds every query against
DuckDB, and makes `collect`, `link`, `features`, `blend`, `fuse`, `proxies`, `minimise` and `taste_features` on a
cluster of a Master and two Workers, of which one is killed while both are at work. It takes about four minutes of
CPU.

What a cluster needs:

- Java 17, and on every node this version of twinops with what `pins.yaml` pins and PySpark (`PYSPARK_PYTHON` says
  where).
- The project's folder under the same path for driver and executors.
- `spark.authenticate` and `spark.network.crypto.enabled` (or `spark.ssl.rpc.enabled`) in `spark-defaults.conf`;
  without them a master beyond this machine is refused. What is spilled or shuffled is always encrypted.
- A driver that executors reach on any port, with memory for one row per household and as-of day (`compute.memory`).

On one machine it never pays:

| 1.47M lines, two cores | DuckDB, CPU s | Spark `local[2]`, CPU s | times |
|---|---|---|---|
| features | 3.3 | 63.0 | 19 |
| blend | 2.1 | 30.5 | 15 |
| taste_features | 7.1 | 121.4 | 17 |

Much of it is the same for one row: 250 households over five months still cost 48 s of CPU for `features` and
`taste_features`, on DuckDB some seconds. So it is for receipts that one machine cannot work through in the time
there is, or that already live on a cluster; the table above says how far one machine goes. 5x and 10x were not
measured with the executors opening the files; a prototype's feature job, which opened nothing, cost 21 times the
CPU of DuckDB at 1.5M lines and 8 times at 14.7M.

Not on Spark: the fits, `twinops score`, sealing of what a stage writes, and the receipts of `drift`, `minimise` and
`twin`: the driver does these.
"""


def picture(at: Cost, exponents: Mapping[str, float], *, lines: int) -> Figure:
    """Left memory, right exponents; the aims as lines."""
    stages = sorted(at, key=lambda s: at[s]["mem"])
    figure, (left, right) = canvas(columns=2, size=(11, 0.9 + 0.27 * len(stages)), sharey=True)
    memory = [at[s]["mem"] for s in stages]
    left.barh(stages, memory, color=[ORANGE if mb > AIM_MB else BLUE for mb in memory], height=0.7)
    left.axvline(AIM_MB, color=INK, linewidth=0.9, linestyle="--")
    panel_title(left, "largest memory of a process, MB (dashed: 4 GB)")
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


def _cells(spent: Mapping[str, float] | None) -> str:
    return "| | " if spent is None else f"{spent['cpu']:,.1f} | {spent['mem']:,.0f} | {spent['wall']:,.0f}"


def _said(exponent: float | None) -> str:
    return "" if exponent is None else f"{exponent:.2f}"
