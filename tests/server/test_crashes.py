"""Kills, power cuts and full disks at random moments: nothing acknowledged is lost, and alias, grant and log agree.

Few rounds by default; `make test-server-full` does them all (TWINOPS_KILLS, TWINOPS_RACES, TWINOPS_CRASHES).
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import live as living
import play
import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy import text

from twinops.governance.log.verify import check
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import callers as actors
from twinops.server.registry import records

pytestmark = pytest.mark.pipeline
KILLS = int(os.environ.get("TWINOPS_KILLS", "8"))
RACES = int(os.environ.get("TWINOPS_STORE_RACES", "12"))
CRASHES = int(os.environ.get("TWINOPS_CRASHES", "2"))
SERVER_KILLS = int(os.environ.get("TWINOPS_SERVER_KILLS", "1"))
NAME = "crashed"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/mlflow.db"
    return psycopg(request.getfixturevalue("postgres").database())


def psycopg(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://")


def reopened(root: Path, database: str) -> Any:
    """A store of its own connections, as another process would have."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore._engine_map.pop(database, None)
    return play.open_store(root, database)


def agree(store: Any, *, name: str = NAME) -> int:
    """Alias, grant and log tell the same; the log is whole. The alias's ETag is returned."""
    with store.ManagedSessionMaker() as session:
        bodies, head = list(ledger.bodies(session)), ledger.head(session)
        grant = records.grant_of(session, name, "production")
        alias = session.execute(
            text("SELECT version FROM registered_model_aliases WHERE name = :name AND alias = 'production'"),
            {"name": name},
        ).scalar()
    notes = [path.read_text() for path in sorted(store.home.checkpoints.glob("*.txt"))]
    found = check(bodies, notes, [store.home.public_key], head=(head.size, head.root.hex()))
    assert found.faults == ()
    promoted = [e for e in map(json.loads, bodies) if e["kind"] == "alias.set" and e["about"]["model"] == name]
    assert (grant.version if grant else None) == alias == (promoted[-1]["about"]["version"] if promoted else None)
    assert (grant.etag if grant else 0) == (promoted[-1]["seq"] + 1 if promoted else 0)
    return grant.etag if grant else 0


def promoting(root: Path, database: str, versions: list[Any], acknowledge: Callable[[int], None]) -> None:
    """Promote one version after the other, for ever, and acknowledge each ETag."""
    store = reopened(root, database)
    for n in range(1_000_000):
        with actors.acting("scientist"):
            etag = store.promote(NAME, "production", versions[n % len(versions)].version, etag=store_etag(store))
        acknowledge(etag)


def store_etag(store: Any) -> int:
    with store.ManagedSessionMaker() as session:
        grant = records.grant_of(session, NAME, "production")
    return grant.etag if grant else 0


def forked(work: Callable[[Callable[[int], None]], None]) -> tuple[int, int]:
    """Process id and the end of a pipe on which it acknowledges."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            work(lambda etag: os.write(writing, etag.to_bytes(8, "big")) and None)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return child, reading


def test_killed_while_promoting(tmp_path: Path, database: str) -> None:
    store = play.open_store(tmp_path, database)
    versions = [play.approved(store, n, name=NAME) for n in range(2)]
    store._dispose_engine()
    chance = random.Random(11)
    acknowledged = 0
    for _ in range(KILLS):
        child, pipe = forked(lambda ack: promoting(tmp_path, database, versions, ack))
        os.read(pipe, 8)
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        rest = b""
        while chunk := os.read(pipe, 65536):
            rest += chunk
        os.close(pipe)
        acknowledged += 1 + len(rest) // 8
        last = int.from_bytes(rest[-8:], "big") if rest else 0
        after = reopened(tmp_path, database)
        assert agree(after) >= last, "an acknowledged promotion is lost"
        after._dispose_engine()
    assert acknowledged >= KILLS


def racer(store: Any, version: Any, said: tuple[threading.Barrier, int, list[int], list[BaseException]]) -> None:
    """One client of a round."""
    start, etag, wins, others = said
    start.wait()
    try:
        with actors.acting("scientist"):
            wins.append(store.promote(NAME, "production", version.version, etag=etag))
    except MlflowException as problem:
        if problem.get_http_status_code() != 409:
            others.append(problem)


def test_eight_clients_race_at_the_store_and_one_wins_each_round(tmp_path: Path, database: str) -> None:
    store = play.open_store(tmp_path, database)
    versions = [play.approved(store, n, name=NAME) for n in range(8)]
    for _ in range(RACES):
        etag = store_etag(store)
        wins: list[int] = []
        others: list[BaseException] = []
        start = threading.Barrier(len(versions))

        said = (start, etag, wins, others)
        threads = [threading.Thread(target=racer, args=(store, version, said)) for version in versions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert others == []
        assert len(wins) == 1
        assert store_etag(store) == wins[0]
    agree(store)
    store._dispose_engine()


def test_power_cuts_of_postgresql(tmp_path: Path, postgres: Any) -> None:
    database = psycopg(postgres.database())
    store = play.open_store(tmp_path, database)
    versions = [play.approved(store, n, name=NAME) for n in range(4)]
    stop, acknowledged = threading.Event(), [0]

    def client(number: int) -> None:
        while not stop.is_set():
            try:
                with actors.acting("scientist"):
                    etag = store.promote(NAME, "production", versions[number].version, etag=store_etag(store))
                acknowledged[0] = max(acknowledged[0], etag)
            except MlflowException:
                time.sleep(0.02)

    clients = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in clients:
        thread.start()
    chance = random.Random(5)
    for _ in range(CRASHES):
        time.sleep(chance.uniform(0.2, 0.8))
        postgres.crash()
    time.sleep(0.3)
    stop.set()
    for thread in clients:
        thread.join()
    assert acknowledged[0] > 0
    assert agree(store) >= acknowledged[0]
    store._dispose_engine()


def test_a_full_disk_refuses_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/mlflow.db"
    store = play.open_store(tmp_path, database)
    versions = [play.approved(store, n, name=NAME) for n in range(2)]
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store._dispose_engine()
    refused = 0
    chance = random.Random(2)
    for _ in range(KILLS):
        room = (tmp_path / "mlflow.db").stat().st_size + chance.randrange(4096, 120_000)

        def work(ack: Callable[[int], None], room: int = room) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            try:
                promoting(tmp_path, database, versions, ack)
            except MlflowException:
                os._exit(7)

        child, pipe = forked(work)
        threading.Timer(2.0, lambda child=child: _kill(child)).start()
        rest = b""
        while chunk := os.read(pipe, 65536):
            rest += chunk
        os.close(pipe)
        refused += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        after = reopened(tmp_path, database)
        assert agree(after) >= (int.from_bytes(rest[-8:], "big") if rest else 0)
        with after.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        after._dispose_engine()
    assert refused


def _kill(child: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself
        os.kill(child, signal.SIGKILL)


def test_killed_servers_come_back_with_everything_they_acknowledged(tmp_path: Path) -> None:
    with living.serving(tmp_path) as live:
        versions = [live.approved(n, name=NAME) for n in range(2)]
        chance = random.Random(1)
        for _ in range(SERVER_KILLS):
            acknowledged = [live.etag(NAME)]
            stop = threading.Event()

            def client(acknowledged: list[int] = acknowledged, stop: threading.Event = stop) -> None:
                n = 0
                while not stop.is_set():
                    try:
                        answer = live.promoted(versions[n % 2], acknowledged[0])
                    except OSError:
                        return
                    if answer.status == 200:
                        acknowledged[0] = answer.json["etag"]
                    n += 1

            thread = threading.Thread(target=client)
            thread.start()
            time.sleep(chance.uniform(0.5, 2.0))
            live.stop(signal.SIGKILL)
            stop.set()
            thread.join()
            live.start()
            assert live.etag(NAME) >= acknowledged[0]
            assert live.resolved(NAME).status == 200
    store = reopened(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    agree(store)
    store._dispose_engine()
