"""Let a process lose sight of what is sealed, for good: by Landlock and seccomp, which Linux has and nobody can undo.

From then on it, and whatever it starts, reads no file below the sealed places, writes nowhere but where it is told to,
looks into no other process and opens no connection. So it does not matter what a cell imports.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
READ_FILE, READ_DIR, EXECUTE, WRITE_FILE = 1 << 2, 1 << 3, 1 << 0, 1 << 1
OLDEST, REFER, TRUNCATE, DEVICES = (1 << 13) - 1, 1 << 13, 1 << 14, 1 << 15
"""Every right of the first version, and those that came in the second, third and fifth."""
NO_NEW_PRIVILEGES, SECCOMP = 38, 22
DEVICE_FILES = ("null", "zero", "full", "random", "urandom", "tty")
OF_ITSELF = (
    "stat",
    "statm",
    "status",
    "maps",
    "smaps",
    "cgroup",
    "mountinfo",
    "mounts",
    "fd",
    "task",
    "cmdline",
    "exe",
)
"""Of what the kernel tells of this process: not what it was told by its environment."""
OF_PROC = ("cpuinfo", "meminfo", "stat", "sys", "filesystems", "mounts", "version", "loadavg")
ELSEWHERE = {"TWINOPS_KEYSTORE": (), "TWINOPS_KEK_FOLDER": (), "TWINOPS_HOME": ("registry",)}
"""Variables that name folders with keys, and where in them they lie."""
_SECRET = re.compile(
    r"^(TWINOPS_(KE|HOME|DATABASE|ARTIFACTS|WEBHOOK)|AWS_|AZURE_|PG|SSH_AUTH|GPG)|SECRET|PASS(WORD|WD|PHRASE)?(_|$)|TOKEN"
    r"|CREDENTIAL|(^|_)(API_?)?KEYS?(_|$)",
    re.IGNORECASE,
)
_WITH_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
PRIVATE = (".ssh", ".gnupg", ".aws", ".netrc", ".config/gcloud")
"""Of a home folder: who signs as whom is nothing that a cell has to know."""
CALLS = {"x86_64": (0xC000003E, (41, 425, 438, 440)), "aarch64": (0xC00000B7, (198, 425, 438, 440))}
"""By machine its name in seccomp, and the calls that make a socket or a ring of calls, or act on another process."""


@dataclass(frozen=True)
class Confines:
    """What a process may not read, and the folders it may write to."""

    sealed: tuple[Path, ...]
    writable: tuple[Path, ...] = ()
    needed: tuple[Path, ...] = ()
    """What is read although it lies in a temporary folder: the project, and Python's own."""


def can_confine() -> bool:
    """Whether this machine's kernel can."""
    return sys.platform == "linux" and platform.machine() in CALLS and _version() > 0


def confine(confines: Confines) -> bool:
    """Give up, for this process and all it starts, what is sealed; False where the kernel cannot take it away.

    It must have one thread only: others would keep what they have.
    """
    if not can_confine():
        return False
    handled = OLDEST
    for since, right in ((2, REFER), (3, TRUNCATE), (5, DEVICES)):
        handled |= right if _version() >= since else 0
    ruleset = _ruleset(handled)
    sealed = tuple(p.resolve() for p in confines.sealed)
    tops = {Path("/"), *(p.resolve() for p in (*confines.needed, *map(Path, sys.path), Path(sys.prefix)) if p.is_dir())}
    for path in {path for top in tops for path in readable(sealed, top)}:
        _allow(ruleset, path, EXECUTE | READ_FILE | READ_DIR)
    _allow(ruleset, Path("/"), READ_DIR)
    for path in [*confines.writable, *(Path("/dev") / name for name in DEVICE_FILES)]:
        _allow(ruleset, path, handled)
    _called(_libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _called(_libc().syscall(RESTRICT, ruleset, 0))
    os.close(ruleset)
    _without_calls()
    return True


def readable(sealed: Sequence[Path], top: Path = Path("/")) -> Iterator[Path]:
    """The fewest files and folders below `top` that hold all but what is sealed; links are followed by nobody."""
    if any(top.is_relative_to(path) for path in sealed) or str(top) in ("/dev", "/tmp"):  # noqa: S108 - left out, not used
        return
    if str(top) == "/proc":
        yield from (top / str(os.getpid()) / name for name in OF_ITSELF)
        yield from (top / name for name in OF_PROC)
    elif any(path.is_relative_to(top) for path in (*sealed, Path("/proc"), Path("/dev"))):
        yield from (found for child in _inside(top) for found in readable(sealed, child))
    else:
        yield top


def private_places(home: Path) -> tuple[Path, ...]:
    """Where people keep keys."""
    return tuple(home / name for name in PRIVATE)


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            return sorted(folder / entry.name for entry in found if not entry.is_symlink())
    except OSError:
        return []


def _version() -> int:
    return int(_libc().syscall(CREATE, None, 0, 1))


def _ruleset(handled: int) -> int:
    """Files, and from the versions on that have them: connections, and signals and sockets of other processes."""
    wanted = struct.pack("QQQ", handled, 3 if _version() >= 4 else 0, 3 if _version() >= 6 else 0)
    size = 24 if _version() >= 6 else 16 if _version() >= 4 else 8
    return _called(_libc().syscall(CREATE, wanted, size, 0))


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no leave
    try:
        if not path.is_dir():
            rights &= EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE | DEVICES
        _called(_libc().syscall(ADD, ruleset, 1, struct.pack("=Qi", rights, place), 0))
    finally:
        os.close(place)


def _without_calls() -> None:
    """Refuse, with "not permitted", to make a socket by any way; a pair of connected ones can still be made."""
    machine, calls = CALLS[platform.machine()]
    refuse, allow, kill = 0x00050001, 0x7FFF0000, 0x80000000
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, machine), (0x06, 0, 0, kill), (0x20, 0, 0, 0)]
    steps.append((0x35, len(calls), 0, 0x40000000))  # the other numbering of the same machine
    steps += [(0x15, len(calls) - i, 0, call) for i, call in enumerate(calls)]
    steps += [(0x06, 0, 0, allow), (0x06, 0, 0, refuse)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    _called(_libc().prctl(SECCOMP, 2, header, 0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _called(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "the kernel would not confine this process")
    return answer


def all_sealed(root: Path, others: Iterable[Path], environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Of a project, where subjects' rows, keys and whatever was made of them lie; with places elsewhere."""
    own = ("data", "keystore", "exports", "live", "registry", ".dvc", ".twinops", "mlruns")
    told = (Path(environment[name], *inside) for name, inside in ELSEWHERE.items() if environment.get(name))
    return (*(root / name for name in own), *others, *(root / path for path in told))


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names of what an environment tells that cells need not know: keys, passwords, tokens, and where they lie.

    >>> secrets_of({"TWINOPS_KEK": "0a", "LANG": "cs_CZ", "SHOP": "postgresql://ann:x@db/shop", "MY_TOKEN": "t"})
    ('TWINOPS_KEK', 'SHOP', 'MY_TOKEN')
    """
    told = environment.items()
    return tuple(name for name, value in told if value and (_SECRET.search(name) or _WITH_PASSWORD.search(value)))
