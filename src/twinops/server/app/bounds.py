"""Outermost: how much, how long and in what form a request may speak, before anybody is known and after.

A body is read whole and checked before a route sees it, uploads of artifacts excepted, which go through to the disk
and are counted as they go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect

from twinops.adapters.connections import HEAD_BYTES, KNOWN, neighbourhood
from twinops.server.app import bodies
from twinops.server.app.limits import Limits
from twinops.server.app.logins import Logins
from twinops.server.app.talk import Talk
from twinops.server.refusals import RequestError
from twinops.server.understood import understood

UPLOADS = ("/api/2.0/mlflow-artifacts/artifacts/", "/ajax-api/2.0/mlflow-artifacts/artifacts/")
"""Where MLflow streams to the disk; every other route of it holds the whole body in memory."""
EVIDENCE = "/twinops/api/evidence"
BINARY = ("application/x-protobuf", "application/octet-stream", "multipart/", "application/x-www-form-urlencoded")


class Bounds:
    """The bounds around an ASGI app."""

    def __init__(self, app: Any, logins: Logins, limits: Limits | None = None) -> None:
        self.app = app
        self._logins = logins
        self._limits = limits or Limits.here()
        self._running: Counter[str] = Counter()
        self._held = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer 4xx, or hand the app a request that it can read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        talk = Talk(receive, send, self._limits, bodiless=not _speaks(scope))
        try:
            await self._serve(scope, talk)
        except ClientDisconnect:
            return
        except Exception as problem:
            if talk.started:
                raise
            await talk.refuse(understood(problem))

    async def _serve(self, scope: Any, talk: Talk) -> None:
        address = neighbourhood(scope["client"][0]) if scope.get("client") else "local"
        against_head(scope, self._limits)
        known = not self._logins.open_to_all(scope["path"])
        if known:
            await self._logins.admit(scope["headers"], address)
            scope[KNOWN] = True
        if known and scope["method"] == "PUT" and scope["path"].startswith(UPLOADS):
            with self._one_more(f"{address} uploads"):
                await self._passed_through(scope, talk)
            return
        if not talk.complete:
            talk.at_most = self._most(scope["path"], known=known)
            if int(_header(scope, b"content-length") or 0) > talk.at_most:
                raise RequestError(413, f"the body is larger than {talk.at_most:,} bytes.")
        await self._whole(scope, talk, f"{address} known" if known else address)

    def _most(self, path: str, *, known: bool) -> int:
        if not known:
            return self._limits.anonymous
        return self._limits.evidence if path == EVIDENCE else self._limits.body

    async def _passed_through(self, scope: Any, talk: Talk) -> None:
        if _encoding(scope):
            raise RequestError(415, "an artifact is uploaded as it is, without a content encoding.")
        talk.at_most = self._limits.upload
        await self.app(scope, talk.counted, talk.send)
        if talk.wrong:
            raise talk.wrong

    async def _whole(self, scope: Any, talk: Talk, whose: str) -> None:
        """A request counts as running from when all of it is here: half a one keeps no other waiting."""
        if talk.complete:
            with self._one_more(whose):
                await self.app(scope, talk.listen, talk.send)
            return
        with self._share() as share:
            body = bytearray()
            while not talk.complete:
                body += await talk.more()
                share.take(len(body))
            with self._one_more(whose):
                talk.replay = await self._opened(scope, body, share, at_most=talk.at_most)
                await self.app(_as_opened(scope, len(talk.replay)), talk.listen, talk.send)

    async def _opened(self, scope: Any, body: bytearray, share: Share, *, at_most: int) -> bytes:
        plain, encoding = bytes(body), _encoding(scope)
        body.clear()
        if encoding:
            plain = await run_sync(partial(bodies.opened, plain, encoding, at_most=at_most))
            share.take(len(plain))
        if _may_be_json(scope, plain):
            await run_sync(bodies.against_json, plain)
        return plain

    @contextmanager
    def _share(self) -> Iterator[Share]:
        share = Share(self)
        try:
            yield share
        finally:
            self._held -= share.taken

    @contextmanager
    def _one_more(self, whose: str) -> Iterator[None]:
        """Of an address: uploads, other requests of accounts, and those of nobody are counted apart."""
        if self._running[whose] >= self._limits.at_once:
            raise RequestError(429, "too many requests at a time from this address; try again.", retry_after="1")
        self._running[whose] += 1
        try:
            yield
        finally:
            self._running[whose] -= 1
            if not self._running[whose]:
                del self._running[whose]


class Share:
    """What one request holds of the memory for bodies."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.taken = 0

    def take(self, size: int) -> None:
        """Hold this much.

        Raises:
            RequestError: all bodies together would be too large.
        """
        self._bounds._held += size - self.taken
        self.taken = size
        if self._bounds._held > self._bounds._limits.held:
            raise RequestError(429, "too many large requests at a time; try again.", retry_after="5")


def against_head(scope: Any, limits: Limits) -> None:
    """Refuse heads that are too long, or that two readers could read differently.

    Raises:
        RequestError: too much of it (431), two of what there is one of, or an address that is no text (400).
    """
    headers, address = scope["headers"], scope.get("raw_path", b"") + b"?" + scope["query_string"]
    if len(headers) > limits.headers or sum(len(n) + len(v) for n, v in headers) + len(address) > HEAD_BYTES:
        raise RequestError(431, "the head of the request is too large.")
    names = Counter(name for name, _ in headers)
    if any(names[name] > 1 for name in (b"authorization", b"content-length", b"content-type", b"content-encoding")):
        raise RequestError(400, "a header that there is one of is given twice.")
    try:
        told = unquote_to_bytes(address).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(400, "the address is not UTF-8.") from None
    if "\0" in told:
        raise RequestError(400, "the address holds a zero character.")


def _speaks(scope: Any) -> bool:
    told = dict(scope["headers"])
    return b"transfer-encoding" in told or told.get(b"content-length", b"0").strip() != b"0"


def _header(scope: Any, name: bytes) -> str:
    found: bytes = dict(scope["headers"]).get(name, b"")
    return found.decode("latin-1").strip().lower()


def _encoding(scope: Any) -> str:
    return _header(scope, b"content-encoding").removeprefix("identity")


def _may_be_json(scope: Any, body: bytes) -> bool:
    """MLflow reads JSON whatever the content type says."""
    kind = _header(scope, b"content-type")
    return bool(body) and ("json" in kind or (body.lstrip()[:1] in b"{[" and not kind.startswith(BINARY)))


def _as_opened(scope: Any, size: int) -> Any:
    gone = (b"content-encoding", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name not in gone]
    return {**scope, "headers": [*kept, (b"content-length", str(size).encode())]}
