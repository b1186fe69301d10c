"""Commands as people type them, in this process: starting one takes longer than all it does."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from twinops.cli import main


@dataclass
class Answer:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def twinops(*words: str, cwd: Path) -> Answer:
    """The command's own entry."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["twinops", *words])
        with pytest.raises(SystemExit) as end:
            main()
    return Answer(int(end.value.code or 0), out.getvalue(), err.getvalue())
