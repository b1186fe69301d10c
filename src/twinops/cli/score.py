"""Every twin that may be scored for a purpose, in one table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli import _rights_log
from twinops.cli._answer import Json, answer, home, talk
from twinops.entities.small_cells import HIDDEN
from twinops.entities.wording import MANY
from twinops.errors import REFUSED, ParamsError

if TYPE_CHECKING:
    from twinops.workflows.scoring.offered import DecisionTold
    from twinops.workflows.scoring.scored import ModelGiven, Scored

app = typer.Typer(add_completion=False)
QUIET_SECONDS = 5.0
MOST_IDS = 256 * 2**20
"""Bytes of a file of ids."""


@app.command()
def score(
    ctx: typer.Context,
    *,
    purpose: Annotated[str, typer.Option(help="What for: twin_scoring or offers.")],
    out: Annotated[str, typer.Option(help="FILE.parquet, FILE.csv or an address of a database with #table.")],
    decide: Annotated[
        bool, typer.Option("--decide", help="Apply the declared decision and limits of contact.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Not sealed; the data owner answers for it, see --by.")] = False,
    by: Annotated[str, typer.Option(help="Who answers for a list in the open: name, address or account.")] = "",
    ids: Annotated[
        Path | None, typer.Option(help="Only these ids of the source, one a line; the table has them.", dir_okay=False)
    ] = None,
    model: Annotated[
        str, typer.Option(help="models:/NAME@production, or an exported bundle; else the candidate.")
    ] = "",
    key: Annotated[
        Path | None, typer.Option(help="Public key file of the registry; registry/registry.pub by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Chance, baskets, spend, likeliest categories and reasons of every twin that allows the purpose, as of now.

    Sealed, each row under its own key, unless --open is told. Exit code 10 when the policy refuses.
    """
    from twinops.workflows.scoring.scored import Wanted

    project = home(ctx)
    wanted = Wanted(purpose, out, decide, open_, by, None if ids is None else tuple(_ids(ids)))
    with _verified(model, key) as given:
        found = project.run("scoring.score", wanted=wanted, model=given, heard=_Progress())
    if not found.refused:
        _rights_log.keep(project)
    answer(found, as_json=as_json, text="\n".join(found.refused) if found.refused else project.told(_text(found)))
    raise typer.Exit(REFUSED if found.refused else 0)


def _ids(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > MOST_IDS:
            raise ParamsError(f"{path.name} is too long for a list of ids.", hint="Cut it into parts.")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ParamsError(f"There is no file {path}.", hint="Names count from this folder.") from None
    except (OSError, UnicodeDecodeError):
        raise ParamsError(f"{path.name} cannot be read as UTF-8 text.", hint="One id of the source a line.") from None
    yield from dict.fromkeys(line.strip() for line in lines if line.strip())


@contextmanager
def _verified(uri: str, key: Path | None) -> Iterator[ModelGiven | None]:
    """Signed, approved, unchanged, and tried out in another process before a byte is read here."""
    if not uri:
        yield None
        return
    from twinops.adapters.mlflow import described, trial_load
    from twinops.adapters.registry_client import load as registry_loading
    from twinops.adapters.registry_client.client import RefusedError
    from twinops.errors import IntegrityError
    from twinops.workflows.scoring.scored import ModelGiven

    with registry_loading.verified(uri.removeprefix("models:/"), key=key) as found:
        try:
            trial_load.try_out(found.folder)
        except IntegrityError as problem:
            raise RefusedError(problem.what, hint=problem.hint) from None
        loader, data = described.data_file(found.folder)
        if loader != described.TWIN:
            raise ParamsError(f"{found.name} version {found.version} is no twin.", hint="Name the twin's own model.")
        yield ModelGiven((found.folder / data).read_text(encoding="utf-8"), found.name, found.version, found.digest)


class _Progress:
    """A line that says how far it is, once it takes longer than a moment; nothing where nobody looks."""

    def __init__(self) -> None:
        self._began = self._said = monotonic()

    def __call__(self, done: int, of: int) -> None:
        """So many of so many."""
        now = monotonic()
        if not sys.stderr.isatty() or now - self._began < QUIET_SECONDS or now - self._said < 1.0 or not done:
            return
        self._said = now
        left = (now - self._began) / done * (of - done)
        talk(f"{done:,} of {of:,} scored, about {left:.0f} s to go")


def _text(found: Scored) -> str:
    model = found.model
    how = "sealed" if found.sealed else "in the open"
    lines = [f"{found.rows:,} {MANY} scored for {found.purpose} as of {found.as_of}, {how}: {found.out}"]
    if model is not None:
        named = f"{model.name} version {model.version}, " if model.name else ""
        lines.append(f"by {named}{model.stands} (file {model.file_sha256[:12]})")
    if found.left_out:
        lines.append(f"left out: {_counts(found.left_out)}")
    if found.decision is not None:
        d = found.decision
        lines.append(
            f"{d.name} (by {d.by}): of {_count(d.asked)} candidates {_count(d.selected)} selected, {_contacted(d)}"
        )
    return "\n".join(lines)


def _contacted(told: DecisionTold) -> str:
    """How many may be contacted; where that would tell of a few who are kept back, that the table says who."""
    if told.contacted is None and told.selected is not None:
        return f"the policy keeps a few of them back, {HIDDEN} how many: the table says of each whether they are"
    return f"{_count(told.contacted)} may be contacted; kept back: {_counts(told.kept_back) or 'nobody'}"


def _counts(of: dict[str, int | None] | object) -> str:
    items = of.items() if isinstance(of, dict) else ()
    return ", ".join(f"{name.replace('_', ' ')} {HIDDEN if n is None else _count(n)}" for name, n in items)


def _count(n: int | None) -> str:
    return "fewer than ten" if n is None else f"{n:,}"
