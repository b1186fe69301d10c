"""In-memory twins of the ports that sign and that know what is live: for tests, and for trying things out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from twinops.whole_files import write


@dataclass
class MemoryProduction:
    """Evidence by model, and files by revision and path."""

    live: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def evidence(self, model: str) -> str | None:
        """What was put in for this model."""
        return self.live.get(model)

    def at(self, revision: str, path: Path) -> str | None:
        """What was put in for this revision and path."""
        return self.revisions.get((revision, path.as_posix()))


class MemorySigner:
    """One ed25519 key that lives in this process; its signatures are real ones, which ssh-keygen verifies."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """The key as a line of `allowed_signers` ends with it."""
        return self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, path: Path, *, key: Path, namespace: str) -> None:  # noqa: ARG002  # the key is its own
        """Write `<path>.sig`."""
        digest = hashlib.sha512(path.read_bytes()).digest()
        message = b"SSHSIG" + _packed(namespace.encode(), b"", b"sha512", digest)
        made = _packed(b"ssh-ed25519", self._key.sign(message))
        public = base64.b64decode(self.public.split()[1])
        blob = b"SSHSIG" + (1).to_bytes(4) + _packed(public, namespace.encode(), b"", b"sha512", made)
        text = base64.encodebytes(blob).decode()
        armour = f"-----BEGIN SSH SIGNATURE-----\n{text}-----END SSH SIGNATURE-----\n"
        write(path.with_name(path.name + ".sig"), armour)


def _packed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)
