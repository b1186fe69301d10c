"""Where rows go that do not fit into memory: in clear, so to a folder nobody else reads, and not longer than needed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path

LOCK = ".lock"


def spill_of(owner: object) -> Path:
    """A folder for what `owner` spills, not made yet; it goes when `owner` goes.

    What a killed process left goes now: its lock is free. A lock holds across containers that share the folder, where
    process numbers tell nothing.
    """
    home = _home()
    _sweep(home)
    while True:
        fd, name = tempfile.mkstemp(suffix=LOCK, dir=home)
        fcntl.flock(fd, fcntl.LOCK_EX)
        lock = Path(name)
        if _is(lock, fd):
            weakref.finalize(owner, _of_process, os.getpid(), lock, fd)
            return lock.with_suffix("")
        os.close(fd)  # somebody swept between making and locking it


def _home() -> Path:
    """A folder of this user's own; where somebody else's lies under its name, one made for this process alone."""
    path = Path(tempfile.gettempdir()) / f"twinops-spill-{os.geteuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        return Path(tempfile.mkdtemp(prefix=f"twinops-spill-{os.getpid()}-"))
    return path


def _sweep(home: Path) -> None:
    for lock in home.glob(f"*{LOCK}"):
        try:
            fd = os.open(lock, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            continue
        _gone(lock, fd)


def _of_process(process: int, lock: Path, fd: int) -> None:
    """A fork that ends takes nothing from the process that it came from."""
    if os.getpid() == process:
        _gone(lock, fd)


def _gone(lock: Path, fd: int) -> None:
    """Rows first, then what says whose they are."""
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
    os.close(fd)


def _is(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False
