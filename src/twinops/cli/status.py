"""What stands: the candidate, its verdicts, what is missing, where to look."""

from __future__ import annotations

import typer

from twinops.cli._answer import Json, answer, home

app = typer.Typer()


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Every verdict on the candidate, what to do next, and where to look. Exit code 0 whatever they are."""
    found = home(ctx).run("candidate.status")
    if as_json:
        answer(found, as_json=True, text="")
        return
    from twinops.cli._table import show

    show(found)
