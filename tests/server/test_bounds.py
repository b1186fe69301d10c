"""Whoever can reach the port: nobody takes the server down, or makes it answer that it is broken, by what he sends."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attacks_bounds as attacks
import fuzz
import live as living
import psutil
import pytest
from live import API, Live

pytestmark = pytest.mark.pipeline
MB = 1_000_000
MOST_GROWTH = 100 * MB
FUZZ = int(os.environ.get("TWINOPS_FUZZ", "1"))
"""Requests per route and method."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("bounds")
    for name in ("registry/checkpoints", "mlruns/0"):
        (root / name).mkdir(parents=True)
    for name in ("registry/accounts.ini", "mlruns/0/old.txt", "mlflow.db-wal"):
        (root / name).touch(mode=0o644)
    with living.serving(root) as server:
        yield server


def resident(live: Live) -> int:
    """Bytes of the server and what it started."""
    assert live.process is not None
    server = psutil.Process(live.process.pid)
    return sum(p.memory_info().rss for p in [server, *server.children(recursive=True)])


def assert_served(met: attacks.Honest) -> None:
    """Within a second: 99 of a hundred, for one may meet the kernel's own second before it asks for a place again."""
    assert (met.statuses, met.p99 < 1) == ({200}, True), (met.statuses, sorted(met.seconds)[-5:], len(met.seconds))


def test_endless_bodies_are_cut_where_they_pass_the_bound(live: Live) -> None:
    before = resident(live)
    with attacks.honest(live) as met:
        answer, taken = attacks.chunked(live, 300)
        assert (answer.status, taken < 30) == (401, True), "nobody knows who this is, so nothing is read"
        answer, taken = attacks.chunked(live, 300, who="scientist")
        assert (answer.status, taken < 60) == (413, True)
        assert attacks.lying(live, says=2**40, sends=9, who="scientist").status == 413
        assert attacks.lying(live, says=9_000, sends=9, who="scientist").status == 408
        assert attacks.lying(live, says=2, sends=9_000, who="scientist").refused
    assert resident(live) - before < MOST_GROWTH
    assert_served(met)


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 413), ("deflate", 413), ("gzip, gzip", 415), ("br", 415), ("x", 415)]
)
def test_compressed_bodies_are_opened_no_further_than_the_bound(live: Live, encoding: str, status: int) -> None:
    before = resident(live)
    assert attacks.bomb(live, 150, who=None, encoding=encoding).status == 401
    assert attacks.bomb(live, 150, who="scientist", encoding=encoding).status == status
    assert resident(live) - before < MOST_GROWTH


@pytest.mark.parametrize(
    ("what", "who"),
    [*((what, None) for what in ("nothing", "head", "body", "open")), ("body", "scientist"), ("upload", "scientist")],
)
def test_half_open_connections_keep_nobody_waiting_not_even_at_their_own_address(
    live: Live, what: str, who: str | None
) -> None:
    source, before = "127.0.0.3", resident(live)
    with (
        attacks.honest(live) as elsewhere,
        attacks.honest(live, source=source) as beside,
        attacks.half_open(live, 500, words=attacks.begun(live, what, who), source=source),
    ):
        time.sleep(8)
    assert resident(live) - before < MOST_GROWTH
    assert_served(elsewhere)
    assert_served(beside)


def test_strangers_who_ask_for_much_and_take_nothing_hold_no_thread(live: Live) -> None:
    source, before = "127.0.0.5", resident(live)
    with (
        attacks.half_open(live, 200, words=attacks.begun(live, "unread"), source=source),
        attacks.honest(live, source=source) as met,
    ):
        time.sleep(8)
    assert resident(live) - before < MOST_GROWTH
    assert (met.statuses, len(met.seconds) > 10) == ({200}, True), met.seconds


def test_lines_that_were_used_once_do_not_push_a_new_one_out(live: Live) -> None:
    source, words = "127.0.0.4", f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n\r\nGET /health HTTP"
    with (
        attacks.half_open(live, 300, words=words, source=source),
        attacks.honest(live, source=source) as met,
        attacks.half_open(live, 300, words=words, source=source),
    ):
        time.sleep(1)
    assert met.statuses == {200}


def test_slow_heads_and_slow_bodies_are_ended(live: Live) -> None:
    with (
        attacks.half_open(live, 1, words=attacks.begun(live, "head")) as (head,),
        attacks.half_open(live, 1, words=attacks.begun(live, "body", "scientist")) as (body,),
    ):
        start = time.monotonic()
        attacks.dribble((head, body), seconds=14)
        assert (attacks.spoken(head).status, attacks.spoken(body).status) == (0, 408)
        assert time.monotonic() - start < 30


def test_heads_without_an_end_are_cut(live: Live) -> None:
    before = resident(live)
    assert attacks.huge_head(live)[0].status in (0, 400)
    answer, taken = attacks.huge_head(live, number=5_000, size=10_000)
    assert (answer.status in (0, 400), taken < 20 * MB) == (True, True)
    assert live.call("GET", "/health", **{f"x-{n}": "y" for n in range(120)}).status == 431
    assert live.call("GET", "/health?" + "x" * 70_000).refused
    assert resident(live) - before < MOST_GROWTH


def test_guessing_passwords_takes_longer_each_time_and_locks_nobody_out(live: Live) -> None:
    assert live.call("GET", "/twinops/api/whoami", who="dpo").status == 200
    tried = Counter(attacks.guesses(live, "dpo", 60, source="127.0.0.9"))
    assert tried[401] < 12
    assert tried[429] > 48
    assert live.call("GET", "/twinops/api/whoami", who="dpo").status == 200, "from where she logged in before"
    logged = live.call("GET", "/twinops/api/log", who="risk-officer").json["entries"]
    guessed = [line for line in logged if '"act":"log in"' in line]
    assert guessed
    said = (live.root / "server.log").read_text()
    assert "A login failed" in said
    told = said + "".join(logged)
    assert [word for word in ("guess-", "127.0.0.9") if word in told] == []
    assert set(attacks.guesses(live, "nobody", 3, source="127.0.0.10")) == {401}


def test_a_login_that_is_none_is_told_so(live: Live) -> None:
    for told in fuzz.LOGINS:
        answer = live.call("GET", "/twinops/api/whoami", Authorization=told)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="mlflow"'), told


def test_places_outside_the_store_are_refused_before_a_folder_is_made(live: Live) -> None:
    for at in (live.root, live.root.parent, Path.cwd()):
        assert not (at / "x").exists()
    met = attacks.placed(live)
    assert {place: answer.status for place, answer in met.items() if not answer.refused} == {}
    assert [p for p in (live.root / "x", live.root.parent / "x", Path("/etc/x"), Path.cwd() / "x") if p.exists()] == []
    kept = {"name": "kept here", "artifact_location": "mlflow-artifacts:/kept"}
    assert live.call("POST", f"{API}/experiments/create", kept, who="scientist").status == 200


def test_names_that_look_alike_are_refused(live: Live) -> None:
    version = live.registered()
    for met in (attacks.named_alike(live, version.name, version.version), attacks.models_alike(live, version.name)):
        assert {what: answer.status for what, answer in met.items() if not answer.refused} == {}
    assert live.call("POST", f"{API}/registered-models/create", {"name": "зима"}, who="scientist").status == 200
    for reason in ("\u200b" * 40, "x" * 1_000_000, "It is fine \u202eenif si ti", "a\0b" * 10):
        body = {**version.which, "act": "reject", "reason": reason}
        assert live.call("POST", "/twinops/api/review", body, who="risk-officer").refused


def test_files_of_the_registry_are_for_the_server_alone(live: Live) -> None:
    live.registered(5)
    kept = [*live.root.glob("mlflow.db*")]
    for folder in (live.root / "registry", live.root / "mlruns"):
        kept += [folder, *folder.rglob("*")]
    assert len(kept) > 12
    wide = {
        str(p.relative_to(live.root)): oct(p.stat().st_mode) for p in kept if stat.S_IMODE(p.stat().st_mode) & 0o077
    }
    assert wide == {}


def test_no_page_is_shown_in_a_frame(live: Live) -> None:
    for path in ("/", "/twinops/", "/health", "/nothing", "/static-files/lib/notebook-trace-renderer/index.html"):
        answer = live.call("GET", path, who="scientist")
        policies = [v for n, v in answer.headers.items() if n.lower() == "content-security-policy"]
        assert "frame-ancestors 'none'" in policies[-1], path
        assert answer.headers["x-frame-options"] == "DENY"


def test_no_request_makes_the_server_say_that_it_is_broken(live: Live, tmp_path: Path) -> None:
    version = live.registered(3)
    real = {"name": version.name, "run_id": version.run, "version": str(version.version), "path": version.place}
    real |= {"experiment_id": live.experiment("scientist"), "alias": "champion", "username": "scientist"}
    what = fuzz.listed(live, tmp_path)
    assert len(what.routes) > 500
    asked = list(fuzz.Fuzz(what, seed=20261128, real=real).requests(FUZZ))
    assert len(asked) > 1_000 * FUZZ
    met: Counter[int] = Counter()
    broken = []
    for request in asked:
        answer = request.sent(live)
        met[answer.status] += 1
        if answer.status >= 500:
            broken.append((request, answer.body[:200]))
    assert broken == []
    assert met[200] > 25, "some of it went all the way"
