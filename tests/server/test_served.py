"""`twinops serve` against a governed server that runs: promoted with an approval, then everything that must end it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import candidate
import live as living
import play
import pytest
import serving
import test_registry
from live import Live
from living_world import living_crowd
from serving import Asked, Shop, refusal, until
from test_day import done, forced, stage_of_pictures

from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.registry_client import log_memory
from twinops.errors import ServiceError
from twinops.service.opened import Serving, opened
from twinops.twin.model.model_file import to_text

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(900)]
URI = "twin@production"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with a version that was judged and approved by an officer, and is not promoted yet."""
    root = tmp_path_factory.mktemp("project")
    places = candidate.make_candidate(root)
    candidate.write(places.model, to_text(living_crowd().model))  # one that answers with ranges
    candidate.lock(root)
    stage_of_pictures(root)
    given = replace(play.evidence(), key=DvcStore(root).candidate_key())
    candidate.write(places.evidence, given.to_json())
    for name, text in play.documents(given).items():
        candidate.write(root / "model_cards" / "twin" / name, text)
    candidate.write(root / "play-policy.yaml", play.POLICY)
    candidate.write(root / ".git" / "info" / "exclude", "server.log\n")
    (root / "compliance" / "offices.yaml").write_text(play.OFFICES.replace("scientist@example.org", "t@example.org"))
    candidate.git(root, "add", "-A")
    candidate.commit(root)
    play.copy_migrated(root)
    server = Live(root, living.free_port(), None)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@dataclass
class Way:
    """What lies between the service and the registry: it goes to `to`, and may change what is said."""

    to: str
    address: str = ""
    change: Any = None

    def answer(self, path: str, login: str) -> tuple[int, bytes]:
        where = urlsplit(self.to)
        line = HTTPConnection(str(where.hostname), where.port, timeout=20)
        line.request("GET", path, headers={"Authorization": login})
        said = line.getresponse()
        body = said.read()
        line.close()
        return said.status, body if self.change is None else self.change(path, body)


@contextmanager
def between(to: str) -> Iterator[Way]:
    way = Way(to)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, body = way.answer(self.path, self.headers.get("Authorization", ""))
            except OSError:
                self.close_connection = True  # nobody is there
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    way.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield way
    finally:
        server.shutdown()
        server.server_close()


def begins(shop: Shop, key: str) -> str:
    """Why the service does not begin."""
    with pytest.raises(ServiceError) as found:
        opened(lambda: shop.ground, Serving(URI, key))
    return str(found.value)


def test_a_version_is_served_while_the_server_vouches_for_it_and_not_a_second_longer(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = serving.built(tmp_path / "shop")
    token, key = shop.token("everything"), str(live.root / "registry" / "registry.pub")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(log_memory, "_here", {})
    monkeypatch.setattr(serving, "PUBLIC", key)
    with between(live.address) as way:
        monkeypatch.setenv("TWINOPS_SERVER", way.address)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "scientist")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", live.passwords["scientist"])
        done(live, "track")
        done(live, "register")
        done(live, "policy", "activate", "play-policy.yaml", "--yes", who="risk-officer")
        done(live, "judge", "activate", "--yes", who="risk-officer")
        forced(live)
        assert "No model is vouched for" in begins(shop, key), "registered and judged is not approved"
        officer_says(live, "approve")
        assert "No model is vouched for" in begins(shop, key), "approved is not promoted"
        done(live, "model", "promote", "twin", "1")
        with serving.running(shop, uri=URI) as (address, _):
            asked = Asked(address, token)
            approved_answers(asked)
            changed_on_the_way(shop, asked, way, key)
            another_server(asked, way, shop, live)
            down_and_up(asked, live)
            tampered(shop, live, key)
            approved_answers(asked)
            officer_says(live, "revoke")
            # the command itself takes longer than the service to know: what is left is counted
            assert until(lambda: asked.predict(40).status_code == 503) < 1.0
            assert refusal(asked.predict(40)) == "model-cut"
            assert "revoked" in asked.predict(40).json()["detail"]
        assert "revoked" in begins(shop, key)


def officer_says(live: Live, word: str) -> None:
    digest = json.loads(done(live, "model", "show", "twin", "1", "--json"))["digest"]
    bound = ("--digest", digest) if word == "approve" else ()
    done(live, "model", "review", "twin", "1", word, "--reason", play.PLAY, *bound, who="risk-officer")


def approved_answers(asked: Asked) -> None:
    until(lambda: asked.predict(40).status_code == 200, 60)
    assert asked.predict(40).json()["model"]["version"] == 1


def cut(asked: Asked, seconds: float) -> str:
    """Within so many seconds nothing is answered any more; why."""
    assert until(lambda: asked.predict(40).status_code == 503) < seconds
    assert refusal(asked.predict(40)) == "model-cut"
    return str(asked.predict(40).json()["detail"])


def changed_on_the_way(shop: Shop, asked: Asked, way: Way, key: str) -> None:
    """A pass that was sent before, one of whose words was changed, and bytes of the model that were."""
    kept: list[bytes] = []
    way.change = lambda path, body: kept.append(body) or body if "/pass" in path else body
    until(lambda: bool(kept))
    way.change = lambda path, body: kept[0] if "/pass" in path else body
    assert "older one" in cut(asked, 2.0)
    way.change = None
    approved_answers(asked)
    way.change = lambda path, body: body.replace(b"production", b"productive", 1) if "/pass" in path else body
    assert cut(asked, 2.0)
    assert "No model is vouched for" in begins(shop, key)
    way.change = None
    approved_answers(asked)
    way.change = lambda path, body: body + b" " if path.endswith("twin.json") else body
    assert "No model is vouched for" in begins(shop, key)
    way.change = None


def another_server(asked: Asked, way: Way, shop: Shop, live: Live) -> None:
    """Under the same address another registry vouches for the same name, with a key of its own."""
    imposter = test_registry.Registry(shop.bundle / "model", serving.bundled(shop))
    with test_registry.served(imposter) as elsewhere:
        way.to = elsewhere
        assert cut(asked, 2.0)
        assert imposter.asked
    way.to = live.address
    approved_answers(asked)


def down_and_up(asked: Asked, live: Live) -> None:
    """Without a word for five seconds nothing is answered; with one again it is."""
    live.stop()
    assert cut(asked, 8.0)
    live.start()
    approved_answers(asked)


def tampered(shop: Shop, live: Live, key: str) -> None:
    """Somebody with the server's disk changed the copy of what was approved: it is not loaded."""
    files = [p for p in (live.root / "registry" / "approved").rglob("twin.json") if p.is_file()]
    assert files
    before = {file: (file.read_bytes(), file.stat().st_mode) for file in files}
    for file, (content, _) in before.items():
        file.chmod(0o600)
        file.write_bytes(content.replace(b"1", b"2", 1))
    assert "No model is vouched for" in begins(shop, key)
    for file, (content, mode) in before.items():
        file.write_bytes(content)
        file.chmod(mode)
