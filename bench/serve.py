"""What the guarded service costs beside `mlflow models serve` of the same model: 8 clients, in turn, in one run.

One process each, on loopback, keep-alive, one consumer a question. Ours is asked with every guard on and its log of
decisions full, for consumers drawn from 450, whose answers are foretold as long as their state is the same; MLflow's
answers the same two purchase lines each time, and knows of no guard. Wall time, for what
waits in a queue costs no CPU: the machine should be quiet.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = [str(ROOT / part) for part in ("tests/serve", "tests/server", "tests/unit", "tests", "setup")]
CLIENTS, SECONDS, ROUNDS = 8, 4.0, 2
SWITCH_S = 0.0001
"""A client here waits so long for the turn of the others, not Python's 5 ms, which would be told as the service's."""
EVENTS_A_SECOND, EVENTS_A_CALL, TILLS = 1_000, 20, 4
PEER = "mlflow models serve"
Row = dict[str, object]
Made = Callable[[], bytes]


@dataclass(frozen=True)
class Load:
    """Seconds of each answer, in all of so many seconds."""

    times: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def ms(self, percent: int) -> float:
        """The percentile in milliseconds."""
        return 1000 * statistics.quantiles(self.times, n=100)[percent - 1]


def serve(*, quick: bool = False) -> list[Row]:
    """Ours and the peer in turn, then ours with events between the questions."""
    sys.setswitchinterval(SWITCH_S)
    seconds, rounds = (2.0, 1) if quick else (SECONDS, ROUNDS)
    sys.path[:0] = TESTS
    import serving

    from twinops.adapters.mlflow import registry

    with tempfile.TemporaryDirectory() as scratch:
        shop = serving.built(Path(scratch) / "shop")
        token = shop.token("bench", rate=1e6)
        asks = questions(token)
        registry.save(shop.places.model, Path(scratch) / "peer")
        body = peer_body()
        with ours(shop.root) as (port, memory), peer(Path(scratch) / "peer") as other:
            drive(port, asks, 1.0), drive(other, lambda: body, 1.0)
            taken = [(drive(port, asks, seconds), drive(other, lambda: body, seconds)) for _ in range(rounds)]
            before = memory()
            mixed, told = with_events(port, asks, token, seconds)
            grown = memory() - before
    mine, theirs = (joined([t[i] for t in taken]) for i in (0, 1))
    note = f"{CLIENTS} clients, one process each, all guards on; higher is better"
    beside = f"beside {told:,.0f} events a second of {EVENTS_A_SECOND:,} wished for, each synced before it is answered"
    return [
        row("serve_rps", mine.rate, theirs.rate, mine, note),
        row("serve_p50_ms", mine.ms(50), theirs.ms(50), mine, "the same run"),
        row("serve_p99_ms", mine.ms(99), theirs.ms(99), mine, "the same run"),
        row("serve_mixed_rps", mixed.rate, None, mixed, f"{beside}; memory grew by {grown:.1f} MB; higher is better"),
        row("serve_mixed_p99_ms", mixed.ms(99), None, mixed, beside),
    ]


def row(name: str, value: float, of_peer: float | None, load: Load, note: str) -> Row:
    """One line of the results."""
    unit = "ms" if name.endswith("_ms") else "answers/s"
    beside = {"peer": None, "ratio": None} if of_peer is None else {"peer": PEER, "ratio": value / of_peer}
    return {"name": name, "value": value, "unit": unit, **beside, "n": len(load.times), "note": note}


def joined(loads: list[Load]) -> Load:
    """Several as one."""
    return Load([t for load in loads for t in load.times], sum(load.seconds for load in loads))


def questions(token: str) -> Made:
    """A prediction of a consumer that is drawn."""
    from living_world import natural

    rng = random.Random(1)  # noqa: S311  # whom we ask about

    def made() -> bytes:
        path = f"/v1/twins/{natural(rng.randrange(450))}/predict"
        return request(path, {"purpose": "offers"}, token)

    return made


def request(path: str, body: object, token: str = "") -> bytes:
    """The bytes of a POST."""
    text = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    )
    return (head + (f"Authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode() + text


def peer_body() -> bytes:
    """The two purchase lines of one consumer of the model's own example."""
    from twinops.adapters.mlflow.twin_flavour import example

    lines = json.loads(example().tail(2).to_json(orient="split", index=False))
    return request("/invocations", {"dataframe_split": lines, "params": {"purpose": "offers"}})


def drive(port: int, made: Made, seconds: float) -> Load:
    """Eight clients that ask as soon as they are answered."""
    times: list[list[float]] = [[] for _ in range(CLIENTS)]
    begun = time.perf_counter()
    threads = [threading.Thread(target=_ask, args=(port, made, begun + seconds, t)) for t in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load([t for each in times for t in each], time.perf_counter() - begun)


def _ask(port: int, made: Made, until: float, times: list[float]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (begun := time.perf_counter()) < until:
            line.sendall(made())
            status = answered(line)
            if status not in (b"200", b"202"):
                raise SystemExit(f"bench: an answer had the status {status!r}")
            times.append(time.perf_counter() - begun)


def answered(line: socket.socket) -> bytes:
    """The status, once the whole answer is there."""
    return answer(line)[0]


def answer(line: socket.socket) -> tuple[bytes, bytes]:
    """The status and the body.

    Raises:
        OSError: the connection ended before the answer did.
    """
    found = b""
    while b"\r\n\r\n" not in found:
        found += _more(line)
    head, _, body = found.partition(b"\r\n\r\n")
    length = next(int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
    while len(body) < length:
        body += _more(line)
    return head[9:12], body


def _more(line: socket.socket) -> bytes:
    found = line.recv(65536)
    if not found:
        raise ConnectionResetError
    return found


def with_events(port: int, asks: Made, token: str, seconds: float) -> tuple[Load, float]:
    """The same while tills, in a process of their own, tell of baskets; how many a second were taken in."""
    command = [sys.executable, __file__, str(port), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as teller:
        assert teller.stdin is not None  # noqa: S101
        assert teller.stdout is not None  # noqa: S101
        teller.stdin.write(token + "\n")
        teller.stdin.flush()
        teller.stdout.readline()
        load = drive(port, asks, seconds)
        told = teller.stdout.read()
    if teller.returncode:
        raise SystemExit("bench: events were not taken")
    return load, float(told)


def tell(port: int, token: str, seconds: float) -> float:
    """Tell of so many baskets a second over a few connections, or of as many as are taken in; how many that were."""
    from living_world import natural

    whom, told = [natural(n) for n in range(450)], [0] * TILLS
    print("begins", flush=True)
    begun = time.perf_counter()
    asks = [_baskets(whom, token, seed) for seed in range(TILLS)]
    threads = [threading.Thread(target=_till, args=(port, asks[n], begun + seconds, told, n)) for n in range(TILLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(told) / (time.perf_counter() - begun)


def _baskets(whom: list[str], token: str, seed: int) -> Made:
    rng = random.Random(seed)  # noqa: S311

    def made() -> bytes:
        events = [
            {"event_id": secrets.token_hex(8), "kind": "purchase", "consumer": rng.choice(whom),
             "day": "2017-08-02", "cents": rng.randrange(100, 9000)} for _ in range(EVENTS_A_CALL)
        ]  # fmt: skip
        return request("/v1/events", {"events": events}, token)

    return made


def _till(port: int, made: Made, until: float, told: list[int], mine: int) -> None:
    due = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until:
            line.sendall(made())
            if answered(line) != b"202":
                os._exit(1)
            told[mine] += EVENTS_A_CALL
            due += EVENTS_A_CALL * TILLS / EVENTS_A_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))


@contextmanager
def ours(root: Path) -> Iterator[tuple[int, Callable[[], float]]]:
    """The service in a process of its own: its port, and how many MB it holds."""
    import psutil

    told = root / "port"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(TESTS), "PYTHONWARNINGS": "ignore"}
    with started([sys.executable, str(ROOT / "tests/serve/serving.py"), str(root), str(told)], env) as process:
        wait(told.is_file, process)
        yield int(told.read_text()), lambda: psutil.Process(process.pid).memory_info().rss / 1024**2


@contextmanager
def peer(model: Path) -> Iterator[int]:
    """MLflow's scoring server of the same model file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "mlflow"),
        "models",
        "serve",
        "-m",
        str(model),
        "-p",
        str(port),
        "--env-manager",
        "local",
    ]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with started(command, {**os.environ, "PATH": path}) as process:
        wait(lambda: _listens(port), process)
        yield port


@contextmanager
def started(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process and its children, ended afterwards."""
    import psutil

    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        family = (
            [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            if process.poll() is None
            else []
        )
        for one in family:
            one.kill()
        process.wait()


def wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 120.0) -> None:
    """Until it is ready."""
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit("bench: a server did not start")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return line.recv(64)[9:12] == b"200"
    except OSError:
        return False


if __name__ == "__main__":
    sys.path[:0] = TESTS
    print(tell(int(sys.argv[1]), sys.stdin.readline().strip(), float(sys.argv[2])))
