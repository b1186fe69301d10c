"""What does not fit into memory lies in clear for as long as its process lives, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.adapters.sql.spill import spill_of

SPILLING = """
import sys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
engine = DuckDBEngine(threads=1, memory_limit="64MB")
engine.execute("CREATE TABLE t AS SELECT range AS n, md5(CAST(range AS TEXT)) AS w FROM range(1500000)")
print("spilled", flush=True)
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / f"twinops-spill-{os.geteuid()}"


def spilling(then: str = "") -> subprocess.Popen[str]:
    code = f"{SPILLING}{then}sys.stdin.read()"
    pipe = subprocess.PIPE
    started = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdin=pipe, stdout=pipe, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "spilled\n"
    return started


def test_rows_that_are_spilled_lie_where_nobody_else_reads_and_go_with_their_process(home: Path) -> None:
    started = spilling()
    assert [p for p in home.rglob("*") if p.stat().st_size > 0], "nothing was spilled"
    assert home.stat().st_mode & 0o077 == 0
    started.communicate("")
    assert list(home.iterdir()) == []


def test_what_a_killed_process_spilled_goes_with_the_next_engine_and_of_a_living_one_stays(
    home: Path,
) -> None:
    killed, living = spilling(), spilling()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(list(home.glob("*.lock"))) == 2
    engine = DuckDBEngine(threads=1)
    assert len(list(home.glob("*.lock"))) == 2, "the new one's and the living one's"
    assert len([p for p in home.iterdir() if p.is_dir()]) == 1
    living.communicate("")
    del engine
    assert list(home.iterdir()) == []


def test_a_fork_that_ends_leaves_its_parents_lock_alone(home: Path) -> None:
    started = spilling("import os\nif os.fork() == 0: sys.exit(0)\nos.wait()\n")
    time.sleep(0.5)
    assert len(list(home.glob("*.lock"))) == 1
    started.communicate("")
    assert list(home.iterdir()) == []


def test_a_folder_of_somebody_else_under_the_same_name_is_not_used(home: Path) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    owner = DuckDBEngine(threads=1)
    assert spill_of(owner).parent != home
