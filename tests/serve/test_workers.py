"""Several processes of one service agree, and what is taken back is taken back in all of them within a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import psutil
import serving
from living_world import natural
from serving import Shop, until

from twinops.entities.erasure import Erasing
from twinops.service import clients
from twinops.service.opened import clients_file

DRAWN = 24
"""New connections, each taken by whichever process is quicker: enough that each of two takes some."""


def asked(port: int, token: str, path: str, **body: Any) -> list[httpx.Response]:
    """The same question over several new connections at once."""
    address, header = f"http://127.0.0.1:{port}{path}", {"Authorization": f"Bearer {token}"}
    lines = [httpx.Client(headers=header, timeout=30, verify=serving.WITHOUT_TLS) for _ in range(DRAWN)]
    try:
        return [line.post(address, json=body) for line in lines]
    finally:
        for line in lines:
            line.close()


def test_processes_agree_and_follow_within_a_second_and_one_that_dies_is_replaced(shop: Shop) -> None:
    token, port = shop.token("everything"), serving.free_port()
    with serving.several(shop, port) as running:
        until(lambda: len(workers(running.pid)) == 2)
        log = shop.places.live("service") / "decisions"
        # each process writes its own file: both have answered
        until(lambda: bool(predicted(port, token, 30)) and len(list(log.glob("*.jsonl"))) == 2, 60)
        before = predicted(port, token, 30)
        assert len(before) == 1
        taken = asked(port, token, "/v1/events", events=[event("b1", "purchase", 30, day="2017-08-02", cents=7000)])
        # sent twenty-four times, to either: it counts once
        assert sorted(a.json()["accepted"] for a in taken) == [0] * (DRAWN - 1) + [1]
        assert within_a_second(lambda: (now := predicted(port, token, 30)) != before and len(now) == 1)

        asked(port, token, "/v1/events", events=[event("o1", "object", 31, purpose="offers")])
        assert within_a_second(lambda: statuses(port, token, 31) == {403})
        shop.keys.erase(Erasing((shop.keys.known_sid(natural(32)),)))
        assert within_a_second(lambda: statuses(port, token, 32) == {404})

        after = predicted(port, token, 30)
        workers(running.pid)[0].kill()
        until(lambda: len(workers(running.pid)) == 2 and _all_answer(port, token), 60)
        assert predicted(port, token, 30) == after
        assert statuses(port, token, 31) == {403}
        assert statuses(port, token, 32) == {404}

        serving.bundled(shop, approval={"id": 1, "at": "2026-01-01T00:00:00.000Z",
                                        "expires": "2026-01-02T00:00:00.000Z", "separated": True})  # fmt: skip
        assert within_a_second(lambda: statuses(port, token, 30) == {503}, 2.0)
        clients.removed(clients_file(shop.places), "everything")
        assert within_a_second(lambda: statuses(port, token, 30) == {401})


def event(event_id: str, kind: str, who: int, **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "kind": kind, "consumer": natural(who), **more}


def predicted(port: int, token: str, who: int) -> set[str]:
    """Every different answer that was given."""
    return {a.text for a in asked(port, token, f"/v1/twins/{natural(who)}/predict", purpose="offers")}


def statuses(port: int, token: str, who: int) -> set[int]:
    return {a.status_code for a in asked(port, token, f"/v1/twins/{natural(who)}/predict", purpose="offers")}


def _all_answer(port: int, token: str) -> bool:
    try:
        return statuses(port, token, 30) == {200}
    except httpx.HTTPError:  # a connection that the killed process had taken
        return False


def workers(pid: int) -> list[psutil.Process]:
    """The processes that answer; beside them is one that Python starts to keep count of shared things."""
    found = []
    for process in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):  # a zombie, too: it was killed, and nobody has asked after it yet
            if "resource_tracker" not in " ".join(process.cmdline()):
                found.append(process)
    return found


def within_a_second(holds: Callable[[], bool], most: float = 1.0) -> bool:
    """Whether questions that begin a second later are all answered so."""
    time.sleep(most)
    return holds()
