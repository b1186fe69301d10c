"""A registry's signed statement about the version behind an alias: what loaders check, online or from a bundle.

A signature alone can be replayed. Online, a pass counts only as the answer to this call: the model and alias that were
asked for, the caller's own nonce, made just now, by a log that did not shrink. Offline nobody can be asked, so a pass
counts until the last moment of its approval and not after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from twinops.entities.canonical import digest, to_json

SCHEMA = "twinops.pass/2"
NONCE_BYTES = 16
NONCE = rf"[0-9a-f]{{{2 * NONCE_BYTES}}}"
MAX_AGE, SKEW = timedelta(minutes=5), timedelta(minutes=2)
"""How old a pass may be, and how far two clocks may be apart."""
UNSIGNED = "The pass is not signed by the registry whose key was given."


@dataclass(frozen=True)
class LogState:
    """How far the registry's log had grown, and its root then (hexadecimal)."""

    size: int
    root: str


@dataclass(frozen=True)
class Asked:
    """One call: what was asked for, its own nonce, and the log as this client knew it before it asked."""

    name: str
    alias: str
    nonce: str
    version: int | None = None
    """Only this version will do; None: whichever the alias points to."""
    seen: LogState | None = None


def issued(body: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The body with the signature over its canonical JSON."""
    full = {"schema": SCHEMA, **body}
    return {**full, "signature": key.sign(to_json(full).encode()).hex()}


def against_signature(given: Mapping[str, Any], *, key: bytes) -> tuple[str, ...]:
    """Why nothing in this pass may be believed; only after this may anything else of it be read."""
    body = {name: value for name, value in given.items() if name != "signature"}
    try:
        made = bytes.fromhex(str(given.get("signature")))
        Ed25519PublicKey.from_public_bytes(key).verify(made, to_json(body).encode())
    except (ValueError, TypeError, RecursionError, InvalidSignature):
        return (UNSIGNED,)
    if body.get("schema") != SCHEMA:
        return ("The pass is of a schema that is not known here; export the bundle anew.",)
    stated = (body.get("approval") or {}).get("expires")
    return () if stated else ("Nobody approved this version, or the approval states no end.",)


def against_replay(given: Mapping[str, Any], asked: Asked, *, now: datetime) -> tuple[str, ...]:
    """Why a pass is no answer to this call, given now."""
    return tuple(_replayed(given, asked, now))


def against_end(given: Mapping[str, Any], *, now: datetime) -> tuple[str, ...]:
    """Why a bundle may not be used any more. A later revocation is known to the registry only."""
    ends, made = end(given), datetime.fromisoformat(given["issued"])
    if made > now + SKEW:
        return (f"The pass was issued in the future, at {given['issued']}: a clock is wrong.",)
    if now >= ends:
        return (f"The approval expired on {ends.date()}: ask the registry for a new bundle.",)
    return ()


def against_files(given: Mapping[str, Any], files: Mapping[str, str]) -> tuple[str, ...]:
    """Why these files are not those that the pass is about."""
    told = given["files"]
    if told == dict(files) and given["digest"] == digest(told):
        return ()
    changed = sorted(n for n in {*files, *told} if files.get(n) != told.get(n))
    return (f"The files are not those that were approved: {', '.join(changed[:5])}.",)


def over(expires: str) -> str:
    """That an approval has ended, for people."""
    return f"The approval ended on {expires[:10]}; a risk officer renews it or takes the alias down."


def end(given: Mapping[str, Any]) -> datetime:
    """Until when a bundle with this pass may be used."""
    return datetime.fromisoformat(given["approval"]["expires"])


def _replayed(given: Mapping[str, Any], asked: Asked, now: datetime) -> Iterator[str]:
    for what in ("name", "alias"):
        if given.get(what) != getattr(asked, what):
            yield f"The pass is for the {what} {given.get(what)!r}, not for {getattr(asked, what)!r}."
    if asked.version not in (None, given.get("version")):
        yield f"The alias points to version {given.get('version')}, not to {asked.version}."
    if given.get("nonce") != asked.nonce:
        yield "The pass does not answer this call: somebody sent an older one."
    made = datetime.fromisoformat(given["issued"])
    if not now - MAX_AGE - SKEW <= made <= now + SKEW:
        yield f"The pass was issued at {given['issued']}, which is not now ({now.isoformat(timespec='seconds')})."
    if asked.seen is not None:
        yield from _shrunk(logged(given), asked.seen)


def logged(given: Mapping[str, Any]) -> LogState:
    """The registry's log when the pass was issued."""
    return LogState(int(given["log"]["size"]), str(given["log"]["root"]))


def _shrunk(now: LogState, seen: LogState) -> Iterator[str]:
    if now.size < seen.size:
        yield f"The registry's log has {now.size} entries; it had {seen.size} before: it went back in time."
    elif now.size == seen.size and now.root != seen.root:
        yield f"The registry's log of {seen.size} entries is another one than before."
