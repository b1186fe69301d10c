"""Verify an ssh signature (`ssh-keygen -Y sign`) without ssh: which key signed these bytes, for what.

The format is OpenSSH's PROTOCOL.sshsig. The namespace is signed with the bytes, so a signature made for one thing is
none for another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

MAGIC = b"SSHSIG"
ARMOUR = re.compile(r"\A-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?\Z")
HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
RSA_HASHES: dict[str, hashes.HashAlgorithm] = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}
CURVE_HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_KINDS_TAKEN = "it was signed with a kind of key that is not taken (ed25519, rsa from 2048 bits and ecdsa are)"
_NO_KEY = "this is no public key that is taken: give the line of a .pub file, ed25519, rsa from 2048 bits or ecdsa"


class NotSigned(ValueError):  # noqa: N818  # it is an answer that reads as one
    """Why the signature does not count, in one sentence."""


@dataclass(frozen=True)
class SshSignature:
    """One signature taken apart: the key that claims it, what it was made for, the hash, and the signature proper."""

    key: bytes
    namespace: str
    algorithm: str
    made: bytes

    def message(self, content: bytes) -> bytes:
        """What was signed, if these were the bytes."""
        digest = HASHES[self.algorithm](content).digest()
        return MAGIC + _packed(self.namespace.encode(), b"", self.algorithm.encode(), digest)


def signing_key(content: bytes, signature: str, *, namespace: str) -> str:
    """The public key that signed exactly these bytes for this namespace, as `public_key` writes it.

    Raises:
        NotSigned: no signature, or made for another purpose or other bytes.
    """
    found = _taken_apart(signature)
    if found.namespace != namespace:
        raise NotSigned(f"it was signed for {found.namespace!r:.40}, not for {namespace!r}")
    _verify(found, content)
    return _line(found.key)


def public_key(text: Any) -> str:
    """A line of a `.pub` file without its comment, in the one way to write it.

    Raises:
        ValueError: it is no ssh public key, or of a kind that is not taken.
    """
    try:
        kind, encoded, *_ = text.split()
        key = base64.b64decode(encoded, validate=True)
        _loaded(key)
    except (AttributeError, ValueError, IndexError, UnsupportedAlgorithm):
        raise ValueError(_NO_KEY) from None
    if kind != _kind(key):
        raise ValueError(_NO_KEY)
    return _line(key)


def fingerprint(key: str) -> str:
    """As `ssh-keygen -l` shows a key."""
    found = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(found).decode().rstrip("=")


def _taken_apart(signature: str) -> SshSignature:
    armour = ARMOUR.match(signature.replace("\r\n", "\n"))
    if not armour:
        raise NotSigned("there is no ssh signature in it")
    try:
        return _read(base64.b64decode(armour[1].replace("\n", ""), validate=True))
    except (binascii.Error, IndexError, UnicodeDecodeError):
        raise NotSigned("its signature cannot be read") from None


def _read(blob: bytes) -> SshSignature:
    if blob[:6] != MAGIC or blob[6:10] != (1).to_bytes(4):
        raise NotSigned("its signature is of another kind or version")
    key, rest = _string(blob[10:])
    namespace, rest = _string(rest)
    _, rest = _string(rest)  # reserved
    algorithm, rest = _string(rest)
    made, rest = _string(rest)
    if rest or algorithm.decode() not in HASHES:
        raise NotSigned("its signature is malformed")
    return SshSignature(key, namespace.decode(), algorithm.decode(), made)


def _verify(found: SshSignature, content: bytes) -> None:
    try:
        public = _loaded(found.key)
        kind, rest = _string(found.made)
        _verify_by(public, kind.decode(), _string(rest)[0], found.message(content))
    except NotSigned:
        raise
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, IndexError):
        raise NotSigned("it was changed after it was signed, or signed with another key") from None


def _loaded(key: bytes) -> Any:
    """The key, if it is of a kind that is taken."""
    if _kind(key) not in KINDS:
        raise NotSigned(_KINDS_TAKEN)
    public = load_ssh_public_key(_line(key).encode())
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < 2048:
        raise NotSigned(_KINDS_TAKEN)
    return public


def _verify_by(public: Any, kind: str, signature: bytes, message: bytes) -> None:
    if isinstance(public, ed25519.Ed25519PublicKey) and kind == "ssh-ed25519":
        public.verify(signature, message)
    elif isinstance(public, rsa.RSAPublicKey) and kind in RSA_HASHES:
        public.verify(signature, message, padding.PKCS1v15(), RSA_HASHES[kind])
    elif isinstance(public, ec.EllipticCurvePublicKey) and kind == f"ecdsa-sha2-nistp{public.curve.key_size}":
        first, rest = _string(signature)
        der = encode_dss_signature(int.from_bytes(first), int.from_bytes(_string(rest)[0]))
        public.verify(der, message, ec.ECDSA(CURVE_HASHES[public.curve.key_size]))
    else:
        raise NotSigned(_KINDS_TAKEN)


def _string(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4])
    if len(data) < max(4, end):
        raise IndexError("cut short")
    return data[4:end], data[end:]


def _packed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _kind(key: bytes) -> str:
    return _string(key)[0].decode()


def _line(key: bytes) -> str:
    return f"{_kind(key)} {base64.b64encode(key).decode()}"
