"""What `twinops update` costs for one month more: beside one month's share of the update that began the project.

A made-up web shop with returns in each month (tests/shops), a file a month. Usage: `make bench PART=months`.
"""

from __future__ import annotations

import os
import resource
import runpy
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from scratch import BIN, ROOT

Row = dict[str, object]
FIRST, SIZES = 12, (2_500, 10_000)
SEED = 11


def months(*, quick: bool = False) -> list[Row]:
    """A row for each size; `peer` is one month's share, so the ratio is what an update may cost one and a half of."""
    return [_of(customers) for customers in (SIZES[:1] if quick else SIZES)]


def _of(customers: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as folder:
        base = Path(folder)
        shops = runpy.run_path(str(ROOT / "tests" / "shops" / "shops.py"))
        shops["web"](base, customers=customers, seed=SEED)
        files = _by_month(base / "sales.csv")
        (base / "in").mkdir()
        for month in list(files)[:FIRST]:
            (base / "in" / f"sales-{month}.csv").write_bytes(files[month])
        source = ("--from", str(base / "in"), "--opt-ins", str(base / "optins.csv"))
        _cpu(base, "twinops", "init", "shop", *source, "--yes", "--synthetic")
        shop = base / "shop"
        first = _cpu(shop, "twinops", "update")
        _cpu(shop, "git", "add", "-A")
        _cpu(shop, "git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "begun")
        month = list(files)[FIRST]
        (base / "in" / f"sales-{month}.csv").write_bytes(files[month])
        value, share = _cpu(shop, "twinops", "update"), first / FIRST
    rows = len(files[month].splitlines()) - 1
    return {
        "name": f"update_month_cpu.{customers}", "value": value, "unit": "CPU s", "n": customers,
        "peer": f"one month's share of an update of {FIRST}", "ratio": value / share,
        "note": f"month {FIRST + 1}, {rows:,} lines, returns in each month; n: customers; the first took {first:.0f}",
    }  # fmt: skip


def _by_month(sales: Path) -> dict[str, bytes]:
    head, *rows = sales.read_bytes().splitlines(keepends=True)
    found: dict[str, list[bytes]] = defaultdict(list)
    for row in rows:
        day = row.split(b";")[4].decode()
        found[f"{day[6:10]}-{day[3:5]}"].append(row)
    return {month: head + b"".join(found[month]) for month in sorted(found)}


def _cpu(folder: Path, *command: str) -> float:
    """CPU seconds, user and system, of a command and all it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "TWINOPS_", "PYTHON"))}
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:2])} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
