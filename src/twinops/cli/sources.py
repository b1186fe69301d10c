"""The declared sources and their legal facts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import click
import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, home, talk
from twinops.entities.legal import LegalFacts
from twinops.entities.wording import MANY
from twinops.errors import REFUSED, DataError, ParamsError

if TYPE_CHECKING:
    from twinops.data.own_sources.look import Mistake
    from twinops.data.own_sources.proposal import Question, Said, ShopFiles
    from twinops.workflows.sources.check import Checked
    from twinops.workflows.sources.propose import Proposed
    from twinops.workflows.sources.windows import Windows

SHELF = "twinops.data.sources"
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("list")
def list_sources(ctx: typer.Context, as_json: Json = False) -> None:
    """Every declared source: what it is, whose it is, on which basis and how long it is kept.

    With sources of your own the shipped ones are not read, so nothing is said of them.
    """
    mine, shelf = _own(ctx), plugins.names(SHELF)
    shipped = () if mine and home(ctx).params.sources.folder is None else shelf
    legal = {name: plugins.load(SHELF, name).LEGAL for name in shipped} | mine
    answer(legal, as_json=as_json, text="\n".join(_told(name, facts) for name, facts in legal.items()))


@app.command()
def check(ctx: typer.Context, name: str, as_json: Json = False) -> None:
    """Dry run of a source of your own: what would be taken, dropped, quarantined and why. Nothing is stored.

    Lines are told, and the shape of a failing cell, never the cell. Ends with 3 when nothing at all would be taken.
    """
    project = home(ctx)
    found = project.run("sources.check", name=name)
    answer(found, as_json=as_json, text=project.told(_checked(found)))
    if found.nothing:
        raise DataError(f"Nothing of own.{name} would be taken.", hint="The lines above say why.")


@app.command()
def fingerprint(ctx: typer.Context, as_json: Json = False) -> None:
    """Let DVC see your own sources: files of the project in dvc.yaml, others by sources.lock.json. Commit both."""
    found = home(ctx).run("sources.fingerprint")
    lines = [f"own.{n}: {sum(of.values()):,} records in {len(of)} file(s)" for n, of in found.records.items()]
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
    answer(found, as_json=as_json, text=_windows(found))
    raise typer.Exit(0 if found.params else REFUSED)


def _windows(found: Windows) -> str:
    lines = list(found.why)
    if found.params and not found.changed:
        lines.append("params.yaml says all of this already.")
    lines += [f"  {name}: {old} -> {_in(found.params, name)}" for name, old in found.changed.items()]
    if found.changed:
        lines.append("Written to params.yaml." if found.written else "Nothing was written; add --write.")
    return "\n".join(lines)


def _in(params: dict[str, Any], name: str) -> Any:
    section, _, part = name.partition(".")
    return params[section][part] if part else params[section]


Basis = Literal["consent", "contract", "legitimate_interest", "open"]


@app.command()
def propose(
    ctx: typer.Context,
    sales: Annotated[Path, typer.Argument(help="Receipt lines: CSV, .gz, Excel, Parquet, or a folder of parts.")],
    customers: Annotated[Path | None, typer.Option(help="Profiles, for the assessment of groups.")] = None,
    opt_ins: Annotated[Path | None, typer.Option(help="Who agreed to what.")] = None,
    opt_outs: Annotated[Path | None, typer.Option(help="Who objected.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, such as EUR.")] = None,
    zone: Annotated[str | None, typer.Option(help="Of the shop's clock, such as Europe/Berlin.")] = None,
    date: Annotated[str | None, typer.Option(help="How days are written, as in %d/%m/%Y.")] = None,
    controller: Annotated[str | None, typer.Option(help="Who is responsible (GDPR art. 4(7)).")] = None,
    basis: Annotated[Basis | None, typer.Option(help="On which purchases may train and score a twin.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="OURS=THEIRS, where a column was not told right.")] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="The rows are made up, and about nobody.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing and write it; what is not said stays open.")] = False,
    as_json: Json = False,
) -> None:
    """Look at your files and propose how to declare them; written into params.yaml once you agree. Copies nothing."""
    files = _there(sales, customers, opt_ins, opt_outs)
    said = _said(currency=currency, zone=zone, date=date, controller=controller, basis=basis) | {"synthetic": synthetic}
    run = partial(home(ctx).run, "sources.propose", files=files)
    told = _saying(said, column or [])
    found = run(said=told, write=yes)
    asks = not yes and not as_json and sys.stdin.isatty()
    if asks:
        print(_proposed(found))
        told = replace(told, **_asked(found.proposal.questions))
        found = run(said=told, write=False)
    answer(found, as_json=as_json, text=_proposed(found))
    if asks and typer.confirm("Write this into params.yaml?", default=True):
        run(said=told, write=True)
        talk("Written. `twinops sources fingerprint`, then `make run`.")


def _there(*paths: Path | None) -> ShopFiles:
    """The files by their full paths.

    Raises:
        DataError: one of them is not there.
    """
    from twinops.data.own_sources.proposal import ShopFiles

    lost = [path.name for path in paths if path is not None and not path.exists()]
    if lost:
        raise DataError(f"There is no {', '.join(lost)}.", hint="Check the names; they count from this folder.")
    sales, *others = (None if path is None else path.resolve() for path in paths)
    if sales is None:
        raise DataError("There are no sales.", hint="Name their file.")
    return ShopFiles(sales, *others)


def _said(**said: str | None) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _saying(said: dict[str, Any], columns: list[str]) -> Said:
    """What the options say.

    Raises:
        ParamsError: a column is not said as OURS=THEIRS.
    """
    from twinops.data.own_sources.proposal import Said

    pairs = [text.partition("=") for text in columns]
    if any(not ours or not sign or not theirs for ours, sign, theirs in pairs):
        raise ParamsError("A column is said as OURS=THEIRS.", hint="For example --column household_id=Kundennr.")
    return Said(**said, columns={ours: theirs for ours, _, theirs in pairs})


def _asked(questions: Iterable[Question]) -> dict[str, Any]:
    """Answers of whoever sits at the terminal; what stays at its default is not said."""
    found: dict[str, Any] = {}
    for question in questions:
        choice = click.Choice(question.options) if question.options else None
        given = typer.prompt(question.text, default=question.default, type=choice)
        if given != question.default or question.options:
            found[question.about] = given
    return found


def _proposed(found: Proposed) -> str:
    proposal = found.proposal
    lines = []
    for source in proposal.own:
        lines.append(f"own.{source}:")
        for c in (c for c in proposal.choices if c.source == source):
            looks = f" [{' | '.join(c.sample)}]" if c.sample else ""
            lines.append(f"  {c.what}: {c.value}{looks}  ({c.why})")
    lines += [f"note: {note}" for note in proposal.notes]
    lines += ["", *map(_checked, found.checked), ""]
    lines += [f"not said yet: {q.text} Until then: {q.default}." for q in proposal.questions]
    opened = sorted(
        {fact for said in proposal.own.values() for fact, value in said["legal"].items() if value == "open"}
    )
    if opened:
        lines.append(f"open until a person says it, and nothing can be promoted before: {', '.join(opened)}")
    lines.append("written into params.yaml" if found.written else "nothing was written (--yes writes it)")
    return "\n".join(lines)


def _own(ctx: typer.Context) -> dict[str, LegalFacts]:
    """Your own sources, if this is a project that has any."""
    project = home(ctx)
    if not (project.root / "params.yaml").is_file() or not project.params.own.root:
        return {}
    from twinops.data.own_sources.declared import legal

    return {f"own.{name}": legal(said) for name, said in project.params.own.root.items()}


def _told(name: str, facts: LegalFacts) -> str:
    bases = ", ".join(f"{purpose.value}: {basis.value}" for purpose, basis in facts.bases.items())
    kind = "synthetic" if facts.synthetic else "real"
    return f"{name} ({kind}, from {facts.collected_from}, kept {_days(facts.retention_days)})\n    {bases}"


def _days(days: int | None) -> str:
    return "nobody said how long" if days is None else f"{days} days"


def _checked(found: Checked) -> str:
    lines = [
        f"own.{found.name} ({found.kind}): {found.records:,} records in {found.files} file(s)",
        f"  would be taken: {found.taken:,} of {found.households:,} {MANY}{_by_month(found.months)}",
        f"  would be quarantined: {_listed(found.quarantined) or 'none'}",
        f"  columns without a declared purpose, not read: {', '.join(map(_safe, found.dropped_columns)) or 'none'}",
        f"  columns the files do not have, filled: {', '.join(found.filled_columns) or 'none'}",
    ]
    lines += [f"  left out: {_listed(found.left_out)}"] if found.left_out else []
    lines += [f"  answers that could not be read, left empty: {_listed(found.lost)}"] if found.lost else []
    if found.repeated != 0:
        lines.append(
            f"  equal lines, each taken: {_listed({'again': found.repeated})} (repeated: drop takes them once)"
        )
    if found.crowd is not None:
        lines.append(
            f"  beware: one id, which looks like {found.crowd.shape}, has {found.crowd.rows:,} rows "
            f"({found.crowd.share:.0%}); if it stands for nobody, list it in `missing`"
        )
    lines += [f"  - {told}" for told in mistakes_told(found.mistakes)]
    if found.not_collected:
        lines.append(f"  months that `months` in params.yaml leaves out: {', '.join(found.not_collected)}")
    if found.without_rows:
        lines.append(f"  months without a row: {', '.join(found.without_rows)}")
    return "\n".join(lines)


def mistakes_told(mistakes: Iterable[Mistake]) -> Iterator[str]:
    """One line a mistake."""
    for m in mistakes:
        where = f" (column {_safe(m.column)})" if m.column else ""
        looks = f"; looks like {' or '.join(m.shapes)}" if m.shapes else ""
        fits = f"; taken: {m.taken}" if m.taken else ""
        yield f"{m.reason}{where}: {', '.join(m.lines)}{looks}{fits}"


def _by_month(months: dict[str, Any]) -> str:
    return f"; {_listed(months)}" if months else ""


def _listed(counts: dict[str, Any]) -> str:
    return ", ".join(f"{what} {'few' if n is None else f'{n:,}'}" for what, n in counts.items())


def _safe(name: str) -> str:
    from twinops.data.own_sources.cells import printable

    return printable(name)
