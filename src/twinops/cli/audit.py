"""The audit log: verify it, read it, and ask what was live on a day."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, home, talk

if TYPE_CHECKING:
    from twinops.adapters.registry_client.audit_source import Log
    from twinops.adapters.registry_client.time_stamp import Stamped

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
INTEGRITY = 4

Export = Annotated[
    Path | None, typer.Option("--export", help="An exported log instead of the registry's own.", dir_okay=False)
]
Notes = Annotated[
    list[Path] | None,
    typer.Option("--checkpoints", help="File or folder of checkpoints kept elsewhere; may be repeated."),
]
Keys = Annotated[list[Path] | None, typer.Option("--key", help="Public key file of the registry; may be repeated.")]


@app.command()
def verify(
    ctx: typer.Context,
    *,
    export: Export = None,
    checkpoints: Notes = None,
    key: Keys = None,
    authorities: Annotated[
        Path | None,
        typer.Option(help="Certificates (PEM) of time stamp authorities: verify the stamps too.", dir_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find edits, deletion, truncation, a rewritten past, and tables the log does not tell; exit code 4 when found."""
    from twinops.adapters.registry_client import audit_source
    from twinops.governance.log.verify import check

    root = home(ctx).root
    own = root / "registry"
    log = _log(ctx, export)
    notes = audit_source.checkpoints(checkpoints if checkpoints else [own / "checkpoints"])
    notes += [] if checkpoints else audit_source.checkpoints_in_git(root)
    known = audit_source.keys(key or [own / "registry.pub", *own.glob("retired.pub")])
    found = check(log.bodies, notes, known, head=log.head)
    if export is None:
        found = replace(found, faults=(*found.faults, *_tables(ctx, known)))
    text = f"{found.size} entries, {found.checkpoints} checkpoints, {found.witnessed} entries witnessed from outside."
    if found.left:
        text += f" {found.left} checkpoints belong to a log that was left behind, as an entry tells."
    stamps: list[Stamped] = []
    if authorities is not None:
        stamps, wrong = _stamps(checkpoints or [own / "checkpoints"], authorities)
        found = replace(found, faults=(*found.faults, *wrong))
        newest = f", the newest of {max(s.at for s in stamps):%Y-%m-%d %H:%M} UTC" if stamps else ""
        text += f" {len(stamps)} time stamps{newest}."
    verdict = "Nothing was changed." if found.sound else "\n".join(found.faults)
    answer({**asdict(found), "stamps": stamps}, as_json=as_json, text=f"{text}\n{verdict}")
    if found.sound and found.witnessed < found.size:
        talk(f"The last {found.size - found.witnessed} entries have no checkpoint kept outside yet.")
    raise typer.Exit(0 if found.sound else INTEGRITY)


@app.command()
def stamp(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files to stamp, such as a bundle's SHA256SUMS; else every checkpoint without a stamp."),
    ] = None,
    authority: Annotated[
        str, typer.Option(help="Address of the authority (RFC 3161).", envvar="TWINOPS_TIMESTAMP_URL")
    ] = "",
    as_json: Json = False,
) -> None:
    """Ask an authority for time stamps over checkpoints or files; only their digests leave this machine."""
    from twinops.adapters.registry_client import time_stamp

    kept = sorted((home(ctx).root / "registry" / "checkpoints").glob("*.txt"))
    asked = files or [path for path in kept if not time_stamp.beside(path).exists()]
    made = [time_stamp.stamp(path, authority) for path in asked]
    answer(made, as_json=as_json, text=f"{len(made)} time stamps written, each beside its file (.tsr)")


@app.command()
def show(
    ctx: typer.Context,
    export: Export = None,
    last: Annotated[int, typer.Option(help="How many entries, from the end; 0 for all.", min=0)] = 50,
    as_json: Json = False,
) -> None:
    """Entries in order: when, who, what, about what."""
    import json

    from twinops.governance.log.history import line

    log = _log(ctx, export)
    shown = log.bodies[-last:] if last else log.bodies
    answer([json.loads(b) for b in shown], as_json=as_json, text="\n".join(line(b, log.names) for b in shown))


@app.command()
def at(
    ctx: typer.Context,
    moment: Annotated[str, typer.Argument(metavar="DATE", help="A day or UTC time: 2026-11-23 or 2026-11-23T18:00.")],
    export: Export = None,
    as_json: Json = False,
) -> None:
    """What was live, who approved it, on what evidence."""
    from datetime import datetime

    from twinops.errors import ParamsError
    from twinops.governance.log import history as audit_story

    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise ParamsError(f"{moment!r} is not a day.", hint="Write it as 2026-11-23.") from None
    log = _log(ctx, export)
    live = audit_story.at(log.bodies, moment)
    lines = [
        f"{a.model}@{a.alias}: version {a.version} since {a.since[:19]},"
        f" approved by {log.names.get(a.approved_by, a.approved_by)} on {a.approved_at[:10]} (entry {a.approval}),"
        f" evidence {a.evidence[:12]}, policy {a.policy[:12]}, model {a.digest[:12]}"
        + ("" if a.separated else "; roles not separated")
        + (f"; revoked {a.revoked[:19]}" if a.revoked else "")
        + "".join(
            f"; {r.gate} {'overridden' if r.answer == 'failed' else 'resolved'} by {log.names.get(r.by, r.by)}"
            f" ({r.role}) until {r.until}{', ended by then' if r.ended else ''} (entry {r.entry})"
            for r in a.rulings
        )
        for a in live
    ]
    answer(live, as_json=as_json, text="\n".join(lines) or "No protected alias was set.")


@app.command()
def export(ctx: typer.Context, into: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)]) -> None:
    """Write the log to a file that can be verified anywhere; no account is named in it."""
    from twinops.adapters.registry_client import audit_source

    log = _log(ctx, None)
    audit_source.to_file(log, into)
    talk(f"{len(log.bodies)} entries in {into}.")


def _stamps(places: list[Path], authorities: Path) -> tuple[list[Stamped], list[str]]:
    """Stamps beside checkpoints that verify, and what is wrong with the others."""
    from twinops.adapters.registry_client import time_stamp
    from twinops.errors import IntegrityError

    files = [f for place in places for f in (sorted(place.glob("*.txt")) if place.is_dir() else [place])]
    good: list[Stamped] = []
    wrong: list[str] = []
    for path in (f for f in files if time_stamp.beside(f).is_file()):
        try:
            good.append(time_stamp.verified(path, authorities))
        except IntegrityError as problem:
            wrong.append(problem.what)
    return good, wrong


def _log(ctx: typer.Context, export: Path | None) -> Log:
    import os

    from twinops.adapters.registry_client import audit_source
    from twinops.adapters.registry_client.client import ADDRESS, Door

    if export is not None:
        return audit_source.from_file(export)
    if os.environ.get(ADDRESS):
        return audit_source.from_server(Door.from_environment())
    return audit_source.from_database(_database(ctx))


def _tables(ctx: typer.Context, keys: list[bytes]) -> list[str]:
    """What tables, aliases and triggers say otherwise than the log."""
    import os

    from twinops.adapters.registry_client.client import ADDRESS, Door
    from twinops.server.registry import audit_tables

    if os.environ.get(ADDRESS):
        return [str(fault) for fault in Door.from_environment().get("state")["faults"]]
    return audit_tables.of_database(_database(ctx), keys)


def _database(ctx: typer.Context) -> str:
    from twinops.server.registry.home import Home

    return Home(home(ctx).root).database
