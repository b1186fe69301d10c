"""What of ours every stage's command loads, loaded once, by the process that `warm.py` forks them from.

A stage runs the code that lies there when it begins, which is the code that DVC hashes: so each fork looks whether
what was loaded is still what lies there, and loads it anew where it is not.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from time import time_ns

from twinops.adapters import installed_code

NAMES = ("twinops.cli._door", "twinops.cli.run", "twinops.wiring")
SETTLED_NS = 2_000_000_000
"""A file that was written less than so long before may have been another when it was loaded."""
State = tuple[int, int, int, int] | None


def load() -> None:
    """Load it, and remember which files it was; what the code's files are is known to every fork then."""
    began = time_ns()
    for name in NAMES:
        importlib.import_module(name)
    installed_code.md5(installed_code.HOME)
    _loaded.update((path, _state(path)) for path in _files())
    _loaded.update((path, None) for path, state in _loaded.items() if state and max(state[2:]) > began - SETTLED_NS)
    gc.freeze()


def as_it_lies() -> None:
    """Forget all of it where a file is another one now, so that the command loads what lies there."""
    if all(state is not None and state == _state(path) for path, state in _loaded.items()):
        return
    for name in [n for n in sys.modules if n.partition(".")[0] == "twinops"]:
        del sys.modules[name]


_loaded: dict[Path, State] = {}


def _files() -> Iterator[Path]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "twinops" and (file := getattr(module, "__file__", None)):
            yield Path(file)


def _state(path: Path) -> State:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


load()
