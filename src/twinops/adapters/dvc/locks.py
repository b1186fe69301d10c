"""Mend the two files that a killed `dvc repro` may leave cut off; either blocks every later run."""

from __future__ import annotations

import fcntl
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml

from twinops.errors import ServiceError
from twinops.whole_files import write

PATIENCE_SECONDS = 30.0
STAGES = "twinops-stages"
"""How the system calls what a command forked for stages, and the stages: their command line is the command's."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def mend(root: Path) -> list[str]:
    """What was mended, in sentences; nothing when nothing was broken.

    DVC writes `.dvc/tmp/rwlock` and `dvc.lock` in place: a kill in that moment leaves them empty or cut off. Both are
    looked at under DVC's own guards, so that a file which is being written is not taken for a broken one, and touched
    only when no DVC process works in this folder: one that does still needs its entries.

    Raises:
        ServiceError: a file is broken, and a DVC process is at work.
    """
    tmp = root / ".dvc" / "tmp"
    if not tmp.is_dir():
        return []
    with _guarded(tmp / "lock", tmp / "rwlock.lock") as alone:
        return [*_mend_rwlock(root), *_mend_lock(root)] if alone else []


def at_work(root: Path) -> list[int]:
    """Ids of the DVC processes that work in this folder, but for those that called us."""
    mine = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid not in mine and is_dvc(process) and Path(process.cwd()).is_relative_to(root):
                found.append(process.pid)
        except psutil.Error:
            continue  # it ended meanwhile, or is another user's: then it does not hold our lock
    return found


def is_dvc(process: psutil.Process) -> bool:
    """Whether this is DVC's command line, or ours at DVC's work; not what such a command forked for its stages."""
    command = process.cmdline()
    names = [Path(word).name for word in command[:3]]
    ours = "twinops" in names and bool({"repro", "update"} & set(command))
    return "dvc" in names or (ours and process.name() != STAGES)


def _mend_rwlock(root: Path) -> list[str]:
    path = root / ".dvc" / "tmp" / "rwlock"
    if not path.is_file():
        return []
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        _pids(held)
    except (ValueError, LookupError, TypeError, AttributeError):
        _nobody_else(root, path)
        path.unlink()
        return ["Removed .dvc/tmp/rwlock, which a killed run had left broken."]
    dead = {pid for pid in _pids(held) if not _works_there(pid, root, since=path.stat().st_mtime)}
    if not dead:
        return []
    readers = {dep: [one for one in some if one["pid"] not in dead] for dep, some in held.get("read", {}).items()}
    writers = {out: one for out, one in held.get("write", {}).items() if one["pid"] not in dead}
    write(path, json.dumps({"write": writers, "read": {d: s for d, s in readers.items() if s}}))
    return [f"Released what {len(dead)} killed run(s) still held in .dvc/tmp/rwlock."]


def _works_there(pid: int, root: Path, *, since: float) -> bool:
    """Whether the process that took the lock lives. DVC asks for its number alone, which another may have by now."""
    try:
        process = psutil.Process(pid)
        return process.create_time() <= since and Path(process.cwd()).is_relative_to(root)
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def _pids(held: dict[str, Any]) -> set[int]:
    readers = [one for some in held.get("read", {}).values() for one in some]
    return {int(one["pid"]) for one in (*held.get("write", {}).values(), *readers)}


def _mend_lock(root: Path) -> list[str]:
    """Put back the committed `dvc.lock`: what was made since is found again in DVC's cache of runs."""
    path = root / "dvc.lock"
    if not path.is_file() or whole_stages(path.read_text(encoding="utf-8", errors="replace")) is not None:
        return []
    _nobody_else(root, path)
    committed = _committed(root)
    if committed is None:
        path.unlink()
        return ["Removed dvc.lock, which a killed run had left broken; `dvc repro` writes it anew."]
    write(path, committed)
    return ["Put back the committed dvc.lock: a killed run had left it broken; `dvc repro` brings it up to date."]


def whole_stages(text: str) -> dict[str, Any] | None:
    """The stages of a whole lock file; None: it is cut off. It ends with its line, and no entry is without its words.

    A beginning that only lacks stages or files passes: DVC does those again.
    """
    try:
        told = yaml.load(text, Loader=_Loader)  # noqa: S506 - the safe loader, in C where PyYAML has it
    except yaml.YAMLError:
        return None
    stages = told.get("stages") if text.endswith("\n") and isinstance(told, dict) else None
    return stages if isinstance(stages, dict) and all(map(_is_whole, stages.values())) else None


def _is_whole(stage: Any) -> bool:
    """The command, and for each file its path and digest."""
    if not isinstance(stage, dict) or None in stage.values() or not stage.get("cmd"):
        return False
    files = [*stage.get("deps", ()), *stage.get("outs", ())]
    return all(isinstance(f, dict) and isinstance(f.get("path"), str) and isinstance(f.get("md5"), str) for f in files)


def _committed(root: Path) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", str(root), "show", "HEAD:./dvc.lock"], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _nobody_else(root: Path, path: Path) -> None:
    working = at_work(root)
    if working:
        raise ServiceError(
            f"{path.name} is broken, and DVC is at work in this folder (process {working[0]}).",
            hint="Wait until it ends or end it, then run `twinops doctor`.",
        )


@contextmanager
def _guarded(*locks: Path) -> Iterator[bool]:
    """Hold DVC's own locks for this moment. False: somebody held one all the time, so nothing was left behind."""
    until = time.monotonic() + PATIENCE_SECONDS
    with ExitStack() as stack:
        files = [stack.enter_context(lock.open("a")) for lock in locks]
        yield all(_taken(file, until) for file in files)


def _taken(file: Any, until: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        else:
            return True
