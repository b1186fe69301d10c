"""Wearing the server out before anybody is known: bodies, open connections, guesses; and honest readers."""

from __future__ import annotations

import gzip
import os
import threading
import time
from functools import partial

import play

from siege.client import API, ARTIFACTS
from siege.kit import HELD, Field, NotHereError, attack, harm, new_name, new_number
from siege.load import Watch, chunked, half_open, together, watched

GROUP = "bounds before anybody is known"
LIMIT_MB, LIMIT_SECONDS = 100.0, 1.0
LARGE = bool(os.environ.get("TWINOPS_SIEGE_LARGE"))
"""Whole sizes; small ones show in seconds whether there is a bound at all."""


def _fits(seen: Watch, megabytes: float = LIMIT_MB) -> None:
    told = f"memory grew by {seen.grown_mb:.0f} MB; p50 {seen.waiting(0.5):.3f} s, p99 {seen.waiting(0.99):.3f} s"
    harm(seen.grown_mb > megabytes, told)
    harm(LARGE and seen.waiting(0.99) > LIMIT_SECONDS, told)
    failed = f"{len(seen.failed)} of {len(seen.waited)} honest requests failed: {seen.failed[:2]}"
    harm(seen.failed != [], f"{failed}; {told}")
    print(f"    {told}")


@attack(GROUP, "a body without a length, of as many megabytes as one likes, from nobody", needs="process",
        cases=[f"{API}/registered-models/alias", f"{ARTIFACTS}/1/x/y", "/twinops/api/evidence", "/"],
        large=True)  # fmt: skip
def chunked_body(here: Field, path: str) -> None:
    with watched(here.at) as seen:
        chunked(here.at, path, 300 if LARGE else 130)
    _fits(seen)


@attack(
    GROUP,
    "a small compressed body that opens to a large one",
    needs="process",
    cases=["nobody", "scientist"],
    large=True,
)
def gzip_bomb(here: Field, who: str) -> None:
    told = {"Content_Encoding": "gzip", "Content_Type": "application/x-protobuf", "X_Mlflow_Experiment_Id": "1"}
    if who != "nobody":
        told["Authorization"] = here.at.login(who)
    bomb = gzip.compress(b"\0" * (1_000_000_000 if LARGE else 200_000_000), 9)
    with watched(here.at) as seen:
        here.at.call("POST", "/v1/traces", bomb, **told)
        time.sleep(0.2)
    _fits(seen)


@attack(GROUP, "hundreds of connections that begin a request and say no more", needs="process", large=True)
def half_open_connections(here: Field) -> None:
    with half_open(here.at, 500 if LARGE else 120), watched(here.at) as seen:
        time.sleep(15 if LARGE else 2)
    _fits(seen)


@attack(
    GROUP,
    "passwords are guessed as fast as one can ask",
    cases=["one account", "a new forwarded address per guess"],
    large=True,
)
def guesses(here: Field, case: str) -> None:
    at, refused = here.at, 0
    name = new_name("guessed")
    for n in range(30):
        login = {"Authorization": "Basic " + play.base64.b64encode(f"{name}:guess-{n}".encode()).decode()}
        more = {"X_Forwarded_For": f"10.0.0.{n}"} if case != "one account" else {}
        refused += at.call("GET", f"{API}/users/get?username={name}", **login, **more).status == 429
    harm(refused == 0, "thirty guesses were answered, none was put off")


@attack(GROUP, "a page of ours is framed by another, or a file of the server's may be read by others", needs="judges",
        stock="not applicable", cases=["frame", "files"],
        large=True)  # fmt: skip
def framed(here: Field, case: str) -> None:
    if case == "frame":
        told = {k.lower(): v for k, v in here.at.call("GET", "/", who="risk-officer").headers.items()}
        policy = told.get("content-security-policy", "")
        harm(told.get("x-frame-options") != "DENY" and "frame-ancestors 'none'" not in policy, f"frames: {told}")
        return
    if here.at.root is None:
        raise NotHereError("the server's folder is not here")
    secret = [*here.at.root.glob("*.db*"), *(here.at.root / "registry").rglob("*.db*")]
    open_ = [p.name for p in secret if p.stat().st_mode & 0o077]
    harm(bool(open_), f"others may read {open_}")


READERS = "honest readers"


@attack(READERS, "whoever reads production is refused while promotions go on", stock=HELD, large=True)
def readers_during_promotions(here: Field) -> None:
    at, name = here.at, new_name("read")
    versions = [at.approved(new_number(), name=name) for _ in range(2)]
    at.alias(versions[0])
    over, refused, read = threading.Event(), [], [0]

    def read_on() -> None:
        while not over.is_set():
            answer = at.resolved(name)
            read[0] += 1
            if answer.status != 200:
                refused.append(answer.body[:120])

    def promote() -> None:
        for n in range(200 if LARGE else 20):
            at.alias(versions[n % 2])
        while read[0] < (10_000 if LARGE else 60):
            time.sleep(0.01)
        over.set()

    together([promote, *[partial(read_on) for _ in range(4)]])
    harm(bool(refused), f"{len(refused)} of {read[0]} reads were refused: {refused[:1]}")
