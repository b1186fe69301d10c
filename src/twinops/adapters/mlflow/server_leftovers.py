"""Clear what a killed registry server leaves: its name in a lock, half-made copies, half-uploaded files."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from twinops.adapters.mlflow.digests import UPLOADING


def mend(root: Path) -> list[str]:
    """What was cleared, in sentences; nothing while a server is at work, whose files these may be.

    The lock itself goes with the process that held it, so no killed server keeps another from starting.
    """
    lock = root / "registry" / "server.lock"
    if not lock.is_file():
        return []
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return []
        found = list(_left(root))
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        stale = bool(file.read().strip())
        file.seek(0)
        file.truncate()
    told = [f"Removed {len(found)} half-made file(s) that a killed server had left."] if found else []
    return [*told, "Cleared registry/server.lock, which a killed server had left."] if stale else told


def _left(root: Path) -> Iterator[Path]:
    yield from (root / "registry" / "evidence").glob("*/.*")
    for folder in ("mlruns", "registry/approved", "registry/uploading"):
        yield from (root / folder).rglob(f"{UPLOADING}*")
