"""Send the head of an answer with its body: two writes wake a client twice, which takes the processor each time."""

from __future__ import annotations

import asyncio
from typing import Any

from twinops.adapters.connections import BoundedProtocol


class Together:
    """A transport that sends what was written in a turn of the loop in one go, once the turn is over."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = inner, loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, data: bytes) -> None:
        """Send it at the end of the turn."""
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what waits, then close."""
        self._send()
        self._inner.close()

    def _send(self) -> None:
        told, self._waiting = b"".join(self._waiting), []
        if told and not self._inner.is_closing():
            self._inner.write(told)


class OneWrite(BoundedProtocol):
    """Uvicorn's own protocol with bounds, over such a transport."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        super().connection_made(Together(transport, self.loop))  # type: ignore[arg-type]
