"""What sealing costs: write and open a year of receipts, month by month, sealed and as plain Parquet."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import pyarrow as pa
import pyarrow.parquet as pq
from receipts import make

from twinops.adapters.keystore import DemoKeys
from twinops.data.vault.seal import read_sealed, write_sealed

ROUNDS = 5
NAMES = {"seal_cpu": ("CPU s", "write"), "open_cpu": ("CPU s", "read"), "seal_size": ("MB", "bytes")}


def sealing() -> list[dict[str, object]]:
    """Seal the shipped receipts, open them (reading and key derivation), and do the same plainly, by turns."""
    print("bench: sealing", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="twinops-sealing-") as home:
        folder, keys = Path(home), DemoKeys()
        make(folder / "made", 1, sealed=False)
        months = {p.stem: _read(p) for p in sorted((folder / "made" / "plain").iterdir())}
        ours, theirs = folder / "sealed", folder / "plain"
        theirs.mkdir()
        sealed, plain = _by_turns(
            lambda: [_seal(t, ours / f"{m}.parquet", keys) for m, t in months.items()],
            lambda: [_plain(t, theirs / f"{m}.parquet") for m, t in months.items()],
        )
        files, others = sorted(ours.iterdir()), sorted(theirs.iterdir())
        opened, read = _by_turns(
            lambda: read_sealed(files, dataset="transactions", keys=keys), lambda: [_read(p) for p in others]
        )
        size, plain_size = (sum(p.stat().st_size for p in paths) / 1e6 for paths in (files, others))
    pairs = {"seal_cpu": (sealed, plain), "open_cpu": (opened, read), "seal_size": (size, plain_size)}
    n = sum(t.num_rows for t in months.values())
    told = f"{len(months)} months of receipts, n lines, a frame per subject and month; peer: zstd, unsealed"
    return [
        {
            "name": name,
            "value": value,
            "unit": NAMES[name][0],
            "peer": "plain Parquet",
            "ratio": value / other,
            "n": n,
            "note": f"{told}: {NAMES[name][1]}",
        }
        for name, (value, other) in pairs.items()
    ]


def _seal(table: pa.Table, path: Path, keys: DemoKeys) -> None:
    write_sealed(table, path, dataset="transactions", keys=keys, subject="sid")


def _plain(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")


def _read(path: Path) -> pa.Table:
    return pq.read_table(path, read_dictionary=["sid"])


def _by_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Median CPU seconds of each in a few rounds, after one that does not count."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for act, times in zip((one, other), spent, strict=True):
            started = process_time()
            act()
            times.append(process_time() - started)
    return median(spent[0][1:]), median(spent[1][1:])
