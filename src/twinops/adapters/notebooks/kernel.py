"""Run a notebook's cells in a fork of this process: memory of their own, but nothing has to be loaded twice.

A second fork stands behind their window and opens what is sealed; the cells themselves lose sight of it first.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from twinops.adapters.notebooks.counter import Counter, alone, end_with_parent, forked
from twinops.adapters.running_code import note

Output = dict[str, Any]

INLINE = "module://matplotlib_inline.backend_inline"
"""Figures become pictures in the notebook, as in every other kernel."""

_said: list[Output] = []
"""What the cell that runs has put out so far, in order."""


def executed(sources: Sequence[str], counter: Counter | None = None) -> Generator[list[Output], None, None]:
    """The outputs of each cell as it ends; a cell that failed is the last, and its last output is the error.

    Raises:
        RuntimeError: the process that runs them died.
    """
    ear, mouth = os.pipe()
    pid = forked(lambda: _serve(sources, mouth, counter))
    os.close(mouth)
    if counter is not None:
        counter.door.close()
    try:
        with os.fdopen(ear, encoding="utf-8") as lines:
            for _ in sources:
                if not (line := lines.readline()).endswith("\n"):
                    raise RuntimeError("died")
                yield (outputs := json.loads(line))
                if failed(outputs):
                    return
    finally:
        ended = [os.waitpid(one, 0)[1] for one in (pid, *([counter.pid] if counter else []))]
        if any(ended):
            raise RuntimeError("died")


def failed(outputs: Sequence[Output]) -> bool:
    """Whether a cell ended with an error."""
    return any(o["output_type"] == "error" for o in outputs)


def _serve(sources: Sequence[str], mouth: int, counter: Counter | None) -> NoReturn:
    """In the fork: give up what is sealed, run them, and say what each put out."""
    with suppress(BaseException), os.fdopen(mouth, "w", encoding="utf-8") as lines:
        if counter is not None:
            alone(counter, mouth)
        end_with_parent()
        shell = _shell()
        for source in sources:
            _said.clear()
            shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
            lines.write(json.dumps(_said) + "\n")
            lines.flush()
            if failed(_said):
                break
        note(Path.cwd())
        os._exit(0)
    os._exit(1)


def _shell() -> InteractiveShell:
    """IPython without a terminal, a history, or anything of the user's own settings."""
    os.dup2(2, 1)  # what C code prints is no output of ours
    os.environ["MPLBACKEND"] = INLINE
    if matplotlib := sys.modules.get("matplotlib"):
        matplotlib.rcParams["backend"] = INLINE
    sys.stdout, sys.stderr = _Stream("stdout"), _Stream("stderr")
    InteractiveShell.clear_instance()
    quiet = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    return _Shell.instance(config=quiet, displayhook_class=_Result, display_pub_class=_Shown)


class _Stream(io.TextIOBase):
    """In the place of stdout or stderr."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> int:
        if text:
            _said.append({"output_type": "stream", "name": self.name, "text": text})
        return len(text)

    def writable(self) -> bool:
        return True


class _Shell(InteractiveShell):
    """Keeps errors as outputs."""

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        _said.append(
            {"output_type": "error", "ename": etype.__name__, "evalue": str(evalue), "traceback": list(map(str, stb))}
        )


class _Result(DisplayHook):
    """Keeps the value of a cell's last expression as an output."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        _said.append({"output_type": "execute_result", "data": _plain(format_dict), "metadata": md_dict or {}})

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Shown(DisplayPublisher):
    """Keeps what `display` is given as an output."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, *_: Any, **__: Any) -> None:
        _said.append({"output_type": "display_data", "data": _plain(data), "metadata": metadata or {}})


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Pictures that come as bytes as text."""
    return {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in data.items()}
