"""Rows that break a schema. They are personal data: sealed, and gone after 30 days."""

from __future__ import annotations

import sys
from datetime import date
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.entities.small_cells import HIDDEN, hidden
from twinops.errors import ParamsError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Today = Annotated[str, typer.Option(help="The day to count the 30 days to; the clock's, unless said.")]
_CLOCK = ""


@app.command("list")
def list_rows(ctx: typer.Context, as_json: Json = False) -> None:
    """Counts and reasons per batch, and what is gone already."""
    found = home(ctx).run("quarantine.list_batches")
    lines = [
        f"{b.source} {b.batch}: {b.held:,} held, {b.expired:,} expired; "
        + ", ".join(f"{r} {HIDDEN if n is None else f'{n:,}'}" for r, n in b.reasons.items())
        for b in found
    ]
    answer(found, as_json=as_json, text="\n".join(lines) or "No row is in quarantine.")


@app.command()
def show(
    ctx: typer.Context,
    source: str,
    batch: str,
    rows: Annotated[int, typer.Option(help="How many rows, at most 100.", min=1, max=100)] = 10,
    today: Today = _CLOCK,
) -> None:
    """Some rows, for the owner of the data, on a terminal only."""
    if not sys.stdout.isatty():
        raise ParamsError("Quarantined rows are shown on a terminal only.", hint="Do not pipe or redirect them.")
    found = home(ctx).run("quarantine.show_rows", source=source, batch=batch, today=_day(today), most=rows)
    print("\n".join([*found.lines, f"{len(found.lines)} of {found.rows:,} rows"]))


@app.command()
def replay(ctx: typer.Context, source: str, batch: str, today: Today = _CLOCK, as_json: Json = False) -> None:
    """Judge the rows of a batch again, after a mapping or code-book was mended; take what is good now."""
    found = home(ctx).run("quarantine.replay", source=source, batch=batch, today=_day(today))
    taken = ", ".join(f"{n:,} into {b}" for b, n in found.taken.items()) or "none"
    shown = hidden(found.quarantined).items()
    left = ", ".join(f"{r} {HIDDEN if n is None else f'{n:,}'}" for r, n in shown) or "none"
    hint = (
        "If their file is gone, `dvc commit` keeps this; else `dvc repro` collects the same.\n" if found.taken else ""
    )
    answer(found, as_json=as_json, text=f"taken: {taken}\nstill in quarantine: {left}\n{hint}".rstrip())


@app.command()
def expire(ctx: typer.Context, today: Today = _CLOCK, as_json: Json = False) -> None:
    """Destroy the keys of all batches that were quarantined more than 30 days ago."""
    found = home(ctx).run("quarantine.expire", today=_day(today))
    text = "\n".join(f"{b.source} {b.batch}: {b.expired:,} rows expired" for b in found)
    answer(found, as_json=as_json, text=text or "Nothing is older than 30 days.")


def _day(said: str) -> str:
    return said or date.today().isoformat()  # noqa: DTZ011  (the owner's own calendar)
