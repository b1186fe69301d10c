"""End what a killed run left running: steps that would go on writing beside the next run."""

from __future__ import annotations

from pathlib import Path

import psutil

from twinops.adapters.dvc.locks import STAGES, is_dvc

GRACE_SECONDS = 10


def mend(root: Path) -> list[str]:
    """What was ended, in sentences."""
    left = [process for process in psutil.process_iter() if _is_orphan(process, root)]
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=GRACE_SECONDS)
    return [f"Ended {len(left)} process(es) that a killed run had left at work."] if left else []


def _is_orphan(process: psutil.Process, root: Path) -> bool:
    try:
        return _is_step(process, root) and not any(is_dvc(parent) for parent in process.parents())
    except psutil.Error:
        return False  # it ended meanwhile, or is another user's


def _is_step(process: psutil.Process, root: Path) -> bool:
    """Its starter told it of DVC; a fork of a command has that one's environment, and a name of its own."""
    told = process.environ()
    if told.get("DVC_STAGE"):
        return bool(told.get("DVC_ROOT") == str(root))
    return bool(process.name() == STAGES and Path(process.cwd()) == root)
