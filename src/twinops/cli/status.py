"""What stands: the candidate, its verdicts, what is missing, where to look."""

from __future__ import annotations

from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, current, home, talk
from twinops.cli.register import told as registered
from twinops.cli.track import told as tracked

app = typer.Typer()


@app.command()
def status(
    ctx: typer.Context,
    record: Annotated[bool, typer.Option("--record", help="Do `twinops track` and `twinops register` first.")] = False,
    short: Annotated[bool, typer.Option("--brief", help="One page: what is in the way, and what to do.")] = False,
    as_json: Json = False,
) -> None:
    """Every verdict on the candidate, what to do next, and where to look. Exit code 0 whatever they are; stale: 4."""
    project = home(ctx)
    if record:
        talk(tracked(project.run("candidate.track")))
        talk(registered(project.run("candidate.register")))
    found = project.run("candidate.status")
    if as_json:
        answer(found, as_json=True, text="")
    elif short:
        from twinops.governance.verdicts.brief import brief

        print(brief(found.evidence, found.decision).text())
    else:
        from twinops.cli._table import show

        show(found)
    current(found.stale)
