"""What answers in the place of the registry's server is asked a few times, and what it is, is said."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from twinops.adapters.mlflow import embedded
from twinops.adapters.mlflow.versions import MlflowVersions
from twinops.errors import ServiceError

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own


@contextmanager
def answering(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, bytes]) -> Iterator[list[str]]:
    """A server that gives these answers, the last again and again: what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(embedded.SERVER, f"http://me:s3cret@127.0.0.1:{server.server_port}")
        monkeypatch.setenv(embedded.RETRIES, "0")
        monkeypatch.setattr(embedded, "WAITS_S", (0.0, 0.0))
        yield asked
        server.shutdown()


def test_a_server_that_is_no_mlflow_is_asked_three_times_each_said_and_is_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        answering(monkeypatch, (500, b"oops")) as asked,
        caplog.at_level(logging.WARNING),
        pytest.raises(ServiceError, match="did not answer, asked 3 times") as told,
    ):
        MlflowVersions(tmp_path).all()
    assert asked == ["/health"] * 3
    told_again = [r.getMessage().partition("; ")[2] for r in caplog.records]
    assert told_again == ["asking again (2 of 3) ...", "asking again (3 of 3) ..."]
    assert "s3cret" not in caplog.text + str(told.value)


@pytest.mark.parametrize("answer", [(200, b"<html>hello</html>"), (404, b"no"), (200, b'{"versions": []}')])
def test_what_answers_something_else_is_not_taken_for_a_registry_without_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes]
) -> None:
    with answering(monkeypatch, answer) as asked, pytest.raises(ServiceError, match="is no MLflow"):
        MlflowVersions(tmp_path).all()
    assert asked == ["/health"]


def test_a_server_that_begins_meanwhile_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(monkeypatch, (503, b""), (200, b"OK"), (200, b"{}")):
        assert MlflowVersions(tmp_path).all() == {}


def test_a_login_that_may_not_is_said_without_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        answering(monkeypatch, (200, b"OK"), (403, b"s3cret no")),
        pytest.raises(ServiceError, match="May this login") as told,
    ):
        MlflowVersions(tmp_path).all()
    assert "s3cret" not in str(told.value)
