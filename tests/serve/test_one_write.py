"""An answer reaches its client in one piece, and nothing that was written is lost when the line is closed."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import serving
from living_world import natural
from serving import Shop

from twinops.service.one_write import Together


class Wire:
    """A transport that keeps what it was given."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> Any:
        return name


def test_what_is_written_in_one_turn_goes_out_in_one_write_and_in_order() -> None:
    async def turns() -> Wire:
        wire = Wire()
        line = Together(wire, asyncio.get_running_loop())  # type: ignore[arg-type]
        line.write(b"head ")
        line.write(b"body ")
        assert wire.told == []
        await asyncio.sleep(0)
        line.write(b"next")
        await asyncio.sleep(0)
        assert line.get_extra_info("peername") == "peername"
        return wire

    assert asyncio.run(turns()).told == [b"head body ", b"next"]


def test_what_waits_goes_out_before_the_line_is_closed_and_nothing_after() -> None:
    async def turns() -> Wire:
        wire = Wire()
        line = Together(wire, asyncio.get_running_loop())  # type: ignore[arg-type]
        line.write(b"last")
        line.close()
        line.write(b"late")
        await asyncio.sleep(0)
        return wire

    wire = asyncio.run(turns())
    assert (wire.told, wire.closed) == ([b"last"], True)


def test_two_questions_sent_at_once_over_one_line_are_both_answered_in_order(shop: Shop) -> None:
    token = shop.token("everything")

    def asked(who: int) -> bytes:
        body = b'{"purpose": "offers"}'
        head = f"POST /v1/twins/{natural(who)}/predict HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n"
        return head.encode() + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with (
        serving.running(shop) as (address, _),
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=20) as line,
    ):
        line.sendall(asked(40) + asked(-1))
        found = b""
        while found.count(b"HTTP/1.1 ") < 2 or not found.endswith(b"}"):
            found += line.recv(65536)
    assert [part[:3] for part in found.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]
