"""Asked of a registry over HTTP: what it no longer vouches for is cut, another version takes over, silence cuts too."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import serving
from living_world import natural
from serving import Asked, Shop, refusal, until

from twinops.adapters.registry_client import log_memory
from twinops.entities.event import stamp
from twinops.governance.log import signed_pass as passport
from twinops.service import production, watch
from twinops.workflows.twin.simulate import simulate


@dataclass
class Registry:
    """The two routes that loaders ask, signed by the registry's own code; `body` None: nothing is vouched for."""

    folder: Path
    body: dict[str, Any] | None = None
    old: bytes | None = None
    """Sent in place of an answer to this call."""
    asked: list[bytes] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, bytes]:
        """What is said to a GET."""
        url = urlsplit(path)
        if not url.path.endswith("/pass"):
            return 200, (self.folder / url.path.partition("/artifacts/store/")[2]).read_bytes()
        if self.body is None:
            return 403, json.dumps({"error_code": "PERMISSION_DENIED", "message": "The approval was revoked."}).encode()
        nonce = parse_qs(url.query)["nonce"][0]
        log = {"size": 5, "root": "r5"}
        body = {**self.body, "nonce": nonce, "issued": stamp(datetime.now(UTC)), "log": log, "place": "store"}
        self.asked.append(json.dumps(passport.issued(body, serving.KEY)).encode())
        return 200, self.old or self.asked[-1]


@contextmanager
def served(registry: Registry) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = registry.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def registry(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(log_memory, "_here", {})
    found = Registry(shop.bundle / "model", serving.bundled(shop))
    with served(found) as address:
        monkeypatch.setenv("TWINOPS_SERVER", address)
        yield found


def test_a_revocation_cuts_within_a_second_and_a_new_version_takes_over(shop: Shop, registry: Registry) -> None:
    token, body = shop.token("everything"), registry.body
    with serving.running(shop, uri="twin@production") as (address, _):
        asked = Asked(address, token)
        assert asked.predict(40).json()["model"]["version"] == 3
        registry.body = None
        assert until(lambda: asked.predict(40).status_code == 503) < 2.0
        assert refusal(asked.predict(40)) == "model-cut"
        assert "revoked" in asked.predict(40).json()["detail"]
        registry.body = {**body, "version": 4}
        until(lambda: asked.predict(40).status_code == 200, 30)
        assert asked.predict(40).json()["model"]["version"] == 4


def test_an_old_pass_sent_again_cuts(shop: Shop, registry: Registry) -> None:
    token = shop.token("everything")
    with serving.running(shop, uri="twin@production") as (address, _):
        asked = Asked(address, token)
        assert asked.predict(40).status_code == 200
        registry.old = registry.asked[0]
        assert until(lambda: asked.predict(40).status_code == 503) < 2.0
        assert "somebody sent an older one" in asked.predict(40).json()["detail"]


def test_a_registry_that_is_silent_cuts_when_its_word_is_old(
    shop: Shop, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = shop.token("everything")
    with serving.running(shop, uri="twin@production") as (address, _):
        asked = Asked(address, token)
        assert asked.predict(40).status_code == 200
        monkeypatch.setattr(production, "STALE_S", 1.0)
        monkeypatch.setenv("TWINOPS_SERVER", "http://127.0.0.1:9")
        until(lambda: asked.predict(40).status_code == 503)


def test_a_what_if_follows_the_version_that_answers_with_where_its_data_can_answer(
    shop: Shop, registry: Registry
) -> None:
    token, model, support = shop.token("everything"), shop.places.model, shop.places.support
    first, measured = model.read_text(encoding="utf-8"), json.loads(support.read_text(encoding="utf-8"))
    with serving.running(shop, uri="twin@production") as (address, _):
        asked = Asked(address, token)

        def basket() -> httpx.Response:
            return asked.post(f"/v1/twins/{natural(40)}/simulate", purpose="offers", action="basket:25")

        def answers_by(version: int) -> None:
            until(lambda: asked.predict(40).json().get("model", {}).get("version") == version, 30)

        before = basket()
        assert before.status_code == 200, before.text
        made = json.loads(first)
        made["intercepts"]["spend"] += 0.5
        model.write_text(json.dumps(made), encoding="utf-8")
        registry.body = serving.bundled(shop, version=4)
        model.write_text(first, encoding="utf-8")  # the registry is ahead of the project's files
        answers_by(4)
        assert refusal(basket()) == "no-answer"
        unmeasured = basket().json()["detail"]
        support.write_text(json.dumps(measured | {"basket_value": [2.68, 20.0]}), encoding="utf-8")
        model.write_text(json.dumps(made), encoding="utf-8")
        until(lambda: basket().json()["detail"] != unmeasured, 5)
        assert refusal(basket()) == "no-answer"
        support.write_text(json.dumps(measured), encoding="utf-8")
        until(lambda: basket().status_code == 200, 5)
        after = basket().json()["simulated"]
        told = asdict(simulate(natural(40), "basket:25", "offers", opener=shop.ground.opener))
        told.pop("refused")
        assert after == json.loads(json.dumps(told))
        assert after != before.json()["simulated"]
        # a newer candidate lies there: what was measured with the version that answers stays
        model.write_text(first, encoding="utf-8")
        time.sleep(2 * watch.MODEL_EVERY_S)
        assert basket().json()["simulated"] == after


def test_half_a_file_of_the_project_is_said_once_in_the_log_and_in_healthz_until_it_is_whole(
    shop: Shop, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    token, support = shop.token("everything"), shop.places.support
    whole = support.read_text(encoding="utf-8")
    support.write_text(whole[:200], encoding="utf-8")
    with serving.running(shop, uri="twin@production") as (address, _):
        asked = Asked(address, token)

        def basket() -> httpx.Response:
            return asked.post(f"/v1/twins/{natural(40)}/simulate", purpose="offers", action="basket:25")

        def held_up() -> list[str]:
            found: list[str] = httpx.get(f"{address}/healthz").json()["held_up"]
            return found

        # a file of what-ifs keeps nobody from a forecast
        assert asked.predict(40).status_code == 200
        assert refusal(basket()) == "no-answer"
        until(lambda: held_up() != [], 5)
        time.sleep(3 * watch.MODEL_EVERY_S)
        (told,) = held_up()
        assert "models/support.json cannot be read" in told
        assert [r.getMessage() for r in caplog.records if "support.json" in r.getMessage()] == [told]
        assert whole[:40] not in told
        support.write_text(whole, encoding="utf-8")
        until(lambda: held_up() == [], 5)
        until(lambda: basket().status_code == 200, 5)
