"""The final hold-out: opened once a release, for one candidate, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, home

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

By = Annotated[str, typer.Option(help="Who does it: an account or an office; it stands in the ledger.")]
Why = Annotated[str, typer.Option(help="What for, in a sentence.")]


@app.command("open")
def open_(
    ctx: typer.Context,
    by: By,
    why: Why,
    again: Annotated[str, typer.Option(help="Why these days are looked at once more.")] = "",
    as_json: Json = False,
) -> None:
    """Let the next run measure this candidate on consumers that chose nothing. Counted before it is seen."""
    from twinops.workflows.holdout.open_once import Opening

    opening = Opening(by, why, datetime.now(UTC).date(), again)
    found = home(ctx).run("holdout.open_once", opening=opening)
    text = f"look {found.number} at these days is in reports/looks.jsonl; `make run` measures it, then commit"
    if not found.written:
        text = "the hold-out was opened for this candidate before; nothing was written, and nothing new is looked at"
    elif found.number > 1:
        text += f". It was looked at {found.earlier} time(s) before, and every figure of it says so"
    answer(found, as_json=as_json, text=text)


@app.command()
def split(ctx: typer.Context, by: By, why: Why, as_json: Json = False) -> None:
    """Declare that `holdout` in params.yaml draws other consumers from now on. Earlier looks stay counted."""
    found = home(ctx).run("holdout.new_split", by=by, why=why, day=datetime.now(UTC).date())
    text = f"the split with salt {found.salt} and share {found.share:g} is declared; `make run` draws it, then commit"
    answer(found, as_json=as_json, text=text)
