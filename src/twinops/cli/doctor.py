"""Mend what a killed run or server left behind."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from twinops.adapters.dvc import locks, orphans, unfinished_files
from twinops.adapters.dvc import settings as dvc_settings
from twinops.adapters.mlflow import server_leftovers
from twinops.cli._answer import Json, answer

app = typer.Typer(add_completion=False)
PARTS = (orphans, locks, dvc_settings, unfinished_files, server_leftovers)
"""In this order: what still runs would break again what is mended."""


@app.command()
def doctor(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing when nothing was broken.")] = False,
    as_json: Json = False,
) -> None:
    """Look for what a killed run or server left behind, and mend it."""
    mended = [line for part in PARTS for line in part.mend(ctx.obj)]
    if mended or as_json or not quiet:
        found = {"mended": mended, "python": sys.version.split()[0]}
        answer(found, as_json=as_json, text="\n".join(mended) or "Nothing was broken.")
