"""`make run` is killed at random moments; `twinops doctor` mends what is left, and the next run makes the same bytes.

Three kills here, 40 and more with `TWINOPS_RUN_KILLS`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
from test_repeating import copy_of
from workshop import BIN, ROOT, Workshop

from twinops.adapters.dvc import unfinished_files

pytestmark = pytest.mark.pipeline

KILLS = int(os.environ.get("TWINOPS_RUN_KILLS", "3"))
RUN = ("make", "-o", "setup", "run")
EACH_STAGE = 0.25
"""Of the time of a run that finds nothing to do."""


def with_commands(workshop: Workshop) -> Workshop:
    """Give the folder the commands that `make` looks for, on the folder's own code."""
    for name in ("dvc", "twinops"):
        command = workshop.root / ".venv" / "bin" / name
        command.parent.mkdir(parents=True, exist_ok=True)
        source = workshop.root / "src"
        command.write_text(f'#!/bin/sh\nPYTHONPATH="{source}" exec "{BIN / name}" "$@"\n', encoding="utf-8")
        command.chmod(0o755)
    return workshop


def forget(workshop: Workshop, stages: Iterable[str]) -> None:
    """Make it necessary to compute these stages again: their outputs are gone, from the folder and from the cache."""
    shutil.rmtree(workshop.root / ".dvc" / "cache" / "runs", ignore_errors=True)
    lock = workshop.lock()
    for out in (out for stage in stages for out in lock[stage]["outs"]):
        made = workshop.root / out["path"]
        shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
        cached = workshop.root / ".dvc" / "cache" / "files" / "md5" / out["md5"][:2] / out["md5"][2:]
        cached.unlink(missing_ok=True)


def forget_the_ledger(workshop: Workshop) -> None:
    shutil.rmtree(workshop.root / "mlruns", ignore_errors=True)
    for path in workshop.root.glob("mlflow.db*"):
        path.unlink()


def killed(workshop: Workshop, after: float) -> bool:
    """Start `make run` and kill its whole process group; False when it had ended before."""
    process = workshop.start(*RUN)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    return False


def at_work(workshop: Workshop) -> list[list[str]]:
    """Commands of every process that still works in this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DVC_ROOT") == str(workshop.root):
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


def in_the_ledger(workshop: Workshop) -> tuple[int, int]:
    """Runs and versions."""
    asked = (
        "import sqlite3; c = sqlite3.connect('mlflow.db'); "
        "print(*[c.execute(f'SELECT COUNT(*) FROM {t}').fetchone()[0] for t in ('runs', 'model_versions')])"
    )
    runs, versions = workshop.do("python", "-c", asked).split()
    return int(runs), int(versions)


def test_make_run_is_killed_at_random_moments_and_the_next_one_makes_the_same_bytes(
    ran: Workshop, tmp_path: Path
) -> None:
    clone = with_commands(copy_of(ran, tmp_path / "clone", cache=True))
    clone.do("dvc", "checkout")
    clone.do(*RUN)
    started = time.monotonic()
    clone.do(*RUN)
    quick = time.monotonic() - started
    whole, stages = ran.outs(), list(clone.lock())
    moments = random.Random(20261123)  # noqa: S311 - moments to strike, not secrets
    told: Counter[str] = Counter()
    for number in range(KILLS):
        some = moments.sample(stages, moments.randint(2, 6))
        for _ in range(5):
            forget(clone, some)
            if moments.random() < 0.5:
                forget_the_ledger(clone)
            if killed(clone, moments.uniform(0.2, quick * (1 + EACH_STAGE * len(some)))):
                break
        else:
            pytest.fail("it always ended before it was killed")
        mended = json.loads(clone.do("twinops", "doctor", "--json"))["mended"]
        told.update(mended or ["Nothing was broken."])
        sys.stdout.write(f"kill {number + 1}: {mended}\n")
        sys.stdout.flush()
        assert at_work(clone) == []
        clone.do(*RUN)
        assert clone.outs() == whole
        assert clone.do("git", "status", "--porcelain") == ""
        assert in_the_ledger(clone) == (1, 1)
        again = json.loads(clone.do("twinops", "doctor", "--json"))["mended"]
        assert [line for line in again if "scratch folder" not in line] == []  # those may be another project's
    sys.stdout.writelines(f"{count:4} x {what}\n" for what, count in told.most_common())


def test_what_is_half_written_looks_like_what_the_code_writes() -> None:
    """A scratch folder without its process's number, or a half file under another name, would be left for good."""
    made = [
        line
        for path in sorted((ROOT / "src").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "mkdtemp(" in line or "TemporaryDirectory(" in line
    ]
    assert len(made) >= 6
    assert [line for line in made if "{os.getpid()}-" not in line] == []
    for name in (".panel.parquet.half", ".train.ipynb.new", ".nXq0Hk3v5fSg1T_-aZb9cQ.tmp"):
        assert unfinished_files.HALF.fullmatch(name)
    assert not unfinished_files.HALF.fullmatch("panel.parquet")
