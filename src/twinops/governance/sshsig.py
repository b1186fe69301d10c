"""Verify an ssh signature (`ssh-keygen -Y sign`) without ssh: who signed these bytes, for what.

The format is OpenSSH's PROTOCOL.sshsig. `allowed_signers` maps a person's e-mail to a key, as in ssh-keygen(1); a line
whose options we do not know is not used, so that nothing is trusted which ssh-keygen would refuse.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

MAGIC = b"SSHSIG"
ARMOUR = re.compile(r"\A-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?\Z")
HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_KINDS_TAKEN = "it was signed with a kind of key that is not taken (ed25519, rsa from 2048 bits and ecdsa are)"
_LINE = re.compile(
    r'(?P<who>[^\s"]+)\s+(?:(?P<options>(?:[a-z-]+(?:="[^"]*")?,?)+)\s+)?(?P<kind>(?:ssh|ecdsa)-\S+)\s+(?P<key>\S+)'
)
_EMAIL = re.compile(r"[^\s,*?!]+@[^\s,*?!]+")


class NotSigned(ValueError):  # noqa: N818  # it is an answer that reads as one
    """Why the signature does not count, in one sentence."""


@dataclass(frozen=True)
class AllowedSigner:
    """One line of `allowed_signers`: e-mail addresses, what the key may sign for (empty: all), and the key."""

    emails: tuple[str, ...]
    namespaces: tuple[str, ...]
    key: bytes


def allowed(text: str) -> tuple[AllowedSigner, ...]:
    """The usable lines of an `allowed_signers` file."""
    return tuple(_signers(text))


def signer(content: bytes, signature: str, signers: tuple[AllowedSigner, ...], *, namespace: str) -> tuple[str, ...]:
    """The e-mail addresses whose key signed exactly these bytes for this namespace.

    Raises:
        NotSigned: no signature, made for another purpose or other bytes, or by a key that nobody is known by.

    """
    key, signed_for, algorithm, made = _parts(signature)
    if signed_for != namespace:
        raise NotSigned(f"it was signed for {signed_for!r:.40}, not for {namespace!r}")
    _verify(key, made, _message(content, namespace, algorithm))
    found = [s for s in signers if s.key == key and (not s.namespaces or namespace in s.namespaces)]
    if not found:
        raise NotSigned("the key that signed it is not in compliance/allowed_signers")
    return tuple(dict.fromkeys(email for s in found for email in s.emails))


def _signers(text: str) -> Iterator[AllowedSigner]:
    for line in text.splitlines():
        found = _LINE.match(line.strip())
        if not found or line.lstrip().startswith("#"):
            continue
        emails = tuple(found["who"].split(","))
        options = found["options"] or ""
        namespaces = re.fullmatch(r'namespaces="([^"]*)"', options)
        if (options and not namespaces) or not all(_EMAIL.fullmatch(e) for e in emails):
            continue
        try:
            key = base64.b64decode(found["key"], validate=True)
        except binascii.Error:
            continue
        yield AllowedSigner(emails, tuple(namespaces[1].split(",")) if namespaces else (), key)


def _parts(signature: str) -> tuple[bytes, str, str, bytes]:
    armour = ARMOUR.match(signature.replace("\r\n", "\n"))
    if not armour:
        raise NotSigned("there is no ssh signature in it")
    try:
        blob = base64.b64decode(armour[1].replace("\n", ""), validate=True)
        return _read(blob)
    except (binascii.Error, IndexError, UnicodeDecodeError):
        raise NotSigned("its signature cannot be read") from None


def _read(blob: bytes) -> tuple[bytes, str, str, bytes]:
    if blob[:6] != MAGIC or blob[6:10] != (1).to_bytes(4):
        raise NotSigned("its signature is of another kind or version")
    key, rest = _string(blob[10:])
    namespace, rest = _string(rest)
    _, rest = _string(rest)
    algorithm, rest = _string(rest)
    made, rest = _string(rest)
    if rest or algorithm.decode() not in HASHES:
        raise NotSigned("its signature is malformed")
    return key, namespace.decode(), algorithm.decode(), made


def _string(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4])
    if len(data) < max(4, end):
        raise IndexError("cut short")
    return data[4:end], data[end:]


def _packed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _message(content: bytes, namespace: str, algorithm: str) -> bytes:
    return MAGIC + _packed(namespace.encode(), b"", algorithm.encode(), HASHES[algorithm](content).digest())


def _verify(key: bytes, made: bytes, message: bytes) -> None:
    try:
        name, raw = _kind(key), _string(made)
        kind, signature = raw[0].decode(), _string(raw[1])[0]
        if name not in KINDS:
            raise NotSigned(_KINDS_TAKEN)
        public = load_ssh_public_key(name.encode() + b" " + base64.b64encode(key))
        if isinstance(public, ed25519.Ed25519PublicKey) and kind == "ssh-ed25519":
            return public.verify(signature, message)
        if (
            isinstance(public, rsa.RSAPublicKey)
            and public.key_size >= 2048
            and kind in ("rsa-sha2-256", "rsa-sha2-512")
        ):
            digest: hashes.HashAlgorithm = hashes.SHA512() if kind.endswith("512") else hashes.SHA256()
            return public.verify(signature, message, padding.PKCS1v15(), digest)
        if isinstance(public, ec.EllipticCurvePublicKey) and kind == name:
            return _verify_ecdsa(public, signature, message)
    except NotSigned:
        raise
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, IndexError):
        raise NotSigned("it was changed after it was signed, or signed with another key") from None
    raise NotSigned(_KINDS_TAKEN)


def _verify_ecdsa(public: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    r, rest = _string(signature)
    s, _ = _string(rest)
    by_size: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
    der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
    public.verify(der, message, ec.ECDSA(by_size[public.curve.key_size]))


def _kind(key: bytes) -> str:
    return _string(key)[0].decode()
