"""One request and its answer: bytes and waiting are counted, and a client that is refused hears why."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from twinops.server.app.limits import Limits
from twinops.server.refusals import RequestError

Message = dict[str, Any]


class Talk:
    """Between the server's `receive` and `send` and the app's."""

    def __init__(self, receive: Any, send: Any, limits: Limits, *, bodiless: bool) -> None:
        self._receive, self._send, self._limits = receive, send, limits
        self._got, self._waited = 0, 0.0
        self._mute = False
        self.complete = bodiless
        self.started = False
        self.at_most = 0
        self.replay: bytes | None = None
        self.wrong: RequestError | None = None

    async def more(self) -> bytes:
        """The next piece of the body.

        Raises:
            RequestError: it comes too slowly (408), is too much (413), or the client is gone (400).
        """
        clock = asyncio.get_running_loop().time
        left = self._limits.grace + self._got / self._limits.rate - self._waited
        begun = clock()
        try:
            async with asyncio.timeout(max(left, 0.001)):
                message = await self._receive()
        except TimeoutError:
            raise RequestError(408, "the body came too slowly.") from None
        self._waited += clock() - begun
        if message["type"] != "http.request":
            raise RequestError(400, "the body ended too early.")
        piece: bytes = message.get("body", b"")
        self._got += len(piece)
        self.complete = not message.get("more_body", False)
        if self._got > self.at_most:
            raise RequestError(413, f"the body is larger than {self.at_most:,} bytes.")
        return piece

    async def counted(self) -> Message:
        """What an app that streams is handed; when the body is refused it sees the client leave, and is not heard."""
        if self.complete or self.wrong:
            return await self.listen() if self.complete else {"type": "http.disconnect"}
        try:
            piece = await self.more()
        except RequestError as why:
            self.wrong, self._mute = why, not self.started
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": not self.complete}

    async def listen(self) -> Message:
        """The whole body once, then whether the client is still there."""
        if self.replay is not None:
            body, self.replay = self.replay, None
            return {"type": "http.request", "body": body, "more_body": False}
        message: Message = await self._receive()
        return message

    async def send(self, message: Message) -> None:
        """The app's answer. Who is answered before all was said is not listened to on this connection again."""
        if self._mute:
            return
        if message["type"] == "http.response.start":
            self.started = True
            if message["status"] == 501:  # MLflow: this store cannot do that; to a client it is not there
                message = {**message, "status": 404}
            if not self.complete:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last or self.complete:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._linger()
        await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, why: RequestError) -> None:
        """Answer in our own words."""
        self._mute = False
        for message in why.messages:
            await self.send(message)

    async def _linger(self) -> None:
        """Read on a little and forget it: a connection closed on unread bytes would take the answer with it."""
        passed = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger):
                while passed < self._limits.linger_bytes and not self.complete:
                    message = await self._receive()
                    passed += len(message.get("body", b""))
                    self.complete = message["type"] != "http.request" or not message.get("more_body", False)
