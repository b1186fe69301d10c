"""Door 1: the command line. One noun per file, loaded when it is asked for."""

from __future__ import annotations

import atexit
import gc
import os
import sys

SELDOM = (50_000, 20, 20)
"""Of so many new containers the collector looks; as often as usual, it took a seventh of an update's processor time."""
_ended: list[int] = []


def main() -> None:
    """What the command `twinops` starts."""
    gc.set_threshold(*SELDOM)
    atexit.register(_at_once)  # the first that is registered is the last that is called
    from twinops.cli._door import enter

    try:
        enter()
    except SystemExit as end:
        _ended[:] = [end.code] if isinstance(end.code, int) else []
        raise


def _at_once() -> None:
    """End without taking apart what was loaded: that takes a third of a second, and the system does it in no time."""
    script = getattr(sys.modules["__main__"], "__file__", None) or ""
    if not _ended or os.path.basename(script) != "twinops":  # noqa: PTH119  (nothing is loaded for it)
        return  # somebody else's process, who called the command line in it
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # Python's own end says so
    os._exit(*_ended)
