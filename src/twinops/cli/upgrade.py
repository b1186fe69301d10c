"""Bring a project up to the twinops that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from twinops.adapters import installed_code
from twinops.cli._answer import Json, answer
from twinops.cli.init import installed
from twinops.errors import ParamsError
from twinops.wiring import Project

if TYPE_CHECKING:
    from pathlib import Path

    from twinops.workflows.project.upgrade import Upgraded

app = typer.Typer(add_completion=False)
LEFT = (
    "You and twinops both changed it, so it is left as it is: take over by hand what you want of the lines above, "
    "then `twinops upgrade --mine {path}`."
)


@app.command()
def upgrade(
    ctx: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Write it; without, it is only shown.")] = False,
    mine: Annotated[list[str] | None, typer.Option(help="This file of yours holds what you want; ask no more.")] = None,
    code_only: Annotated[
        bool, typer.Option("--installed", help="Only write down which code and libraries are installed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what the installed version changes of the files it made, and which stages run again because of its code."""
    root = ctx.obj
    _against_own_code(root)
    if code_only:
        again = installed_code.write(root)
        answer({"again": again}, as_json=as_json, text=_again(again) or "Code and libraries: as they were.")
        return
    done = Project(root).run("project.upgrade", installed=installed(), write_it=write, mine=tuple(mine or ()))
    again = installed_code.write(root) if write else installed_code.differing(root)
    told = {"version": done.version, "written": done.written, "again": again, "conflicts": done.conflicts}
    files = {change.path: change.fate.value for change in done.changes}
    answer({**told, "files": files}, as_json=as_json, text=_text(done, again))


def _against_own_code(root: Path) -> None:
    if installed_code.is_own(root):
        raise ParamsError(
            "This project has its own twinops in src/, and no installed one to go by.",
            hint="`make deps` renews what its stages depend on.",
        )


def _text(done: Upgraded, again: tuple[str, ...]) -> str:
    lines = [line for change in done.changes for line in (change.diff.rstrip("\n"), *_left(change.path, done))]
    files = f"{len(done.changes)} file(s) of twinops {done.version} are otherwise"
    what = f"{files}; {len(done.conflicts)} left as they are" if done.changes else "Every file is as it should be"
    more = "written" if done.written else "nothing is written: `twinops upgrade --write`"
    return "\n".join([*lines, f"{what}; {more}.", *filter(None, [_again(again)])])


def _left(path: str, done: Upgraded) -> list[str]:
    return [LEFT.format(path=path)] if path in done.conflicts else []


def _again(stages: tuple[str, ...]) -> str:
    return f"Stages whose code is another one now, and that run again: {', '.join(stages)}." if stages else ""
