"""Which records are one person's: see unsure pairs, decide them, take a decision back, settle who is who."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.errors import REFUSED, ParamsError

if TYPE_CHECKING:
    from twinops.workflows.links.decide import PairTaken

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Pair = Annotated[str, typer.Argument(help="A pair's code, or the id of a record.", show_default=False)]
Other = Annotated[str, typer.Argument(help="The other record's id, as SOURCE:ID where two sources have it.")]
By = Annotated[str, typer.Option(help="Who decides: name, address or account in compliance/offices.yaml.")]
Reason = Annotated[str, typer.Option(help="Why; sealed under both records' keys and in no log.")]


@app.command("list")
def list_pairs(
    ctx: typer.Context,
    joined: Annotated[bool, typer.Option("--joined", help="Pairs that were joined, not those in doubt.")] = False,
    decided: Annotated[bool, typer.Option("--decided", help="Pairs of which somebody decided.")] = False,
    most: Annotated[int, typer.Option(help="How many, at most 1,000.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """Pairs that wait for a person, the least certain first: codes, sources and doubts, nobody's data."""
    found = home(ctx).run("links.listed", which="decided" if decided else "joined" if joined else "review", most=most)
    answer(found, as_json=as_json, text=found.text())


@app.command()
def explain(
    ctx: typer.Context,
    pair: Pair,
    other: Other = "",
    values: Annotated[bool, typer.Option("--values", help="Both records side by side, on a terminal only.")] = False,
    as_json: Json = False,
) -> None:
    """What speaks for one person and what against, in bits; and what was decided."""
    if values and (as_json or not sys.stdout.isatty()):
        raise ParamsError("What records hold is shown on a terminal only.", hint="Do not pipe or redirect it.")
    found = home(ctx).run("links.explain", one=pair, other=other, values=values)
    answer(found, as_json=as_json, text=found.text())


@app.command()
def join(ctx: typer.Context, pair: Pair, by: By, reason: Reason, other: Other = "", as_json: Json = False) -> None:
    """These two are the same person, whatever the weights say."""
    _decide(ctx, as_json, by=by, one=pair, other=other, says="join", reason=reason)


@app.command()
def part(
    ctx: typer.Context,
    pair: Pair,
    by: By,
    reason: Reason,
    other: Other = "",
    said_by: Annotated[str, typer.Option(help="Whose words those were that were told while they were one.")] = "",
    as_json: Json = False,
) -> None:
    """These two are not the same person; a wrong merge comes apart, each gets back what is theirs."""
    _decide(ctx, as_json, by=by, one=pair, other=other, says="part", reason=reason, said_by=said_by)


@app.command()
def reopen(ctx: typer.Context, pair: Pair, by: By, reason: Reason, other: Other = "", as_json: Json = False) -> None:
    """Take a decision back; the weights decide again."""
    _decide(ctx, as_json, by=by, one=pair, other=other, says="reopen", reason=reason)


@app.command()
def settle(ctx: typer.Context, by: By, as_json: Json = False) -> None:
    """Take down who joined, merged or split in the last linkage; persons keep these ids from then on."""
    found = home(ctx).run("links.settle", by=by)
    answer(found, as_json=as_json, text=found.text())
    _log(ctx)
    raise typer.Exit(REFUSED if found.refused else 0)


@app.command()
def history(ctx: typer.Context, as_json: Json = False) -> None:
    """What happened to persons, settlement by settlement."""
    found = home(ctx).run("links.history")
    answer(found, as_json=as_json, text="\n".join(map(str, found)) or "Nothing was settled yet.")


def _decide(ctx: typer.Context, as_json: bool, *, by: str, **asked: str) -> None:
    from twinops.workflows.links.decide import PairAsked

    found: PairTaken = home(ctx).run("links.decide", asked=PairAsked(**asked), by=by)
    answer(found, as_json=as_json, text=found.text())
    _log(ctx)
    raise typer.Exit(REFUSED if found.refused else 0)


def _log(ctx: typer.Context) -> None:
    from twinops.cli._rights_log import keep

    keep(home(ctx))
