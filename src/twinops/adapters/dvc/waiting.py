"""Fork the process that stages are forked from off the command itself: what both load is loaded once.

The library's server of forks starts a new interpreter. Here a fork of the command takes its place, made before the
command has opened anything or begun a thread, and waits there until it is known that stages will run.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path

from twinops.adapters.dvc import shared
from twinops.adapters.dvc.locks import STAGES

LIBRARIES, LEARNING, OURS = (f"twinops.adapters.dvc.{name}" for name in ("libraries", "learning", "every_command"))


@dataclass
class Waiting:
    """A fork of this command that has loaded what `shared.py` names, and waits whether stages are to be forked."""

    tell: int

    def go(self, *, learning: bool) -> None:
        """Load the rest, and serve."""
        if self.tell >= 0:
            with suppress(BrokenPipeError):  # it was ended meanwhile: another is started in its place
                os.write(self.tell, b"l" if learning else b"-")
            self._say_no_more()

    def _say_no_more(self) -> None:
        if self.tell >= 0:
            os.close(self.tell)
            self.tell = -1

    def stop(self) -> None:
        """End it, whether it served or waited in vain."""
        self._say_no_more()
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no public way


@contextmanager
def waiting(root: Path) -> Iterator[Waiting | None]:
    """Fork before anything is opened, where the system allows it; None: the process is started when it is needed.

    What this command has loaded of libraries is loaded in the fork, too; of ours it loads what stages load, anew.
    """
    if sys.platform != "linux" or forkserver._forkserver._forkserver_pid is not None:  # type: ignore[attr-defined]
        yield None
        return
    shared.load()
    resource_tracker.ensure_running()
    sys.stdout.flush()
    sys.stderr.flush()
    hear, tell = os.pipe()
    multiprocessing.set_forkserver_preload([LIBRARIES, OURS])
    usual = util.spawnv_passfds
    util.spawnv_passfds = partial(_forked_instead, root, hear)
    try:
        forkserver.ensure_running()
    finally:
        util.spawnv_passfds = usual
        os.close(hear)
    begun = Waiting(tell)
    try:
        yield begun
    finally:
        begun.stop()


def _forked_instead(root: Path, hear: int, _path: object, words: Sequence[str], keep: Sequence[int]) -> int:
    """Fork where the server would have been started: its command is Python, and does not need a new interpreter."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        _serve(root, hear, str(words[-1]), keep)
        code = 0
    finally:
        os._exit(code)


def _serve(root: Path, hear: int, server: str, keep: Sequence[int]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Path("/proc/self/comm").write_text(STAGES, encoding="utf-8")
    os.chdir(root)
    _close_all_but({0, 1, 2, hear, *keep})
    told = os.read(hear, 1)
    os.close(hear)
    if not told:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # what a stage has loaded of ours is recorded: only what stages load
    for name in [n for n in sys.modules if n.partition(".")[0] == "twinops"]:
        del sys.modules[name]
    for name in (LIBRARIES, *([LEARNING] if told == b"l" else [])):
        importlib.import_module(name)
    with suppress(SystemExit):
        exec(server, {})  # noqa: S102  (what the library would have given to a new interpreter)


def _close_all_but(kept: set[int]) -> None:
    for fd in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if fd not in kept:
            with suppress(OSError):  # the listing's own
                os.close(fd)
