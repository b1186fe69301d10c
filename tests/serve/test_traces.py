"""Where the environment names a receiver of traces, spans reach it by OTLP; one that is dead costs nobody an answer."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import serving
from living_world import natural
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from serving import Asked, Shop, refusal, until
from test_begin import begun

from twinops.errors import ParamsError
from twinops.service import traces

SECRET = "ann.example@mail.invalid"


@dataclass
class Receiver:
    """What an OTLP receiver was sent."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[tuple[str, int]]:
        """Names and status, in the order in which they began."""
        told = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        spans = [s for t in told for of in t.resource_spans for scope in of.scope_spans for s in scope.spans]
        spans.sort(key=lambda s: s.start_time_unix_nano)
        assert all(len(s.trace_id) == 16 and s.end_time_unix_nano >= s.start_time_unix_nano for s in spans)
        return [(s.name, s.attributes[0].value.int_value) for s in spans]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.asked.append((self.path, self.headers["Content-Type"], self.headers["x-team"]))
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@contextmanager
def traced(shop: Shop, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The service in a process of its own, that hands traces to this port."""
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-team=shop%20one",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    mine = serving.free_port()
    with begun(shop, str(shop.bundle), mine) as running:
        try:
            until(lambda: serving.healthy(mine), 120)
            yield mine, running
        finally:
            running.terminate()


def test_spans_of_what_was_answered_and_refused_reach_a_receiver_without_an_id_or_a_token(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = shop.token("everything")
    with traced(shop, receiver.port, monkeypatch) as (port, running):
        asked = Asked(f"http://127.0.0.1:{port}", token)
        assert asked.predict(40).status_code == 200
        assert refusal(asked.predict(SECRET)) == "unknown-consumer"
        assert asked.buy(41, "e1").status_code == 202
        assert refusal(Asked(f"http://127.0.0.1:{port}", SECRET).predict(40)) == "unauthenticated"
        # these go through the framework, whose own spans would have the path
        assert asked.post(f"/v1/twins/{natural(40)}/explain?who={natural(40)}", purpose="offers").status_code == 200
        assert asked.post(f"/v1/twins/{natural(40)}/simulate", purpose="offers", action=SECRET).status_code == 400
        assert asked.post("/v1/score", purpose="offers", consumers=[natural(40), SECRET]).status_code == 200
        assert asked.post(f"/v1/twins/{natural(40)}/predict", **{SECRET: natural(40)}).status_code == 400
        assert asked.post(f"/v2/{natural(40)}").status_code == 404
        running.terminate()
        assert running.stderr is not None
        assert "traces" not in running.stderr.read()
    told = [span for span in receiver.spans if span[0] != "twinops healthz"]
    assert told == [
        ("twinops predict", 200),
        ("twinops predict", 404),
        ("twinops events", 202),
        ("twinops predict", 401),
        ("twinops explain", 200),
        ("twinops simulate", 400),
        ("twinops score", 200),
        ("twinops predict", 400),
        ("twinops other", 404),
    ]
    assert set(receiver.asked) == {("/v1/traces", "application/x-protobuf", "shop one")}
    sent = b"".join(receiver.bodies)
    for word in (natural(40), natural(41), SECRET, token, token.partition(".")[2], shop.keys.known_sid(natural(40))):
        assert word.encode() not in sent
    assert b"twinops" in sent


def test_a_receiver_that_takes_and_never_answers_slows_and_stops_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = shop.token("everything")
    with (
        socket.create_server(("127.0.0.1", 0)) as dead,
        traced(shop, dead.getsockname()[1], monkeypatch) as (port, run),
    ):
        asked = Asked(f"http://127.0.0.1:{port}", token)
        times = []
        for _ in range(3_000):
            begun_at = time.monotonic()
            assert asked.predict(40).status_code == 200
            times.append(time.monotonic() - begun_at)
        assert sorted(times)[2_700] < traces.WAIT_S / 10
        run.terminate()
        assert until(lambda: run.poll() is not None, 60) < 30
        assert run.stderr is not None
        said = run.stderr.read()
    assert said.count("The receiver of traces takes none") == 1
    assert "Traceback" not in said


def test_an_address_that_is_none_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert traces.configured() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "file:///etc/passwd")
    with pytest.raises(ParamsError, match="receiver of traces"):
        traces.configured()
