"""What a malicious stage tries: run by DVC in the candidate's folder, it writes down what it got at.

usage: python spy.py OUT HOME PORT
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

NEEDLE = b"ses" + b"ame-"


def environment() -> bool:
    """Its own variables, whatever they are called."""
    return any(NEEDLE.decode() in value or name == "SSH_AUTH_SOCK" for name, value in os.environ.items())


def others() -> list[Path]:
    return [p for p in Path("/proc").glob("[0-9]*") if p.name != str(os.getpid())]


def environments_of_others() -> bool:
    """The variables of every process that shows itself."""
    return any(NEEDLE in read(p / "environ") for p in others())


def memory_of_others() -> bool:
    """The writable memory of the processes this one comes from, up to the gate runner."""
    return any(NEEDLE + b"mlflow" in part for p in ancestors() for part in memory(p))


def ancestors() -> list[Path]:
    found, pid = [], os.getppid()
    while pid and len(found) < 8:
        found.append(Path("/proc", str(pid)))
        if b"gate_runner" in read(found[-1] / "cmdline"):
            break
        told = read(found[-1] / "stat").decode().rpartition(")")[2].split()
        pid = int(told[1]) if told else 0
    return found


def memory(process: Path) -> list[bytes]:
    parts = []
    with contextlib.suppress(OSError), (process / "mem").open("rb", buffering=0) as mem:
        for line in read(process / "maps").decode().splitlines():
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if span and int(span[2], 16) - int(span[1], 16) < 64 * 1024**2:
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    mem.seek(int(span[1], 16))
                    parts.append(mem.read(int(span[2], 16) - int(span[1], 16)))
    return parts


def files_of_others() -> bool:
    """What other processes have open."""
    return any(NEEDLE in read(f) for p in others() for f in listed(p / "fd"))


def home() -> bool:
    """The user's own home, by its full path."""
    return NEEDLE in read(Path(sys.argv[2]) / ".netrc")


def shared_places() -> bool:
    """Sockets and files of others in the places for temporary files."""
    return NEEDLE in read(Path(os.sep, "tmp", f"twinops-spied-{sys.argv[3]}"))


def network() -> bool:
    """A listener on this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(sys.argv[3])), timeout=2):
        return True
    return False


def privileges() -> bool:
    """Root of its own again."""
    done = subprocess.run(["unshare", "-Ur", "cat", f"/proc/{os.getppid()}/environ"], capture_output=True, check=False)
    return NEEDLE in done.stdout


def git_login() -> bool:
    """What CI's clone keeps of the login it was made with."""
    return NEEDLE in read(Path(".git/config"))


def disks() -> bool:
    """The machine's own disks, past every folder; and other devices."""
    return any(p.is_block_device() or p.name in ("mem", "kmsg", "tty") for p in listed(Path("/dev")))


def database() -> bool:
    """A registry in the same folder."""
    return NEEDLE in read(Path("mlflow.db"))


def code() -> bool:
    """The code that runs next."""
    return wrote(Path("src/twinops/evaluation/measures.py"))


def stages() -> bool:
    """The stages that run next."""
    return wrote(Path("dvc.yaml"))


def hooks() -> bool:
    """What git would run for somebody with a login."""
    config = Path(".git/config")
    return wrote(Path(".git/hooks/post-checkout")) or (config.is_file() and wrote(config))


def interpreter() -> bool:
    """What the gate runner's own Python would load."""
    return wrote(Path(sys.prefix) / "lib" / "spied.pth")


def wrote(path: Path) -> bool:
    with contextlib.suppress(OSError):
        before = path.read_bytes() if path.exists() else None
        path.write_bytes((before or b"") + b"\n")
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        return True
    return False


def read(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        if path.is_file():
            return path.read_bytes()[: 1024**2]
    return b""


def listed(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(folder.iterdir())
    return []


def left_running() -> None:
    """Something that changes what was made once DVC is done and nobody looks any more."""
    shell = Path("/proc", str(os.getppid()), "stat").read_text().rpartition(")")[2].split()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for handle in range(3):
                os.close(handle)
            while Path("/proc", shell[1]).exists():
                time.sleep(0.002)
            for _ in range(2000):
                Path("reports/made.txt").write_text("swapped\n")
                time.sleep(0.005)
        os._exit(0)


ATTEMPTS: tuple[Callable[[], bool], ...] = (
    environment, environments_of_others, memory_of_others, files_of_others, home, shared_places, network, privileges,
    git_login, disks, database, code, stages, hooks, interpreter,
)  # fmt: skip

if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.parent.mkdir(exist_ok=True)
    Path("reports/made.txt").write_text("made\n")
    if "twinops-run-" in os.environ.get("TMPDIR", ""):  # at work for the gate runner
        out.write_text("\n".join(attempt.__name__ for attempt in ATTEMPTS if attempt()) + "\n")
        left_running()
