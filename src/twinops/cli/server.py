"""MLflow with a governed registry and the review pages."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from twinops.cli._answer import talk

app = typer.Typer(add_completion=False)


@app.command()
def server(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65535)] = 5000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=16)] = 1,
    allowed_hosts: Annotated[
        str, typer.Option(help="Host names clients may use, with commas; local ones by default.")
    ] = "",
    adopt: Annotated[bool, typer.Option("--adopt", help="Take over versions made without this server.")] = False,
    accept_restore: Annotated[
        str | None,
        typer.Option(metavar="WHY", help="Once: go on with a database older than its checkpoints. Logged."),
    ] = None,
) -> None:
    """Run MLflow so that only what was approved can be production. TWINOPS_DATABASE_URL names a PostgreSQL database."""
    from twinops.server.app.serve import Listening, Starting, serve
    from twinops.server.registry.home import Home

    if allowed_hosts:
        os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = allowed_hosts
    how = Starting(adopt, accept_restore)
    serve(Home(ctx.obj), Listening(host, port, workers), how=how, tell=talk)
