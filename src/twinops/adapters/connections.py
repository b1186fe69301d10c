"""Connections before they are requests: how many, how long their head may take, and how long it may be.

Uvicorn has no such limits for its fast parser; this is its own protocol with them, for the registry and for the service
alike. One table per process.
"""

from __future__ import annotations

import asyncio
import os
import resource
from enum import IntEnum
from ipaddress import ip_address, ip_network
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PER_ADDRESS = "TWINOPS_CONNECTIONS_PER_ADDRESS"
PROXIES = "TWINOPS_PROXIES"
"""Addresses of proxies in front, with commas: they speak for many, and only their X-Forwarded-For is believed."""
HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 5
"""For a whole head."""
ANSWER_SECONDS = 60
"""For a client to take what is sent to it."""
FRESH_SECONDS = 1
"""Whoever is as new as this is about to ask."""
KNOWN = "twinops.known"
"""Stands in the scope of a request whose login was right."""


def proxies() -> tuple[str, ...]:
    """The proxies in front of this server."""
    return tuple(p.strip() for p in os.environ.get(PROXIES, "").split(",") if p.strip())


def neighbourhood(address: str) -> str:
    """Who is counted as one: an IPv4 address, an IPv6 /64, of which one client may have all.

    >>> neighbourhood("192.0.2.7"), neighbourhood("2001:db8::1:7") == neighbourhood("2001:db8::2:8")
    ('192.0.2.7', True)
    """
    try:
        held = ip_address(address)
    except ValueError:
        return address
    return address if held.version == 4 else str(ip_network((held, 64), strict=False))


class Connections:
    """The open connections by address. Whoever was silent longest without a whole request makes place for a new one."""

    def __init__(self) -> None:
        self.at_most = min(1024, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self.per_address = int(os.environ.get(PER_ADDRESS, "256"))
        self._free = frozenset(proxies())
        self._open: dict[str, dict[BoundedProtocol, None]] = {}
        self._count = 0

    def enter(self, who: BoundedProtocol) -> bool:
        """Is there a place for this one?"""
        mine = self._open.setdefault(who.neighbour, {})
        if who.neighbour not in self._free and len(mine) >= self.per_address and not _give_way(mine, who.since):
            return False
        if self._count >= self.at_most and not _give_way(max(self._open.values(), key=len), who.since):
            return False
        mine[who] = None
        self._count += 1
        return True

    def got_further(self, who: BoundedProtocol) -> None:
        """Lines stand in the order in which something came of them last."""
        mine = self._open.get(who.neighbour, {})
        if who in mine:
            mine[who] = mine.pop(who)

    def leave(self, who: BoundedProtocol) -> None:
        """It is closed."""
        mine = self._open.get(who.neighbour, {})
        if who in mine:
            del mine[who]
            self._count -= 1
        if not mine:
            self._open.pop(who.neighbour, None)


def _give_way(those: dict[BoundedProtocol, None], now: float) -> bool:
    first = min(those, key=lambda one: one.worth(now))  # of several the first
    if first.worth(now) is Worth.WHOLE:
        return False
    first.transport.abort()
    first.left()
    return True


class Worth(IntEnum):
    """Which line gives way first: it is not the honest one, whatever its neighbours at the same address do."""

    HALF_OPEN = 0
    """No whole request in a second, or one that was refused and goes on talking."""
    BETWEEN = 1
    """Answered: whoever keeps a line for later can open another."""
    FRESH = 2
    UPLOADING = 3
    """Somebody who is logged in and has not said all."""
    WHOLE = 4
    """A whole request that is being answered; it stays."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP with bounds on what comes before and between bodies."""

    here: Connections | None = None

    def connection_made(self, transport: Any) -> None:
        """Take a place, or be closed without an answer: an answer would cost more than the question."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self.neighbour = neighbourhood(self.client[0]) if self.client else "local"
        self._silent = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        type(self).here = here = self.here or Connections()
        if here.enter(self):
            self._within("head", HEAD_SECONDS)
        else:
            transport.abort()

    def worth(self, now: float) -> Worth:
        """How late it gives way."""
        if self.cycle is not None:
            if self.cycle.response_complete:
                return Worth.BETWEEN
            if self.pipeline or not self.cycle.more_body:
                return Worth.WHOLE
            if KNOWN in self.cycle.scope and not self.cycle.response_started:
                return Worth.UPLOADING
        return Worth.FRESH if now - self.since < FRESH_SECONDS else Worth.HALF_OPEN

    def got_further(self) -> None:
        """Something came of this line just now."""
        self.since = self.loop.time()
        if self.here:
            self.here.got_further(self)

    def left(self) -> None:
        """Give the place back; more than once does no harm."""
        for timer in self._timers.values():
            timer.cancel()
        if self.here:
            self.here.leave(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self.left()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what is neither a finished head nor a body: heads, trailers, chunk extensions."""
        self._silent += len(data)
        super().data_received(data)
        if self._silent > HEAD_BYTES:
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """The clock of a head runs from its first byte, however it dribbles."""
        super().on_message_begin()
        self._within("head", HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """A whole head."""
        self._silent = 0
        self.got_further()
        self._timers.pop("head").cancel()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of a body, which the app counts."""
        self._silent = 0
        if KNOWN in self.cycle.scope:  # who is nobody does not stay by dribbling
            self.got_further()
        super().on_body(body)

    def on_response_complete(self) -> None:
        """It is answered."""
        self.got_further()
        super().on_response_complete()

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._silent = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not take what it asked for."""
        super().pause_writing()
        self._within("answer", ANSWER_SECONDS)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._timers.pop("answer").cancel()

    def _within(self, what: str, seconds: float) -> None:
        if what not in self._timers:
            self._timers[what] = self.loop.call_later(seconds, self.transport.abort)
