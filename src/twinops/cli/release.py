"""Tables that may leave, with attack and utility figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, home, talk
from twinops.entities.wording import MANY

if TYPE_CHECKING:
    from twinops.workflows.release.release import Released

REFUSED = 10
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def synthetic(
    ctx: typer.Context,
    epsilon: Annotated[float, typer.Option(help="Privacy loss this table may spend.")] = 1.0,
    as_json: Json = False,
) -> None:
    """People who do not exist, drawn from noisy counts under differential privacy."""
    project = home(ctx)
    found = project.run("release.release", kind="synthetic", epsilon=epsilon)
    _tell(found, text=project.told(_text(found)), as_json=as_json)


@app.command()
def generalised(ctx: typer.Context, as_json: Json = False) -> None:
    """Real consumers in ranges wide enough that each stands in a class of several."""
    project = home(ctx)
    found = project.run("release.release", kind="generalised")
    _tell(found, text=project.told(_text(found)), as_json=as_json)


def _tell(released: Released, *, text: str, as_json: bool) -> None:
    answer(released, as_json=as_json, text=text)
    if released.refused:
        talk("Nothing was written.")
        raise typer.Exit(REFUSED)


def _text(released: Released) -> str:
    if released.refused:
        return "\n".join(["Refused:", *(f"- {why}" for why in released.refused)])
    risks = [f"  {m.name.replace('_', ' ')}: {m}" for m in released.risks]
    head = f"{released.folder}: {released.rows:,} rows from {released.households:,} {MANY}; see its README.md"
    return "\n".join([head, *risks])
