"""What is held about whom, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, home, talk

app = typer.Typer(no_args_is_help=True, add_completion=False)


class MapFormat(StrEnum):
    """How the map is written."""

    TABLE = "table"
    CSV = "csv"
    JSONLD = "jsonld"


@app.callback()
def _data() -> None:
    """What is held about whom, and why."""


@app.command("map")
def show_map(
    ctx: typer.Context,
    as_format: Annotated[
        MapFormat, typer.Option("--format", help="A table, CSV, or JSON-LD with DPV terms.")
    ] = MapFormat.TABLE,
    as_json: Json = False,
) -> None:
    """Every column of every sealed table: purposes, legal bases, retention, notice, subjects, what is made of it."""
    found = home(ctx).run("sources.data_map")
    if found.undeclared:
        talk(f"Held without a declared purpose: {', '.join(found.undeclared)}")
    answer([row.to_dict() for row in found.rows], as_json=as_json, text=found.text(as_format.value).rstrip("\n"))
