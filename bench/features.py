"""Features at 1x and 10x the shipped receipts: through the vault, on plain Parquet, and by hand in pandas and polars.

Each side is a process of its own, on one thread, from files to files: CPU seconds (user and system) after its imports,
and peak memory. All sides must arrive at the same panel, value by value. Polars has an environment of its own, made
when first needed. Usage: python bench/features.py SIDE FOLDER
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from beside import environment, spent, started

ROOT = Path(__file__).resolve().parents[1]
SIDES = ("vault", "plain", "pandas", "polars")
Row = dict[str, object]


def features(*, quick: bool, far: bool = False) -> list[Row]:
    """Rows of every size; `far` adds 50x, where nobody else is asked."""
    sizes = {1: SIDES} if quick else {1: SIDES, 10: SIDES}
    sizes |= {50: ("plain",)} if far else {}
    measured = {times: _measured(times, sides) for times, sides in sizes.items()}
    rows = [row for times, found in measured.items() for row in _rows(times, found)]
    return rows + [_growth(measured, times) for times in sizes if times > 1]


def _measured(times: int, sides: tuple[str, ...]) -> dict[str, dict[str, float]]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="twinops-features-") as folder:
        for side in ("make", *sides):
            print(f"bench: features {times}x: {side}", file=sys.stderr)
            script, python = (
                ("features.py", sys.executable)
                if side not in ("pandas", "polars")
                else (
                    f"features_{side}.py",
                    sys.executable if side == "pandas" else str(environment("polars")),
                )
            )
            command = [python, str(ROOT / "bench" / script), side, folder, str(times), str("vault" in sides)]
            alone = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone)
            if side != "make":
                found[side] = json.loads(done.stdout)
        _same(Path(folder), [s for s in sides if s != "plain"])
        lines = sum(pq.read_metadata(p).num_rows for p in (Path(folder) / "plain").iterdir())
    return {**found, "data": {"lines": lines}}


def _same(folder: Path, others: list[str]) -> None:
    """All sides have the same panel, or the comparison is worth nothing."""
    ours = pq.read_table(folder / "panel.plain.parquet")
    for side in others:
        theirs = pq.read_table(folder / f"panel.{side}.parquet").select(ours.column_names).cast(ours.schema)
        for name in ours.column_names:
            if ours[name].combine_chunks() != theirs[name].combine_chunks():
                raise SystemExit(f"the panel of {side} has another {name}")


def _rows(times: int, found: dict[str, dict[str, float]]) -> list[Row]:
    n, out = int(found["data"]["lines"]), []
    pairs = [
        ("features", "plain", "pandas"),
        ("features.polars", "plain", "polars"),
        ("features_vault", "vault", "plain"),
    ]
    for name, ours, peer in pairs:
        if ours in found and (peer in found or name == "features"):
            for quantity, unit in (("cpu", "CPU s"), ("mem", "MB")):
                base, _, of = name.partition(".")
                theirs = found.get(peer, {}).get(quantity)
                value = found[ours][quantity]
                out.append(
                    {
                        "name": f"{base}_{quantity}_{times}x{'.' + of if of else ''}",
                        "value": value,
                        "unit": unit,
                        "peer": {"plain": "plain Parquet"}.get(peer, peer) if theirs else None,
                        "ratio": value / theirs if theirs else None,
                        "n": n,
                        "note": NOTES[ours] + ("" if theirs else "; at this size nobody else was asked"),
                    }
                )
    return out


NOTES = {
    "plain": "n receipt lines in monthly Parquet files to a panel in Parquet, by our SQL on DuckDB, one thread; the "
    "peer's panel is the same, value by value",
    "vault": "n receipt lines in sealed monthly files to a sealed panel, by our SQL on DuckDB, one thread; the peer's "
    "panel is the same, value by value, from and to plain Parquet",
}


def _growth(measured: dict[int, dict[str, dict[str, float]]], times: int) -> Row:
    """CPU grows with the data to the power of this."""
    side = "vault" if "vault" in measured[times] else "plain"
    more, less = measured[times][side]["cpu"], measured[1][side]["cpu"]
    return {
        "name": "growth_exponent" + ("" if times == 10 else f".{times}x"),
        "value": math.log(more / less) / math.log(times),
        "unit": "",
        "peer": None,
        "ratio": None,
        "n": int(measured[times]["data"]["lines"]),
        "note": f"features, {side}: {less:.1f} CPU s at 1x, {more:.1f} at {times}x; 1 is in proportion to the data",
    }


def vault(folder: Path) -> None:
    """From sealed months to a sealed panel."""
    from twinops.adapters.keystore import DemoKeys
    from twinops.data.vault.seal import read_sealed, with_text_sid, write_sealed

    keys, months = DemoKeys(), sorted((folder / "sealed").iterdir())
    panel = _panel(folder, with_text_sid(read_sealed(months, dataset="transactions", keys=keys)))
    path = folder / "panel.parquet"
    write_sealed(panel, path, dataset="panel", keys=keys, subject="sid")


def plain(folder: Path) -> None:
    """From Parquet to Parquet."""
    months = sorted((folder / "plain").iterdir())
    pq.write_table(_panel(folder, pq.read_table(months)), folder / "panel.plain.parquet", compression="zstd")


def _panel(folder: Path, lines: object) -> object:
    from receipts import GRID, UNTIL

    from twinops.adapters.sql.duckdb_engine import DuckDBEngine
    from twinops.twin.state import features as twin_features

    engine = DuckDBEngine(threads=1)
    engine.register("permissions", pq.read_table(folder / "given" / "permissions.parquet"))
    engine.register("transactions", lines)
    return twin_features.panel(engine, GRID, known_until=UNTIL)


def main() -> None:
    """One side."""
    import receipts

    side, folder = sys.argv[1], Path(sys.argv[2])
    if side == "make":
        receipts.make(folder, int(sys.argv[3]), sealed=sys.argv[4] == "True")
        return
    began = started()
    {"vault": vault, "plain": plain}[side](folder)
    print(json.dumps(spent(began)))
    if side == "vault":
        _unsealed(folder)


def _unsealed(folder: Path) -> None:
    """For the comparison; not measured."""
    from twinops.adapters.keystore import DemoKeys
    from twinops.data.vault.seal import read_sealed, with_text_sid

    panel = with_text_sid(read_sealed(folder / "panel.parquet", dataset="panel", keys=DemoKeys()))
    pq.write_table(panel, folder / "panel.vault.parquet")


if __name__ == "__main__":
    main()
