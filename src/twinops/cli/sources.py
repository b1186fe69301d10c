"""The declared sources and their legal facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, home
from twinops.entities.legal import LegalFacts
from twinops.errors import DataError

if TYPE_CHECKING:
    from twinops.data.own_sources.look import Mistake
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
    """Dry run of a source of your own: what would be taken, dropped, quarantined and why. Nothing is stored.

    Lines are told, and the shape of a failing cell, never the cell. Ends with 3 when nothing at all would be taken.
    """
    found = home(ctx).run("sources.check", name=name)
    answer(found, as_json=as_json, text=_checked(found))
    if found.records and not found.taken and not any(found.left_out.values()):
        raise DataError(f"Nothing of own.{name} would be taken.", hint="The lines above say why.")


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
        f"  would be taken: {found.taken:,} of {found.households:,} households{_by_month(found.months)}",
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
