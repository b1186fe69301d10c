"""`twinops subject requests`: requests as cases, each with the day by which it must be answered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, home, talk
from twinops.cli._erasure import erasing
from twinops.errors import REFUSED

if TYPE_CHECKING:
    from twinops.wiring import Project

app = typer.Typer(no_args_is_help=False, invoke_without_command=True, add_completion=False, help=__doc__)
SUBJECT = "twinops.workflows.subject"
By = Annotated[str, typer.Option(help="Who does it: name, address or account in compliance/offices.yaml.")]


@app.callback()
def queue(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(help="CSV or JSON to take in: reference, id, kind, received, purpose, what.", dir_okay=False),
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take a file of requests in, each reference once, and list the cases: what is due first comes first."""
    if ctx.invoked_subcommand is not None:
        return
    project = home(ctx)
    heard(project)
    found = project.run("subject.requests", path=file, by=by)
    answer(found, as_json=as_json, text=found.text())
    _end(project, found.refused)


MESSAGES = "collect_synthetic@care_cases"
"""The stage that takes in what customers wrote."""


def asks(project: Project) -> bool:
    """Whether some messages to customer service are declared to ask for a right."""
    return any(said.requests for said in project.params.own.root.values())


def listen(project: Project, *, lanes: int, say: Callable[[str, str], None]) -> None:
    """Take in what customers wrote and open cases, so that who asked to be let alone is so before anything learns."""
    if asks(project):
        from twinops.adapters.dvc import repro

        repro.reproduce(project.root, [MESSAGES], how=repro.Manner(lanes), say=say)
        heard(project)


def heard(project: Project) -> None:
    """What customer service was asked meanwhile becomes cases, and is told."""
    if asks(project):
        found = project.run("subject.heard")
        if found.opened:
            talk(found.text())


@app.command()
def step(
    ctx: typer.Context,
    case: Annotated[list[str], typer.Argument(help="The case, as `twinops subject requests` lists it; or several.")],
    to: Annotated[str, typer.Option(help="identified, in work, extended, answered or refused.")],
    by: By,
    *,
    reason: Annotated[str, typer.Option(help="How identified, why extended or refused; sealed, and in no log.")] = "",
    ground: Annotated[str, typer.Option(help="Of a refusal, as 17(3)(b); of a restriction in work, a to d.")] = "",
    outcome: Annotated[str, typer.Option(help="Of a contested decision: upheld or changed.")] = "",
    purpose: Annotated[
        str, typer.Option(help="Of an objection or withdrawal in work that names none: the one it is of; else of all.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Do one thing with a case, or with several the same; exit code 10 where it may not be done with one of them."""
    from twinops.entities.consent import Purpose
    from twinops.errors import ParamsError
    from twinops.governance.subject_cases import Step, StepAsked

    for what, given, known in (("step", to, [*Step]), ("purpose", purpose, ["", *Purpose])):
        if given not in known:
            raise ParamsError(f"{given!r:.20} is no {what}.", hint=f"There are {', '.join(filter(None, known))}.")
    project, asked = home(ctx), StepAsked(Step(to), reason, ground, outcome, purpose)
    moved = [project.run("subject.step", case=one, asked=asked, by=by) for one in dict.fromkeys(case)]
    told = [{"case": m.case.id, "state": m.case.state, "due": m.case.due, "refused": m.refused} for m in moved]
    answer(told[0] if len(told) == 1 else {"cases": told}, as_json=as_json, text="\n".join(m.text() for m in moved))
    refused = next((m.refused for m in moved if m.refused), None)
    if refused and not reason:
        ground = " and --ground CODE" if asked.step is Step.REFUSED else ""
        talk(f'How it was checked who asks, or why, is said with --reason "..."{ground}.')
    _end(project, refused)


@app.command()
def work(
    ctx: typer.Context,
    by: By,
    key: Annotated[
        Path | None, typer.Option(help="Your ssh key: erasures in work are done too, and signed.", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Do what cases in work ask for, and answer them; what needs a hand is told."""
    project = home(ctx)
    with nullcontext() if key is None else erasing(ctx.obj, "`twinops subject requests work`"):
        eraser = None if key is None else _eraser(project, by, key.expanduser())
        found = project.run("subject.work", by=by, erase=eraser)
    answer(found, as_json=as_json, text=found.text())
    _end(project, found.refused)


def _eraser(project: Project, by: str, key: Path) -> Any:
    """What erases one person by their sid for a case, and returns why not; nothing where all is done."""

    def erase(sid: str, case: str) -> str | None:
        return _erased(project, (sid,), f"request {case}", (by, key))

    return erase


def erasing_of(project: Project, by: str, key: Path | None) -> Any:
    """What erases persons of whom nothing is young enough; None: nobody signs, so nobody is erased."""
    if key is None or "erase" not in plugins.verbs(SUBJECT):
        return None

    def erase(sids: tuple[str, ...]) -> None:
        refused = _erased(project, sids, "outlived the time that is declared", (by, key))
        if refused:
            talk(refused)

    return erase


def _erased(project: Project, sids: tuple[str, ...], reason: str, who: tuple[str, Path]) -> str | None:
    asked = plugins.load(SUBJECT, "erase").ErasureAsked(sids, reason, *who, project.rights.now())
    refused = project.run("subject.erase", asked=asked).refused
    return refused[0] if refused else None


def _end(project: Project, refused: str | None) -> None:
    from twinops.cli._rights_log import keep

    keep(project)
    raise typer.Exit(REFUSED if refused else 0)
