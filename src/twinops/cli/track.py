"""Write the candidate into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from twinops.cli._answer import Json, answer, home

if TYPE_CHECKING:
    from twinops.workflows.candidate.track import Tracked

app = typer.Typer(add_completion=False)


@app.command()
def track(ctx: typer.Context, as_json: Json = False) -> None:
    """Write the candidate into MLflow: one run per key, found again when it is there."""
    done = home(ctx).run("candidate.track")
    answer(done, as_json=as_json, text=told(done))


def told(done: Tracked) -> str:
    """In one line."""
    said = "written" if done.written else "known already"
    return f"ledger: run {done.run_id} of candidate {done.key[:12]}, {said}"
