"""Commands that run side by side: their lines come out whole and signed, and all of them can be stopped."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import psutil

KEPT = 5
"""Last lines of a command, told again when it fails."""
PATIENCE = 0.2
GRACE = 5.0
"""Seconds between two looks at commands that say nothing, and those a command gets to end when asked to."""


class Running(Protocol):
    """As much of `subprocess.Popen` as is asked for here."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def wait(self) -> int:
        """The exit code, once it has ended."""


@dataclass
class Command:
    """One that runs: the end of a pipe it speaks into, what it said last, and a line it has not ended yet."""

    name: str
    process: Running
    ear: int
    said: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    begun: bytes = b""


class SideBySide:
    """The commands that run now."""

    def __init__(self, say: Callable[[str, str], None]) -> None:
        """`say` takes the name of a command and one line."""
        self._say = say
        self._running: dict[str, Command] = {}
        self._ears = selectors.DefaultSelector()

    def start(self, name: str, command: Any, **how: Any) -> None:
        """Start one, in the process group of this program: whoever kills the group kills it too."""
        self.begin(
            name, lambda mouth: subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=mouth, stderr=mouth, **how)
        )

    def begin(self, name: str, begin: Callable[[int], Running]) -> None:
        """Begin one in any way; `begin` is given the open file that it is to speak into."""
        ear, mouth = os.pipe()
        try:
            process = begin(mouth)
        finally:
            os.close(mouth)
        os.set_blocking(ear, False)
        self._ears.register(ear, selectors.EVENT_READ, name)
        self._running[name] = Command(name, process, ear)

    def wait(self) -> list[tuple[Command, int]]:
        """Pass on what they say until at least one ended; those that did, with their exit codes."""
        ended: list[tuple[Command, int]] = []
        while self._running and not ended:
            for key, _ in self._ears.select(PATIENCE):
                if not self._heard(self._running[key.data]):
                    self._ears.unregister(key.fd)
            ended = [(c, code) for c in self._running.values() if (code := c.process.poll()) is not None]
        for command, _ in ended:
            self._close(command)
        return ended

    def stop(self) -> list[str]:
        """End all of them with whatever they started; their names."""
        stopped = list(self._running.values())
        family = [process for command in stopped for process in _family(command.process.pid)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(family, timeout=GRACE)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for command in stopped:
            command.process.wait()
            self._close(command)
        return [command.name for command in stopped]

    def _heard(self, command: Command) -> bool:
        """Pass on whole lines; whether there was anything to hear."""
        try:
            chunk = os.read(command.ear, 65536)
        except BlockingIOError:
            return False
        *lines, command.begun = (command.begun + chunk).split(b"\n")
        for line in lines:
            self._tell(command, line)
        return chunk != b""

    def _tell(self, command: Command, line: bytes) -> None:
        text = line.decode("utf-8", errors="replace").rstrip()
        command.said.append(text)
        self._say(command.name, text)

    def _close(self, command: Command) -> None:
        """Hear the rest. Something a command left running may still hold the pipe, and is not waited for."""
        while self._heard(command):
            pass
        if command.begun:
            self._tell(command, command.begun)
        with suppress(KeyError):  # it closed its end before
            self._ears.unregister(command.ear)
        os.close(command.ear)
        del self._running[command.name]


def _family(pid: int) -> list[psutil.Process]:
    """A process and all it started, also kernels in sessions of their own."""
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []
