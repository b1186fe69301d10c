"""What a data scientist imports in a notebook: open a stage, do its steps, see what the gates say.

    from twinops import lab

    work = lab.open_stage("train")
    panel = work.panel(as_of=225)                              # no ids, nobody without consent, no held-out day
    fitted = work.fit(heads={"spend": ["regression", "trees"]})
    trained = work.keep(fitted)

What is sealed is opened by another process, which does the steps that the stage is for and no others; cells are given
what may be shown. docs/notebooks.md tells all of it.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinops.adapters.notebooks.window import DOOR, Window, inherited
from twinops.errors import ParamsError
from twinops.workflows.places import Places

if TYPE_CHECKING:
    from IPython.display import Image, Markdown

__all__ = ["Stage", "open_stage"]


def open_stage(name: str, project: str | Path = ".") -> Stage:
    """The steps of one stage of the project in this folder, or in the folder above.

    Raises:
        ParamsError: this notebook is executed for another stage.
    """
    here = Path(project).resolve()
    root = next((p for p in (here, here.parent) if (p / "params.yaml").is_file()), here)
    executed = DOOR in os.environ
    stage = Stage(inherited() if executed else _own_window(str(root), name), executed=executed)
    if stage.name != name:
        what = f"This notebook is executed for the stage {stage.name}, and opens nothing of {name!r:.60}."
        raise ParamsError(what, hint="Each stage opens what it is for; work on the other in its own notebook.")
    return stage


class Stage:
    """One stage: its steps as methods (`dir` lists them, `help` tells of each), and what its texts need."""

    def __init__(self, window: Window, *, executed: bool) -> None:
        told = window.about()
        self.name: str = told["stage"]
        """Which stage it is."""
        self._ask, self._told, self._executed = window.ask, told, executed

    def __getattr__(self, name: str) -> Callable[..., Any]:
        steps = self._told["steps"]
        if name not in steps:
            raise AttributeError(f"The stage {self.name} has no step {name!r}; it has {', '.join(sorted(steps))}.")

        def step(*args: Any, **named: Any) -> Any:
            return self._ask(name, *args, **named)

        step.__name__, step.__doc__ = name, f"{name}{steps[name][0]}\n\n{steps[name][1]}"
        return step

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._told["steps"]})

    def __repr__(self) -> str:
        return f"The stage {self.name}: {', '.join(sorted(self._told['steps']))}"

    @property
    def subject(self) -> Any:
        """The declared word for `one` and `many` of those whom the data are about."""
        return self._told["words"].subject

    @property
    def about(self) -> Markdown:
        """Whom everything here is about, as declared."""
        return self.told(self._told["words"].about)

    def told(self, *text: str) -> Markdown:
        """Text in the declared words, line by line, as Markdown shows it."""
        from IPython.display import Markdown

        return Markdown(self._told["words"].told("\n".join(text)))  # type: ignore[no-untyped-call]

    def figure(self, name: str, *, width: int | None = None) -> Image:
        """A picture that a step left."""
        from IPython.display import Image

        picture = str(Places(self._told["root"]).figure(name))
        return Image(picture, width=width)  # type: ignore[no-untyped-call]

    def kept(self, name: str) -> Any:
        """Findings of a stage, as they lie in `reports/measures/`."""
        return Places(self._told["root"]).kept(name)

    def verdicts(self, kept: Any) -> Any:
        """What the gates say: of what was kept where this is executed, of all that lies here in JupyterLab."""
        if not self._executed:
            return self._ask("preview")
        if "verdicts" in self._told["steps"]:
            return self._ask("verdicts", kept)
        return self.told("Not judged here, as the policy may change while this stays: `twinops gates explain` tells.")


@cache
def _own_window(root: str, stage: str) -> Window:
    """A process of one's own that opens what is sealed, for a notebook that nobody executes; it ends with this one."""
    ours, theirs = socket.socketpair()
    with theirs:
        said = "import sys; from twinops.wiring import stand_behind; stand_behind(*sys.argv[1:])"
        command = [sys.executable, "-c", said, str(theirs.fileno()), root, stage]
        process = subprocess.Popen(command, cwd=root, pass_fds=[theirs.fileno()])
    atexit.register(process.wait)
    atexit.register(ours.close)  # what was registered last is done first
    return Window(ours)
