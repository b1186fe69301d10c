"""The declared sources and their legal facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, home
from twinops.entities.legal import LegalFacts
from twinops.entities.wording import MANY

if TYPE_CHECKING:
    from twinops.workflows.sources.check import Checked

SHELF = "twinops.data.sources"
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("list")
def list_sources(ctx: typer.Context, as_json: Json = False) -> None:
    """Every declared source: what it is, whose it is, on which basis and how long it is kept."""
    legal = {name: plugins.load(SHELF, name).LEGAL for name in plugins.names(SHELF)} | _own(ctx)
    answer(legal, as_json=as_json, text="\n".join(_told(name, facts) for name, facts in legal.items()))


@app.command()
def check(ctx: typer.Context, name: str, as_json: Json = False) -> None:
    """Dry run of a source of your own: what would be taken, dropped, quarantined and why. Nothing is stored."""
    project = home(ctx)
    found = project.run("sources.check", name=name)
    answer(found, as_json=as_json, text=project.told(_checked(found)))


@app.command()
def fingerprint(ctx: typer.Context, as_json: Json = False) -> None:
    """Let DVC see your own sources: files of the project in dvc.yaml, others by sources.lock.json. Commit both."""
    found = home(ctx).run("sources.fingerprint")
    lines = [f"own.{n}: {sum(of.values()):,} records in {len(of)} file(s)" for n, of in found.records.items()]
    lines += [f"own.{n}: a file of this project, which DVC sees by itself" for n in found.seen]
    answer(found, as_json=as_json, text="\n".join(lines) or "No source of your own is declared.")


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
    return f"{name} ({kind}, from {facts.collected_from}, kept {facts.retention_days} days)\n    {bases}"


def _checked(found: Checked) -> str:
    lines = [
        f"own.{found.name} ({found.kind}): {found.records:,} records in {found.files} file(s)",
        f"  would be taken: {found.taken:,} of {found.households:,} {MANY}{_by_month(found.months)}",
        f"  would be quarantined: {_listed(found.quarantined) or 'none'}",
        f"  columns without a declared purpose, not read: {', '.join(map(_safe, found.dropped_columns)) or 'none'}",
        f"  columns the files do not have, filled: {', '.join(found.filled_columns) or 'none'}",
    ]
    if found.not_collected:
        lines.append(f"  months that `months` in params.yaml leaves out: {', '.join(found.not_collected)}")
    if found.without_rows:
        lines.append(f"  months without a row: {', '.join(found.without_rows)}")
    return "\n".join(lines)


def _by_month(months: dict[str, Any]) -> str:
    return f"; {_listed(months)}" if months else ""


def _listed(counts: dict[str, Any]) -> str:
    return ", ".join(f"{what} {'few' if n is None else f'{n:,}'}" for what, n in counts.items())


def _safe(name: str) -> str:
    from twinops.data.own_sources.cells import printable

    return printable(name)
