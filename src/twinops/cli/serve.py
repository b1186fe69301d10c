"""The guarded service that a shop's systems ask."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Option(help="name@alias on the registry of TWINOPS_SERVER, or an exported bundle.")
    ] = "twin@production",
    key: Annotated[str | None, typer.Option(help="The registry's public key, or a file that holds it.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65535)] = 8600,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=16)] = 1,
    log_share: Annotated[float, typer.Option(help="Share of the answers that is logged.", min=0, max=1)] = 1.0,
    keep_days: Annotated[int, typer.Option(help="Days that the log of decisions is kept.", min=1, max=3650)] = 90,
) -> None:
    """Answer predictions, what-ifs and events of clients (`twinops clients`), each held against the guards."""
    from twinops.service.opened import Serving
    from twinops.service.run import Address, run

    run(ctx.obj, Serving(model, key, log_share, keep_days), Address(host, port, workers))
