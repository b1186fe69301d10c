"""Door 1: the command line. One noun per file, loaded when it is asked for."""

from __future__ import annotations


def main() -> None:
    """What the command `twinops` starts."""
    from twinops.cli._door import enter

    enter()
