"""Who answers a request leads nobody to another host: not what was sent, not a login, not a look around inside."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from twinops.adapters import straight
from twinops.adapters.registry_client.client import Door
from twinops.errors import ServiceError
from twinops.server.registry import outbox


class Leading(BaseHTTPRequestHandler):
    """Answers below /to/ that it is found elsewhere; drips below /slow; tells what reached it."""

    def do_GET(self) -> None:
        self.server.heard.append(self.path)  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        to = self.path.partition("/to/")[2]
        self.send_response(302 if to else 200)
        self.send_header("Location", f"http://{to}:{self.server.server_port}/there")  # type: ignore[attr-defined]
        self.end_headers()
        if self.path == "/slow":
            self.wfile.flush()
            self.server.ended.wait(20)  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def leading() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Leading)
    server.heard, server.ended = [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.ended.set()
    server.shutdown()
    server.server_close()


def test_another_host_is_not_asked_and_the_same_one_is(leading: Any) -> None:
    at = f"http://127.0.0.1:{leading.server_port}/to/"
    with straight.opened(urllib.request.Request(f"{at}127.0.0.1"), seconds=10) as answer:  # noqa: S310
        assert answer.status == 200
    assert leading.heard == ["/to/127.0.0.1", "/there"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        straight.opened(urllib.request.Request(f"{at}localhost"), seconds=10)  # noqa: S310
    refused.value.close()
    assert leading.heard[2:] == ["/to/localhost"]


def test_a_registry_that_leads_elsewhere_is_not_followed_with_the_login(leading: Any) -> None:
    with pytest.raises(ServiceError):
        Door(f"http://127.0.0.1:{leading.server_port}/to/localhost?", "ann", "secret").get("queue")
    assert "/there" not in leading.heard


def test_a_webhook_leads_nowhere_and_holds_up_nothing(leading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(outbox.WEBHOOK, f"http://127.0.0.1:{leading.server_port}/to/localhost")
    with pytest.raises(urllib.error.HTTPError) as refused:
        outbox._send({"event": "approved"})
    refused.value.close()
    assert leading.heard == ["/to/localhost"]
    monkeypatch.setenv(outbox.WEBHOOK, f"http://127.0.0.1:{leading.server_port}/slow")
    outbox._send({"event": "approved"})
    assert not leading.ended.is_set()
