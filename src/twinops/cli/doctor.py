"""Mend what a killed run or server left behind."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from twinops.adapters import dvc_locks, server_leftovers
from twinops.cli._answer import Json, answer

app = typer.Typer()


@app.command()
def doctor(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing when nothing was broken.")] = False,
    as_json: Json = False,
) -> None:
    """Look for what a killed run or server left behind, and mend it."""
    mended = [*dvc_locks.mend(ctx.obj), *server_leftovers.mend(ctx.obj)]
    if mended or as_json or not quiet:
        found = {"mended": mended, "python": sys.version.split()[0]}
        answer(found, as_json=as_json, text="\n".join(mended) or "Nothing was broken.")
