"""The rules a registry judges by: sign them and make them active."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from twinops.cli._answer import Json, answer, talk

app = typer.Typer(no_args_is_help=True, add_completion=False)
File = Annotated[
    Path, typer.Argument(help="compliance/policy.yaml or compliance/offices.yaml.", dir_okay=False, exists=True)
]
Secret = Annotated[Path | None, typer.Option("--key", help="Your ssh key; needed where the offices file lists one.")]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.callback()
def _policy() -> None:
    """The rules a registry judges by. They change by the risk officer's hand only."""


@app.command()
def activate(file: File, key: Secret = None, yes: Yes = False, as_json: Json = False) -> None:
    """Make a policy or offices file the registry's own, after showing what it changes against the active one.

    What lets more through than before waits until somebody of another office confirms it.
    """
    kind = "offices" if "offices" in file.name else "policy"
    hand_in(kind, file.read_text(encoding="utf-8"), key=key, yes=yes, as_json=as_json)


@app.command()
def confirm(
    kind: Annotated[str, typer.Argument(help="policy, offices or base.")] = "policy",
    key: Secret = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """As a second office, let through what somebody of another office asked for; it is shown first."""
    from twinops.adapters.registry_client.client import Door, RefusedError

    door = Door.from_environment()
    waiting = next((one for one in door.get("asked")["asked"] if one["kind"] == kind), None)
    if waiting is None:
        raise RefusedError(f"Nothing of the kind {kind} waits for a second office.")
    talk(f"{waiting['by']} asks for this:")
    _show(waiting["changes"], yes=yes)
    signature = _signature(waiting["body"], key.expanduser(), f"twinops-{kind}") if key else None
    done = door.post("confirm", kind=kind, digest=waiting["digest"], signature=signature)
    answer(done, as_json=as_json, text="\n".join([f"{kind} active, entry {done['rules']}", *done["nobody"]]))


def hand_in(kind: str, text: str, *, key: Path | None, yes: bool, as_json: bool) -> None:
    """Show what would change, ask, sign and send."""
    from twinops.adapters.registry_client.client import Door

    door = Door.from_environment()
    looked = door.post("rules", kind=kind, text=text, look=True)
    _show(looked["changes"], yes=yes)
    signature = _signature(text, key.expanduser(), f"twinops-{kind}") if key else None
    done = door.post("rules", kind=kind, text=text, signature=signature)
    said = f"{kind} active, entry {done['rules']}"
    if not done["active"]:
        said = f"{kind} waits, entry {done['rules']}: somebody of another office runs `twinops policy confirm {kind}`"
    answer(done, as_json=as_json, text="\n".join([said, *done["nobody"]]))


def _show(changes: list[dict[str, Any]], *, yes: bool) -> None:
    """The changes in words; whoever does not say --yes is asked."""
    for change in changes or [{"sentence": "Nothing changes.", "loosens": False}]:
        talk(f"  {'! ' if change['loosens'] else '  '}{change['sentence']}")
    if any(change["loosens"] for change in changes):
        talk("What is marked ! lets more through: it needs a second person, of another office.")
    if not yes and not _agreed():
        raise typer.Exit(10)


def _agreed() -> bool:
    from twinops.errors import ParamsError

    try:
        return typer.confirm("Go on?", err=True)
    except typer.Abort:
        raise ParamsError(
            "Nobody answered, so nothing was changed.", hint="Say `--yes` where nobody is asked."
        ) from None


def _signature(text: str, key: Path, namespace: str) -> str:
    """Signed aside: the signature goes to the registry and leaves nothing in the folder."""
    from twinops.adapters.ssh_keygen import SshKeygen

    with TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as aside:  # the doctor knows whose it was
        path = Path(aside) / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        SshKeygen().sign(path, key=key, namespace=namespace)
        return path.with_name(f"{path.name}.sig").read_text(encoding="utf-8")
