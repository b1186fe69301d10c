"""Ask over HTTP where we were told to ask: nobody who answers sends us, and what we know, to somebody else."""

from __future__ import annotations

import urllib.request
from typing import Any
from urllib.parse import urlsplit


class _SameHost(urllib.request.HTTPRedirectHandler):
    """A server may have moved on its own host, or to https; the login and the body go nowhere else."""

    def redirect_request(self, req: urllib.request.Request, *told: Any, **named: Any) -> urllib.request.Request | None:
        """The next request, to the address that is told last; None: the answer is an error."""
        before, after = urlsplit(req.full_url), urlsplit(str(told[-1]))
        if before.hostname != after.hostname or after.scheme not in (before.scheme, "https"):
            return None
        return super().redirect_request(req, *told, **named)


_opener = urllib.request.build_opener(_SameHost)


def opened(request: urllib.request.Request, *, seconds: float) -> Any:
    """The answer to a request, to be read and closed; so long it may be silent.

    Raises:
        urllib.error.URLError: no answer, or one that leads to another host.
    """
    return _opener.open(request, timeout=seconds)
