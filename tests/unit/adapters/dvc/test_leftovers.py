"""`twinops doctor` clears what a killed run or server leaves, and nothing of one that is at work."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from candidate import commit, git, write

from twinops.adapters.dvc import locks, orphans, unfinished_files
from twinops.adapters.dvc import settings as dvc_settings
from twinops.adapters.mlflow import server_leftovers
from twinops.whole_files import beside, half_of


def leftovers(root: Path) -> list[Path]:
    left = [
        root / "registry" / "approved" / ".artifact.uploading.1",
        root / "registry" / "uploading" / ".artifact.uploading.2",
        root / "registry" / "evidence" / "abc" / ".2",
        root / "mlruns" / "1" / "run" / "artifacts" / ".artifact.uploading.3",
    ]
    for path in left:
        write(path, "half")
    write(root / "registry" / "approved" / "whole" / "MLmodel", "whole")
    write(root / "registry" / "server.lock", "4711")
    return left


def test_half_made_files_and_a_dead_servers_name_are_cleared(tmp_path: Path) -> None:
    left = leftovers(tmp_path)
    assert len(server_leftovers.mend(tmp_path)) == 2
    assert not any(path.exists() for path in left)
    assert (tmp_path / "registry" / "approved" / "whole" / "MLmodel").read_text() == "whole"
    assert (tmp_path / "registry" / "server.lock").read_text() == ""
    assert server_leftovers.mend(tmp_path) == []


def test_nothing_is_touched_while_a_server_is_at_work(tmp_path: Path) -> None:
    left = leftovers(tmp_path)
    with (tmp_path / "registry" / "server.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert server_leftovers.mend(tmp_path) == []
    assert all(path.exists() for path in left)


def test_without_a_server_there_is_nothing_to_clear(tmp_path: Path) -> None:
    assert server_leftovers.mend(tmp_path) == []


# what a killed run leaves

DEAD = 2**22 + 1
"""More than any process id of Linux."""


def lock_of(*stages: str) -> str:
    entry = "    cmd: c\n    deps:\n    - path: src\n      md5: d1\n    outs:\n    - path: {0}.json\n      md5: d2\n"
    return "schema: '2.0'\nstages:\n" + "".join(f"  {name}:\n{entry.format(name)}" for name in stages)


def test_a_cut_off_lock_file_is_what_is_committed_again(tmp_path: Path) -> None:
    whole, committed = lock_of("one", "two"), lock_of("one")
    write(tmp_path / ".dvc" / "tmp" / "lock", "")
    write(tmp_path / "dvc.lock", committed)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    for left in (whole[:-1], whole[: whole.index("d2")], whole[: whole.index("path: two")], "", "stages:\n"):
        write(tmp_path / "dvc.lock", left)
        assert "committed dvc.lock" in locks.mend(tmp_path)[0]
        assert (tmp_path / "dvc.lock").read_text() == committed
    write(tmp_path / "dvc.lock", whole)
    assert locks.mend(tmp_path) == []
    assert (tmp_path / "dvc.lock").read_text() == whole


def test_every_beginning_of_a_lock_file_is_whole_or_mended(tmp_path: Path) -> None:
    """DVC reads what the doctor leaves: no beginning is taken for whole in which a file has no path or digest."""
    text = lock_of("one", "two")
    found = [locks.whole_stages(text[:end]) for end in range(len(text))]
    kept = [stages for stages in found if stages is not None]
    assert len(kept) < 15
    assert all(
        f["path"] and f["md5"] for s in kept for one in s.values() for k in ("deps", "outs") for f in one.get(k, ())
    )


def test_a_lock_file_that_was_never_committed_is_removed(tmp_path: Path) -> None:
    write(tmp_path / ".dvc" / "tmp" / "lock", "")
    write(tmp_path / "dvc.lock", "")
    assert "Removed dvc.lock" in locks.mend(tmp_path)[0]
    assert not (tmp_path / "dvc.lock").exists()


def test_what_dead_runs_held_is_released_and_what_a_living_one_holds_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine, dead, other = ({"pid": pid, "cmd": "dvc repro"} for pid in (os.getpid(), DEAD, DEAD + 1))
    held = {"write": {"a": mine, "b": dead}, "read": {"c": [mine, dead], "d": [other]}}
    rwlock = tmp_path / ".dvc" / "tmp" / "rwlock"
    write(rwlock, json.dumps(held))
    assert locks.mend(tmp_path) == ["Released what 2 killed run(s) still held in .dvc/tmp/rwlock."]
    assert json.loads(rwlock.read_text()) == {"write": {"a": mine}, "read": {"c": [mine]}}
    assert locks.mend(tmp_path) == []


def test_a_lock_whose_number_another_process_has_by_now_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rwlock = tmp_path / ".dvc" / "tmp" / "rwlock"
    write(rwlock, json.dumps({"write": {"a": {"pid": os.getpid(), "cmd": "dvc repro"}}, "read": {}}))
    os.utime(rwlock, (1, 1))
    assert len(locks.mend(tmp_path)) == 1


def test_a_lock_that_is_being_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.1)
    write(tmp_path / ".dvc" / "tmp" / "lock", "")
    write(tmp_path / "dvc.lock", "")
    with (tmp_path / ".dvc" / "tmp" / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert locks.mend(tmp_path) == []
    assert (tmp_path / "dvc.lock").read_text() == ""


def test_half_written_files_go_and_whole_ones_stay(tmp_path: Path) -> None:
    half = [".panel.parquet.half", ".train.ipynb.new", ".nXq0Hk3v5fSg1T_-aZb9cQ.tmp"]
    for name in (*half, "panel.parquet", "notes.tmp"):
        write(tmp_path / "data" / "features" / name, "x")
    assert unfinished_files.mend(tmp_path)[0] == f"Removed 3 half-written file(s) in {tmp_path.name}."
    assert sorted(p.name for p in (tmp_path / "data" / "features").iterdir()) == ["notes.tmp", "panel.parquet"]


def test_halves_of_followed_and_living_files_go_wherever_a_project_keeps_them(tmp_path: Path) -> None:
    places = ("dvc.lock", "live/pending.json", "compliance/retention.yaml", "keystore/keys.db", ".twinops/a/b.json")
    for place in places:
        write(half_of(tmp_path / place), "x")
        write(tmp_path / place, "x")
    assert unfinished_files.mend(tmp_path)[0] == f"Removed {len(places)} half-written file(s) in {tmp_path.name}."
    assert not list(tmp_path.rglob("*.half"))


def test_a_half_that_somebody_writes_just_now_stays(tmp_path: Path) -> None:
    """Whoever takes an objection down is no process of DVC's."""
    with beside(tmp_path / "live" / "rights.json") as half:
        half.write_text("{}")
        assert unfinished_files.mend(tmp_path) == []
    assert (tmp_path / "live" / "rights.json").read_text() == "{}"


def test_an_entry_of_the_cache_of_runs_that_holds_nothing_goes(tmp_path: Path) -> None:
    runs = tmp_path / ".dvc" / "cache" / "runs"
    write(runs / "ab" / "abcd" / "0123", "cmd: true")
    write(runs / "ab" / "abef" / ".nXq0Hk3v5fSg1T_-aZb9cQ.tmp", "cm")
    assert unfinished_files.mend(tmp_path) == [
        f"Removed 1 half-written file(s) in {tmp_path.name}.",
        "Removed 1 entry(s) of DVC's cache of runs that hold nothing.",
    ]
    assert [p.name for p in (runs / "ab").iterdir()] == ["abcd"]


def test_scratch_folders_of_dead_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished_files, "_temporary", lambda: {tmp_path})
    names = (f"tw-{DEAD}-ab_c", f"twinops-spill-{DEAD}-xyz", f"twinops-{DEAD}-q", f"tw-{os.getpid()}-abc", "tw-mine")
    for name in names:
        (tmp_path / name).mkdir()
    said = f"Removed 3 scratch folder(s) in {tempfile.gettempdir()}, of processes that have ended."
    assert unfinished_files.mend(tmp_path / "project") == [said]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names[3:])


STEP = "import time; time.sleep(60)"


def test_a_step_whose_run_is_dead_is_ended(tmp_path: Path) -> None:
    """Its starter told it of DVC, and no DVC is among those that called it."""
    told = {**os.environ, "DVC_ROOT": str(tmp_path), "DVC_STAGE": "train"}
    other = {**told, "DVC_ROOT": "elsewhere"}
    started = [subprocess.Popen([sys.executable, "-c", STEP], cwd=tmp_path, env=env) for env in (told, other)]
    try:
        assert orphans.mend(tmp_path) == ["Ended 1 process(es) that a killed run had left at work."]
        assert [process.poll() is None for process in started] == [False, True]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_step_of_a_run_that_lives_goes_on(tmp_path: Path) -> None:
    told = {"DVC_ROOT": str(tmp_path), "DVC_STAGE": "train"}
    step = f"subprocess.run([sys.executable, '-c', {STEP!r}], env={{**os.environ, **{told}}})"
    write(tmp_path / "dvc", f"import os, subprocess, sys\n{step}\n")
    run = subprocess.Popen([sys.executable, "dvc"], cwd=tmp_path, start_new_session=True)
    try:
        for _ in range(100):
            if psutil.Process(run.pid).children():
                break
            time.sleep(0.05)
        assert orphans.mend(tmp_path) == []
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


FORK = f"open('/proc/self/comm', 'w').write({locks.STAGES!r}); {STEP}"


@pytest.mark.skipif(sys.platform != "linux", reason="commands are forked there alone")
def test_a_step_that_was_forked_from_an_update_is_ended_once_the_update_is_dead(tmp_path: Path) -> None:
    write(tmp_path / "twinops", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {FORK!r}])\n")
    update = subprocess.Popen([sys.executable, "twinops", "update"], cwd=tmp_path, start_new_session=True)
    try:
        for _ in range(200):
            if any(p.name() == locks.STAGES for p in psutil.Process(update.pid).children()):
                break
            time.sleep(0.05)
        assert orphans.mend(tmp_path) == []
        update.kill()
        update.wait()
        assert orphans.mend(tmp_path / "elsewhere") == []
        assert orphans.mend(tmp_path) == ["Ended 1 process(es) that a killed run had left at work."]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(update.pid, signal.SIGKILL)


@pytest.mark.parametrize("before", [None, "[cache]\n    dir = mine\n"])
def test_settings_that_a_killed_evidence_run_changed_are_put_back(tmp_path: Path, before: str | None) -> None:
    settings, kept = tmp_path / ".dvc" / "config.local", tmp_path / ".dvc" / "tmp" / "config.local.kept"
    write(kept, before or "")
    for pid, mended in ((os.getpid(), 0), (DEAD, 1)):
        write(settings, f"[cache]\n    dir = /tmp/twinops-cache-{pid}-x\n")
        assert len(dvc_settings.mend(tmp_path)) == mended
    assert (settings.read_text() if settings.exists() else None) == before
    assert not kept.exists()
    assert dvc_settings.mend(tmp_path) == []
