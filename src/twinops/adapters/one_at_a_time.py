"""One at a time in a project's folder: who comes second is told who is there, and nobody waits.

The system releases a lock when the process ends, however it ends, so a killed one leaves none behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from twinops.errors import ServiceError

WAIT = "Wait until it ends, or end it."
STAY = "\nsealed files stay as they are"
"""What stands in the lock below who holds it, where they make none anew."""
PATIENCE_SECONDS = 1.0
"""Whoever holds a lock says within this who it is."""


@contextmanager
def alone(lock: Path, doing: str) -> Iterator[None]:
    """Hold a lock; `doing` is told to whoever comes second.

    Raises:
        ServiceError: somebody holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        if not _taken(file, fcntl.LOCK_EX):
            raise ServiceError(f"{_holder(file)} works in this folder.", hint=WAIT)
        file.truncate(0)
        file.write(f"{os.getpid()} {doing}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def at_work(root: Path, doing: str, *, with_stages: bool = True, making: bool = True) -> Iterator[None]:
    """Be the only command that changes this project's data; `with_stages`: stages of the pipeline may run meanwhile.

    Not `making`: the sealed files stay as they are, so whoever follows them need not wait for the end.

    Raises:
        ServiceError: another command is at work, or a stage that must not run meanwhile.
    """
    with alone(root / "live" / "at_work.lock", doing + ("" if making else STAY)), ExitStack() as held:
        if not with_stages:
            file = held.enter_context(_stages(root))
            if not _taken(file, fcntl.LOCK_EX):
                what = "A stage of the pipeline (`dvc repro`, or what a killed run left) works in this folder."
                raise ServiceError(what, hint=f"{WAIT} `twinops doctor` ends what was left.")
        yield


def working(root: Path) -> str:
    """Who makes this project's sealed files now, as they wrote it; nothing: nobody. Whoever asks keeps nobody out."""
    try:
        file = (root / "live" / "at_work.lock").open("a+", encoding="utf-8")
    except OSError:
        return ""
    with file:
        file.seek(0)
        process, _, doing = file.read().partition(" ")
        # where nobody wrote, nobody is asked: the lock stays free for whoever wants it at this moment
        makes = process and not doing.endswith(STAY)
        return f"{doing} (process {process})" if makes and not _taken(file, fcntl.LOCK_SH) else ""


@contextmanager
def as_stage(root: Path) -> Iterator[None]:
    """Run one stage of the pipeline, beside others and never while somebody is erased.

    Where nothing may be written, as in the forced run of a gate runner, nobody can be erased either.

    Raises:
        ServiceError: a command is at work that no stage may run beside.
    """
    try:
        held = _stages(root)
    except OSError as problem:
        if problem.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        yield
        return
    with held as file:
        if not _taken(file, fcntl.LOCK_SH):
            with (root / "live" / "at_work.lock").open(encoding="utf-8") as other:
                raise ServiceError(f"{_holder(other)} works in this folder.", hint=WAIT)
        yield


def _stages(root: Path) -> IO[str]:
    path = root / "live" / "stages.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8")


def _taken(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> str:
    """Who holds the lock, as they wrote it; what one that was killed wrote is not taken for it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        file.seek(0)
        process, _, doing = file.read().partition(" ")
        if process.isdigit() and _lives(int(process)):
            return f"{doing.removesuffix(STAY)} (process {process})"
        time.sleep(0.02)
    return "Another command"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True
