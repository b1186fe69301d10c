"""A copy of this project in a temporary folder, and what commands in it cost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

SHIM = """#!/bin/bash
# Started by dvc in place of twinops: the same command, and its CPU seconds (user, system) in a log.
printf '%s|' "$*" >> "$BENCH_LOG"
TIMEFORMAT='%U %S'
{ time "$BENCH_TWINOPS" "$@" 2>&3; } 3>&2 2>> "$BENCH_LOG"
"""


@dataclass(frozen=True)
class Scratch:
    """The copy's folder; `home` beside it holds the shim and its log."""

    root: Path

    @property
    def home(self) -> Path:
        """Outside the project, so that git and DVC see nothing of it."""
        return self.root.parent / "home"

    @property
    def log(self) -> Path:
        """One line per twinops command: arguments|user system."""
        return self.home / "commands.log"

    def cpu(self, *command: str, answer: Path | None = None) -> float:
        """CPU seconds, user and system, of a command and all it started and waited for; `answer` keeps its stdout."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "TWINOPS_", "PYTHON"))}
        environment |= {
            "PATH": f"{self.home}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "BENCH_LOG": str(self.log),
            "BENCH_TWINOPS": str(BIN / "twinops"),
            "OMP_NUM_THREADS": "1",
        }
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        if answer is not None:
            answer.write_text(done.stdout, encoding="utf-8")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def per_stage(self) -> dict[str, float]:
        """CPU seconds of the logged commands, added up by stage; every kind of collecting is one."""
        spent: dict[str, float] = defaultdict(float)
        for line in self.log.read_text(encoding="utf-8").splitlines():
            words, _, times = line.rpartition("|")
            name = words.split()[1]
            spent["collect" if name.startswith("collect") else name] += sum(float(t) for t in times.split())
        return dict(spent)

    def twin(self) -> Scratch:
        """A copy of the project without anything it made, and without git."""
        other = Scratch(self.root.parent / "twin" / "project")
        _copy(other)
        return other

    def forget(self) -> None:
        """Begin a new log."""
        self.log.write_text("", encoding="utf-8")


def make_scratch(folder: Path) -> Scratch:
    """Copy what git tracks, and new files it does not ignore; no cache, no outputs, no lock file."""
    scratch = Scratch(folder / "project")
    _copy(scratch)
    scratch.cpu("git", "init", "-q")
    scratch.cpu("git", "add", "-A")
    scratch.cpu("git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "-qm", "bench")
    return scratch


def _copy(scratch: Scratch) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and name != "dvc.lock":
            target = scratch.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    scratch.home.mkdir()
    (scratch.home / "twinops").write_text(SHIM, encoding="utf-8")
    (scratch.home / "twinops").chmod(0o755)
    scratch.forget()
