"""What stands: the candidate, its verdicts, what is missing, where to look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, current, home, talk
from twinops.cli._requests import heard
from twinops.cli.register import registered
from twinops.cli.register import told as told_registered
from twinops.cli.track import told as tracked
from twinops.whole_files import write

if TYPE_CHECKING:
    from twinops.governance.open_fields import OpenField
    from twinops.governance.verdicts.brief import Brief

app = typer.Typer(add_completion=False)


@app.command()
def status(
    ctx: typer.Context,
    record: Annotated[bool, typer.Option("--record", help="Do `twinops track` and `twinops register` first.")] = False,
    short: Annotated[bool, typer.Option("--brief", help="One page: what is in the way, and what to do.")] = False,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write that page here as PDF.", dir_okay=False)] = None,
    all_open: Annotated[
        bool, typer.Option("--open", help="Every thing that people have not said yet, a line each.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Every verdict on the candidate, what to do next, and where to look. Exit code 0 whatever they are; stale: 4."""
    project = home(ctx)
    if record:
        talk(tracked(project.run("candidate.track")))
        talk(told_registered(registered(project)))
        heard(project)
    if short or pdf:
        page = project.run("candidate.brief")
        _brief(page, pdf)
        current(page.stale)
        return
    if as_json:
        found = project.run("candidate.status")
        answer(found, as_json=True, text="")
    else:
        from twinops.cli._table import show

        try:
            found = project.run("candidate.status")
            show(found)
        finally:  # it is owed before anything is measured, too
            _owed(project.run("candidate.owed"), each=all_open)
            for told in project.run("sources.in_doubt") if all_open else ():
                talk(told)
    current(found.stale)


def _owed(open_fields: tuple[OpenField, ...], *, each: bool) -> None:
    """What people have not said yet: counted by file and by who says it, or a line each."""
    if not open_fields:
        return
    from twinops.governance.open_fields import counted

    lists = "" if each else "; `twinops status --open` lists them"
    talk(f"{len(open_fields)} things that only people can say are open{lists}:")
    for line in open_fields if each else counted(open_fields):
        talk(f"  {line}")


def _brief(found: Brief, pdf: Path | None) -> None:
    """The page, in the terminal or on paper."""
    if pdf is None:
        print(found.text())
        return
    from twinops.evaluation.printed_page import printed

    write(pdf, printed(found.title, found.passages))
    talk(f"{pdf}: one page")
