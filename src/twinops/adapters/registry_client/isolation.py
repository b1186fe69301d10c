"""Run the candidate's commands where they find nothing of the gate runner's: no login, and where it can be no network.

`room.py` is the program that furnishes the room; here stands what goes into it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from twinops.adapters.quiet import settings
from twinops.adapters.registry_client import room

PASSED_ON = (
    "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "TWINOPS_KEYSTORE"
)  # fmt: skip
"""All of the gate runner's environment that the commands see, beside the path and the names of `quiet.env`.

None holds a login: the last names the folder whose keys the stages open the data with.
"""
NAMESPACES = (
    "--user", "--map-root-user", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"
)  # fmt: skip
READABLE = "TWINOPS_RUN_READS"
"""Folders in a home that a run may read, named by whoever runs the gates: a candidate could name the login's own."""
SERVERS = ("registry", "mlruns", "mlartifacts", "mlflow.db", "mlflow.db-wal", "mlflow.db-shm")
"""What a registry in the same folder keeps there."""
SHARED = tuple(os.sep + place for place in ("tmp", "var/tmp", "run", "root"))
CLOSED = {"network": "off", "processes": "hidden", "files": "read-only"}
OPEN = {"network": "on", "processes": "visible", "files": "writable"}


@dataclass(frozen=True)
class Scratch:
    """A home, a place for temporary files and a place for DVC's own, gone after the run."""

    folder: Path

    @property
    def home(self) -> Path:
        """In the place of the user's."""
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        """In the place of `/tmp`."""
        return self.folder / "tmp"


@dataclass(frozen=True)
class Workplace:
    """The project, and which folders in it a run writes to."""

    root: Path
    written: frozenset[str]
    git: Path | None = None
    """Git's folder, which may lie elsewhere."""

    @property
    def fixed(self) -> list[str]:
        """What stays read-only inside the project: everything that is not written, DVC's settings, git's, Python's."""
        kept = (p for p in sorted(self.root.iterdir()) if p.name not in self.written and p.name not in SERVERS)
        inside = (self.root / ".dvc" / "config",)
        return [str(p) for p in (*kept, *inside) if p.exists() and not p.is_symlink()]

    @property
    def settings(self) -> list[Path]:
        """Git's settings: a clone of CI's keeps its login there."""
        git = self.git or self.root / ".git"
        return [git / "config", git / "config.worktree"]


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Named so that the doctor knows whose it was."""
    with tempfile.TemporaryDirectory(prefix=f"twinops-run-{os.getpid()}-") as folder:
        made = Scratch(Path(folder).resolve())
        for place in (made.home, made.temporary):
            place.mkdir()
        (made.home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
        yield made


def environment(root: Path, place: Scratch) -> dict[str, str]:
    """Made from nothing: what is not listed does not get through, whatever it is called."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    code = {"PYTHONPATH": str(root / "src")} if (root / "src" / "twinops").is_dir() else {}
    ours = str(Path(sys.executable).parent)
    elsewhere = [p for p in os.environ.get("PATH", os.defpath).split(os.pathsep) if _may_serve(p, root)]
    return {
        **settings(),
        **kept,
        **code,
        "PATH": os.pathsep.join(dict.fromkeys((ours, *elsewhere))),
        "HOME": str(place.home),
        "TMPDIR": str(place.temporary),
        "DVC_SITE_CACHE_DIR": str(place.folder / "dvc"),
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _may_serve(folder: str, root: Path) -> bool:
    """Programs of the candidate's own folder are not found by name."""
    return Path(folder).is_absolute() and not Path(folder).resolve().is_relative_to(root)


def run(command: Sequence[str], work: Workplace, place: Scratch) -> tuple[int, dict[str, str]]:
    """The command's exit code, and how it was shut in, in words for the evidence."""
    closed = can_close()
    errand = {
        "closed": closed,
        "command": list(command),
        "at": str(work.root),
        "environment": environment(work.root, place),
        **_furniture(work, place),
    }
    return _sent(errand), CLOSED if closed else OPEN


def _furniture(work: Workplace, place: Scratch) -> dict[str, list[str]]:
    code = Path(__file__).resolve().parents[3]
    needed = (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent, code)
    keystore = os.environ.get("TWINOPS_KEYSTORE")
    written = [work.root, place.folder, *([Path(keystore).resolve()] if keystore else [])]
    hidden = [h for h in _hidden() if not h.is_relative_to(work.root)]
    named = [Path(p) for p in os.environ.get(READABLE, "").split(os.pathsep) if p]
    kept = {p.resolve() for p in (*needed, *named, *([work.git] if work.git else []))}
    back = [p for p in sorted(kept) if p.exists() and any(p.is_relative_to(h) for h in hidden)]
    return {
        "hide": [str(h) for h in hidden],
        "keep": [str(p) for p in back if not p.is_relative_to(work.root)],
        "write": [str(p) for p in written if p.exists()],
        "inside": [str(p) for p in (*(work.root / name for name in SERVERS), *work.settings)],
        "fixed": work.fixed,
    }


def _hidden() -> list[Path]:
    """Homes and shared places, where logins, agents and sockets lie."""
    places = {Path(p).resolve() for p in (*SHARED, str(Path.home()), tempfile.gettempdir()) if Path(p).is_dir()}
    outermost = [p for p in places if p != Path(p.anchor) and not any(q in p.parents for q in places)]
    return sorted(outermost)


@cache
def can_close() -> bool:
    """Whether this machine gives such a room."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    with scratch() as place, tempfile.TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as root:
        work = Workplace(Path(root).resolve(), frozenset())
        told = {"command": ["true"], "at": root, "environment": environment(work.root, place)}
        return _sent({"closed": True, **told, **_furniture(work, place)}, quietly=True) == 0


def _sent(errand: Mapping[str, object], *, quietly: bool = False) -> int:
    """The room's program is told on its standard input; its own environment holds nothing either."""
    entry = ("unshare", *NAMESPACES) if errand["closed"] else ()
    command = [*entry, sys.executable, "-I", "-S", str(room.__file__)]
    words = {"PATH": os.environ.get("PATH", os.defpath)}
    said = subprocess.DEVNULL if quietly else None
    done = subprocess.run(
        command, input=json.dumps(errand), text=True, env=words, stdout=said, stderr=said, check=False
    )
    return done.returncode
