"""Take away the broken lock that a killed `dvc repro` may leave; it blocks every later run."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import psutil

from twinops.errors import ServiceError


def mend(root: Path) -> list[str]:
    """What was mended, in sentences; nothing when nothing was broken.

    DVC writes `.dvc/tmp/rwlock` in place, so a kill in that moment leaves it empty or cut off. It is removed under
    DVC's own guard, and only when no DVC process works in this folder: one that does still needs its entries.

    Raises:
        ServiceError: the lock is broken and a DVC process is at work.

    """
    lock = root / ".dvc" / "tmp" / "rwlock"
    if not _broken(lock):
        return []
    working = at_work(root)
    if working:
        raise ServiceError(
            f"{lock.name} is broken, and DVC is at work in this folder (process {working[0]}).",
            hint="Wait until it ends or end it, then run `twinops doctor`.",
        )
    with lock.with_name("rwlock.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if _broken(lock):
            lock.unlink()
    return ["Removed .dvc/tmp/rwlock, which a killed run had left broken."]


def at_work(root: Path) -> list[int]:
    """Ids of the DVC processes that work in this folder."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid not in mine and _is_dvc(process.cmdline()) and Path(process.cwd()).is_relative_to(root):
                found.append(process.pid)
        except psutil.Error:
            continue  # it ended meanwhile, or is another user's: then it does not hold our lock
    return found


def _broken(lock: Path) -> bool:
    try:
        json.loads(lock.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def _is_dvc(command: list[str]) -> bool:
    """Whether it is DVC's command line, or ours at DVC's work."""
    names = [Path(word).name for word in command[:3]]
    return "dvc" in names or ("twinops" in names and "repro" in command)
