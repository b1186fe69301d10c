"""What the pipeline costs: cold, beside the same computation in one plain process; unchanged; one parameter changed."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from scratch import BIN, ROOT, Scratch, make_scratch

OURS = "notebooks, sealing, DVC and documents around the computation"
CHANGED = ("activity_c: 0.2", "activity_c: 0.4")
Row = dict[str, object]


def pipeline() -> list[Row]:
    """Rows of a project of its own."""
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as folder:
        scratch = make_scratch(Path(folder))
        return [*_cold(scratch, Path(folder)), *_again(scratch)]


def _cold(scratch: Scratch, folder: Path) -> list[Row]:
    """A cold run of all stages as `make run` does it, as plain DVC does it with every stage alone, and the script."""
    _say("cold pipeline")
    total = scratch.cpu(str(BIN / "twinops"), "repro", "--force")
    _say("cold pipeline, each command started by itself")
    scratch.forget()
    alone = scratch.cpu("dvc", "repro", "-f")
    stages = scratch.per_stage()
    _say("plain script")
    plain = scratch.twin()
    script = [sys.executable, str(ROOT / "bench" / "plain.py"), str(plain.root)]
    spent = plain.cpu(*script, answer=folder / "plain.json")
    steps = json.loads((folder / "plain.json").read_text(encoding="utf-8"))
    n = len(list((scratch.root / "data" / "raw" / "transactions").glob("*.parquet")))
    stages["dvc"] = alone - sum(stages.values())
    notes = {
        "dvc": "hashing, cache, lock file and start of dvc itself, under plain dvc repro",
        "documents": "evidence, verdicts, cards: the plain script makes none",
    }
    usual = "under plain dvc repro, the command with its start-up; peer: that step without it"
    whole = _row(
        "pipeline_cpu", total, spent, n, f"cold twinops repro --force, all sources on; {OURS}; n: months of data"
    )
    plainly = _row("pipeline_cpu_dvc", alone, spent, n, "cold dvc repro -f: every command loads its libraries anew")
    parts = [_row(f"pipeline_cpu.{s}", cpu, steps.get(s), n, notes.get(s, usual)) for s, cpu in stages.items()]
    return [whole, plainly, *parts]


def _again(scratch: Scratch) -> list[Row]:
    """Nothing changed; one parameter changed; the parameter changed back."""
    _say("nothing changed")
    noop = scratch.cpu("dvc", "repro")
    scratch.cpu("make", "-o", "setup", "run")
    quiet = scratch.cpu("make", "-o", "setup", "run")
    _say("a parameter changed, and changed back")
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
        _row("noop_repro_cpu", noop, None, 1, "dvc repro with nothing changed"),
        _row("noop_run_cpu", quiet, None, 1, "make run with nothing changed: doctor, pipeline, ledger and verdicts"),
        _row("param_back_cpu", back, changed, 1, note, peer="running those stages"),
    ]


def _row(name: str, value: float, other: float | None, n: int, note: str, *, peer: str = "plain script") -> Row:  # noqa: PLR0913  # the contract's shape
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


def _say(text: str) -> None:
    """Progress goes to stderr."""
    print(f"bench: {text}", file=sys.stderr)
