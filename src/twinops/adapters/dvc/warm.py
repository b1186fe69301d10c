"""Begin our own commands as forks of one process that has loaded the libraries which most of them need.

Loading them takes a stage longer than most stages' own work. Of ours only what every command loads is loaded before the
fork, and anew in it where a file is another one by then: a stage runs the code that lies there when it begins, which is
the code that DVC hashes.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import entry_points
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from twinops.adapters.dvc.waiting import LEARNING, LIBRARIES, OURS, Waiting

WORTH = 4
"""So many commands begin in the usual way: for fewer, loading everything costs more than it saves."""
_SHELL = frozenset("&|;<>$`\"'\\*?(){}[]~#\n")


@dataclass
class Begun:
    """A command that was forked, as `subprocess.Popen` would show it."""

    process: Any

    @property
    def pid(self) -> int:
        """Its number."""
        return int(self.process.pid)

    def poll(self) -> int | None:
        """Its exit code, minus the signal that ended it, or None while it runs."""
        code: int | None = self.process.exitcode
        return code

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        self.process.join()
        return int(self.process.exitcode)


@dataclass
class Warm:
    """The process that has loaded everything, from the moment it is worth it."""

    root: Path
    many: bool = False
    """More commands than are worth it are known to come: it is there from the first."""
    learning: bool = True
    """Some of them fit models."""
    asked: int = 0
    waiting: Waiting | None = None
    """A fork of this command that will be that process."""

    def get_ready(self) -> None:
        """Where many commands will come, load while it is found out which."""
        if self.many:
            _ = self._context

    def begin(self, command: str, how: Mapping[str, Any]) -> Callable[[int], Begun] | None:
        """How to begin a command that speaks into an open file; None: it is to be started in the usual way."""
        self.asked += 1
        words = command.split()
        if (self.asked <= WORTH and not self.many) or words[0] != "twinops" or set(command) & _SHELL:
            return None
        return partial(self._forked, words[1:], how)

    def _forked(self, words: Sequence[str], how: Mapping[str, Any], mouth: int) -> Begun:
        travels = Connection(os.dup(mouth), readable=False)  # closes itself
        process = self._context.Process(target=_run, args=(words, str(how["cwd"]), dict(how["env"]), travels))
        process.start()
        return Begun(process)

    def stop(self) -> None:
        """End it and wait for it, so that what it cost is counted as ours."""
        if "_context" in self.__dict__ and self.waiting is None:
            forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no public way

    @cached_property
    def _context(self) -> Any:
        """The doctor knows by these variables what a killed run left at work."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([LIBRARIES, *([LEARNING] if self.learning else []), OURS])
        if self.waiting is not None:
            self.waiting.go(learning=self.learning)
        told = {"DVC_ROOT": str(self.root), "DVC_STAGE": "all"}
        before = {name: os.environ.get(name) for name in told}
        os.environ.update(told)
        try:
            forkserver.ensure_running()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        return context


def _run(words: Sequence[str], folder: str, environment: Mapping[str, str], mouth: Connection) -> None:
    """In the fork: become the command line."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(mouth.fileno(), 1)
    os.dup2(mouth.fileno(), 2)
    mouth.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["twinops", *words]
    if ours := sys.modules.get(OURS):
        ours.as_it_lies()
    # by name, as the shell would find it: what is below the command line does not import it
    entry = next(script for script in entry_points(group="console_scripts") if script.name == "twinops")
    entry.load()()
