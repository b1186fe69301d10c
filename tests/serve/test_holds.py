"""What was accepted is never lost, what was forbidden never answered: kills, restarts, two instances, time limits."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import pytest
import serving
from living_world import natural
from serving import Asked, Shop, refusal, until

from twinops.entities.erasure import Erasing
from twinops.entities.rights import Right, RightsAct
from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.governance.subject_cases import RequestCase, RequestKind, Step, StepAsked
from twinops.service import clients
from twinops.service.decisions import DecisionLog
from twinops.service.journal import Journal
from twinops.service.opened import Serving, clients_file, opened
from twinops.workflows import decision_lines as decisions
from twinops.workflows.subject.casework import act_of
from twinops.workflows.subject.desk import ActingOfficer

HERE = Path(serving.__file__).parent


@contextmanager
def process(shop: Shop) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The service in a process of its own, which may be killed."""
    told = shop.root / f"port-{time.monotonic_ns()}"
    path = os.pathsep.join(str(HERE.parent / p) for p in ("unit", "serve", "server", ".", "../setup"))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(HERE / "serving.py"), str(shop.root), str(told)]
    running = subprocess.Popen(command, env=env)
    try:
        until(lambda: told.is_file() or running.poll() is not None, 60)
        yield f"http://127.0.0.1:{told.read_text()}", running
    finally:
        running.kill()
        running.wait()


def test_no_accepted_event_is_lost_when_the_process_is_killed(shop: Shop) -> None:
    token, accepted = shop.token("everything"), []
    with process(shop) as (address, running):
        asked = [Asked(address, token) for _ in range(4)]

        def buy(client: Asked, number: int) -> None:
            try:
                for n in range(10_000):
                    if client.buy(20 + number, f"k{number}-{n}", cents=100 + n).status_code == 202:
                        accepted.append((number, n))
            except Exception:  # the connection died with the process
                return

        threads = [threading.Thread(target=buy, args=(c, i)) for i, c in enumerate(asked)]
        for thread in threads:
            thread.start()
        until(lambda: len(accepted) > 200)
        running.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with serving.running(shop) as (address, service):
        for number in range(4):
            mine = [n for who, n in accepted if who == number]
            sid = shop.keys.known_sid(natural(20 + number))
            rows = {row.event_id for row in service.watch.applied.journal.of(sid)}
            assert rows >= {f"k{number}-{n}" for n in mine}
            bought = service.watch.applied.later(sid)
            assert len(bought) == len(rows)
            assert service.twins.states[sid].cents == shop.ground.opener.consumer(sid).state.cents + sum(
                b.cents for b in bought
            )
            # sent again after the restart: known, and counted once
            again = Asked(address, token).buy(20 + number, f"k{number}-{mine[0]}", cents=100 + mine[0])
            assert again.json()["duplicates"] == 1


def test_a_graceful_stop_answers_what_it_accepted(shop: Shop) -> None:
    token, accepted = shop.token("everything"), []
    with process(shop) as (address, running):
        asked = Asked(address, token)

        def buy() -> None:
            try:
                for n in range(10_000):
                    if asked.buy(20, f"g{n}").status_code == 202:
                        accepted.append(f"g{n}")
            except Exception:  # it stopped
                return

        thread = threading.Thread(target=buy)
        thread.start()
        until(lambda: len(accepted) > 50)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) in (0, -signal.SIGTERM)
        thread.join()
    journal = Journal(shop.places.live("service") / "events.db")
    assert {row.event_id for row in journal.of(shop.keys.known_sid(natural(20)))} >= set(accepted)
    journal.close()


def test_two_instances_agree_within_a_second(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (one, _), serving.running(shop) as (other, _):
        first, second = Asked(one, token), Asked(other, token)
        before = first.predict(30).json()
        assert second.predict(30).json() == before
        assert first.buy(30, "x1", cents=7000).status_code == 202
        assert until(lambda: second.predict(30).json() == first.predict(30).json() != before) < 1.0
        assert second.event("object", 30, "x2", purpose="offers").status_code == 202
        assert until(lambda: first.predict(30).status_code == 403) < 1.0
        # while the ledger takes the objection down, the answer is to ask again
        until(lambda: not second.buy(30, "x1", cents=7000).json()["refused"])
        assert second.buy(30, "x1", cents=7000).json()["duplicates"] == 1


def test_a_word_by_command_holds_within_a_second(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        assert asked.predict(50).status_code == 200
        sid = shop.keys.known_sid(natural(50))
        shop.ledger.append(RightsAct(Right.RESTRICTED, sid, "dpo", "Dora", about={"ground": "18(1)(a)"}))
        assert until(lambda: asked.predict(50).status_code == 403) < 1.0
        until(lambda: refusal(asked.predict(50)) == "restriction")
        shop.ledger.append(RightsAct(Right.UNRESTRICTED, sid, "dpo", "Dora"))
        until(lambda: asked.predict(50).status_code == 200, 5)


def test_an_open_request_holds_within_a_second_and_until_it_is_decided(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        assert asked.predict(50).status_code == 200
        case = RequestCase("c-000001", RequestKind.ERASURE, date(2026, 11, 1), "", shop.keys.known_sid(natural(50)))
        officer = ActingOfficer("dpo", "Dora")
        shop.ledger.append(act_of(case, StepAsked(Step.RECEIVED), officer))
        assert until(lambda: asked.predict(50).status_code == 403) < 1.0
        until(lambda: "open request" in asked.predict(50).json()["detail"])
        shop.ledger.append(act_of(case, StepAsked(Step.IDENTIFIED, "passport"), officer))
        assert asked.predict(50).status_code == 403
        shop.ledger.append(act_of(case, StepAsked(Step.REFUSED, "a claim", "17(3)(e)"), officer))
        until(lambda: asked.predict(50).status_code == 200, 5)


def test_an_erasure_holds_within_a_second_and_takes_the_events_along(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service):
        asked = Asked(address, token)
        assert asked.buy(60, "e1").status_code == 202
        assert asked.predict(60).status_code == 200
        sid = shop.keys.known_sid(natural(60))
        shop.keys.erase(Erasing((sid,)))
        assert until(lambda: asked.predict(60).status_code == 404) < 1.0
        assert refusal(asked.predict(sid)) == "unknown-consumer"
        until(lambda: service.watch.applied.journal.of(sid) == [])
        held = (
            service.twins.states,
            service.twins.answers,
            service.twins.keys,
            service.twins.spoken,
            service.twins.own,
        )
        assert not any(sid in one for one in held)
        assert sid not in service.twins.names.values()
        assert asked.predict(61).status_code == 200


def test_a_bundle_that_ends_or_changes_cuts_within_a_second(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        assert asked.predict(40).status_code == 200
        (shop.bundle / "model" / "data" / "twin.json").write_text("{}", encoding="utf-8")
        assert until(lambda: asked.predict(40).status_code == 503) < 2.0
        assert refusal(asked.predict(40)) == "model-cut"
        assert asked.http.get("/healthz").status_code == 503
        serving.bundled(shop)
        until(lambda: asked.predict(40).status_code == 200)
        ended = {"id": 1, "at": "2026-01-01T00:00:00.000Z", "expires": "2026-01-02T00:00:00.000Z", "separated": True}
        serving.bundled(shop, approval=ended)
        until(lambda: asked.predict(40).status_code == 503, 2)


def test_a_client_that_was_taken_out_is_out_within_a_second(shop: Shop) -> None:
    token, other = shop.token("everything"), shop.token("other")
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        assert asked.predict(40).status_code == 200
        clients.removed(clients_file(shop.places), "everything")
        assert until(lambda: asked.predict(40).status_code == 401) < 1.0
        assert Asked(address, other).predict(40).status_code == 200
    assert token.split(".")[1] not in clients_file(shop.places).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"rate": -5}, {"rate": 1e9}, {"rate": "1e3"}, {"acts": "predict"}, {"digest": ""}]
)
def test_a_file_of_clients_that_no_command_writes_lets_nobody_in(tmp_path: Path, wrong: dict[str, object]) -> None:
    file = tmp_path / "clients.json"
    clients.added(file, "shop", purposes=("offers",), acts=("predict",), rate=10)
    said = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({"shop": said["shop"] | wrong}), encoding="utf-8")
    with pytest.raises(IntegrityError, match="cannot be read"):
        clients.read(file)


def test_without_a_fresh_look_nothing_is_answered(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service):
        asked = Asked(address, token)
        monkeypatch.setattr(type(service.watch), "_keys", _gone)
        monkeypatch.setattr("twinops.service.watch.STALE_S", 0.5)
        until(lambda: asked.predict(40).status_code == 503, 5)
        assert refusal(asked.predict(40)) == "being-read"
        assert refusal(asked.buy(40, "s1")) == "being-read"


def test_while_the_key_store_is_locked_nobody_else_waits_and_nothing_old_is_answered(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service), ThreadPoolExecutor() as several:
        asked, one, two = (Asked(address, token) for _ in range(3))
        assert asked.predict(40).status_code == 200
        with closing(sqlite3.connect(shop.root / "keystore" / "keys.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            waiting = several.submit(one.predict, 43), several.submit(two.buy, 44, "b")  # ids that have to be looked up
            time.sleep(0.5)
            assert asked.predict(40).status_code == 200, "who is known is answered meanwhile"
            assert not any(each.done() for each in waiting)
            monkeypatch.setattr("twinops.service.watch.STALE_S", 1.0)
            until(lambda: asked.predict(40).status_code == 503, 5)
            assert asked.http.get("/healthz").status_code == 503
            time.sleep(1.0)  # the look that waits for the lock is old by now, too
            monkeypatch.setattr(type(service.watch), "_keys", _gone)
            other.execute("ROLLBACK")
        assert refusal(waiting[0].result()) == "being-read", "what was known of permissions grew old while it waited"
        assert waiting[1].result().json()["accepted"] == 1


def _gone(_watch: object) -> None:
    raise ServiceError("The key store does not answer.")


def test_it_does_not_start_without_clients_or_without_a_model(shop: Shop) -> None:
    with pytest.raises(ParamsError, match="No client"):
        opened(lambda: shop.ground, Serving(str(shop.bundle), serving.PUBLIC))
    shop.token("everything")
    with pytest.raises(ServiceError, match="not signed"):
        opened(lambda: shop.ground, Serving(str(shop.bundle), "0" * 64))


def test_the_log_of_decisions_names_nobody_and_can_be_joined_by_whoever_has_the_key(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service):
        asked = Asked(address, token)
        assert asked.predict(40).status_code == 200
        assert asked.predict(40, "credit").status_code == 400
        folder = shop.places.live("service") / "decisions"
        until(lambda: len(list(decisions.read(folder))) >= 2)
        sid = shop.keys.known_sid(natural(40))
        lines = list(decisions.read(folder))
        told = next(line for line in lines if line.get("act") == "predict" and "who" in line)
        assert told["who"] == service.log.who(sid)
        assert told["version"] == 3
        assert told["spend"] == asked.predict(40).json()["expected"]["spend"]
        assert any(line.get("refused") == "purpose-not-declared" for line in lines)
        text = json.dumps(lines)
        assert sid not in text
        assert natural(40) not in text
        assert token not in text


def test_lines_of_decisions_wait_on_where_they_cannot_be_written_and_none_is_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "decisions"
    log = DecisionLog(folder, b"k" * 32)
    folder.write_text("a file where the folder was", encoding="utf-8")
    log.tell("a" * 32, {"act": "predict"})
    with pytest.raises(OSError, match="exists"):
        log.flush()
    folder.unlink()
    log.flush()
    (file,) = folder.glob("*.jsonl")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        log.tell("b" * 32, {"act": "predict"})
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 5, limit[1]))  # as on a disk that is full
        with pytest.raises(OSError, match="large"):
            log.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1
    monkeypatch.setattr("twinops.service.decisions.MOST_WAITING", 1)
    log.tell("c" * 32, {"act": "predict"})
    assert log.lost == 1
    log.flush()
    assert [line["who"] for line in decisions.read(folder)] == [log.who("a" * 32), log.who("b" * 32)]


def test_baskets_of_months_that_were_collected_since_count_once(shop: Shop) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service):
        asked = Asked(address, token)
        closed = asked.buy(40, "old", day="2017-01-05").json()
        assert closed["refused"][0]["type"].endswith("closed-month")
        assert asked.buy(40, "new").status_code == 202
        sid = shop.keys.known_sid(natural(40))
        cents = service.twins.states[sid].cents
    with serving.running(shop) as (_, service):
        assert service.twins.states[sid].cents == cents
        service.twins.known_until = 10_000
        assert service.watch.applied.later(sid) == []
        service.watch.applied.seq = 0
        service.watch.applied.catch_up()
        assert len(service.watch.applied.covered) == 1
