"""The rules a registry judges by: sign them and make them active."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, talk
from twinops.errors import ParamsError

app = typer.Typer(no_args_is_help=True)
File = Annotated[
    Path, typer.Argument(help="compliance/policy.yaml or compliance/officers.yaml.", dir_okay=False, exists=True)
]
Secret = Annotated[
    Path | None, typer.Option("--key", help="Your private key file (`twinops policy key`).", dir_okay=False)
]


@app.callback()
def _policy() -> None:
    """The rules a registry judges by. They change by the risk officer's hand only."""


@app.command()
def activate(file: File, key: Secret = None, as_json: Json = False) -> None:
    """Make a policy or officers file the registry's own; signed where the officers file lists your public key."""
    from twinops.adapters.registry_door import Door

    text = file.read_text(encoding="utf-8")
    kind = "officers" if "officers" in file.name else "policy"
    if kind == "officers":
        _agree(file, text)
    done = Door.from_environment().post("rules", kind=kind, text=text, signature=_signature(text, key) if key else None)
    answer(done, as_json=as_json, text=f"{kind} active, entry {done['rules']}")


@app.command()
def key(into: Annotated[Path, typer.Option(help="Where to keep the private key.", dir_okay=False)]) -> None:
    """Make a signing key; tell the controller the public half, for the officers file."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from twinops.governance.checkpoint import raw

    made = Ed25519PrivateKey.generate()
    handle = os.open(into, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(made.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex() + "\n")
    talk(f"public_key: {raw(made.public_key()).hex()}")


def _agree(file: Path, text: str) -> None:
    """The list of people beside it gives the same offices, or nothing is activated."""
    from twinops.governance import officers, people
    from twinops.governance.same_offices import disagreements

    beside = file.with_name("people.yaml")
    if beside.is_file():
        found = disagreements(people.read(beside.read_text(encoding="utf-8")), officers.read(text, name=file.name))
        if found:
            told = "\n  ".join(found)
            raise ParamsError(
                f"{file.name} and people.yaml give different offices:\n  {told}",
                hint="Mend either; the bridge is the e-mail under `people` of the officers file.",
            )


def _signature(text: str, key: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.read_text(encoding="utf-8").strip()))
    return secret.sign(text.encode()).hex()
