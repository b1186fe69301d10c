"""Tills that tell of baskets, in a process of their own: each owns its customers, so their baskets come in order.

What is not taken is sent again under the same ids. Once a month is refused as collected, the next one's day is told.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from serve import EVENTS_A_SECOND, TILLS, answer, request

EVENTS_A_CALL = 50
DAYS = ("2017-09-02", "2017-10-02")
"""Of the month that an update takes in, and of the one after."""
CATCH_UP_S = 2.0
"""What a restart kept waiting is not all made up for at once."""


@dataclass(frozen=True)
class Asked:
    """What the process is told."""

    port: int
    token: str
    whom: list[str]


@dataclass
class Told:
    """What came of it: `taken` is one entry a basket in its customer's order: id, customer, day, cents, sent, taken."""

    taken: list[tuple[str, str, str, int, float, float]] = field(default_factory=list)
    closed: int = 0
    wrong: list[str] = field(default_factory=list)


class Line:
    """A connection that is made again where the service went away."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._line: socket.socket | None = None

    def ask(self, path: str, body: object) -> tuple[int, bytes]:
        """Status and body; 0: nobody answered."""
        try:
            if self._line is None:
                self._line = socket.create_connection(("127.0.0.1", self._port), timeout=60)
                self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._line.sendall(request(path, body, self._token))
            status, found = answer(self._line)
            return int(status), found
        except OSError:
            self.end()
            time.sleep(0.1)
            return 0, b""

    def end(self) -> None:
        """Close it."""
        if self._line is not None:
            self._line.close()
            self._line = None


@contextmanager
def telling(port: int, token: str, whom: list[str]) -> Iterator[Told]:
    """Tills at work; what came of it is there once they ended."""
    told = Told()
    command = (sys.executable, __file__)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tills:
        assert tills.stdin is not None  # noqa: S101
        tills.stdin.write(json.dumps(asdict(Asked(port, token, whom))) + "\n")
        tills.stdin.flush()
        yield told
        found: dict[str, Any] = json.loads(tills.communicate()[0])
    told.taken = [tuple(one) for one in found["taken"]]
    told.closed, told.wrong = found["closed"], found["wrong"]


def main() -> None:
    """Tell until stdin is closed, then say what came of it."""
    asked = Asked(**json.loads(sys.stdin.readline()))
    ending, closed, each = threading.Event(), threading.Event(), [Told() for _ in range(TILLS)]
    threads = [threading.Thread(target=_till, args=(asked, n, each[n], ending, closed)) for n in range(TILLS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ending.set()
    for thread in threads:
        thread.join()
    whole = Told([one for told in each for one in told.taken], sum(t.closed for t in each), [])
    whole.wrong = [w for told in each for w in told.wrong]
    print(json.dumps(asdict(whole)))


def _till(asked: Asked, mine: int, told: Told, ending: threading.Event, closed: threading.Event) -> None:
    rng, line, due, n = random.Random(100 + mine), Line(asked.port, asked.token), time.monotonic(), 0  # noqa: S311
    whom = asked.whom[mine::TILLS]
    while not ending.is_set():
        day = DAYS[closed.is_set()]
        events = [{"event_id": f"t{mine}-{n + k}", "kind": "purchase", "consumer": rng.choice(whom), "day": day,
                   "cents": rng.randrange(100, 9000)} for k in range(EVENTS_A_CALL)]  # fmt: skip
        n += EVENTS_A_CALL
        if not _taken(line, events, told, closed):
            return
        due = max(due + EVENTS_A_CALL * TILLS / EVENTS_A_SECOND, time.monotonic() - CATCH_UP_S)
        time.sleep(max(0.0, due - time.monotonic()))


def _taken(line: Line, events: list[dict[str, Any]], told: Told, closed: threading.Event) -> bool:
    """Sent until it is answered; whether to go on."""
    sent = time.monotonic()
    while True:
        status, body = line.ask("/v1/events", {"events": events})
        if status not in (0, 202, 503):
            told.wrong.append(f"events were answered with {status}: {body[:200]!r}")
            return False
        if status == 202:
            break
    now, found = time.monotonic(), json.loads(body)
    if found["accepted"] + found["duplicates"] == len(events):
        told.taken += [(e["event_id"], e["consumer"], e["day"], e["cents"], sent, now) for e in events]
    elif [r["type"].rpartition(":")[2] for r in found["refused"]] == ["closed-month"] * len(events):
        closed.set()
        told.closed += len(events)
    else:
        told.wrong.append(f"events: {found}"[:300])
    return True


if __name__ == "__main__":
    main()
