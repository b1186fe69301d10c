"""Make a project in a new folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.adapters import installed_code, new_repository
from twinops.cli._answer import Json, answer, talk
from twinops.cli._door import named
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
    said,
    there,
)
from twinops.errors import ParamsError
from twinops.wiring import Project
from twinops.workflows.project.begin import MAY_BE_THERE, against_full

if TYPE_CHECKING:
    from twinops.data.own_sources.proposing.drafting import Said
    from twinops.data.own_sources.proposing.proposal import ShopFiles
    from twinops.workflows.project.own_files import Installed
    from twinops.workflows.sources.propose import Proposed

app = typer.Typer(add_completion=False)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.", metavar="DIR")],
    sales: Annotated[Path | None, typer.Option("--from", help=SALES)] = None,
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
    own: Annotated[
        bool, typer.Option("--own", help="For data of your own: no demonstration, and what only people say is open.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a project: pipeline, notebooks, declarations, tests, a git repository. Nothing that exists is changed.

    With --from it looks at your files, proposes how to read them, asks what it cannot know, and declares them.
    """
    root, own = named(folder.resolve()), own or sales is not None
    told = said(
        {"currency": currency, "zone": zone, "date": date, "controller": controller, "basis": basis}
        | {"texts_basis": texts_basis, "offers_basis": offers_basis, "groups_basis": groups_basis}
        | {"panel_basis": panel_basis, "collected_from": collected_from, "notice": notice}
        | {"retention_days": retention_days, "discount": discount, "discount_as": discount_as},
        columns=column or [],
        codes=code or [],
        synthetic=synthetic,
    )
    files = there(sales, customers, opt_ins, opt_outs, also=also or []) if sales is not None else None
    with _whole_or_nothing(root):
        begun = Project(root).run("project.begin", installed=installed(own=own), own=own)
        installed_code.write(root)
        asked = asks(yes=yes, as_json=as_json)
        found = _declared(root, files, told, asks=asked, as_json=as_json) if files else None
    talk(new_repository.begin(root, message=f"A project of twinops {installed(own=own).version}"))
    read = f"{after(found, Project(root), asks=asked)}\n\n" if found else ""
    then = "make run && make test" if found or not own else "twinops status"
    answer(
        {"begun": begun, "proposed": found} if found else begun,
        as_json=as_json,
        text=f"{read}{begun.files} files in {root}. Next: cd {quote(str(folder))} && {then}",
    )


def _declared(root: Path, files: ShopFiles, told: Said, *, asks: bool | None, as_json: bool) -> Proposed:
    """The shop's files, declared in the new project.

    Raises:
        ParamsError: nobody agreed; what was found is told all the same.
    """
    found = agreed(Project(root), files, told, asks=asks)
    if not found.written:
        if not asks:
            answer({"begun": None, "proposed": found}, as_json=as_json, text=after(found, Project(root), asks=asks))
        why = "you did not want it written" if asks else "nobody was there to answer"
        hint = "Say --yes to take every proposal, or run it on a terminal and answer; `init` can be run again here."
        raise ParamsError(f"Nothing was declared, and no project was made: {why}.", hint=hint)
    return found


@contextmanager
def _whole_or_nothing(root: Path) -> Iterator[None]:
    """No half of a project stays where it cannot be finished, or who was asked goes away: `init` can begin again."""
    against_full(root)
    new = not root.exists()
    try:
        yield
    except BaseException:
        for path in root.iterdir() if root.exists() else ():
            if path.name not in MAY_BE_THERE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if new and root.exists():
            root.rmdir()
        raise


def installed(*, own: bool = False) -> Installed:
    """The twinops that runs, for a project to begin or go on with."""
    from importlib.metadata import version

    from twinops.workflows.project.own_files import Installed

    extras = ("server", "lab") if own else ("server", "lab", "demo")
    return Installed(version("twinops"), installed_code.pipeline(), installed_code.requirement(extras))
