"""Make a project in a new folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.adapters import installed_code, new_repository
from twinops.cli._answer import Json, answer, talk
from twinops.cli._door import named
from twinops.wiring import Project

if TYPE_CHECKING:
    from twinops.workflows.project.own_files import Installed

app = typer.Typer(add_completion=False)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.", metavar="DIR")],
    own: Annotated[
        bool, typer.Option("--own", help="For data of your own: no demonstration, and what only people say is open.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a project: pipeline, notebooks, declarations, tests, a git repository. Nothing that exists is changed."""
    root = named(folder.resolve())
    begun = Project(root).run("project.begin", installed=installed(own=own), own=own)
    installed_code.write(root)
    committed = new_repository.begin(root, message=f"A project of twinops {installed(own=own).version}")
    talk(committed)
    then = "twinops status" if own else "make run && make test"
    answer(begun, as_json=as_json, text=f"{begun.files} files in {root}. Next: cd {quote(str(folder))} && {then}")


def installed(*, own: bool = False) -> Installed:
    """The twinops that runs, for a project to begin or go on with."""
    from importlib.metadata import version

    from twinops.workflows.project.own_files import Installed

    extras = ("server", "lab") if own else ("server", "lab", "demo")
    return Installed(version("twinops"), installed_code.pipeline(), installed_code.requirement(extras))
