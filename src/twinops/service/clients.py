"""Who may ask: clients with the purposes and acts they were given. A token is shown once; its digest alone is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from twinops.entities.canonical import from_json
from twinops.errors import IntegrityError, ParamsError
from twinops.whole_files import OWNER_ALONE, write
from twinops.workflows.twin.open import SERVES

ACTS = ("predict", "simulate", "explain", "score", "events")
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
TOKEN = re.compile(r"([a-z][a-z0-9-]{0,39})\.([A-Za-z0-9_-]{43})", re.ASCII)
NOBODY = hashlib.sha256(b"nobody").hexdigest()
MOST_RATE = 1e6
BURST_S = 2.0
"""Seconds of its rate that a client may have saved up."""


@dataclass(frozen=True)
class Client:
    """One client: `digest` is SHA-256 of 256 random bits, which need no salt; `rate` is consumers a second."""

    name: str
    purposes: frozenset[str]
    acts: frozenset[str]
    rate: float
    digest: str = field(repr=False)


@dataclass
class Bucket:
    """What a client has left of its rate."""

    rate: float
    left: float
    at: float

    def take(self, cost: float, now: float) -> float:
        """Seconds to wait; 0: it was taken. A batch may go into debt, never begin in it."""
        most = max(self.rate * BURST_S, 1.0)
        self.left, self.at = min(most, self.left + (now - self.at) * self.rate), now
        if self.left < min(cost, most):
            return (min(cost, most) - self.left) / self.rate
        self.left -= cost
        return 0.0


@dataclass
class Clients:
    """The clients of one file; it is read again when it changed."""

    file: Path
    known: dict[str, Client] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    stamp: tuple[int, int] | None = None
    _one: Lock = field(default_factory=Lock, repr=False)

    def follow(self) -> None:
        """Read the file again if it is another one than before: a client that was taken out is out.

        Raises:
            IntegrityError: it cannot be read; then nobody is known.
        """
        stamp = _stamp(self.file)
        if stamp == self.stamp:
            return
        self.known = {}
        self.known = read(self.file)
        self.stamp = stamp

    def authenticated(self, header: str | None) -> Client | None:
        """Whose token it is; every answer takes one comparison of whole digests."""
        found = TOKEN.fullmatch(header[7:]) if header is not None and header[:7].lower() == "bearer " else None
        name, secret = found.groups() if found is not None else ("", "")
        client = self.known.get(name)
        given = hashlib.sha256(secret.encode()).hexdigest()
        same = hmac.compare_digest(given, NOBODY if client is None else client.digest)
        return client if same and client is not None and found is not None else None

    def wait(self, client: Client, cost: float) -> float:
        """Seconds until this client may ask so much; 0: now, and it is counted."""
        now = time.monotonic()
        with self._one:
            bucket = self.buckets.get(client.name)
            if bucket is None or bucket.rate != client.rate:
                bucket = self.buckets[client.name] = Bucket(client.rate, client.rate * BURST_S, now)
            return bucket.take(cost, now)


def read(file: Path) -> dict[str, Client]:
    """The clients of a file; nobody where there is none.

    Raises:
        IntegrityError: it is no such file.
    """
    if not file.is_file():
        return {}
    try:
        listed = from_json(file.read_text(encoding="utf-8"))
        return {name: _client(name, said) for name, said in listed.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise IntegrityError(f"{file.name} cannot be read.", hint="Take it away, and give tokens anew.") from None


def added(file: Path, name: str, *, purposes: Iterable[str], acts: Iterable[str], rate: float) -> str:
    """Let a client in, and answer its token: kept nowhere, so it is shown once. The same name gets a new token.

    Raises:
        ParamsError: a name, purpose or act that cannot be.
    """
    wrong = [f"{p!r:.60} is no purpose" for p in purposes if p not in {p.value for p in SERVES}]
    wrong += [f"{a!r:.60} is nothing to do" for a in acts if a not in ACTS]
    if wrong or NAME.fullmatch(name) is None or not 0 < rate <= MOST_RATE or not acts:
        told = "; ".join(wrong) or "A client has a short name (a-z, 0-9, -), something to do, and a rate up to 1e6."
        hint = f"Purposes are {', '.join(p.value for p in SERVES)}; acts are {', '.join(ACTS)}."
        raise ParamsError(told, hint=hint)
    secret = secrets.token_urlsafe(32)
    made = Client(name, frozenset(purposes), frozenset(acts), rate, hashlib.sha256(secret.encode()).hexdigest())
    _write(file, {**read(file), name: made})
    return f"{name}.{secret}"


def removed(file: Path, name: str) -> None:
    """Take a client out; running services follow within a second.

    Raises:
        ParamsError: there is none of that name.
    """
    known = read(file)
    if known.pop(name, None) is None:
        raise ParamsError("No client has that name.", hint="`twinops clients list` names them.")
    _write(file, known)


def shown(file: Path) -> tuple[Client, ...]:
    """The clients without what could be compared with a token."""
    return tuple(replace(c, digest="") for _, c in sorted(read(file).items()))


def _client(name: str, said: Mapping[str, Any]) -> Client:
    purposes, acts, rate, digest = (said[c] for c in ("purposes", "acts", "rate", "digest"))
    listed = all(isinstance(one, list) for one in (purposes, acts))
    if not (listed and isinstance(rate, int | float) and 0 < rate <= MOST_RATE and len(digest) == len(NOBODY)):
        raise ValueError(name)
    return Client(name, frozenset(map(str, purposes)), frozenset(map(str, acts)), float(rate), str(digest))


def _write(file: Path, clients: Mapping[str, Client]) -> None:
    told = {n: {k: sorted(v) if isinstance(v, frozenset) else v for k, v in asdict(c).items() if k != "name"}
            for n, c in clients.items()}  # fmt: skip
    write(file, json.dumps(told, indent=1, sort_keys=True), mode=OWNER_ALONE)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return found.st_mtime_ns, found.st_ino
