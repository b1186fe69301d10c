"""What sealing costs: write and open a year of receipts, month by month, sealed and as plain Parquet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.adapters.keystore import DemoKeys
from twinops.data.seal import read_sealed, write_sealed

ROUNDS = 3


def sealing(sealed: list[Path], folder: Path) -> list[dict[str, object]]:
    """Open the sealed months of a project (reading and key derivation), seal them again, and do the same plainly."""
    keys = DemoKeys()
    months = {path.stem: read_sealed(path, dataset="transactions", keys=keys) for path in sealed}
    rows = sum(t.num_rows for t in months.values())
    ours, theirs = folder / "sealed", folder / "plain"
    theirs.mkdir(parents=True)
    seal = _cpu(lambda: [_seal(t, ours / f"{name}.parquet", keys) for name, t in months.items()])
    plain = _cpu(lambda: [_plain(t, theirs / f"{name}.parquet") for name, t in months.items()])
    files = sorted(ours.iterdir())
    opened = _cpu(lambda: read_sealed(files, dataset="transactions", keys=keys))
    read = _cpu(lambda: [pq.read_table(path) for path in sorted(theirs.iterdir())])
    size, plain_size = (sum(p.stat().st_size for p in f.iterdir()) / 1e6 for f in (ours, theirs))
    note = (
        f"{len(months)} months of receipts, n lines, a frame per subject and month; peer: the same with zstd, unsealed"
    )
    every = {"peer": "plain Parquet", "n": rows}
    return [
        {"name": "seal_cpu", "value": seal, "unit": "CPU s", "ratio": seal / plain, **every, "note": f"{note}: write"},
        {
            "name": "seal_size",
            "value": size,
            "unit": "MB",
            "ratio": size / plain_size,
            **every,
            "note": f"{note}: bytes",
        },
        {
            "name": "open_cpu",
            "value": opened,
            "unit": "CPU s",
            "ratio": opened / read,
            **every,
            "note": f"{note}: read",
        },
    ]


def _seal(table: pa.Table, path: Path, keys: DemoKeys) -> None:
    write_sealed(table, path, dataset="transactions", batch=path.stem, keys=keys, subject="sid")


def _plain(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")


def _cpu(act: Callable[[], object]) -> float:
    """Median CPU seconds of a few rounds, after one that does not count."""
    spent = []
    for _ in range(ROUNDS + 1):
        started = process_time()
        act()
        spent.append(process_time() - started)
    return median(spent[1:])
