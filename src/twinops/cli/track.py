"""Write the candidate into the ledger."""

from __future__ import annotations

import typer

from twinops.cli._answer import Json, answer, home

app = typer.Typer()


@app.command()
def track(ctx: typer.Context, as_json: Json = False) -> None:
    """Write the candidate into MLflow: one run per key, found again when it is there."""
    done = home(ctx).run("candidate.track")
    said = "written" if done.written else "known already"
    answer(done, as_json=as_json, text=f"ledger: run {done.run_id} of candidate {done.key[:12]}, {said}")
