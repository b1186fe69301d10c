"""The human part of the impact assessment: what is open, answers, signatures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from twinops.cli._answer import Json, answer, home, talk
from twinops.errors import ParamsError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


class DpiaFormat(StrEnum):
    """Other people's tools."""

    CNIL = "cnil"


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """What is open and who must answer, and whether the approval stands; exit code 0 whatever it is."""
    found = home(ctx).run("dpia.status")
    answer(found, as_json=as_json, text=_told(found))


@app.command("answer")
def answer_field(
    ctx: typer.Context,
    field: Annotated[str, typer.Argument(help="What is asked, as `twinops dpia status` names it.")],
    by: Annotated[str, typer.Option(help="The name of the person who answers.")],
    *,
    parts: Annotated[
        list[str] | None, typer.Option("--set", help="PART=VALUE; without any, all are asked for.")
    ] = None,
    dated: Annotated[str | None, typer.Option(help="The day, as YYYY-MM-DD; today when not given.")] = None,
    as_json: Json = False,
) -> None:
    """Take down one person's answer, in `compliance/dpia/FIELD.yaml`. Who answers also signs."""
    from twinops.governance.assessment.questions import HUMAN
    from twinops.governance.assessment.questions import parts as asked

    given = dict(_pair(p) for p in parts or ())
    if not given and field in HUMAN:
        given = {part: typer.prompt(part.replace("_", " "), err=True) for part in asked(field)}
    done = home(ctx).run("dpia.answer", field=field, answer=given, by=by, dated=dated)
    left = f"still to say: {', '.join(done.still_to_say)}" if done.still_to_say else "sign it with `twinops dpia sign`"
    answer(done, as_json=as_json, text=f"compliance/dpia/{field}.yaml, digest {done.digest[:12]}; {left}")


@app.command()
def sign(
    ctx: typer.Context,
    fields: Annotated[list[str] | None, typer.Argument(help="Which answers; all of yours when none is named.")] = None,
    email: Annotated[str, typer.Option("--as", help="Your e-mail, as compliance/offices.yaml has it.")] = ...,  # type: ignore[assignment]
    key: Annotated[Path, typer.Option(help="Your ssh key.", dir_okay=False)] = Path("~/.ssh/id_ed25519"),
    as_json: Json = False,
) -> None:
    """Sign your answers with your ssh key (`ssh-keygen -Y sign`)."""
    done = home(ctx).run("dpia.sign", email=email, key=key.expanduser(), fields=tuple(fields or ()))
    answer(done, as_json=as_json, text=f"signed by {done.by}: {', '.join(done.fields) or 'nothing was open'}")


@app.command("export")
def export_file(
    ctx: typer.Context,
    as_format: Annotated[DpiaFormat, typer.Option("--format", help="For the CNIL's PIA tool.")] = DpiaFormat.CNIL,
    into: Annotated[Path, typer.Option(help="Where to write it.", dir_okay=False)] = Path("cnil-pia.json"),
    as_json: Json = False,
) -> None:
    """Write a draft for another tool: nothing in it is evaluated, and no opinion is given."""
    done = home(ctx).run("dpia.export_cnil", into=str(into))
    text = f"{into}: {done.answers} answers for {as_format.value}, digest {done.digest[:12]}; it approves nothing"
    if done.as_people_left:
        text += f"\nAs people left them in the tool: questions {', '.join(map(str, done.as_people_left))}"
    answer(done, as_json=as_json, text=text)


@app.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that the CNIL's PIA tool exported.", dir_okay=False)],
    _format: Annotated[DpiaFormat, typer.Option("--format", help="Of the CNIL's PIA tool.")] = DpiaFormat.CNIL,
    *,
    as_json: Json = False,
) -> None:
    """Read a filled file back and keep it whole: what people wrote, whether it fits the draft. It approves nothing."""
    done = home(ctx).run("dpia.import_cnil", file=str(file))
    told = [f"{name}: {said}" for name, said in done.to_dict()["said"].items()]
    answer(done, as_json=as_json, text="\n".join([*told, *done.next]))


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise ParamsError(f"{given!r} is no PART=VALUE.", hint="For example --set severity=2.")
    return name.strip(), value.strip()


def _told(found: Any) -> str:
    rows = [f"{a.field}: {a.state}{_whose(a)}\n    {a.question}" for a in found.open]
    done = f"{len(found.asked) - len(found.open)} of {len(found.asked)} answers are given and signed."
    review = found.review
    since = f", since {review['decided_by']} decided on {review['decided_on']}" if review.get("decided_by") else ""
    said = [f"The approval: {review['state']}{since}."]
    said += [f"    {reason}" for reason in review["reasons"]]
    said += [f"    {t['trigger']}: {t['differs']}" for t in review["triggers"]]
    if found.open:
        talk("Answer with `twinops dpia answer FIELD --by NAME`, sign with `twinops dpia sign --as EMAIL`.")
    return "\n".join([*rows, done, *said])


def _whose(asked: Any) -> str:
    from twinops.governance.people.offices import line_for, office_asked

    names = (
        ", ".join(asked.may_answer) or f"nobody holds this office yet. {line_for(office_asked(asked.who), key=True)}"
    )
    return f"; asked of the {asked.who} ({names})"
