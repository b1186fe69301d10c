"""Measure the pipeline against one plain script, and what going back and sealing cost; write `bench/results.json`.

CPU seconds, user and system, of a command and all its children: wall time on a shared machine says little.
Works in a temporary folder that is gone afterwards. Usage: python bench/run.py (or `make bench`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from scratch import ROOT, Scratch, make_scratch
from sealing import sealing
from twin import twin

OURS = "notebooks, sealing, DVC and documents around the computation"
CHANGED = ("activity_c: 0.2", "activity_c: 0.4")
Row = dict[str, object]


def main() -> None:
    """Measure everything and write the results."""
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as folder:
        scratch = make_scratch(Path(folder))
        rows = [*pipeline(scratch, Path(folder)), *again(scratch)]
        rows += sealing(sorted((scratch.root / "data" / "raw" / "transactions").glob("*.parquet")), Path(folder))
        say("living twins")
        rows += twin()
    told = [{k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    (ROOT / "bench" / "results.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for row in told:
        ratio = "" if row["ratio"] is None else f"  {row['ratio']:.2f} x {row['peer']}"
        print(f"{row['name']:24} {row['value']:10.3f} {row['unit']}{ratio}")


def pipeline(scratch: Scratch, folder: Path) -> list[Row]:
    """A cold run of all stages, in all and per stage, and the plain script."""
    say("cold pipeline")
    total = scratch.cpu("dvc", "repro", "-f")
    stages = scratch.per_stage()
    say("plain script")
    (folder / "by-hand").mkdir()
    script = [
        sys.executable,
        str(ROOT / "bench" / "plain.py"),
        str(folder / "by-hand"),
        str(scratch.root / "params.yaml"),
    ]
    plain = scratch.cpu(*script, answer=folder / "plain.json")
    steps = json.loads((folder / "plain.json").read_text(encoding="utf-8"))
    n = len(list((scratch.root / "data" / "raw" / "transactions").glob("*.parquet")))
    stages["dvc"] = total - sum(stages.values())
    notes = {
        "dvc": "hashing, cache, lock file and start of dvc itself",
        "documents": "evidence, verdicts, cards: the plain script makes none",
    }
    whole = row("pipeline_cpu", total, plain, n, f"cold dvc repro -f; {OURS}; n: months of data")
    parts = [
        row(
            f"pipeline_cpu.{name}",
            cpu,
            steps.get(name),
            n,
            notes.get(name, "commands with their start-up; peer: that step without it"),
        )
        for name, cpu in stages.items()
    ]
    return [whole, *parts]


def again(scratch: Scratch) -> list[Row]:
    """Nothing changed; one parameter changed; the parameter changed back."""
    say("nothing changed")
    noop = scratch.cpu("dvc", "repro")
    say("a parameter changed, and changed back")
    path = scratch.root / "params.yaml"
    before = path.read_text(encoding="utf-8")
    if before.count(CHANGED[0]) != 1:
        raise SystemExit(f"params.yaml does not say {CHANGED[0]!r} once")
    path.write_text(before.replace(*CHANGED), encoding="utf-8")
    scratch.forget()
    changed = scratch.cpu("dvc", "repro")
    ran = sorted(scratch.per_stage())
    path.write_text(before, encoding="utf-8")
    scratch.forget()
    back = scratch.cpu("dvc", "repro")
    ran_again = sorted(scratch.per_stage())
    restored = f"the run-cache restored all but {', '.join(ran_again) or 'none'}"
    note = f"train.{CHANGED[1]} ran {', '.join(ran)}; set back, {restored}"
    return [
        row("noop_repro_cpu", noop, None, 1, "dvc repro with nothing changed"),
        row("param_back_cpu", back, changed, 1, note, peer="running those stages"),
    ]


def row(name: str, value: float, other: float | None, n: int, note: str, *, peer: str = "plain script") -> Row:  # noqa: PLR0913  # the contract's shape
    """One line of the results; lower is better."""
    ratio = None if not other else value / other
    return {
        "name": name,
        "value": value,
        "unit": "CPU s",
        "peer": peer if ratio else None,
        "ratio": ratio,
        "n": n,
        "note": note,
    }


def say(text: str) -> None:
    """Progress goes to stderr."""
    print(f"bench: {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
