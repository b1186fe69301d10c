"""End what a killed run left running: steps that would go on writing beside the next run."""

from __future__ import annotations

from pathlib import Path

import psutil

from twinops.adapters.dvc.locks import is_dvc

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
        told = process.environ()
        ours = told.get("DVC_STAGE") and told.get("DVC_ROOT") == str(root)
        return bool(ours) and not any(is_dvc(parent) for parent in process.parents())
    except psutil.Error:
        return False  # it ended meanwhile, or is another user's
