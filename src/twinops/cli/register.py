"""Make the candidate a version of the registered model."""

from __future__ import annotations

import typer

from twinops.cli._answer import Json, answer, home

app = typer.Typer()


@app.command()
def register(ctx: typer.Context, as_json: Json = False) -> None:
    """Make the candidate a version of the registered model: one version per key, described by its verdicts."""
    done = home(ctx).run("candidate.register")
    said = "made" if done.written else "known already"
    answer(done, as_json=as_json, text=f"registry: {done.name} version {done.version}, {said}, {done.decision}")
