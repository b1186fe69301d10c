"""Stand a process behind the window of cells, and the cells on the other side with nothing but that window.

It is forked before anything of IPython is loaded: DuckDB, once it sees IPython, looks for a kernel that is not there.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from twinops.adapters.notebooks.confinement import Confines, confine, secrets_of
from twinops.adapters.notebooks.window import DOOR
from twinops.adapters.running_code import note


@dataclass(frozen=True)
class Around:
    """What stands around cells: who answers at their window, what they may not read, and what their names tell."""

    behind: Callable[[socket.socket], None]
    confines: Confines
    unsaid: tuple[str, ...] = ()
    """Variables of the environment that cells are not told."""


@dataclass(frozen=True)
class Counter:
    """The process behind a window, and the side of the window that is for the cells."""

    around: Around
    pid: int
    door: socket.socket


def stand_behind(around: Around) -> Counter:
    """Fork the process that answers, until the cells are gone."""
    window, door = socket.socketpair()
    pid = forked(lambda: _answer(around, window, door))
    window.close()
    return Counter(around, pid, door)


def _answer(around: Around, window: socket.socket, door: socket.socket) -> NoReturn:
    door.close()
    os.dup2(2, 1)
    end_with_parent()
    around.behind(window)
    note(Path.cwd())
    os._exit(0)


def forked(work: Callable[[], NoReturn]) -> int:
    """The number of a process that does this and ends without a look at what its parent had open."""
    if pid := os.fork():
        return pid
    with suppress(BaseException):
        work()
    os._exit(1)


def alone(counter: Counter, mouth: int) -> None:
    """In the cells' process: nothing of what the parent had open, of what only it was told, and of what is sealed."""
    kept, around = {0, 1, 2, mouth, counter.door.fileno()}, counter.around
    for number in sorted({int(p.name) for p in Path("/dev/fd").iterdir()} - kept):
        with suppress(OSError):
            os.close(number)
    for name in {*around.unsaid, *secrets_of(os.environ)}:
        _forget(name)
    own = Path(os.environ["IPYTHONDIR"])
    os.environ |= {DOOR: str(counter.door.fileno()), "TMPDIR": str(own)}
    confine(replace(around.confines, writable=(*around.confines.writable, own)))


def _forget(name: str) -> None:
    """Out of the environment, and out of the memory in which this process was given it."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    if place := libc.getenv(os.fsencode(name)):
        ctypes.memset(place, 0, len(ctypes.string_at(place)))
    os.environ.pop(name, None)


def end_with_parent() -> None:
    """Nobody would publish what the processes of a killed command still compute."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
