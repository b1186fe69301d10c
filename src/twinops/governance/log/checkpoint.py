"""Signed statements of how far a log had grown, kept outside the database: C2SP checkpoints, Ed25519 notes."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"


@dataclass(frozen=True)
class Checkpoint:
    """A log of this origin had this many entries and this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The lines that are signed (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def signed(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The note: text, an empty line, and one signature line (C2SP signed-note)."""
    public = raw(key.public_key())
    signature = base64.b64encode(_key_id(checkpoint.origin, public) + key.sign(checkpoint.text.encode())).decode()
    return f"{checkpoint.text}\n— {checkpoint.origin} {signature}\n"


def opened(note: str, keys: Iterable[bytes]) -> Checkpoint:
    """The checkpoint of a note that one of these public keys (32 bytes each) signed.

    Raises:
        ValueError: not a note, or signed by none of them.
    """
    text, _, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if len(lines) != 3 or not lines[1].isdigit():
        raise ValueError("this is not a checkpoint")
    try:
        found = Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True))
        given = [base64.b64decode(line.rsplit(" ", 1)[1], validate=True) for line in signatures.splitlines() if line]
    except (binascii.Error, IndexError) as problem:
        raise ValueError("this is not a checkpoint") from problem
    if not any(_signs(public, found, signature) for public in keys for signature in given):
        raise ValueError("no known key signed this checkpoint")
    return found


def raw(public: Ed25519PublicKey) -> bytes:
    """A public key as its 32 bytes."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def notes_in(text: str) -> list[str]:
    """The notes of a file or git note that holds several, one after the other."""
    found: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        if line or lines:
            lines.append(line)
        if line.startswith("— "):
            found.append("\n".join(lines) + "\n")
            lines = []
    return found


def _signs(public: bytes, found: Checkpoint, signature: bytes) -> bool:
    if signature[:4] != _key_id(found.origin, public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], found.text.encode())
    except InvalidSignature:
        return False
    return True


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]
