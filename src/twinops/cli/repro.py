"""Bring the pipeline up to date, with independent stages side by side."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops.adapters import one_at_a_time
from twinops.adapters.dvc import repro as dvc_repro
from twinops.adapters.running_code import against_other
from twinops.cli._answer import Json, answer, home, talk
from twinops.cli._requests import listen
from twinops.data.own_sources.watching import MARK

if TYPE_CHECKING:
    from twinops.wiring import Project

app = typer.Typer(add_completion=False)

MOST = 4
"""Lanes unless told: a lane may want a gigabyte, and the work between commands is done by one."""


@app.command()
def repro(
    ctx: typer.Context,
    stages: Annotated[list[str] | None, typer.Argument(help="These and what they need; all without.")] = None,
    lanes: Annotated[int | None, typer.Option(min=1, help="At most so many at once; as there are processors.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run stages that did not change, too.")] = False,
    as_json: Json = False,
) -> None:
    """Do what `dvc repro` does, with as many independent stages at once as there are processors."""
    against_other(ctx.obj)
    signal.signal(signal.SIGTERM, _interrupted)
    with one_at_a_time.at_work(ctx.obj, "`make run` or `twinops repro`"):
        if (ctx.obj / "params.yaml").is_file() and _has_own(home(ctx)):
            talk("sources and ideas of your own: looking what changed ...")
            home(ctx).run("sources.fingerprint")
        how = dvc_repro.Manner(lanes or processors(), force)
        if not stages and (ctx.obj / "params.yaml").is_file():
            listen(home(ctx), lanes=how.lanes, say=_sign)
        done = dvc_repro.reproduce(ctx.obj, stages or [], how=how, say=_sign)
    said = f"{done.ran} ran, {done.cached} from the cache, {done.unchanged} unchanged"
    answer(done, as_json=as_json, text=f"pipeline: {said}, in {done.seconds:.0f} s")


def _has_own(project: Project) -> bool:
    """Something of the project's own is watched, or was."""
    text = project.places.pipeline.read_text(encoding="utf-8") if project.places.pipeline.is_file() else ""
    return bool(project.params.own.root or project.params.ideas.root) or f"{MARK}\n" in text


def processors() -> int:
    """Those this process may use, four at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST)


def _sign(stage: str, line: str) -> None:
    talk(f"[{stage}] {line}" if stage else line)


def _interrupted(number: int, _frame: Any) -> None:
    """Asked to end: as with Ctrl-C the commands are stopped first."""
    raise KeyboardInterrupt(number)
