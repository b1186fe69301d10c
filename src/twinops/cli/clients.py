"""Who may ask the service: clients, each with purposes, acts and a rate. A token is shown once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer
from twinops.workflows.places import Places

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Name = Annotated[str, typer.Argument(help="A short name: a-z, 0-9, -.", show_default=False)]


@dataclass(frozen=True)
class Given:
    """A token, to be kept where secrets are kept."""

    client: str
    token: str


@app.command("list")
def list_clients(ctx: typer.Context, as_json: Json = False) -> None:
    """Who may ask for what."""
    from twinops.service import clients, declared
    from twinops.service.opened import clients_file

    places = Places(ctx.obj)
    issuers = declared.read(places.compliance / declared.NAME).issuers
    found: list[clients.Client | declared.DeclaredClient] = [*clients.shown(clients_file(places))]
    found += [c for i in issuers for c in i.clients]
    told = [{"name": c.name, "purposes": sorted(c.purposes), "acts": sorted(c.acts), "rate": c.rate} for c in found]
    lines = [
        f"{c.name}: {', '.join(sorted(c.acts))}; for {', '.join(sorted(c.purposes)) or 'no purpose'}" for c in found
    ]
    answer(told, as_json=as_json, text="\n".join(lines) or "No client is let in.")


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    purpose: Annotated[list[str] | None, typer.Option(help="What for; more than once for more.")] = None,
    may: Annotated[list[str] | None, typer.Option(help="predict, simulate, explain, score or events.")] = None,
    rate: Annotated[float, typer.Option(help="Consumers or events a second.")] = 1000.0,
    as_json: Json = False,
) -> None:
    """Let a client in, or give it a new token in place of the old."""
    from twinops.service import clients
    from twinops.service.opened import clients_file

    file = clients_file(Places(ctx.obj))
    token = clients.added(file, name, purposes=purpose or (), acts=may or (), rate=rate)
    answer(Given(name, token), as_json=as_json, text=token)


@app.command()
def remove(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Take a client out; running services follow within a second."""
    from twinops.service import clients
    from twinops.service.opened import clients_file

    clients.removed(clients_file(Places(ctx.obj)), name)
    answer({"removed": name}, as_json=as_json, text=f"{name} is out.")
