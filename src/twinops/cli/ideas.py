"""Files of your own: gates, documents, sources, features, heads and notebook stages of this project."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops.cli._answer import Json, answer
from twinops.errors import REFUSED
from twinops.wiring import Project

if TYPE_CHECKING:
    from collections.abc import Iterable

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Named = Annotated[str, typer.Argument(help="A file's name; all of them without.")]


@app.command("list")
def list_ideas(ctx: typer.Context, as_json: Json = False) -> None:
    """Every file that params.yaml names."""
    from twinops.ideas import named

    paths = named(ctx.obj).paths
    answer(list(paths), as_json=as_json, text="\n".join(paths) or "params.yaml names no idea (docs/ideas.md).")


@app.command()
def check(ctx: typer.Context, name: Named = "", as_json: Json = False) -> None:
    """Greet a file with the checks of its shelf, and let DVC watch it; exit code 10 when a check fails."""
    project = Project(ctx.obj)
    project.run("ideas.watch")
    found = project.run("ideas.check", name=name)
    answer(found, as_json=as_json, text="\n".join(_told(found)) or "params.yaml names no idea (docs/ideas.md).")
    raise typer.Exit(REFUSED if any(one.problem for one in found) else 0)


@app.command()
def new(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="gate, document, source, feature, head or stage.")],
    name: Annotated[str, typer.Argument(help="Small letters, digits and _.")],
    sql: Annotated[bool, typer.Option("--sql", help="Of a feature: as a query.")] = False,
    as_json: Json = False,
) -> None:
    """Begin a file from an example that works, and name it in params.yaml."""
    begun = Project(ctx.obj).run("ideas.new", kind=kind, name=name, sql=sql)
    answer(begun, as_json=as_json, text=f"{begun.path} written. Next: twinops ideas check {name}")


def _told(found: Iterable[Any]) -> Iterable[str]:
    for path, checks in groupby(found, key=lambda one: one.path):
        yield path
        yield from (
            f"  {'no ' if one.problem else 'yes'} {one.sentence}{f': {one.problem}' if one.problem else ''}"
            for one in checks
        )
