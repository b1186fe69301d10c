"""Minutes of mixed load on the guarded service of a real project, each answer held against what was right just then.

Eight clients ask without a pause, four tills tell of 1,000 baskets a second, customers are erased by command and object
by command and by event; meanwhile a new month is taken in by `twinops update`, the approval is taken back and another
version takes over, the service is stopped and started again, and killed with SIGKILL. What an answer has to be:
`endure_truth.py`. Afterwards every accepted basket of an open month lies in the journal once.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import endure_shop
import psutil
import scipy.stats
from endure_shop import Shop
from endure_tills import DAYS, Line, Told, telling
from endure_truth import WITHIN_S, Course, Left, Seen, Truth, Verdict

from serve import CLIENTS, EVENTS_A_SECOND, SWITCH_S, TESTS, Row

REVOKED_S = 8.0
FOLLOWS_S = 30.0
"""So long after an update, once no other command works in the folder, it is answered by the files of after it."""
TIMES = {"update": 0.1, "revoked": 0.4, "stopped": 0.5, "killed": 0.7}
"""When each begins, as a share of the whole."""
FEWEST = 60
"""Seconds of a stretch before its memory is told: what begins is still growing."""
STEADY, LEAVING = 60, 36


@dataclass
class Load:
    """The clients, and what they were told."""

    shop: Shop
    port: int
    token: str
    course: Course
    steady: list[str]
    busy: list[str]
    leaving: list[str]
    seen: list[Seen] = field(default_factory=list)
    phases: list[tuple[str, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Moments, and MB of all processes then."""
    starts: list[float] = field(default_factory=list)
    process: psutil.Process | None = None
    ending: threading.Event = field(default_factory=threading.Event)
    desk: threading.Lock = field(default_factory=threading.Lock)
    """Held while a command for one customer works: files are followed when nobody does."""
    took_s: float = 0.0
    """From then until nobody was answered by the files of before."""

    def now(self, phase: str) -> float:
        """A phase begins."""
        self.phases.append((phase, time.monotonic()))
        return self.phases[-1][1]


def endure(minutes: float = 10.0) -> list[Row]:
    """The rows of one run; it ends with an error where an answer was wrong, a refusal missed or an event lost."""
    sys.path[:0] = TESTS
    sys.setswitchinterval(SWITCH_S)
    import serving
    import test_registry

    with tempfile.TemporaryDirectory() as scratch, ExitStack() as held:
        shop = endure_shop.built(Path(scratch))
        bundle = _bundle(Path(scratch) / "bundle", shop)
        registry = test_registry.Registry(bundle.bundle / "model", serving.bundled(bundle))
        address = held.enter_context(test_registry.served(registry))
        return _run(shop, registry, address, minutes * 60)


def _bundle(folder: Path, shop: Shop) -> Any:
    """The project's model as a registry hands it out: beside the project, which is the shop's alone."""
    import serving

    class Beside(serving.Shop):
        @property
        def bundle(self) -> Path:
            return folder

    return Beside(shop.root)


def _run(shop: Shop, registry: Any, address: str, seconds: float) -> list[Row]:
    import serving

    from twinops.workflows.twin.open import shipped

    old, model = shop.opened(), shipped(endure_shop.places(shop))
    version = int(registry.body["version"])
    course = Course(versions=(version, version + 1))
    load = Load(shop, serving.free_port(), shop.token("bench"), course, *_drawn(shop, old))
    with ExitStack() as up:
        _begin(load, up, address)
        threads = [threading.Thread(target=_client, args=(load, n)) for n in range(CLIENTS)]
        threads += [
            threading.Thread(target=_leave, args=(load, seconds)),
            threading.Thread(target=_measured, args=(load,)),
        ]
        begun = load.now("load")
        with telling(load.port, load.token, load.busy) as told:
            for thread in threads:
                thread.start()
            try:
                new = _timeline(load, up, registry, address, (begun, seconds))
            finally:
                load.ending.set()
                for thread in threads:
                    thread.join()
        time.sleep(WITHIN_S)
        load.now("after")
        line = Line(load.port, load.token)
        load.seen += [_predicted(line, who) for who in (*load.steady, *load.busy, *course.left)]
        lost = _lost(shop, told)
    truth = Truth(course, old, new, model)
    truth.foretell(load.steady + load.busy + load.leaving, told.taken)
    return _rows(load, truth, told, lost)


def _drawn(shop: Shop, twins: Any) -> tuple[list[str], list[str], list[str]]:
    """Whom no basket is told of; who leaves; who buys: all of them have bought before, and may be served."""
    may = [who for who in shop.ids if (sid := twins.sid(who)) in twins.states and twins.against(sid, "offers") is None]
    random.Random(4).shuffle(may)  # noqa: S311
    return may[:STEADY], may[STEADY + LEAVING :], may[STEADY : STEADY + LEAVING]


def _begin(load: Load, up: ExitStack, address: str) -> None:
    import serving

    load.process = up.enter_context(endure_shop.served(load.shop, load.port, registry=address, key=serving.PUBLIC))
    load.starts.append(time.monotonic())


def _timeline(load: Load, up: ExitStack, registry: Any, address: str, span: tuple[float, float]) -> Any:
    """What is done to it, one after the other; everybody as the files of after the update have them."""
    _until(span, "update")
    load.now("update")
    new = _updated(load)
    load.now("load")
    _until(span, "revoked")
    load.now("revoked")
    _revoked(load, registry)
    load.now("load")
    for how in ("stopped", "killed"):
        _until(span, how)
        with _down(load, how):
            if how == "killed" and load.process is not None:
                endure_shop.kill(load.process)
            up.close()
            _begin(load, up, address)
        load.now("load")
    time.sleep(max(0.0, sum(span) - time.monotonic()))
    return new


def _until(span: tuple[float, float], what: str) -> None:
    time.sleep(max(0.0, span[0] + TIMES[what] * span[1] - time.monotonic()))


@contextmanager
def _down(load: Load, how: str) -> Iterator[None]:
    begun = load.now(how)
    load.course.down.append((begun, float("inf")))
    yield
    load.course.down[-1] = (begun, time.monotonic())


def _updated(load: Load) -> Any:
    """The next month comes as a file, and is taken in by command."""
    load.shop.month_comes()
    begun = time.monotonic()
    load.course.update = (begun, float("inf"))
    found = endure_shop.until_free(lambda: load.shop.twinops("update"), load.ending)
    if found.returncode:
        raise SystemExit(f"bench: the update ended with {found.returncode}: {found.stderr[-2000:]}")
    load.course.update = (begun, time.monotonic())
    with load.desk:
        free = time.monotonic()
        new = load.shop.opened()
        for who in load.steady + load.busy + load.leaving:
            new.sid(who)  # looked up while nobody more is erased
        as_of = json.dumps(new.ground.opener.receipts.as_of.isoformat()).encode()
        _asked_until(load, lambda seen: seen.status == 200 and seen.said.startswith(as_of), FOLLOWS_S)
        load.course.followed = time.monotonic()
        load.took_s = load.course.followed - free
    return new


def _asked_until(load: Load, holds: Callable[[Seen], bool], seconds: float) -> None:
    """Until both processes answer so: twenty questions, each over a line of its own."""
    line, so, end = Line(load.port, load.token), 0, time.monotonic() + seconds
    while so < 20:
        so = so + 1 if holds(_predicted(line, load.steady[0])) else 0
        line.end()
        time.sleep(0.05)
        if time.monotonic() > end:
            raise SystemExit(f"bench: it did not come to hold within {seconds:.0f} s")


def _revoked(load: Load, registry: Any) -> None:
    """The approval is taken back for a while, then another version has it."""
    body, registry.body = registry.body, None
    since = time.monotonic()
    load.course.cut = (since, float("inf"))
    time.sleep(REVOKED_S)
    load.course.cut = (since, time.monotonic())
    registry.body = {**body, "version": load.course.versions[1]}
    _asked_until(load, lambda seen: seen.status == 200, 120)
    load.course.restored = time.monotonic()


def _client(load: Load, mine: int) -> None:
    """Ask again and again: predictions, and now and then something else."""
    rng, line = random.Random(mine), Line(load.port, load.token)  # noqa: S311
    while not load.ending.is_set():
        who, drawn = rng.choice(rng.choice((load.steady, load.busy, load.leaving))), rng.random()
        if drawn < 0.02:
            load.seen += _scored(line, rng.sample(load.steady, 20))
        elif drawn < 0.04:
            load.seen.append(_predicted(line, who, act="explain"))
        elif drawn < 0.041:
            load.seen.append(_asked(line, "simulate", who, {"purpose": "offers", "action": "silence:14"}))
        elif drawn < 0.05:
            load.seen.append(_asked(line, "undeclared", who, {"purpose": "credit"}))
        else:
            load.seen.append(_predicted(line, who))
        if load.seen[-1].status in (0, 503):
            time.sleep(0.02)


def _predicted(line: Line, who: str, *, act: str = "predict") -> Seen:
    return _asked(line, act, who, {"purpose": "offers"})


def _asked(line: Line, act: str, who: str, body: object) -> Seen:
    begun = time.monotonic()
    status, found = line.ask(f"/v1/twins/{who}/{'predict' if act == 'undeclared' else act}", body)
    ended = time.monotonic()
    if status != 200:
        return Seen(act, who, begun, ended, status, _refusal(found))
    head, _, rest = found.partition(b'"as_of": ')
    if act == "explain":
        rest = rest.partition(b',"average_spend"')[0] + b"}"
    if act == "simulate":
        rest = _without(rest)
    return Seen(act, who, begun, ended, status, rest, int(head.partition(b'"version": ')[2].partition(b",")[0]))


def _without(rest: bytes) -> bytes:
    """What a what-if of silence says of the twin today, as a prediction would say it."""
    as_of, _, simulated = rest.partition(b',"simulated":')
    return b'%s,"expected":%s}' % (as_of, json.dumps(json.loads(simulated[:-1])["without"]).encode())


def _scored(line: Line, whom: list[str]) -> list[Seen]:
    """Each of a batch, as if it were asked alone; it tells no as-of day, so it is of those nobody tells of."""
    begun = time.monotonic()
    status, found = line.ask("/v1/score", {"purpose": "offers", "consumers": whom})
    ended = time.monotonic()
    if status != 200:
        return [Seen("score", whom[0], begun, ended, status, _refusal(found))]
    told = json.loads(found)
    version = told["model"]["version"]
    return [Seen("score", r["consumer"], begun, ended, 200, json.dumps(r.get("expected")), version)
            for r in told["results"]]  # fmt: skip


def _refusal(body: bytes) -> str:
    return str(json.loads(body).get("type", "")).rpartition(":")[2] if body else ""


def _leave(load: Load, seconds: float) -> None:
    """One customer after another is erased or objects, by command or by event."""
    line = Line(load.port, load.token)
    for place, who in enumerate(load.leaving[:-4]):
        if load.ending.wait(0.9 * seconds / LEAVING):
            return
        refusal = ("unknown-consumer", "objection", "objection")[place % 3]
        load.course.left[who] = Left(said := time.monotonic(), float("inf"), refusal)
        if place % 3 == 2:
            event = {"event_id": f"leave-{place}", "kind": "object", "consumer": who, "purpose": "offers"}
            while line.ask("/v1/events", {"events": [event]})[0] != 202 and not load.ending.is_set():
                time.sleep(0.05)
        else:
            act = (load.shop.erase, load.shop.object)[place % 3]
            with load.desk:
                load.course.left[who] = Left(said := time.monotonic(), float("inf"), refusal)
                found = endure_shop.until_free(lambda who=who, act=act: act(who), load.ending)
            if found.returncode == 5:
                return
            if found.returncode:
                raise SystemExit(f"bench: {refusal} ended with {found.returncode}: {found.stderr[-2000:]}")
        load.course.left[who] = Left(said, time.monotonic(), refusal)


def _measured(load: Load) -> None:
    """MB that all processes hold, every second."""
    while not load.ending.wait(1.0):
        if load.process is not None:
            load.memory.append((time.monotonic(), endure_shop.memory_mb(load.process)))


def _lost(shop: Shop, told: Told) -> int:
    """Accepted baskets of the open month that do not lie in the journal once."""
    from twinops.service.journal import Journal

    twins = shop.opened()
    journal = Journal(endure_shop.places(shop).live("service") / "events.db")
    sids = {sid for one in told.taken if (sid := twins.sid(one[1])) is not None}
    found = Counter(row.event_id for sid in sids for row in journal.of(sid))
    journal.close()
    return sum(found[one[0]] != 1 for one in told.taken if one[2] == DAYS[1])


def _rows(load: Load, truth: Truth, told: Told, lost: int) -> list[Row]:
    """The table, and the figures, once nothing was wrong."""
    verdicts = [truth.judged(s) for s in load.seen]
    lines = [_line(name, load, verdicts, told, span) for name, *span in _spans(load)]
    lines.append(_line("all", load, verdicts, told, [(load.phases[0][1], float("inf"))]))
    bad = [(v.what, s) for s, v in zip(load.seen, verdicts, strict=True) if v.what in ("wrong", "missed")]
    whole, start = lines[-1], load.phases[0][1]
    told_bad = [
        (w, s.act, s.status, s.said if isinstance(s.said, str) else "", round(s.begun - start, 2)) for w, s in bad
    ]
    print(_table(lines, lost))
    print(json.dumps({"examples": told_bad[:6], "events": told.wrong[:3], "left": len(load.course.left)}))
    memory = _memory(load)
    print(json.dumps({"memory": memory}))
    late = max((v.late_s for v in verdicts), default=0.0)
    wrong = {"wrong answers": whole["wrong"] + len(told.wrong), "missed refusals": whole["missed"], "lost events": lost}
    done = f"{CLIENTS} clients, a new month by `twinops update`, a revocation, a stop, a kill"
    note = f"{whole['s'] / 60:.1f} minutes, two processes, {done}; " + ", ".join(f"{n} {w}" for w, n in wrong.items())
    if any(wrong.values()):
        raise SystemExit(f"bench: it did not hold: {note}")
    made: list[tuple[str, float, str, int, str]] = [
        ("endured_rps", whole["right"] / whole["s"], "answers/s", whole["right"], f"{note}; higher is better"),
        *((f"endured_p{p}_ms.{line['phase']}", line[f"p{p}"], "ms", line["right"], "the same run")
          for line in lines for p in (50, 99) if line["right"]),
        ("endured_events", whole["events"] / whole["s"], "events/s", whole["events"],
         f"of {EVENTS_A_SECOND:,} wished for, restarts included; {told.closed:,} of the month just collected were "
         "refused; higher is better"),
        ("endured_last_yes_s", late, "s", len(load.course.left), "the last answer that began after an erasure, an "
         "objection or a withdrawal by command or event was done"),
        ("endured_followed_s", load.took_s, "s", 1, "from when an update had ended, and no other command worked, until "
         "nobody was answered by the files of before"),
        *(("endured_memory_mb_a_minute", one["mb_a_minute"], "MB", len(load.memory), "slope (Theil, Sen) of what both "
           f"processes held in the longest undisturbed stretch, {one['s']:.0f} s, from a minute after its begin; all "
           "stretches: " + ", ".join(f"{m['s']:.0f} s at {m['mb']:.0f} MB: {m['mb_a_minute']:+.2f}" for m in memory))
          for one in sorted(memory, key=lambda m: -m["s"])[:1]),
    ]  # fmt: skip
    return [
        {"name": n, "value": v, "unit": u, "peer": None, "ratio": None, "n": k, "note": t} for n, v, u, k, t in made
    ]


def _spans(load: Load) -> Iterator[tuple[Any, ...]]:
    """Each kind of phase with the times that it had."""
    ends = [begun for _, begun in load.phases[1:]] + [float("inf")]
    spans: dict[str, list[tuple[float, float]]] = {}
    for (name, begun), end in zip(load.phases, ends, strict=True):
        spans.setdefault(name, []).append((begun, end))
    for name, of in spans.items():
        yield (name, *of)


def _line(name: str, load: Load, verdicts: Sequence[Verdict], told: Told, spans: Sequence[Any]) -> dict[str, Any]:
    """One phase of the table."""
    inside: Callable[[float], bool] = lambda at: any(a <= at < b for a, b in spans)  # noqa: E731
    pairs = [(s, v) for s, v in zip(load.seen, verdicts, strict=True) if inside(s.begun)]
    times = sorted(s.ended - s.begun for s, _ in pairs if s.status == 200 and s.act == "predict")
    ms = [1000 * q for q in statistics.quantiles(times, n=100)] if len(times) > 1 else [0.0] * 99
    found = Counter(v.what for _, v in pairs)
    end = max((s.ended for s in load.seen), default=0.0)
    mb = [m for at, m in load.memory if inside(at)]
    taken = sum(inside(one[5]) for one in told.taken)
    return {"phase": name, "s": sum(min(b, end) - a for a, b in spans), "events": taken,
            **{what: found[what] for what in ("right", "again", "wrong", "missed")},
            "p50": ms[49], "p99": ms[98],
            "mb_start": mb[0] if mb else 0.0, "mb_end": mb[-1] if mb else 0.0}  # fmt: skip


def _memory(load: Load) -> list[dict[str, float]]:
    """Of each time between two starts or updates, from a minute after its begin on: seconds, MB, MB a minute.

    The slope is Theil and Sen's, which a short rise and fall does not move.
    """
    cuts = sorted([*load.starts, load.course.followed, load.phases[-1][1]])
    downs = [since for since, _ in load.course.down]
    found = []
    for begun, until in pairwise(cuts):
        end = min([until, *(at for at in downs if at > begun)])
        mine = [(at, m) for at, m in load.memory if begun + FEWEST <= at < end]
        if len(mine) > FEWEST // 2:
            slope = scipy.stats.theilslopes([m for _, m in mine], [at / 60 for at, _ in mine])[0]
            mb = statistics.median(m for _, m in mine)
            found.append({"s": round(end - begun), "mb": round(mb, 1), "mb_a_minute": round(float(slope), 2)})
    return found


def _table(lines: Sequence[dict[str, Any]], lost: int) -> str:
    """As it is printed."""
    head = ("phase", "s", "right", "again", "wrong", "missed", "events", "p50", "p99", "mb_start", "mb_end")
    shown = [[line["phase"], *(f"{line[c]:,.1f}" if isinstance(line[c], float) else f"{line[c]:,}" for c in head[1:])]
             for line in lines]  # fmt: skip
    wide = [max(len(row[k]) for row in (head, *shown)) for k in range(len(head))]
    rows = ["  ".join(cell.rjust(w) for cell, w in zip(row, wide, strict=True)) for row in (head, *shown)]
    return "\n".join([*rows, f"lost events: {lost}"])
