"""End what a killed run left running: steps and notebook kernels that would go on writing beside the next run."""

from __future__ import annotations

from pathlib import Path

import psutil

from twinops.adapters.dvc.locks import is_dvc

PARENT = "JPY_PARENT_PID"
"""Jupyter tells its kernels in this variable who started them."""
OURS = "tw-"
"""So begins the folder a kernel of ours is given; kernels of a JupyterLab have none."""
GRACE_SECONDS = 10


def mend(root: Path) -> list[str]:
    """What was ended, in sentences. A kernel ends itself within a second of its starter, unless it computes long."""
    left = [process for process in psutil.process_iter() if _is_orphan(process, root)]
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=GRACE_SECONDS)
    return [f"Ended {len(left)} process(es) that a killed run had left at work."] if left else []


def _is_orphan(process: psutil.Process, root: Path) -> bool:
    try:
        told = process.environ()
        if told.get("DVC_STAGE") and told.get("DVC_ROOT") == str(root):
            return not any(is_dvc(parent) for parent in process.parents())
        ours = Path(told.get("IPYTHONDIR", "")).name.startswith(OURS)
        return ours and told.get(PARENT) not in ("", str(process.ppid())) and Path(process.cwd()) == root
    except psutil.Error:
        return False  # it ended meanwhile, or is another user's
