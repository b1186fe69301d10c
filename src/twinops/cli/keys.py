"""The store of your own keys: how it stands, rotation of its wrapping key, copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.entities.erasure import MOST_KEK_DAYS, KeyStanding

NewFile = Annotated[Path, typer.Argument(help="A new file, outside the project.", dir_okay=False)]
Copy = Annotated[Path, typer.Argument(help="A copy that `keys backup` wrote.", dir_okay=False)]
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Where keys lie, how old the wrapping key is, and which copies were taken."""
    _tell(home(ctx).run("keys.status"), as_json)


@app.command()
def rotate(ctx: typer.Context, as_json: Json = False) -> None:
    """Wrap everything under the next wrapping key; copies taken before open nothing. No data are touched."""
    _tell(home(ctx).run("keys.rotate"), as_json)


@app.command()
def backup(ctx: typer.Context, file: NewFile, as_json: Json = False) -> None:
    """Copy the store, wrapped as it is. Keep the wrapping key elsewhere: both together open everything."""
    _tell(home(ctx).run("keys.backup", into=file), as_json)


@app.command()
def restore(ctx: typer.Context, file: Copy, as_json: Json = False) -> None:
    """Put a copy in place; whoever epoch.json names as erased is forgotten again."""
    _tell(home(ctx).run("keys.restore", file=file), as_json)


def _tell(found: KeyStanding, as_json: bool) -> None:
    lines = [
        f"{found.database}; wrapping key {found.kek} in {found.wrapping}, {found.kek_age_days} day(s) old",
        f"{found.subjects:,} subjects, {found.suppressed:,} keyed hashes kept away, erasure epoch {found.epoch}",
        *(f"copy of {b.day} under wrapping key {b.kek}: {_lives(b.kek, found.kek)}" for b in found.backups),
    ]
    if found.due:
        lines.append(f"Older than {MOST_KEK_DAYS} days: `twinops keys rotate`, so that old copies of keys die.")
    answer(found, as_json=as_json, text="\n".join(lines))


def _lives(kek: int, now: int) -> str:
    return "opens with that key" if kek == now else "opens nothing, if that key was destroyed"
