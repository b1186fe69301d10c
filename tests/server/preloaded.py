"""Commands in processes of their own that are forked from one in which MLflow is imported already, once per test run.

Three of the five CPU-seconds that a server takes to start are imports. Nothing of `mlflow.server` is among them: that
reads the server's settings when it is loaded, so it is loaded by the command. `tests/server/test_wiring.py` starts
servers and stock MLflow as people do.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "mlflow.genai",
    "mlflow.gateway.budget",
    "mlflow.store.tracking.sqlalchemy_store",
    "fastapi",
    "flask",
    "uvicorn",
    "psycopg",
    "twinops.cli._door",
    "twinops.server.app.adopt",
    "twinops.server.app.api",
    "twinops.server.registry.expiring",
    "twinops.server.officer.pages",
)
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(HEAVY))


@dataclass
class Forked:
    """The part of `subprocess.Popen` that the tests use."""

    process: Any

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def poll(self) -> int | None:
        code: int | None = self.process.exitcode
        return code

    def wait(self, seconds: float | None = None) -> int:
        self.process.join(seconds)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("twinops", seconds or 0.0)
        return code


@dataclass(frozen=True)
class Command:
    """`twinops` with these words, in this folder, with exactly this environment; what it says goes to two files."""

    words: tuple[str, ...]
    at: Path
    told: dict[str, str]
    out: Path
    err: Path

    def start(self) -> Forked:
        """In a session of its own, as a shell would start it."""
        process = _context.Process(target=self.run)
        # what pytest runs as is nothing to the command, and the process that imports needs to find the package
        with (
            mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}),
            mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT / "src")}),
        ):
            process.start()
        return Forked(process)

    def run(self) -> None:
        """In the forked process."""
        missing = [name for name in HEAVY if name not in sys.modules]
        assert not missing, f"not imported before: {missing}"
        os.setsid()
        os.chdir(self.at)
        os.environ.clear()
        os.environ.update(self.told)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for path, number in ((self.out, 1), (self.err, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  # what uvicorn's workers are handed on
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        sys.argv = ["twinops", *self.words]
        from twinops.cli import main

        main()


def run(words: Sequence[str], *, at: Path, told: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """One command from its beginning to its end."""
    with tempfile.TemporaryDirectory() as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        code = Command(tuple(words), at, dict(told), out, err).start().wait(180)
        return subprocess.CompletedProcess(list(words), code, out.read_text(), err.read_text())
