"""Make the candidate a version of the registered model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from twinops.cli._answer import Json, answer, home

if TYPE_CHECKING:
    from twinops.wiring import Project
    from twinops.workflows.candidate.register import Registered

app = typer.Typer(add_completion=False)


@app.command()
def register(ctx: typer.Context, as_json: Json = False) -> None:
    """Make the candidate a version of the registered model: one version per key, described by its verdicts."""
    done = registered(home(ctx))
    following = f"\n{_next(done)}" if os.environ.get("TWINOPS_SERVER") else ""
    answer(done, as_json=as_json, text=told(done) + following)


def registered(project: Project) -> Registered:
    """The candidate's version, and beside the keys whom it learned from."""
    from twinops.entities.rights import LearnedVersion

    done: Registered = project.run("candidate.register")
    project.run("subject.remember", version=LearnedVersion(done.name, done.version, done.key))
    return done


def told(done: Registered) -> str:
    """In one line; the verdict is this folder's own and binds no server."""
    said = "made" if done.written else "known already"
    return f"registry: {done.name} version {done.version}, {said}; the verdict here, in this folder: {done.decision}"


def _next(done: Registered) -> str:
    """The server's verdict is another one: it counts what a gate runner made anew, whatever was found here."""
    command = f"twinops model evidence {done.name} {done.version}"
    return f"next, whatever the verdict here: a gate runner makes everything anew in a clone of this commit: {command}"
