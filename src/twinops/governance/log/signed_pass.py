"""A registry's signed statement about the version behind an alias: what loaders check, online or from a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from twinops.entities.canonical import digest, to_json

SCHEMA = "twinops.pass/1"


def issued(body: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The body with the signature over its canonical JSON."""
    full = {"schema": SCHEMA, **body}
    return {**full, "signature": key.sign(to_json(full).encode()).hex()}


def faults(given: Mapping[str, Any], *, key: bytes, files: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """Why these files may not be loaded on this pass: signature, digests, approval, in that order.

    A pass says what held when it was issued; a later revocation is known to the registry only.
    """
    body = {name: value for name, value in given.items() if name != "signature"}
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            bytes.fromhex(str(given.get("signature"))), to_json(body).encode()
        )
    except (ValueError, TypeError, InvalidSignature):
        return ("The pass is not signed by the registry whose key was given.",)
    if body.get("schema") != SCHEMA:
        return ("The pass is of a schema that is not known here.",)
    found = []
    if body.get("files") != dict(files) or body.get("digest") != digest(dict(files)):
        told = body.get("files") or {}
        changed = sorted(n for n in {*files, *told} if files.get(n) != told.get(n))
        found.append(f"The files are not those that were approved: {', '.join(changed[:5])}.")
    granted = body.get("approval")
    if not granted:
        found.append("Nobody approved this version.")
    elif now >= datetime.fromisoformat(granted["expires"]) and body.get("alias") is None:
        found.append(f"The approval expired on {granted['expires'][:10]}.")
    return tuple(found)
