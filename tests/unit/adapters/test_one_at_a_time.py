"""Who comes second is told at once and truly who is there, whoever it is; and nobody dead stands in the way."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from twinops.adapters.one_at_a_time import as_stage, at_work, working
from twinops.errors import ServiceError

HOLDS = """
import sys, time
from pathlib import Path
from twinops.adapters import one_at_a_time
held = getattr(one_at_a_time, sys.argv[2])
with held(Path(sys.argv[1]), *sys.argv[3:]):
    print("held", flush=True)
    time.sleep(600)
"""
UPDATE, RUN, ERASE = "`twinops update`", "`make run` or `twinops repro`", "`twinops subject erase`"


@contextmanager
def another(root: Path, how: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock of this folder."""
    command = [sys.executable, "-c", HOLDS, str(root), how, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("first", [UPDATE, RUN, ERASE])
@pytest.mark.parametrize("second", [UPDATE, RUN, ERASE])
def test_the_second_is_told_at_once_who_the_first_is(first, second, tmp_path):
    with another(tmp_path, "at_work", first) as process:
        began = time.monotonic()
        told = re.escape(f"{first} (process {process.pid}) works in this folder.")
        with pytest.raises(ServiceError, match=f"^{told}"), at_work(tmp_path, second, with_stages=second != ERASE):
            pass
        assert time.monotonic() - began < 1


def test_no_stage_begins_while_somebody_is_erased_and_nobody_is_erased_while_one_runs(tmp_path):
    refused = pytest.raises(ServiceError, match=r"subject erase.* works in")
    with at_work(tmp_path, ERASE, with_stages=False), refused, as_stage(tmp_path):
        pass
    with another(tmp_path, "as_stage"):
        with pytest.raises(ServiceError, match="A stage of the pipeline"), at_work(tmp_path, ERASE, with_stages=False):
            pass
        with at_work(tmp_path, RUN), as_stage(tmp_path):
            pass  # stages run side by side, under a run


def test_whoever_leaves_the_sealed_files_as_they_are_is_alone_and_named_and_makes_nothing(tmp_path):
    with at_work(tmp_path, ERASE, making=False):
        assert working(tmp_path) == ""
        refused = pytest.raises(ServiceError, match=r"`twinops subject erase` \(process \d+\) works in")
        with refused, at_work(tmp_path, UPDATE):
            pass
    with at_work(tmp_path, UPDATE):
        assert UPDATE in working(tmp_path)


def test_whoever_was_killed_stands_in_nobodys_way_and_is_not_named(tmp_path):
    with another(tmp_path, "at_work", UPDATE) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert UPDATE in (tmp_path / "live" / "at_work.lock").read_text()
    with another(tmp_path, "at_work", RUN), pytest.raises(ServiceError, match="make run"), at_work(tmp_path, ERASE):
        pass
    with at_work(tmp_path, ERASE, with_stages=False):
        pass


def test_a_holder_that_has_not_said_who_it_is_keeps_nobody_waiting(tmp_path):
    import fcntl

    path = tmp_path / "live" / "at_work.lock"
    path.parent.mkdir()
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        began = time.monotonic()
        with pytest.raises(ServiceError, match="Another command works in this folder"), at_work(tmp_path, ERASE):
            pass
        assert time.monotonic() - began < 5


def test_a_stage_runs_where_nothing_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    with as_stage(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
