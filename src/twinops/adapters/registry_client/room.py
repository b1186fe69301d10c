"""Run one command where it finds no login: the program `python -I -S room.py`, which imports nothing but Python's own.

Linux namespaces, where the kernel gives them: no network, no other process to look at, a home and scratch of its own,
everything read-only but the project's results. Elsewhere the command loses its privileges and is watched. Whatever it
left running is killed before this program ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NODEV = 0x1000, 0x4000, 0x40000, 0x2, 0x4
READ_ONLY, RECURSIVE, MOUNT_SETATTR, HERE = 0x1, 0x8000, 442, -100
NO_NEW_PRIVILEGES, DROP_FROM_BOUNDS, TAKE_ORPHANS, DUMPABLE = 38, 24, 36, 4
DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
PATIENCE = 10.0
"""Seconds in which all that the command left running must be gone."""
_libc = ctypes.CDLL(None, use_errno=True)


class RoomError(Exception):
    """The kernel does not give such a room."""


def unreadable() -> None:
    """From here on no process of this user may read this one's environment or memory, unless it may trace any."""
    if sys.platform == "linux":
        _libc.prctl(DUMPABLE, 0, 0, 0, 0)


def furnish(told: dict[str, Any]) -> None:
    """Hide, put back what is needed, make all of it read-only, then open what the command writes into.

    `keep` lists folders that stay (read-only), `write` those it writes into, `hide` folders that it must not see,
    `fixed` what stays read-only inside a folder of `write`, `inside` what it must not see there.
    """
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    held = [(place, os.open(place, os.O_PATH)) for place in (*told["keep"], *told["write"])]
    for place in told["hide"]:
        _cover(place)
    for place, handle in held:
        Path(place).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", place, None, MS_BIND | MS_REC)
        os.close(handle)
    _devices()
    _lock("/", deep=True)
    for place in (*told["write"], "/dev"):
        _lock(place, open_again=True)
    for place in told["fixed"]:
        _mount(place, place, None, MS_BIND)
        _lock(place)
    for place in told["inside"]:
        _cover(place)


def _devices() -> None:
    """No disk and no terminal: who runs as root could read them past every folder."""
    held = [(place, os.open(place, os.O_PATH)) for place in DEVICES]
    _cover("/dev")
    for place, handle in held:
        Path(place).touch()
        _mount(f"/proc/self/fd/{handle}", place, None, MS_BIND)
        os.close(handle)
    Path("/dev", "shm").mkdir()
    Path("/dev", "fd").symlink_to("/proc/self/fd")


def _cover(place: str) -> None:
    if Path(place).is_dir():
        _mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV)
    elif Path(place).exists():
        _mount("/dev/null", place, None, MS_BIND)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    if _libc.mount(*words, ctypes.c_ulong(flags), None) != 0:
        raise RoomError(f"{target}: {os.strerror(ctypes.get_errno())}")


def _lock(place: str, *, deep: bool = False, open_again: bool = False) -> None:
    """Read-only, or writable again."""
    told = (ctypes.c_uint64 * 4)(0 if open_again else READ_ONLY, READ_ONLY if open_again else 0, 0, 0)
    flags = RECURSIVE if deep else 0
    done = _libc.syscall(MOUNT_SETATTR, HERE, place.encode(), flags, ctypes.byref(told), ctypes.sizeof(told))
    if done != 0:
        raise RoomError(f"{place}: {os.strerror(ctypes.get_errno())}")


def renounce() -> None:
    """For what is started from here: no capability now or later, so that root cannot read other processes either."""
    if sys.platform != "linux":
        return
    for capability in range(64):
        _libc.prctl(DROP_FROM_BOUNDS, capability, 0, 0, 0)
    _libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def watched(told: dict[str, Any]) -> int:
    """The command's exit code, once it and whatever it started is gone."""
    if sys.platform == "linux":
        _libc.prctl(TAKE_ORPHANS, 1, 0, 0, 0)
    renounce()
    child = subprocess.Popen(told["command"], cwd=told["at"], env=told["environment"], start_new_session=True)
    code = child.wait()
    _clear()
    return code


def _clear() -> None:
    """Kill what is left; as process 1 of a namespace, all of it also dies with us."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(0.01)
    raise RoomError("the command left something running that does not end")


def _children() -> list[int]:
    """Everything below this process, by the kernel's list of parents."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found: list[int] = []
    below = {os.getpid()}
    while below := {pid for pid, parent in parents.items() if parent in below}:
        found += below
    return found


def main() -> int:
    """Read the errand from standard input; 120: no such room here."""
    told = json.loads(sys.stdin.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if told["closed"]:
        try:
            furnish(told)
        except (RoomError, OSError) as problem:
            sys.stderr.write(f"no room of its own: {problem}\n")
            return 120
    return watched(told)


if __name__ == "__main__":
    sys.exit(main())
