"""How long data are kept: the proposal with its answers and signature, and runs that let go what outlived it."""

from __future__ import annotations

import textwrap
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.errors import REFUSED

if TYPE_CHECKING:
    from twinops.workflows.retention.status import RetentionStatus

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """The proposal unit by unit, and what was decided; exit code 0 whatever it is."""
    found = home(ctx).run("retention.status")
    answer(found, as_json=as_json, text=_told(found))


@app.command()
def decide(
    ctx: typer.Context,
    unit: Annotated[str, typer.Argument(help="An attribute or source, as `twinops retention status` names it.")],
    by: Annotated[str, typer.Option(help="The name of the data owner who decides.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    *,
    accept: Annotated[bool, typer.Option("--accept/--refuse", help="What is proposed is accepted, or not.")],
    dated: Annotated[str | None, typer.Option(help="The day, as YYYY-MM-DD; today when not given.")] = None,
    as_json: Json = False,
) -> None:
    """Take one answer down in `compliance/retention.yaml`. Who answers also signs."""
    said = {"accepted": accept, "reason": reason, "by": by}
    found = home(ctx).run("retention.decide", unit=unit, answer=said, dated=dated)
    left = ", ".join(found.review["open"]) or "nothing"
    answer(
        found, as_json=as_json, text=f"{unit}: taken down. Still open: {left}. `twinops retention sign` makes it count."
    )


@app.command()
def sign(
    ctx: typer.Context,
    email: Annotated[str, typer.Option("--as", help="Your e-mail, as compliance/offices.yaml has it.")],
    key: Annotated[Path, typer.Option(help="Your ssh key.", dir_okay=False)] = Path("~/.ssh/id_ed25519"),
    as_json: Json = False,
) -> None:
    """Sign your answers with your ssh key (`ssh-keygen -Y sign`)."""
    found = home(ctx).run("retention.sign", email=email, key=key.expanduser())
    answer(found, as_json=as_json, text=f"{found.review['told']}")


@app.command()
def run(
    ctx: typer.Context,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Let it go; without, only what would be is counted.")] = False,
    by: Annotated[str, typer.Option(help="Who does it: name, address or account in compliance/offices.yaml.")] = "",
    key: Annotated[
        Path | None,
        typer.Option(help="Your ssh key: signs the certificate, and whole persons are erased.", dir_okay=False),
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="The day to count to, as YYYY-MM-DD; the as-of day, unless said.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let go what outlived the time declared for its source: counts first, then with --apply; holds are respected."""
    from twinops.cli._erasure import erasing
    from twinops.cli._requests import erasing_of
    from twinops.workflows.quarantine.expire import day_of
    from twinops.workflows.retention.run import ApplyRetention

    project = home(ctx)
    signing = None if key is None else key.expanduser()
    how = ApplyRetention(by, signing, erasing_of(project, by, signing)) if apply else None
    with erasing(ctx.obj, "`twinops retention run`", making=True) if apply else nullcontext():
        found = project.run("retention.run", on=None if on is None else day_of(on), apply=how)
    answer(found, as_json=as_json, text=found.text())
    raise typer.Exit(REFUSED if found.refused else 0)


def _told(found: RetentionStatus) -> str:
    lines = []
    for unit, text in found.texts.items():
        lines.append(f"{unit}: {found.state(unit)}")
        lines += textwrap.wrap(text, 110, initial_indent="  ", subsequent_indent="  ")
    return "\n".join([*lines, "", f"{found.review['told']} ({found.review['proposal']})"])
