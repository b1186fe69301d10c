"""What a consumer may ask under the GDPR: consent, objection, restriction, correction; each an event."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops.cli import _erasure, _requests
from twinops.cli._answer import Json, answer, home
from twinops.errors import REFUSED, ParamsError

if TYPE_CHECKING:
    from twinops.workflows.subject.act import RightsTaken

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(_requests.app, name="requests")
app.command()(_erasure.erase)
app.command()(_erasure.certificate)
Id = Annotated[str, typer.Argument(help="The consumer's number in the source, or a subject id.", show_default=False)]
By = Annotated[str, typer.Option(help="Who takes it down: name, address or account in compliance/offices.yaml.")]
Purpose = Annotated[str, typer.Option(help="twin_training, twin_scoring, offers or bias_assessment.")]
Reason = Annotated[str, typer.Option(help="Free words, sealed under the consumer's key and in no log.")]
WhyRestricted = Annotated[str, typer.Option("--ground", help="Of art. 18(1): a, b, c or d.")]
WhyHeld = Annotated[str, typer.Option("--ground", help="Of art. 17(3), as 17(3)(e) for legal claims.")]
Lift = Annotated[bool, typer.Option("--lift", help="Lift the restriction; they were told before.")]
Release = Annotated[bool, typer.Option("--release", help="Let go what was kept.")]


@app.command()
def consent(
    ctx: typer.Context,
    who: Id,
    purpose: Purpose,
    by: By,
    *,
    notice: Annotated[str, typer.Option(help="Version of the notice it was given on.")] = "",
    proof: Annotated[str, typer.Option(help="Where the proof lies: a form's number, a recording.")] = "",
    given: Annotated[str, typer.Option(help="When, as 2026-11-28T09:30 (UTC); now, unless said.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take consent back (art. 7(3)).")] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Consent to a purpose, or take it back; from this moment on."""
    asked = {"act": "withdraw" if withdraw else "consent", "notice": notice, "proof": proof, "given": given}
    _take(ctx, as_json, by=by, who=who, purpose=purpose, reason=reason, **asked)


@app.command("object")
def object_to(
    ctx: typer.Context, who: Id, by: By, *, purpose: Purpose = "offers", reason: Reason = "", as_json: Json = False
) -> None:
    """Object to a purpose; to direct marketing, which offers are, without any reason."""
    _take(ctx, as_json, by=by, who=who, act="object", purpose=purpose, reason=reason)


@app.command()
def restrict(
    ctx: typer.Context, who: Id, by: By, *, ground: WhyRestricted = "", lift: Lift = False, reason: Reason = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Stop all use of a consumer's data but storage and access."""
    _take(ctx, as_json, by=by, who=who, act="lift" if lift else "restrict", ground=ground, reason=reason)


@app.command()
def hold(
    ctx: typer.Context, who: Id, by: By, *, ground: WhyHeld = "", release: Release = False, reason: Reason = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Keep a consumer's records for legal claims, or let them go: meanwhile nothing of theirs is erased."""
    _take(ctx, as_json, by=by, who=who, act="release" if release else "hold", ground=ground, reason=reason)


@app.command()
def correct(
    ctx: typer.Context,
    who: Id,
    by: By,
    *,
    source: Annotated[str, typer.Option(help="The source, as `twinops sources list` names it.")],
    field: Annotated[str, typer.Option(help="The field of its profile.")],
    value: Annotated[str, typer.Option(help="What is right; `-` reads it from stdin, so that no shell keeps it.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Put a field right; it stands whatever the source goes on saying, the old value stays sealed."""
    told = sys.stdin.readline().strip() if value == "-" else value
    _take(ctx, as_json, by=by, who=who, act="correct", source=source, column=field, value=told, reason=reason)


@app.command()
def export(
    ctx: typer.Context,
    who: Id,
    by: By,
    *,
    out: Annotated[Path, typer.Option(help="A new folder, or a file that ends in .zip.")],
    identified_by: Annotated[str, typer.Option(help="How it was checked who asks; sealed beside the event.")] = "",
    as_json: Json = False,
) -> None:
    """The copy of everything held and made of one consumer: a page to read, JSON and CSV."""
    from twinops.cli._copy_files import against_full, write_copy
    from twinops.workflows.subject.export import Identified

    against_full(out)
    project = home(ctx)
    made = project.run("subject.export", who=who, identified=Identified(by, identified_by))
    if made.refused is None:
        write_copy(out, made.files, subject=made.subject)
    from twinops.cli._rights_log import keep

    held = f"{made.subject}: {made.records:,} records, {made.withheld:,} cells held back, {len(made.files)} files"
    answer(made, as_json=as_json, text=made.refused or f"{held} in {out}; open your-data.html")
    keep(project)
    raise typer.Exit(REFUSED if made.refused else 0)


@app.command()
def take(
    ctx: typer.Context,
    file: Annotated[Path, typer.Option(help="CSV or JSON: id, act, purpose, reason, …", dir_okay=False)],
    by: By,
    as_json: Json = False,
) -> None:
    """Take a file of decisions: consent, withdraw, object, restrict, lift or correct in each line; all or nothing."""
    _tell(ctx, home(ctx).run("subject.act_file", path=file, by=by), as_json)


@app.command()
def sync(ctx: typer.Context, as_json: Json = False) -> None:
    """Write rights.json and corrections.json as the ledger is, and say that the ledger is up to date today."""
    found = home(ctx).run("subject.sync")
    answer(found, as_json=as_json, text="\n".join(f"{file}: {n:,} entries" for file, n in found.items()))


def _take(ctx: typer.Context, as_json: bool, *, by: str, **asked: Any) -> None:
    from twinops.workflows.subject.act import RightsAsked

    if not asked["who"].strip():
        raise ParamsError("No consumer is named.", hint="Name one by their number in the source.")
    _tell(ctx, home(ctx).run("subject.act", asked=[RightsAsked(**asked)], by=by), as_json)


def _tell(ctx: typer.Context, found: RightsTaken, as_json: bool) -> None:
    from twinops.cli._rights_log import keep

    answer(found, as_json=as_json, text=found.text())
    keep(home(ctx))
    raise typer.Exit(REFUSED if found.refused else 0)
