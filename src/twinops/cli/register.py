"""Make the candidate a version of the registered model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from twinops.cli._answer import Json, answer, home

if TYPE_CHECKING:
    from twinops.workflows.candidate.register import Registered

app = typer.Typer()


@app.command()
def register(ctx: typer.Context, as_json: Json = False) -> None:
    """Make the candidate a version of the registered model: one version per key, described by its verdicts."""
    done = home(ctx).run("candidate.register")
    following = f"\nnext, as a gate runner in a clone of this commit: twinops model evidence {done.name} {done.version}"
    answer(done, as_json=as_json, text=told(done) + (following if os.environ.get("TWINOPS_SERVER") else ""))


def told(done: Registered) -> str:
    """In one line."""
    said = "made" if done.written else "known already"
    return f"registry: {done.name} version {done.version}, {said}, {done.decision}"
