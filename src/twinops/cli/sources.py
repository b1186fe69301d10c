"""The declared sources and their legal facts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, home
from twinops.cli._shop_files import (
    SALES,
    Also,
    BasisSaid,
    Codes,
    CollectedFrom,
    Columns,
    ControllerName,
    Currency,
    Customers,
    DateFormat,
    Discount,
    DiscountAs,
    GroupsBasis,
    Notice,
    OffersBasis,
    OptIns,
    OptOuts,
    PanelBasis,
    RetentionDays,
    Synthetic,
    TextsBasis,
    Yes,
    Zone,
    after,
    agreed,
    asks,
    checked_text,
    said,
    there,
    windows_text,
)
from twinops.entities.legal import LegalFacts
from twinops.errors import REFUSED, DataError, ParamsError
from twinops.whole_files import write

SHELF = "twinops.data.sources"
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("list")
def list_sources(ctx: typer.Context, as_json: Json = False) -> None:
    """Every declared source: what it is, whose it is, on which basis and how long it is kept.

    With sources of your own the shipped ones are not read, so nothing is said of them.
    """
    mine, shelf = _own(ctx), plugins.names(SHELF)
    ideas = tuple(idea.name for idea in plugins.laid(SHELF))
    shipped = ideas if mine and home(ctx).params.sources.folder is None else shelf
    legal = {name: plugins.load(SHELF, name).LEGAL for name in shipped} | mine
    answer(legal, as_json=as_json, text="\n".join(_told(name, facts) for name, facts in legal.items()))


@app.command()
def check(ctx: typer.Context, name: str, as_json: Json = False) -> None:
    """Dry run of a source of your own: what would be taken, dropped, quarantined and why. Nothing is stored.

    Lines are told, and the shape of a failing cell, never the cell. Ends with 3 when nothing at all would be taken.
    """
    project = home(ctx)
    found = project.run("sources.check", name=name)
    answer(found, as_json=as_json, text=project.told(checked_text(found)))
    if found.nothing:
        raise DataError(f"Nothing of own.{name} would be taken.", hint="The lines above say why.")


@app.command()
def fingerprint(ctx: typer.Context, as_json: Json = False) -> None:
    """Let DVC see your own sources: files of the project in dvc.yaml, others by sources.lock.json. Commit both."""
    found = home(ctx).run("sources.fingerprint", anew=True)
    lines = [f"own.{n}: {', '.join(of)}" for n, of in found.outside.items()]
    lines += [f"own.{n}: a file of this project, which DVC sees by itself" for n in found.seen]
    answer(found, as_json=as_json, text="\n".join(lines) or "No source of your own is declared.")


@app.command()
def windows(
    ctx: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Put them into params.yaml; comments stay.")] = False,
    as_json: Json = False,
) -> None:
    """Propose first day, months, horizon and as-of days from the days on which your receipts lie, and say why."""
    found = home(ctx).run("sources.windows", write=write)
    answer(found, as_json=as_json, text=windows_text(found))
    raise typer.Exit(0 if found.params else REFUSED)


@app.command()
def propose(
    ctx: typer.Context,
    sales: Annotated[Path | None, typer.Argument(help=SALES)] = None,
    contract_file: Annotated[
        Path | None, typer.Option("--contract", help="Declare what an ODCS data contract describes, instead.")
    ] = None,
    customers: Customers = None,
    opt_ins: OptIns = None,
    opt_outs: OptOuts = None,
    also: Also = None,
    currency: Currency = None,
    zone: Zone = None,
    date: DateFormat = None,
    controller: ControllerName = None,
    basis: BasisSaid = None,
    texts_basis: TextsBasis = None,
    offers_basis: OffersBasis = None,
    groups_basis: GroupsBasis = None,
    panel_basis: PanelBasis = None,
    collected_from: CollectedFrom = None,
    notice: Notice = None,
    retention_days: RetentionDays = None,
    discount: Discount = None,
    discount_as: DiscountAs = None,
    column: Columns = None,
    code: Codes = None,
    synthetic: Synthetic = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Look at your files and propose how to declare them; written into params.yaml once you agree. Copies nothing."""
    if contract_file is not None:
        _adopted(ctx, contract_file, yes=yes, as_json=as_json)
        return
    if sales is None:
        raise ParamsError("Nothing was named to look at.", hint="Name the file of sales, or --contract FILE.")
    told = said(
        {"currency": currency, "zone": zone, "date": date, "controller": controller, "basis": basis}
        | {"texts_basis": texts_basis, "offers_basis": offers_basis, "groups_basis": groups_basis}
        | {"panel_basis": panel_basis, "collected_from": collected_from, "notice": notice}
        | {"retention_days": retention_days, "discount": discount, "discount_as": discount_as},
        columns=column or [],
        codes=code or [],
        synthetic=synthetic,
    )
    project, wanted = home(ctx), asks(yes=yes, as_json=as_json)
    found = agreed(project, there(sales, customers, opt_ins, opt_outs, also=also or []), told, asks=wanted)
    answer(found, as_json=as_json, text=after(found, project, asks=wanted))


@app.command()
def contract(
    ctx: typer.Context,
    name: str,
    out: Annotated[Path | None, typer.Option(help="A file to write it to; without one it is shown.")] = None,
) -> None:
    """A source of your own as a data contract (Open Data Contract Standard v3). No address, no row is in it."""
    text: str = home(ctx).run("sources.contract", name=name)
    if out is None:
        typer.echo(text, nl=False)
        return
    if out.exists():
        raise DataError(f"{out.name} exists.", hint="Name a new file.")
    write(out, text)
    typer.echo(f"The contract of own.{name} is in {out.name}.")


def _adopted(ctx: typer.Context, file: Path, *, yes: bool, as_json: bool) -> None:
    """A source as a contract says it, with everything of the contract that has no place in it."""
    project = home(ctx)
    found = project.run("sources.adopt", file=file, write=yes)
    if yes:
        type(project)(project.root).run("sources.fingerprint")
    lines = [f"own.{found.name} ({found.kind}), as {file.name} says it", *(f"note: {n}" for n in found.notes)]
    lines += [f"not taken, and kept beside it: {path}" for path in found.not_taken]
    lines += ["", checked_text(found.checked), ""]
    lines.append("written into params.yaml" if found.written else "nothing was written (--yes writes it)")
    answer(found, as_json=as_json, text=project.told("\n".join(lines)))


def _own(ctx: typer.Context) -> dict[str, LegalFacts]:
    """Your own sources, if this is a project that has any."""
    project = home(ctx)
    if not (project.root / "params.yaml").is_file() or not project.params.own.root:
        return {}
    from twinops.data.own_sources.declared_law import legal

    return {f"own.{name}": legal(said) for name, said in project.params.own.root.items()}


def _told(name: str, facts: LegalFacts) -> str:
    bases = ", ".join(f"{purpose.value}: {basis.value}" for purpose, basis in facts.bases.items())
    kind = "synthetic" if facts.synthetic else "real"
    return f"{name} ({kind}, from {facts.collected_from}, kept {_days(facts.retention_days)})\n    {bases}"


def _days(days: int | None) -> str:
    return "nobody said how long" if days is None else f"{days} days"
