"""Remember how far each registry's log had grown, so that a client notices when it goes back in time.

One small file per registry key, in the user's own state folder. Where nothing can be written, only this process knows.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from twinops.entities.canonical import from_json, to_json
from twinops.governance.log.signed_pass import LogState
from twinops.whole_files import write

_here: dict[bytes, LogState] = {}


def place(key: bytes) -> Path:
    """Where it is kept; removed by whoever knows that the registry was restored from a backup on purpose."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "twinops" / f"registry-{key.hex()[:16]}.json"


def recall(key: bytes) -> LogState | None:
    """The longest log that this user, or this process, saw under this key."""
    known = [state for state in (_read(place(key)), _here.get(key)) if state]
    return max(known, key=lambda state: state.size, default=None)


def remember(key: bytes, now: LogState) -> None:
    """Keep it, unless a longer one was seen: calls may answer out of order."""
    known = recall(key)
    if known is not None and known.size >= now.size:
        return
    _here[key] = now
    with suppress(OSError):
        _write(place(key), now)


def _read(path: Path) -> LogState | None:
    try:
        return LogState(**from_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, now: LogState) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _read(path)
        if known is None or known.size < now.size:
            write(path, to_json(asdict(now)))
