"""Many callers at once, and what they cost: memory of the server's processes, and how long an honest caller waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from siege.client import Client


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """All at once, answers in order."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(n: int) -> None:
        start.wait()
        answers[n] = calls[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def resident(at: Client) -> int:
    """Bytes of memory that the server's processes hold; 0 when they are not ours to look at."""
    process = getattr(at, "process", None)
    if process is None:
        return 0
    parent = psutil.Process(process.pid)
    total = 0
    for one in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total


@dataclass
class Watch:
    """What was seen while something happened."""

    before: int
    most: int
    waited: list[float] = field(default_factory=list)
    """Seconds of each honest request."""
    failed: list[str] = field(default_factory=list)

    @property
    def grown_mb(self) -> float:
        return (self.most - self.before) / 1e6

    def waiting(self, share: float) -> float:
        """Seconds within which this share of honest requests was answered."""
        ordered = sorted(self.waited)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


@contextmanager
def watched(at: Client, *, every: float = 0.05) -> Iterator[Watch]:
    """Memory is sampled and an honest scientist asks for production, from here to the end of the block."""
    now = resident(at)
    seen, over = Watch(now, now), threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            seen.most = max(seen.most, resident(at))

    def ask() -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                answer = at.resolved()
                if answer.status != 200:
                    seen.failed.append(f"{answer.status} {answer.body[:100]!r}")
            except OSError as problem:
                seen.failed.append(type(problem).__name__)
            seen.waited.append(time.monotonic() - began)
            over.wait(every)

    threads = [threading.Thread(target=look), threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def chunked(at: Client, path: str, megabytes: int, *headers: str) -> int:
    """Send so many megabytes without saying how many; the status of the answer, 0 when the line was cut."""
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    host = at.address.partition("://")[2]
    head = (f"PUT {path} HTTP/1.1", f"Host: {host}", "Transfer-Encoding: chunked", *headers)
    try:
        with at.connected(seconds=120) as line:
            line.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
            with suppress(OSError):
                for _ in range(megabytes):
                    line.sendall(chunk)
                line.sendall(b"0\r\n\r\n")
            said = line.recv(4096)
    except OSError:
        return 0
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/") else 0


@contextmanager
def half_open(at: Client, count: int) -> Iterator[int]:
    """So many connections that began a request and say no more; how many of them the server took."""
    host = at.address.partition("://")[2]
    head = f"POST /api/2.0/mlflow/registered-models/alias HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nx"
    lines = []
    try:
        for _ in range(count):
            with suppress(OSError):
                line = at.connected(seconds=5)
                lines.append(line)
                line.sendall(head.encode())
        yield len(lines)
    finally:
        for line in lines:
            line.close()
