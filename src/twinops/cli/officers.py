"""Who holds which office, with which account, e-mail and ssh key."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops.cli._answer import Json, answer, home
from twinops.errors import ParamsError
from twinops.whole_files import write

if TYPE_CHECKING:
    from twinops.governance.people.offices import StaffMember

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
ACTIVATE = "commit it; a registry follows after `twinops policy activate compliance/offices.yaml`"


@app.command("list")
def list_officers(ctx: typer.Context, as_json: Json = False) -> None:
    """Everyone in the file, and what keeps them from acting."""
    from twinops.governance.people import offices

    found = offices.read(_text(_path(ctx)))
    rows = [_row(person) for person in found.people]
    lines = [f"{r['office'] or 'no office'}: {r['name'] or 'nobody named'}{_more(r)}" for r in rows]
    answer({"people": rows, "gate_runners": list(found.gate_runners)}, as_json=as_json, text="\n".join(lines))


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The person's name, as it stands under answers.")],
    email: Annotated[list[str], typer.Option(help="An e-mail, as commits and signatures have it; may be repeated.")],
    office: Annotated[str | None, typer.Option(help="data owner, risk officer or data protection officer.")] = None,
    account: Annotated[str | None, typer.Option(help="The account on the registry.")] = None,
    key: Annotated[Path | None, typer.Option(help="The .pub file of the ssh key.", dir_okay=False, exists=True)] = None,
    until: Annotated[str | None, typer.Option(help="The office's last day, as YYYY-MM-DD.")] = None,
    as_json: Json = False,
) -> None:
    """Write one person into the file; an account for which nobody was named gets the name."""
    from twinops.governance.people import offices, offices_edit
    from twinops.governance.reading import checked

    given = {
        "name": name,
        "emails": tuple(email),
        "account": account,
        "office": office,
        "valid_until": _day(until),
        "key": key.read_text(encoding="utf-8") if key else None,
    }
    person = checked(offices.StaffMember, given, name=offices.SOURCE)
    path = _path(ctx)
    write(path, offices_edit.with_person(_text(path), person))
    answer(_row(person), as_json=as_json, text=f"{name} is in {offices.SOURCE}: {ACTIVATE}")


@app.command()
def remove(
    ctx: typer.Context, who: Annotated[str, typer.Argument(help="An e-mail or account.")], as_json: Json = False
) -> None:
    """Take one person out of the file; what they signed no longer counts."""
    from twinops.governance.people import offices, offices_edit

    path = _path(ctx)
    write(path, offices_edit.without_person(_text(path), who))
    answer({"removed": who}, as_json=as_json, text=f"{who} is out of {offices.SOURCE}: {ACTIVATE}")


@app.command()
def account(
    name: Annotated[str, typer.Argument(help="The account's name, as the offices file has it.")],
    role: Annotated[str, typer.Option(help="scientist, gate-runner, risk-officer, data-owner or dpo.")],
    as_json: Json = False,
) -> None:
    """As administrator, make an account with a role on the registry, or give it the role; the password shows once."""
    from twinops.adapters.registry_client import accounts
    from twinops.adapters.registry_client.client import Door

    made = accounts.give(Door.from_environment(), name, role)
    password = f"\n  {name:14} {made.password}\nThe password is shown this once." if made.password else ", as before"
    answer(made, as_json=as_json, text=f"{name} has the role {role}{password}")


def _path(ctx: typer.Context) -> Path:
    return home(ctx).root / "compliance" / "offices.yaml"


def _text(path: Path) -> str:
    if not path.is_file():
        raise ParamsError("There is no compliance/offices.yaml.", hint="Restore it from git.")
    return path.read_text(encoding="utf-8")


def _day(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise ParamsError(f"{given!r} is not a day.", hint="Write it as 2027-11-23.") from None


def _row(person: StaffMember) -> dict[str, Any]:
    from twinops.governance.people.sshsig import fingerprint

    return {**person.model_dump(mode="json"), "key": fingerprint(person.key) if person.key else None}


def _more(row: dict[str, Any]) -> str:
    account = [f"account {row['account']}"] if row["account"] else []
    ends = [f"until {row['valid_until']}"] if row["valid_until"] else []
    return "".join(f", {one}" for one in [*row["emails"], *account, row["key"] or "no key, so signs nothing", *ends])
