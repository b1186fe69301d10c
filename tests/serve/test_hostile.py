"""Whatever is sent, the answer is typed, tells nothing that was sent, and is never a failure of the service."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
import serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from living_world import natural
from serving import Asked, Shop, refusal

from twinops.adapters import connections
from twinops.service import bodies
from twinops.service.intake import Judge

ACTS = ("predict", "simulate", "explain")


@pytest.fixture(scope="module")
def running(built: Shop, tmp_path_factory: pytest.TempPathFactory):
    shop = serving.copied(built, tmp_path_factory.mktemp("hostile") / "shop")
    token = shop.token("everything", rate=1e6)
    with serving.running(shop) as (address, service):
        yield address, token, service


@pytest.fixture
def asked(running) -> Asked:
    return Asked(running[0], running[1])


DEEP = "[" * 100_000 + "]" * 100_000
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe\x00",
    b'{"purpose": NaN}',
    b'{"purpose": 1e999}',
    b'{"purpose": "offers", "purpose": 1}',
    DEEP.encode(),
    ('{"purpose": ' + DEEP + "}").encode(),
    ('{"a":' * 5_000 + "1" + "}" * 5_000).encode(),
    b'{"purpose": "offers\\u0000"}',
    b'{"purpose": "\\ud800"}',
    b'{"purpose": ' + b"9" * 10_000 + b"}",
    b'{"purpose": "' + b"o" * 10_000 + b'"}',
]


@pytest.mark.parametrize("path", [*(f"/v1/twins/{natural(40)}/{a}" for a in ACTS), "/v1/score", "/v1/events"])
def test_a_body_that_is_none_is_malformed_and_not_repeated(asked: Asked, path: str) -> None:
    for body in BODIES:
        found = asked.http.post(path, content=body, headers={"content-type": "application/json"})
        assert 400 <= found.status_code < 500, (body[:60], found.status_code)
        assert refusal(found)
        assert len(found.text) < 2_000


def test_a_secret_in_a_wrong_body_is_not_told_back(asked: Asked) -> None:
    secret = "ann.example@mail.invalid"
    for body in ({"purpose": "offers", secret: 1}, {"purpose": {"x": secret}}, {"purpose": secret}):
        assert secret not in asked.post(f"/v1/twins/{natural(40)}/predict", **body).text


def test_too_long_a_body_is_refused_whether_its_length_is_told_or_not(asked: Asked) -> None:
    big = b'{"purpose": "' + b"x" * bodies.MOST_BYTES + b'"}'
    assert refusal(asked.http.post("/v1/score", content=big)) == "too-large"
    assert refusal(asked.http.post("/v1/score", content=iter([big]))) == "too-large"


def line_to(address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=10)


def closed(line: socket.socket) -> bool:
    """Whether the other side ended it; what it said before is read and forgotten."""
    try:
        while line.recv(65536):
            continue
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def test_lines_of_an_address_that_say_nothing_give_way_to_who_asks(running, asked: Asked) -> None:
    with contextlib.ExitStack() as held:
        silent = [held.enter_context(line_to(running[0])) for _ in range(300)]
        assert asked.predict(40).status_code == 200
        for line in silent:
            line.settimeout(0.01)
        assert sum(map(closed, silent)) >= 300 - int(os.environ.get(connections.PER_ADDRESS, "256"))


def test_a_head_without_an_end_is_cut_off_and_not_kept_in_memory(running, asked: Asked) -> None:
    with line_to(running[0]) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 300_000)
        assert closed(line)
    assert asked.predict(40).status_code == 200


def test_a_head_that_does_not_come_is_not_waited_for(running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with line_to(running[0]) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert closed(line)


def test_a_body_that_does_not_come_is_not_waited_for(running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_S", 0.2)
    head = f"POST /v1/score HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {running[1]}\r\nContent-Length: 30\r\n\r\n"
    with line_to(running[0]) as line:
        line.sendall(head.encode() + b'{"purpose"')
        told = b""
        while part := line.recv(65536):  # until it is closed
            told += part
    assert told.startswith(b"HTTP/1.1 408")
    assert b"too-slow" in told


IDS = [
    "",
    " ",
    "%00",
    "..%2f..%2fetc",
    "a" * 5_000,
    "%F0%9F%92%A9",
    "оffers",
    "ａｎｎ",
    "%E2%80%AE1",
    "f" * 32,
    "' OR 1=1--",
    "1\u200b",
]


def test_ids_that_are_nobodys_are_nobodys(asked: Asked) -> None:
    for who in IDS:
        found = asked.http.post(f"/v1/twins/{who}/predict", json={"purpose": "offers"})
        assert found.status_code in (404, 413), (who, found.text)
        assert refusal(found) in ("unknown-consumer", "not-found", "too-large")
        if who.strip():
            score = asked.post("/v1/score", purpose="offers", consumers=[who[:100]]).json()
            assert score["results"][0]["refused"]["type"].endswith("unknown-consumer")


def test_tokens_that_are_nobodys_are_nobodys(running) -> None:
    address, token, _ = running
    name, secret = token.split(".")
    wrong = [
        name,
        f"{name}.",
        f".{secret}",
        f"{name}.{secret[:-1]}",
        f"{name}.{secret}x",
        f"other.{secret}",
        f"{name}.{'A' * 43}",
        token.upper(),
        "e" * 30_000,
        f"{name}.{secret}".replace("e", "\u0435"),
    ]
    asked = Asked(address, token)
    for given_token in wrong:
        header = f"Bearer {given_token}".encode()
        found = asked.http.post(
            f"/v1/twins/{natural(40)}/predict", json={"purpose": "offers"}, headers=[(b"Authorization", header)]
        )
        assert found.status_code in (400, 401, 431), given_token[:50]
    for scheme in ("Basic", "bearer2", "Bearer Bearer"):
        found = asked.http.post("/v1/score", json={}, headers={"Authorization": f"{scheme} {token}"})
        assert refusal(found) == "unauthenticated"
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    import httpx

    with httpx.Client(base_url=address) as plain:
        assert plain.post("/v1/score", json={}, headers=twice).status_code == 401
        assert plain.post("/v1/score", content=DEEP).status_code == 401


EVENTS: list[dict[str, Any]] = [
    {"kind": "purchase", "day": "2017-08-02"},
    {"kind": "purchase", "day": "2017-08-02", "cents": -1},
    {"kind": "purchase", "day": "2017-08-02", "cents": 10**30},
    {"kind": "purchase", "day": "2017-08-02", "cents": 1.5},
    {"kind": "purchase", "day": "2017-08-02", "cents": "100"},
    {"kind": "purchase", "day": "0000-00-00", "cents": 1},
    {"kind": "purchase", "day": "9999-12-31", "cents": 1},
    {"kind": "purchase", "day": "2017-08-02", "cents": 1, "purpose": "offers"},
    {"kind": "object"},
    {"kind": "object", "purpose": "credit"},
    {"kind": "erase", "purpose": "offers"},
    {"kind": "consent", "purpose": "offers"},
    {"kind": "consent", "purpose": "offers", "notice": "n", "proof": "p", "given": "2999-01-01T00:00:00Z"},
    {"kind": "consent", "purpose": "offers", "notice": "n", "proof": "p", "given": "2026-01-01T00:00:00"},
]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_that_cannot_be_is_not_taken(asked: Asked, event: dict[str, Any]) -> None:
    found = asked.post("/v1/events", events=[{"event_id": secrets.token_hex(8), "consumer": natural(41), **event}])
    assert found.status_code in (202, 400)
    assert found.status_code == 400 or (found.json()["accepted"] == 0 and len(found.json()["refused"]) == 1)


@pytest.mark.parametrize("kind", ["purchase", "consent"])
def test_nobody_waits_while_many_events_or_a_consent_are_judged(
    running, asked: Asked, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    others_answered, judged, waited = threading.Event(), Judge.judged, []

    def slowly(self: Judge, *told: Any) -> Any:
        waited.append(others_answered.wait(10))
        return judged(self, *told)

    monkeypatch.setattr(Judge, "judged", slowly)
    form = {"purpose": "offers", "notice": "n", "proof": "p", "given": "2026-01-01T00:00:00Z"}
    told = form if kind == "consent" else {"day": "2017-08-02", "cents": 1}
    some = [{"event_id": str(n), "kind": kind, "consumer": "nobody", **told} for n in range(1 if told is form else 100)]
    with ThreadPoolExecutor(1) as other:
        sent = other.submit(Asked(running[0], running[1]).post, "/v1/events", events=some)
        serving.until(lambda: sent.running() or sent.done())
        assert [asked.predict(40).status_code for _ in range(20)] == [200] * 20
        others_answered.set()
        assert len(sent.result().json()["refused"]) == len(some)
    assert waited == [True]


def test_the_rest_of_the_api_is_closed(asked: Asked) -> None:
    assert refusal(asked.http.get("/v1/score")) == "no-such-method"
    assert refusal(asked.http.get("/nothing")) == "not-found"
    assert asked.http.get("/docs").status_code == 404
    assert asked.http.get("/openapi.json").json()["paths"].keys() == {
        "/v1/twins/{who}/predict",
        "/v1/twins/{who}/explain",
        "/v1/twins/{who}/simulate",
        "/v1/score",
        "/v1/events",
        "/healthz",
        "/metrics",
    }
    told = asked.http.get("/metrics").text
    assert "twinops_answers_total" in told
    assert natural(40) not in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def of_schema(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values by a schema of the OpenAPI, and now and then any JSON instead."""
    if "$ref" in schema:
        return of_schema(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return st.one_of(*(of_schema(s, defs) for s in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | JSON
    if schema.get("type") == "object":
        named = {n: of_schema(s, defs) for n, s in schema.get("properties", {}).items()}
        needed = set(schema.get("required", ()))
        made = {n: s for n, s in named.items() if n in needed}
        return st.fixed_dictionaries(made, optional={n: s for n, s in named.items() if n not in needed}) | JSON
    if schema.get("type") == "array":
        return st.lists(of_schema(schema["items"], defs), max_size=5) | JSON
    known = [
        natural(40),
        "offers",
        "twin_scoring",
        "silence:14",
        "basket:20",
        "campaign:A",
        "2017-08-02",
        "2026-01-01T00:00:00Z",
    ]
    plain = {"integer": st.integers(), "null": st.none()}.get(
        schema.get("type", ""), st.sampled_from(known) | st.text(max_size=120)
    )
    return plain | JSON


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_no_body_by_the_schema_or_beside_it_makes_the_service_fail(running, data: st.DataObject) -> None:
    address, token, _ = running
    asked = Asked(address, token)
    told = asked.http.get("/openapi.json").json()
    path = data.draw(st.sampled_from([p for p, ops in told["paths"].items() if "post" in ops]))
    schema = told["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    who = data.draw(
        st.sampled_from([natural(40), natural(41), "x"]) | st.text(min_size=1, max_size=30).filter(_can_be_sent)
    )
    body = json.dumps(data.draw(of_schema(schema, told["components"]["schemas"])))
    found = asked.http.post(path.replace("{who}", who), content=body.encode("utf-8", "surrogatepass"))
    # 503 is the typed answer that permissions are being read anew
    assert found.status_code < 500 or refusal(found) == "being-read", (path, body, found.text)
    if found.status_code >= 400:
        assert refusal(found)
    asked.http.close()
    serving.OPENED.remove(asked)


def _can_be_sent(text: str) -> bool:
    return text.isprintable() and not set("/?#%\\") & set(text) and text.strip(". ") != ""


def test_memory_stays_where_it_is(running) -> None:
    asked = Asked(running[0], running[1])
    me, batch = psutil.Process(), [natural(n) for n in range(200)]

    def load(rounds: int) -> int:
        for n in range(rounds):
            asked.post("/v1/score", purpose="offers", consumers=batch)
            asked.buy(100 + n % 50, secrets.token_hex(8))
            asked.predict("nobody" + str(n))
        gc.collect()
        return int(me.memory_info().rss)

    warm = load(100)
    assert load(300) - warm < 12 * 1024**2
