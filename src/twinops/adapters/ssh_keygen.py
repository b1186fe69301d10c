"""Sign a file with a person's own ssh key, by the tool that everyone has: `ssh-keygen -Y sign`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twinops.errors import ServiceError


class SshKeygen:
    """Keeps the Signer port's promise; the key may live in a file, an agent or a token, and is never read by us."""

    def sign(self, path: Path, *, key: Path, namespace: str) -> None:
        """Write `<path>.sig`; one that is there already is replaced.

        Raises:
            ServiceError: there is no such key, no ssh-keygen, or it did not sign.
        """
        # the public half is enough where an agent or a token has the other
        if not key.exists() and not key.with_name(f"{key.name}.pub").exists():
            raise ServiceError(f"There is no ssh key {key}.", hint="Give yours with --key.")
        made = path.with_name(path.name + ".sig")
        made.unlink(missing_ok=True)
        command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", namespace, str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise ServiceError("There is no ssh-keygen here.", hint="Install OpenSSH's client.") from None
        if done.returncode != 0 or not made.is_file():
            told = " ".join(done.stderr.split())[:200]
            raise ServiceError(
                f"ssh-keygen did not sign with {key}: {told}",
                hint="Give the private key, or its public half and an agent.",
            )
