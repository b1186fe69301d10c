"""Minutes of mixed load on the guarded service, and whether it held: two processes, one journal, a live registry.

Eight clients ask without a pause, four tills tell of 1,000 baskets a second; meanwhile consumers are erased and object,
the approval is taken back and another version takes over, the states are refreshed, and the service is stopped, started
again, and killed with SIGKILL. What is checked: those nobody tells anything of get the answer they got at the start;
whoever was erased or objected, and everybody once the approval is gone, is refused from a second after on; every
accepted basket lies in the journal once; at the end every twin is what the receipts and the journal make of it.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from serve import CLIENTS, EVENTS_A_SECOND, TESTS, TILLS, Row, answer, request

STEADY, BUSY, LEAVING = range(150), range(150, 400), range(400, 450)
"""Whom no event is told of; who buys; who goes."""
EVENTS_A_CALL = 50
WITHIN_S = 1.0
DAY = "2017-08-02"
REVOKED_S = 8.0
FEWEST_S = 20
"""Seconds that a stretch must have been looked at before its memory is told."""


@dataclass
class Seen:
    """What came of it. `first`: the answers at the start; `gone`: whoever left, when, and with which status."""

    port: int
    token: str
    first: dict[str, Any] = field(default_factory=dict)
    gone: dict[int, tuple[float, str]] = field(default_factory=dict)
    cut: tuple[float, float] = (float("inf"), float("inf"))
    times: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    broken: int = 0
    failed: int = 0
    refused: int = 0
    accepted: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    down: threading.Event = field(default_factory=threading.Event)


class Line:
    """A connection that is made again where the service went away."""

    def __init__(self, seen: Seen) -> None:
        self._seen, self._line = seen, None

    def ask(self, path: str, body: object) -> tuple[int, bytes]:
        """Status and body; 0: nobody answered."""
        try:
            if self._line is None:
                self._line = socket.create_connection(("127.0.0.1", self._seen.port), timeout=60)
                self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._line.sendall(request(path, body, self._seen.token))
            status, found = answer(self._line)
            return int(status), found
        except OSError:
            self.end()
            time.sleep(0.1)
            return 0, b""

    def end(self) -> None:
        """Close it."""
        if self._line is not None:
            self._line.close()
            self._line = None


def endure(minutes: float = 10.0) -> list[Row]:
    """The rows of one run; it ends with an error where an answer was wrong, a refusal missed or an event lost."""
    sys.path[:0] = TESTS
    import serving
    import test_registry

    with tempfile.TemporaryDirectory() as scratch, ExitStack() as held:
        shop = serving.built(Path(scratch) / "shop")
        registry = test_registry.Registry(shop.bundle / "model", serving.bundled(shop))
        os.environ["XDG_STATE_HOME"] = str(Path(scratch) / "state")
        os.environ["TWINOPS_SERVER"] = held.enter_context(test_registry.served(registry))
        seen = Seen(serving.free_port(), shop.token("bench", rate=1e6))
        return _run(shop, registry, seen, minutes * 60, held)


def _run(shop: Any, registry: Any, seen: Seen, seconds: float, held: ExitStack) -> list[Row]:
    import serving

    def begin() -> tuple[ExitStack, int]:
        stack = held.enter_context(ExitStack())
        return stack, stack.enter_context(serving.several(shop, seen.port, uri="twin@production")).pid

    stack, pid = begin()
    seen.first = {who: _expected(seen, who) for who in map(serving.natural, STEADY)}
    threads = [threading.Thread(target=_client, args=(seen, n)) for n in range(CLIENTS)]
    threads += [threading.Thread(target=_till, args=(seen, n)) for n in range(TILLS)]
    threads.append(threading.Thread(target=_leave, args=(seen, shop, seconds)))
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    memory = [_memory(pid, begun + 0.4 * seconds)]
    restored = _revoked(seen, registry)
    _refreshed(shop)
    memory[0] += _memory(pid, begun + 0.55 * seconds)
    down = time.monotonic()
    seen.down.set()
    stack.close()  # SIGTERM: what was accepted is written
    stack, pid = begin()
    seen.down.clear()
    stopped = time.monotonic() - down
    memory.append(_memory(pid, begun + 0.95 * seconds))
    seen.down.set()
    family = psutil.Process(pid).children(recursive=True)
    for one in (psutil.Process(pid), *family):  # first the one that would start others in place of the killed
        one.kill()
    psutil.wait_procs(family)
    stack.close()
    stack, pid = begin()
    seen.down.clear()
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
    seen.ending.set()
    for thread in threads:
        thread.join()
    time.sleep(WITHIN_S)
    lost, differing = _held(shop, seen)
    return _rows(seen, seconds, memory, {"lost": lost, "differing": differing, "restored": restored, "down": stopped})


def _client(seen: Seen, mine: int) -> None:
    """Ask again and again: predictions, and now and then an explanation, a batch, a what-if, an undeclared purpose."""
    from living_world import natural

    rng, line = random.Random(mine), Line(seen)  # noqa: S311
    while not seen.ending.is_set():
        number = rng.choice((rng.choice(STEADY), rng.choice(BUSY), rng.choice(LEAVING)))
        who, drawn, begun = natural(number), rng.random(), time.monotonic()
        if drawn < 0.02:
            number = STEADY[0]
            status, _ = line.ask("/v1/score", {"purpose": "offers", "consumers": [natural(n) for n in range(20)]})
        elif drawn < 0.04:
            status, _ = line.ask(f"/v1/twins/{who}/explain", {"purpose": "offers"})
        elif drawn < 0.041:
            status, _ = line.ask(f"/v1/twins/{who}/simulate", {"purpose": "offers", "action": "silence:14"})
        elif drawn < 0.05:
            status, _ = line.ask(f"/v1/twins/{who}/predict", {"purpose": "credit"})
            if status == 200:
                seen.missed.append("an undeclared purpose")
            continue
        else:
            status, body = line.ask(f"/v1/twins/{who}/predict", {"purpose": "offers"})
            if status == 200 and who in seen.first and json.loads(body)["expected"] != seen.first[who]:
                seen.wrong.append(who)
        _judge(seen, number, status, begun)


def _judge(seen: Seen, number: int, status: int, begun: float) -> None:
    """Whether this answer to a question that began then may have been given."""
    if status == 0:
        seen.broken += 1
        if not seen.down.is_set():
            time.sleep(0.05)
    elif status == 200:
        seen.times.append(time.monotonic() - begun)
        since = [begun - seen.gone[number][0]] if number in seen.gone else []
        since += [begun - seen.cut[0]] if seen.cut[0] <= begun < seen.cut[1] else []
        seen.late += [s for s in since if s > 0]
        seen.missed += [
            f"{s:.2f} s after {seen.gone.get(number, (0, 'the revocation'))[1]}" for s in since if s > WITHIN_S
        ]
    elif status >= 500 and status != 503:
        seen.failed += 1
    else:
        seen.refused += 1


def _till(seen: Seen, mine: int) -> None:
    """Baskets, sent again under the same ids until they were taken."""
    from living_world import natural

    rng, line, due, n = random.Random(100 + mine), Line(seen), time.monotonic(), 0  # noqa: S311
    whom = [natural(number) for number in BUSY]
    while not seen.ending.is_set():
        events = [{"event_id": f"t{mine}-{n + k}", "kind": "purchase", "consumer": rng.choice(whom), "day": DAY,
                   "cents": rng.randrange(100, 9000)} for k in range(EVENTS_A_CALL)]  # fmt: skip
        n += EVENTS_A_CALL
        while True:
            status, body = line.ask("/v1/events", {"events": events})
            if status == 202:
                told = json.loads(body)
                if told["accepted"] + told["duplicates"] != EVENTS_A_CALL:
                    seen.wrong.append(f"events: {told}")
                seen.accepted += [e["event_id"] for e in events]
                break
            if seen.ending.is_set() or status not in (0, 503):
                seen.failed += status not in (0, 503)
                return
        due += EVENTS_A_CALL * TILLS / EVENTS_A_SECOND
        due = max(due, time.monotonic() - 2.0)  # what a restart kept waiting is not all made up for at once
        time.sleep(max(0.0, due - time.monotonic()))


def _leave(seen: Seen, shop: Any, seconds: float) -> None:
    """One consumer after another is erased or objects, by command or by event."""
    from living_world import natural

    from twinops.entities.erasure import Erasing
    from twinops.entities.rights import Right, RightsAct

    line = Line(seen)
    for place, number in enumerate(LEAVING):
        if seen.ending.wait(0.9 * seconds / len(LEAVING)):
            return
        sid = shop.keys.known_sid(natural(number))
        if place % 3 == 0:
            shop.keys.erase(Erasing((sid,)))
        elif place % 3 == 1:
            shop.ledger.append(RightsAct(Right.OBJECTED, sid, "dpo", "Dora", purpose="offers"))
        else:
            event = {"event_id": f"leave-{number}", "kind": "object", "consumer": natural(number), "purpose": "offers"}
            while line.ask("/v1/events", {"events": [event]})[0] != 202 and not seen.ending.is_set():
                time.sleep(0.05)
        seen.gone[number] = (time.monotonic(), ("erased", "objected", "objected by event")[place % 3])


def _revoked(seen: Seen, registry: Any) -> float:
    """The approval is taken back for a while, then another version has it; seconds until that one answers."""
    body, registry.body = registry.body, None
    seen.cut = (time.monotonic(), float("inf"))
    time.sleep(REVOKED_S)
    now = time.monotonic()
    seen.cut = (seen.cut[0], now)
    registry.body = {**body, "version": body["version"] + 1}
    line = Line(seen)
    from living_world import natural

    while True:
        status, found = line.ask(f"/v1/twins/{natural(0)}/predict", {"purpose": "offers"})
        if status == 200 and json.loads(found)["model"]["version"] == body["version"] + 1:
            return time.monotonic() - now
        time.sleep(0.05)


def _refreshed(shop: Any) -> None:
    """What an update does to the states at rest, while the service answers."""
    from twinops.entities.consent import Purpose
    from twinops.workflows.update.forecasts import Forecasts
    from twinops.workflows.update.states import StateStore

    opener = shop.ground.opener
    store = StateStore(opener.receipts, opener.grid.decay_days)
    store.refresh(Forecasts(opener.receipts, opener.grid).allowed(store.subjects())[Purpose.SCORING])


def _memory(pid: int, until: float) -> list[float]:
    """MB that all processes hold, every second."""
    found = []
    while time.monotonic() < until:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        found.append(sum(p.memory_info().rss for p in family) / 1024**2)
        time.sleep(1.0)
    return found


def _expected(seen: Seen, who: str) -> Any:
    status, body = Line(seen).ask(f"/v1/twins/{who}/predict", {"purpose": "offers"})
    return json.loads(body)["expected"] if status == 200 else None


def _held(shop: Any, seen: Seen) -> tuple[int, int]:
    """Accepted baskets that are not in the journal, and twins that are not what receipts and journal make of them."""
    from dataclasses import asdict

    from living_world import natural

    from twinops.service.intake import NUMBERS_FROM
    from twinops.service.journal import Journal
    from twinops.twin.answers.forecast import forecast
    from twinops.twin.answers.opening import Opening
    from twinops.twin.state.streaming import Basket
    from twinops.workflows.twin.open import shipped

    journal, opener, live = Journal(shop.places.live("service") / "events.db"), shop.ground.opener, shipped(shop.places)
    found, differing = [], 0
    for number in BUSY:
        sid = shop.keys.known_sid(natural(number))
        consumer, rows = opener.consumer(natural(number)), journal.of(sid)
        keys = shop.keys.subject_keys((sid,))
        for row in rows:
            told = row.told(keys)
            consumer.state.add(Basket(NUMBERS_FROM + row.seq, told["day"], told["cents"]))
        found += [row.event_id for row in rows]
        day = max(consumer.day, (consumer.state.last_day or 0) + 1)
        twin = Opening(live.model, live.support, consumer.state, day, consumer.own)
        differing += _expected(seen, natural(number)) != json.loads(json.dumps(asdict(forecast(twin))))
    journal.close()
    if len(found) != len(set(found)):
        raise SystemExit("bench: an event lies in the journal twice")
    return len(set(seen.accepted) - set(found)), differing


def _rows(seen: Seen, seconds: float, memory: list[list[float]], ends: dict[str, float]) -> list[Row]:
    """Figures, once nothing was wrong."""
    wrong = {"wrong answers": len(seen.wrong) + ends["differing"], "missed refusals": len(seen.missed),
             "lost events": ends["lost"], "failures": seen.failed}  # fmt: skip
    told = {"late": max(seen.late, default=0.0), "examples": seen.wrong[:3] + seen.missed[:3], "broken": seen.broken}
    print(json.dumps({**wrong, **ends, **told, "memory": [m[:: max(1, len(m) // 12)] for m in memory]}))
    note = f"{seconds / 60:g} minutes, two processes, {CLIENTS} clients, one stop, one kill; " + ", ".join(
        f"{int(n)} {what}" for what, n in wrong.items()
    )
    grew = max((_grew(half) for half in memory if len(half) >= FEWEST_S), default=0.0)
    ms = [1000 * q for q in statistics.quantiles(seen.times, n=100)]
    gone = len(seen.gone)
    rows: list[tuple[str, float, str, int, str]] = [
        ("endured_rps", len(seen.times) / seconds, "answers/s", len(seen.times), note),
        ("endured_p50_ms", ms[49], "ms", len(seen.times), "the same run"),
        ("endured_p99_ms", ms[98], "ms", len(seen.times), "the same run"),
        ("endured_events", len(seen.accepted) / seconds, "events/s", len(seen.accepted),
         f"of {EVENTS_A_SECOND:,} wished for, restarts ({ends['down']:.0f} s each) included; higher is better"),
        ("endured_last_yes_s", max(seen.late, default=0.0), "s", gone + 1,
         f"the last answer that began after one of {gone} erasures and objections or the revocation"),
        ("endured_memory_mb", grew, "MB", sum(map(len, memory)), "how much more both processes held from the second "
         "quarter to the last of an undisturbed stretch, the larger of two"),
    ]  # fmt: skip
    if any(wrong.values()):
        raise SystemExit(f"bench: it did not hold: {note}")
    return [
        {"name": n, "value": v, "unit": u, "peer": None, "ratio": None, "n": k, "note": t} for n, v, u, k, t in rows
    ]


def _grew(half: list[float]) -> float:
    quarter = len(half) // 4
    return statistics.median(half[-quarter:]) - statistics.median(half[quarter : 2 * quarter])
