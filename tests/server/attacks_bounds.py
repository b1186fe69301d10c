"""Attacks by whoever can reach the port: plain functions over a server's address, for tests here and for `make siege`.

Each takes the `Live` that is attacked and answers with what a judge needs; none looks inside the server.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import socket
import statistics
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from live import API, ARTIFACTS, Answer, Live

TRACES = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
NAMES = {
    "Greek omicron": "productiοn",
    "Cyrillic": "рrоduсtiоn",
    "capital": "Production",
    "zero-width space": "produc\u200btion",
    "bidirectional": "\u202eproduction",
    "mathematical": "𝓅𝓇ℴ𝒹𝓊𝒸𝓉𝒾ℴ𝓃",
    "digit": "product1on",
    "hyphen": "pro-duction",
}
"""Aliases that a reader takes for `production`."""
PLACES = (
    "file:///etc", "file:/etc/x", "/etc", "../x", "../../x", "file://host/x", "http://127.0.0.1:1/x", "s3://elsewhere/x",
    "ftp://127.0.0.1:1/x", "mlflow-artifacts:/../x", "mlflow-artifacts:/%2e%2e/x", "mlflow-artifacts:/%252e%252e/x",
    "mlflow-artifacts://127.0.0.1:1/x", "twinops+file:///etc", "hdfs://x/y", "dbfs:/x", "runs:/x/y", "models:/twin/1",
    "FILE:///etc", "file:relative",
    "mlflow-artifacts:/x?y=../..", "mlflow-artifacts:/x#y", "gs://x/y",
    "mlflow-artifacts:/twinops-approved/x",
)  # fmt: skip
"""Where no experiment's artifacts may be kept."""


def login(live: Live, who: str | None, password: str | None = None) -> str:
    """The header line of a login; nothing for anonymous requests."""
    if who is None:
        return ""
    told = base64.b64encode(f"{who}:{live.passwords[who] if password is None else password}".encode()).decode()
    return f"Authorization: Basic {told}\r\n"


@contextmanager
def connected(live: Live, source: str | None = None) -> Iterator[socket.socket]:
    """A connection of one's own, from an address of one's own."""
    made = socket.create_connection(
        ("127.0.0.1", live.port), timeout=60, source_address=(source, 0) if source else None
    )
    with made:
        yield made


def spoken(connection: socket.socket) -> Answer:
    """Status and body of what comes back; 0 when the connection is cut."""
    told = b""
    with suppress(OSError):
        while piece := connection.recv(65536):
            told += piece
            head, found, body = told.partition(b"\r\n\r\n")
            length = next(
                (int(n.split(b":")[1]) for n in head.split(b"\r\n") if n.lower().startswith(b"content-length")), 0
            )
            if found and len(body) >= length:
                break
    return Answer(int(told[9:12] or 0), told.partition(b"\r\n\r\n")[2])


def chunked(live: Live, mib: int, *, who: str | None = None, path: str = f"{API}/runs/create") -> tuple[Answer, int]:
    """A body without an end in sight. The answer, and how many MiB were taken before the connection ended."""
    taken, chunk = 0, b"%x\r\n" % 2**20 + b"a" * 2**20 + b"\r\n"
    with connected(live) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n{login(live, who)}"
        connection.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        with suppress(OSError):
            for each in range(mib):
                connection.sendall(chunk)
                taken = each + 1
        return spoken(connection), taken


def lying(live: Live, *, says: int, sends: int, who: str | None = None) -> Answer:
    """A Content-Length that is not the body's."""
    with connected(live) as connection:
        head = f"POST {API}/runs/create HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n{login(live, who)}"
        connection.sendall(f"{head}Content-Length: {says}\r\n\r\n".encode() + b"{" * sends)
        return spoken(connection)


def bomb(live: Live, mib: int, *, who: str | None, encoding: str = "gzip") -> Answer:
    """A small body that unfolds into a large one."""
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=9) as file:
        for _ in range(mib):
            file.write(b"\0" * 2**20)
    body = made.getvalue()
    if encoding == "deflate":
        body = zlib.compress(b"\0" * (mib << 20), 9)
    if encoding == "gzip, gzip":
        body = gzip.compress(body)
    return live.call("POST", "/v1/traces", body, who=who, **TRACES, Content_Encoding=encoding)


@contextmanager
def half_open(live: Live, number: int, *, words: str, source: str | None = None) -> Iterator[list[socket.socket]]:
    """Many connections that begin to say something and do not go on."""
    held = []
    try:
        for _ in range(number):
            made = socket.create_connection(
                ("127.0.0.1", live.port), timeout=30, source_address=(source, 0) if source else None
            )
            held.append(made)
            with suppress(OSError):
                made.sendall(words.encode())
        yield held
    finally:
        for made in held:
            made.close()


def begun(live: Live, what: str, who: str | None = None) -> str:
    """How a half-open line begins: with nothing, half a head, half a body or upload; `open`: with no login asked.

    `unread` is a whole request for much, of whose answer nothing is taken.
    """
    about = f" HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n{login(live, who)}"
    head = f"POST {API}/runs/create{about}"
    return {
        "nothing": "",
        "head": head,
        "body": head + "Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n{",
        "upload": f"PUT {ARTIFACTS}/0/x/artifacts/y{about}Content-Length: 9000\r\n\r\n{{",
        "unread": f"GET /static-files/{largest()}{about}\r\n",
        "open": f"POST /health{about}Content-Length: 9\r\n\r\n{{",
    }[what]


def largest() -> str:
    """The largest file that anybody gets."""
    folder = Path(str(find_spec("mlflow").submodule_search_locations[0])) / "server" / "js" / "build"  # type: ignore
    found = max((p for p in folder.rglob("*.js")), key=lambda p: p.stat().st_size)
    return found.relative_to(folder).as_posix()


def huge_head(live: Live, *, number: int = 1, size: int = 10_000_000) -> tuple[Answer, int]:
    """Headers without an end in sight; the answer and how many bytes were taken."""
    taken = 0
    with connected(live) as connection, suppress(OSError):
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        for each in range(number):
            connection.sendall(b"X-%d: " % each + b"a" * size + b"\r\n")
            taken += size
        connection.sendall(b"\r\n")
        return spoken(connection), taken
    return Answer(0, b""), taken


@dataclass
class Honest:
    """What somebody who means well meets meanwhile."""

    seconds: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    @property
    def p99(self) -> float:
        """Seconds."""
        return (
            statistics.quantiles(self.seconds, n=100, method="inclusive")[-1] if len(self.seconds) > 1 else float("inf")
        )


@contextmanager
def honest(live: Live, who: str = "scientist", *, source: str = "127.0.0.2") -> Iterator[Honest]:
    """Somebody at this address, logged in before, who asks one request after the other as long as the block runs."""
    met, over = Honest(), threading.Event()
    body = json.dumps({"max_results": 5}).encode()
    head = f"POST {API}/experiments/search HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n{login(live, who)}"
    about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    def ask() -> int:
        with connected(live, source) as connection:
            connection.sendall((head + about).encode() + body)
            return spoken(connection).status

    def go() -> None:
        while not over.is_set():
            start = time.monotonic()
            met.statuses.add(ask())
            met.seconds.append(time.monotonic() - start)
            over.wait(0.02)

    met.statuses.add(ask())
    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield met
    finally:
        over.set()
        thread.join()


def dribble(those: tuple[socket.socket, ...], *, seconds: float) -> None:
    """A byte now and then, so that nothing seems to be idle."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for slow in those:
            with suppress(OSError):
                slow.sendall(b"x")
        time.sleep(0.4)


def guesses(live: Live, account: str, number: int, *, source: str = "127.0.0.9") -> list[int]:
    """Passwords tried one after the other; the statuses."""
    found = []
    for each in range(number):
        with connected(live, source) as connection:
            head = f"GET {API}/experiments/get?experiment_id=0 HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n"
            connection.sendall(
                f"{head}{login(live, account, f'guess-{each:04}-wrong')}Connection: close\r\n\r\n".encode()
            )
            found.append(spoken(connection).status)
    return found


def placed(live: Live, who: str = "scientist") -> dict[str, Answer]:
    """Experiments that would keep their artifacts elsewhere, by the place asked for."""
    return {
        place: live.call("POST", f"{API}/experiments/create", {"name": f"at {n}", "artifact_location": place}, who=who)
        for n, place in enumerate(PLACES)
    }


def named_alike(live: Live, name: str, version: int, who: str = "scientist") -> dict[str, Answer]:
    """Aliases that look like the protected one."""
    return {
        what: live.call(
            "POST", f"{API}/registered-models/alias", {"name": name, "alias": alias, "version": str(version)}, who=who
        )
        for what, alias in NAMES.items()
    }


def models_alike(live: Live, name: str, who: str = "scientist") -> dict[str, Answer]:
    """Models whose names look like one that is there."""
    asked = (
        name.capitalize(),
        name.upper(),
        name.replace("i", "і"),
        f"{name}\u200b",
        f"\u202e{name}",
        f" {name}",
        f"{name}\u3164",
    )
    return {a: live.call("POST", f"{API}/registered-models/create", {"name": a}, who=who) for a in asked}
