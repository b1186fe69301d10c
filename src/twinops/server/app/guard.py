"""Around every route, Flask's and the native ones: same origin only, no assistant, and who is calling."""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import unquote, urlsplit

from twinops.server.refusals import RequestError
from twinops.server.registry import callers as actors

SAFE = ("GET", "HEAD", "OPTIONS")
CLOSED = (
    "/ajax-api/3.0/mlflow/assistant",
    "/ajax-api/3.0/jobs",
    "/gateway",
    "/ajax-api/3.0/mlflow/gateway/supported-models",
    "/ajax-api/3.0/mlflow/workspaces",
    "/api/3.0/mlflow/workspaces",
)
"""Beginnings of routes that run code or call out; they are closed here, whatever MLflow's own settings say."""

UNFRAMED = ((b"x-frame-options", b"DENY"), (b"content-security-policy", b"frame-ancestors 'none'"))
"""A second policy beside a page's own: browsers keep to both (CSP level 3, section 4.2)."""


class OriginGuard:
    """Outermost: refuses what a page of another origin makes a logged-in browser send, localhost included."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let pass, or answer 403 in MLflow's own shape."""
        if scope["type"] == "http":
            why = against(scope)
            if why:
                for message in RequestError(403, why).messages:
                    await send(message)
                return
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


class Unframed:
    """No page of ours or MLflow's is shown inside another: a click there would be somebody else's idea."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Add both headers to whatever is answered; MLflow's viewers frame blobs, to which neither applies."""

        async def framed(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [(n, v) for n, v in message.get("headers", ()) if n.lower() != b"x-frame-options"]
                message = {**message, "headers": [*kept, *UNFRAMED]}
            await send(message)

        await self.app(scope, receive, framed)


class Stamp:
    """Innermost: hands the account that a native route's login found to our stores."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Act as that account while the route runs."""
        account = (scope.get("state") or {}).get("username") if scope["type"] == "http" else None
        if not account:
            await self.app(scope, receive, send)
            return
        with actors.acting(account):
            await self.app(scope, receive, send)


def against(scope: Any) -> str | None:
    """Why this request is refused; None: it is not."""
    if _plain(scope["path"]).startswith(CLOSED):
        return "this part of MLflow is switched off on a governed server."
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if b"x-mlflow-workspace" in headers:
        return "workspaces are switched off on a governed server."
    origin, host = headers.get(b"origin"), headers.get(b"host", "")
    if origin is not None and (origin == "null" or urlsplit(origin).netloc != host):
        return "requests from pages of another origin are refused."
    site = headers.get(b"sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        looking = scope["method"] in SAFE and headers.get(b"sec-fetch-mode") == "navigate"
        if not looking:
            return "requests from pages of another site are refused."
    return None


def _plain(path: str) -> str:
    """Without doubled slashes, dots and percent signs that would hide where a path leads."""
    return posixpath.normpath("/" + unquote(path).lstrip("/"))
