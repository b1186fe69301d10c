"""A service of a small project, for tests: 450 households, keys of their own, a bundle, clients; also a process."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hostile_models import MLMODEL
from living_world import AS_OF, GRID, RULE, living_crowd, living_places, natural
from supplying import DAYS

from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.mlflow import digests
from twinops.adapters.rights_ledger import FollowedRights, RightsLedger
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.governance.log import signed_pass as passport
from twinops.governance.log.checkpoint import raw
from twinops.service import clients
from twinops.service.app import application
from twinops.service.one_write import OneWrite
from twinops.service.opened import Serving, clients_file, opened
from twinops.service.run import settle
from twinops.twin.support.support import to_text
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.places import Places
from twinops.workflows.receipts import Receipts
from twinops.workflows.serving.live import LiveGround
from twinops.workflows.twin.open import Opener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing is asked over TLS here; by itself each client reads every certificate of the machine, in 19 ms."""
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = raw(KEY.public_key()).hex()
ENDS = "2126-11-23T18:00:00.000Z"
HOUSEHOLDS = 450
ALL = ("predict", "simulate", "explain", "score", "events")
BOTH = ("offers", "twin_scoring")


@dataclass(frozen=True)
class Shop:
    """A project's folder with a bundle beside it."""

    root: Path

    @property
    def places(self) -> Places:
        return Places(self.root)

    @property
    def keys(self) -> SqliteKeyStore:
        return SqliteKeyStore(self.root / "keystore")

    @property
    def ledger(self) -> RightsLedger:
        return RightsLedger(self.root / "keystore", self.keys, self.root)

    @property
    def bundle(self) -> Path:
        return self.root / "bundle"

    @property
    def ground(self) -> LiveGround:
        plane = DataPlane(self.places, DuckDBEngine(threads=1), self.keys)
        return LiveGround(
            Opener(Receipts(plane, AS_OF, DAYS, RULE, rights=FollowedRights(self.ledger)), GRID), self.ledger
        )

    def token(
        self, name: str, *, purposes: tuple[str, ...] = BOTH, acts: tuple[str, ...] = ALL, rate: float = 1e5
    ) -> str:
        return clients.added(clients_file(self.places), name, purposes=purposes, acts=acts, rate=rate)


def built(root: Path) -> Shop:
    """Made once; tests take copies."""
    shop = Shop(root)
    living_places(root, shop.keys, households=HOUSEHOLDS)
    shop.places.support.write_text(to_text(living_crowd().support), encoding="utf-8")
    bundled(shop)
    return shop


def bundled(shop: Shop, **changes: Any) -> dict[str, Any]:
    """What `twinops model export` leaves, signed."""
    folder = shop.bundle / "model"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "MLmodel").write_text(MLMODEL, encoding="utf-8")
    shutil.copyfile(shop.places.model, folder / "data" / "twin.json")
    files = digests.listing(folder)
    approval = {"id": 1, "at": "2026-11-23T18:00:00.000Z", "expires": ENDS, "separated": True}
    body = {"name": "twin", "version": 3, "alias": "production", "files": files, "digest": digests.digest_of(files),
            "approval": approval, "issued": "2026-11-23T18:00:00.000Z", **changes}  # fmt: skip
    (shop.bundle / "pass.json").write_text(json.dumps(passport.issued(body, KEY)), encoding="utf-8")
    return body


def copied(shop: Shop, into: Path) -> Shop:
    shutil.copytree(shop.root, into)
    return Shop(into)


OPENED: list[Asked] = []


class Asked:
    """A client of a running service."""

    def __init__(self, address: str, token: str) -> None:
        OPENED.append(self)
        known = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=address, headers=known, timeout=30, verify=WITHOUT_TLS)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)

    def predict(self, who: int | str, purpose: str = "offers") -> httpx.Response:
        return self.post(f"/v1/twins/{natural(who) if isinstance(who, int) else who}/predict", purpose=purpose)

    def event(self, kind: str, who: int, event_id: str, **more: Any) -> httpx.Response:
        return self.post("/v1/events", events=[{"event_id": event_id, "kind": kind, "consumer": natural(who), **more}])

    def buy(self, who: int, event_id: str, *, cents: int = 1999, day: str = "2017-08-02") -> httpx.Response:
        return self.event("purchase", who, event_id, cents=cents, day=day)


def refusal(answer: httpx.Response) -> str:
    """The type's end, of an answer that is a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).rpartition(":")[2]


@contextmanager
def running(shop: Shop, *, uri: str | None = None, **how: Any) -> Iterator[tuple[str, Any]]:
    """A real uvicorn on loopback in a thread of its own: its address, and the service."""
    service = opened(lambda: shop.ground, Serving(uri or str(shop.bundle), PUBLIC, **how))
    server = uvicorn.Server(_config(service))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(server)}", service
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


def _config(service: Any) -> uvicorn.Config:
    return uvicorn.Config(application(service), port=0, log_level="error", access_log=False, http=OneWrite)


def port_of(server: uvicorn.Server) -> int:
    until(lambda: server.started)
    return int(server.servers[0].sockets[0].getsockname()[1])


def until(holds: Any, seconds: float = 20.0) -> float:
    """Wait until it holds; how long that took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, "it never came to hold"
        time.sleep(0.01)
    return time.monotonic() - begun


def main() -> None:
    """A process that serves the shop of a folder and tells its port."""
    root, told = Path(sys.argv[1]), Path(sys.argv[2])
    service = opened(lambda: Shop(root).ground, Serving(str(root / "bundle"), PUBLIC))
    settle()
    server = uvicorn.Server(_config(service))

    def tell() -> None:
        half = told.with_suffix(".half")
        half.write_text(str(port_of(server)), encoding="utf-8")
        half.replace(told)

    threading.Thread(target=tell, daemon=True).start()
    server.run()


def made() -> FastAPI:
    """The application of one of several processes, of the shop and model that are told."""
    root, uri = Path(os.environ["SHOP"]), os.environ["SHOP_MODEL"]
    return application(opened(lambda: Shop(root).ground, Serving(uri, PUBLIC)))


@contextmanager
def several(shop: Shop, port: int, *, workers: int = 2, uri: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Processes that share a socket, as `twinops serve --workers` starts them; they are ended afterwards."""
    here = Path(__file__).parent
    path = os.pathsep.join(str(here.parent / p) for p in ("unit", "serve", "server", ".", "../setup"))
    told = {
        "PYTHONPATH": path,
        "PYTHONWARNINGS": "ignore",
        "SHOP": str(shop.root),
        "SHOP_MODEL": uri or str(shop.bundle),
    }
    begin = f"from twinops.service.run import *; listen('serving:made', Address(port={port}, workers={workers}))"
    running = subprocess.Popen([sys.executable, "-c", begin], env={**os.environ, **told})
    try:
        until(lambda: running.poll() is not None or healthy(port), 300)
        assert running.poll() is None
        yield running
    finally:
        family = psutil.Process(running.pid).children(recursive=True) if running.poll() is None else []
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()


def healthy(port: int) -> bool:
    """Whether somebody answers questions there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5, verify=WITHOUT_TLS).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    main()
