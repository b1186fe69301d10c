"""Make a project in a new folder."""

from __future__ import annotations

import shutil
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
    Columns,
    ControllerName,
    Currency,
    Customers,
    DateFormat,
    Discount,
    DiscountAs,
    OptIns,
    OptOuts,
    Synthetic,
    TextsBasis,
    Yes,
    Zone,
    agreed,
    asks,
    proposed_text,
    said,
    there,
)
from twinops.errors import TwinopsError
from twinops.wiring import Project

if TYPE_CHECKING:
    from twinops.data.own_sources.drafting import Said
    from twinops.data.own_sources.proposal import ShopFiles
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
        | {"texts_basis": texts_basis, "discount": discount, "discount_as": discount_as},
        columns=column or [],
        codes=code or [],
        synthetic=synthetic,
    )
    files = there(sales, customers, opt_ins, opt_outs, also=also or []) if sales is not None else None
    begun = Project(root).run("project.begin", installed=installed(own=own), own=own)
    installed_code.write(root)
    found = _declared(root, files, told, asks=asks(yes=yes, as_json=as_json)) if files else None
    talk(new_repository.begin(root, message=f"A project of twinops {installed(own=own).version}"))
    read = f"{Project(root).told(proposed_text(found))}\n\n" if found else ""
    then = "make run && make test" if found or not own else "twinops status"
    answer(
        {"begun": begun, "proposed": found} if found else begun,
        as_json=as_json,
        text=f"{read}{begun.files} files in {root}. Next: cd {quote(str(folder))} && {then}",
    )


def _declared(root: Path, files: ShopFiles, told: Said, *, asks: bool | None) -> Proposed:
    """The shop's files, declared in the new project; where they cannot be, no half of a project stays."""
    try:
        found = agreed(Project(root), files, told, asks=asks)
    except TwinopsError:
        _take_back(root)
        raise
    if not found.written:
        talk(
            "Nothing was declared: say --yes, or answer on a terminal; or `twinops sources propose` in the new folder."
        )
    return found


def _take_back(root: Path) -> None:
    """All that lies there was just written by us."""
    for path in root.iterdir():
        if path.name == ".git":
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def installed(*, own: bool = False) -> Installed:
    """The twinops that runs, for a project to begin or go on with."""
    from importlib.metadata import version

    from twinops.workflows.project.own_files import Installed

    extras = ("server", "lab") if own else ("server", "lab", "demo")
    return Installed(version("twinops"), installed_code.pipeline(), installed_code.requirement(extras))
