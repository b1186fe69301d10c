"""The rules a registry judges by: sign them and make them active."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer

app = typer.Typer(no_args_is_help=True)
File = Annotated[
    Path, typer.Argument(help="compliance/policy.yaml or compliance/offices.yaml.", dir_okay=False, exists=True)
]
Secret = Annotated[Path | None, typer.Option("--key", help="Your ssh key; needed where the offices file lists one.")]


@app.callback()
def _policy() -> None:
    """The rules a registry judges by. They change by the risk officer's hand only."""


@app.command()
def activate(file: File, key: Secret = None, as_json: Json = False) -> None:
    """Make a policy or offices file the registry's own; signed where the offices file lists your public key."""
    from twinops.adapters.registry_client.client import Door
    from twinops.governance.people import offices
    from twinops.governance.policy import limits as policy

    kind, rules = ("offices", offices) if "offices" in file.name else ("policy", policy)
    text = file.read_text(encoding="utf-8")
    signature = _signature(text, key.expanduser(), rules.NAMESPACE) if key else None
    done = Door.from_environment().post("rules", kind=kind, text=text, signature=signature)
    answer(done, as_json=as_json, text=f"{kind} active, entry {done['rules']}")


def _signature(text: str, key: Path, namespace: str) -> str:
    """Signed aside: the signature goes to the registry and leaves nothing in the folder."""
    from twinops.adapters.ssh_keygen import SshKeygen

    with TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as aside:  # the doctor knows whose it was
        path = Path(aside) / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        SshKeygen().sign(path, key=key, namespace=namespace)
        return path.with_name(f"{path.name}.sig").read_text(encoding="utf-8")
