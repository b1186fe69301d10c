"""What a process spent, and environments of peers that the project itself does not want."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from time import process_time

ROOT = Path(__file__).resolve().parents[1]


def environment(peer: str) -> Path:
    """The Python of a peer's own environment, from its hash-pinned lock; made when first asked for."""
    home, lock = ROOT / ".twinops" / f"bench-{peer}", ROOT / "setup" / f"{peer}.lock"
    python, stamp = home / "bin" / "python", home / "lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        print(f"bench: making an environment for {peer}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
        subprocess.run([str(python), *install], check=True)
        stamp.write_bytes(lock.read_bytes())
    return python


def started() -> float:
    """Now, in CPU seconds of this process."""
    return process_time()


def spent(since: float) -> dict[str, float]:
    """CPU seconds since then, and the most memory this process ever held, in MB."""
    return {"cpu": process_time() - since, "mem": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
