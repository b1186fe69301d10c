"""What `twinops update` costs for one month more: beside one month's share of the update that began the project.

A made-up web shop with returns in each month (tests/shops), a file a month. Usage: `make bench PART=months`; with
`--far`, 40,000 customers too. Then one shop's months 13, 25 and 49: whether the newest costs more as the history grows.
"""

from __future__ import annotations

import os
import resource
import runpy
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from scratch import BIN, ROOT

Row = dict[str, object]
FIRST, SIZES, FAR = 12, (2_500, 10_000), 40_000
MEASURED, LONG = (13, 25, 49), 1_200
"""Months of one shop with a long history, and its customers: some 700 lines a month from its second year on."""
DAYS, BEGUN = 1_800, 2019
"""How long it lasts, and since when: no receipt may be of a day that has not come yet."""
SEED = 11


def months(*, quick: bool = False, far: bool = False) -> list[Row]:
    """A row for each size; `peer` is one month's share, so the ratio is what an update may cost one and a half of.

    Then a row for each measured month of one shop; `peer` is the first of them.
    """
    sizes = SIZES[:1] if quick else (*SIZES, *([FAR] if far else []))
    return [*map(_of, sizes), *([] if quick else _one_after_the_other())]


def _of(customers: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as folder:
        shop = Shop(Path(folder), customers)
        first = shop.begin()
        value, share = shop.take(FIRST + 1), first / FIRST
    print(f"{customers:,} customers: {value:.1f} CPU s, a share is {share:.1f}", file=sys.stderr, flush=True)
    return {
        "name": f"update_month_cpu.{customers}", "value": value, "unit": "CPU s", "n": customers,
        "peer": f"one month's share of an update of {FIRST}", "ratio": value / share,
        "note": f"month {FIRST + 1}, {shop.lines[FIRST]:,} lines, returns in each month; n: customers; the first took "
        f"{first:.0f}",
    }  # fmt: skip


def _one_after_the_other() -> list[Row]:
    """Months between those measured come by one update."""
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as folder:
        shop = Shop(Path(folder), LONG, days=DAYS, year=BEGUN)
        shop.begin()
        took: dict[int, float] = {}
        for number in MEASURED:
            if shop.there < number - 1:
                shop.take(number - 1)
            took[number] = shop.take(number)
            print(f"month {number}: {took[number]:.1f} CPU s", file=sys.stderr, flush=True)
    return [
        {
            "name": f"update_month_cpu.month_{number}", "value": cpu, "unit": "CPU s", "n": number,
            "peer": f"month {MEASURED[0]} of the same shop", "ratio": cpu / took[MEASURED[0]],
            "note": f"{LONG:,} customers, {shop.lines[number - 1]:,} lines, returns in each month; n: months it holds",
        }
        for number, cpu in took.items()
    ]  # fmt: skip


class Shop:
    """A project whose months come as files, `there` of them so far."""

    def __init__(self, base: Path, customers: int, **how: int) -> None:
        """Its files are made, and none is there."""
        self.base, self.there = base, 0
        shops = runpy.run_path(str(ROOT / "tests" / "shops" / "shops.py"))
        shops["web"](base, customers=customers, seed=SEED, **how)
        self.files = _by_month(base / "sales.csv")
        self.lines = [len(rows.splitlines()) - 1 for rows in self.files.values()]
        (base / "in").mkdir()

    def begin(self) -> float:
        """The project, and the update of its first months: what that costs."""
        self._put(FIRST)
        source = ("--from", str(self.base / "in"), "--opt-ins", str(self.base / "optins.csv"))
        _cpu(self.base, "twinops", "init", "shop", *source, "--yes", "--synthetic")
        return self._updated()

    def take(self, until: int) -> float:
        """What an update costs by which it holds so many months."""
        self._put(until)
        return self._updated()

    def _put(self, until: int) -> None:
        for month in list(self.files)[self.there : until]:
            (self.base / "in" / f"sales-{month}.csv").write_bytes(self.files[month])
        self.there = until

    def _updated(self) -> float:
        shop = self.base / "shop"
        took = _cpu(shop, "twinops", "update")
        _cpu(shop, "git", "add", "-A")
        _cpu(
            shop, "git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", f"{self.there} months"
        )
        return took


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
