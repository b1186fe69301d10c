"""Inputs that nobody expects: none may be answered 5xx, whoever sends it. The kit looks at every answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import play

from siege.client import API
from siege.kit import Field, NotHereError, attack, new_name

GROUP = "inputs nobody expects"
ODD: tuple[Any, ...] = (
    None, True, [], {}, -1, 1.5, float("inf"), float("nan"), 10**30, "x" * 3000, "\0", "\ud800", "\u202e",
    "99999999999999999999", "1.0", "٣", " 1", "NaN", "", "../x", "%00", "\n", "'; DROP TABLE x;--", [[]], {"a": {}},
)  # fmt: skip
WHOLE = (
    b"[" * 100_000, b'{"name":' * 20_000, b"\xff\xfe", b"null", b'"x"', b"", b'{"a":1e999}', b"\x00", b"0" * 5000,
    b"9" * 5000,
)  # fmt: skip
MINE = {"name": play.MODEL, "version": "1"}
WHY = "because of a reason that is long enough"
ROUTES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "alias": ("POST", f"{API}/registered-models/alias", {**MINE, "alias": "odd"}),
    "alias removal": ("DELETE", f"{API}/registered-models/alias", {"name": play.MODEL, "alias": "odd"}),
    "register": ("POST", f"{API}/model-versions/create", {"name": "nobody", "source": "x", "run_id": "x", "tags": []}),
    "stage": ("POST", f"{API}/model-versions/transition-stage", {**MINE, "stage": "None"}),
    "describe": ("PATCH", f"{API}/model-versions/update", {**MINE, "description": "x"}),
    "delete": ("DELETE", f"{API}/model-versions/delete", {"name": "nobody", "version": "7"}),
    "tag": ("POST", f"{API}/model-versions/set-tag", {**MINE, "key": "k", "value": "v"}),
    "tag removal": ("DELETE", f"{API}/model-versions/delete-tag", {**MINE, "key": "k"}),
    "model": ("POST", f"{API}/registered-models/create", {"name": "nobody", "tags": [], "description": ""}),
    "rename": ("POST", f"{API}/registered-models/rename", {"name": "nobody", "new_name": "nobody2"}),
    "run": ("POST", f"{API}/runs/create", {"experiment_id": "0", "user_id": "x", "start_time": 0, "tags": []}),
    "experiment": ("POST", f"{API}/experiments/create", {"name": "odd", "artifact_location": ""}),
    "logged model": ("POST", f"{API}/logged-models", {"experiment_id": "0", "name": "x"}),
    "graphql": ("POST", "/graphql", {"query": "{__typename}", "variables": {}, "operationName": None}),
    "account": ("POST", f"{API}/users/create", {"username": "u", "password": "a-long-enough-password"}),
    "role": ("POST", "/api/3.0/mlflow/roles/assign", {"username": "nobody", "role_id": 1}),
}
OURS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "promote": ("POST", "/twinops/api/promote", {**MINE, "alias": "production", "etag": 0}),
    "review": ("POST", "/twinops/api/review", {**MINE, "act": "request", "digest": "x", "reason": WHY}),
    "resolve": ("POST", "/twinops/api/resolve", {**MINE, "gate": "x", "digest": "x", "reason": WHY, "days": 3}),
    "withdraw": ("POST", "/twinops/api/withdraw", {**MINE, "gate": "x", "reason": WHY}),
    "rules": ("POST", "/twinops/api/rules", {"kind": "policy", "text": "x", "signature": None}),
    "take down": ("POST", "/twinops/api/take-down", {"name": "nobody", "alias": "x", "reason": WHY}),
    "evidence": ("POST", "/twinops/api/evidence", {**MINE, **play.handed(b"x")}),
}
AS = {"rules": "risk-officer", "take down": "risk-officer", "evidence": "ci", "account": "admin", "role": "admin"}


def _bodies(told: dict[str, Any]) -> list[bytes]:
    """Each key with each odd value, and whole bodies that are none."""
    return [json.dumps({**told, key: odd}).encode() for key in told for odd in ODD] + list(WHOLE)


def _sent(here: Field, case: str, route: tuple[str, str, dict[str, Any]]) -> None:
    method, path, told = route
    who = AS.get(case, "scientist")
    fresh = {**told, "name": new_name("odd")} if case in ("model", "experiment") else told
    for body in _bodies(fresh):
        here.at.call(method, path, body, who=who, Content_Type="application/json")


@attack(GROUP, "odd values and bodies on MLflow's routes", cases=list(ROUTES), large=True)
def odd_values(here: Field, case: str) -> None:
    _sent(here, case, ROUTES[case])


@attack(
    GROUP, "odd values and bodies on our routes", cases=list(OURS), needs="judges", stock="not applicable", large=True
)
def odd_values_of_ours(here: Field, case: str) -> None:
    _sent(here, case, OURS[case])


SHORT = ("alias", "describe", "delete", "promote", "review", "evidence")


@attack(GROUP, "the worst of them", cases=SHORT)
def worst_values(here: Field, case: str) -> None:
    if case in OURS and not here.governed:
        raise NotHereError("there is no such route")
    method, path, told = {**ROUTES, **OURS}[case]
    odd = ("\ud800", True, "99999999999999999999", float("inf"), "3.0")
    bodies = [json.dumps({**told, key: o}).encode() for key in ("name", "version") for o in odd]
    for body in (*bodies, *(json.dumps({**told, k: "\ud800"}).encode() for k in told), WHOLE[0], WHOLE[1]):
        here.at.call(method, path, body, who=AS.get(case, "scientist"), Content_Type="application/json")


PAGES = (
    "/twinops/api/version", "/twinops/api/alias", "/twinops/api/pass", "/twinops/api/log", "/twinops/review",
    "/twinops/", "/twinops/file", f"{API}/registered-models/alias", f"{API}/model-versions/get",
    f"{API}/registered-models/search",
    f"{API}/model-versions/get-download-uri", f"{API}/model-versions/search", "/model-versions/get-artifact",
    "/get-artifact", f"{API}/artifacts/list", f"{API}/experiments/search",
)  # fmt: skip
ASKED = ("name", "version", "alias", "path", "from", "page", "filter", "max_results", "page_token", "run_id", "for")
VALUES = (
    "\0",
    "%ED%A0%80",
    "x" * 9000,
    "99999999999999999999",
    "-1",
    "1.0",
    "٣",
    "'",
    "(" * 5000,
    "../..",
    "\r\nX: 1",
    "",
    "😀",
)


@attack(GROUP, "odd questions in an address", cases=PAGES, large=True)
def odd_questions(here: Field, page: str) -> None:
    if page.startswith("/twinops/") and not here.governed:
        raise NotHereError("there is no such route")
    base = {**MINE, "alias": "production", "path": "x", "run_id": here.produced.run, "run_uuid": here.produced.run}
    for key in ASKED:
        for value in VALUES:
            told = {**base, key: value}
            asked = "&".join(f"{k}={v if v.startswith('%') else quote(v)}" for k, v in told.items())
            here.at.call("GET", f"{page}?{asked}", who="scientist")


@attack(GROUP, "odd headers, from nobody and from a scientist", cases=[
    "Authorization: Bearer x", "Authorization: Digest x=y", "Authorization: Negotiate x", "Authorization: Basic !!!",
    "Authorization: Basic", "Authorization: Basic //46/w==", "X-MLFLOW-WORKSPACE: x", "X-MLFLOW-WORKSPACE: ../x",
    "Content-Type: \xff", "Content-Encoding: zip", "Accept-Encoding: \xff", "Range: bytes=9-1", "Expect: 200-ok",
    "Origin: \xff", "Origin: http://[", "Sec-Fetch-Site: \xff", "Cookie: \xff=\xff", "X-Mlflow-Experiment-Id: x",
], large=True)  # fmt: skip
def odd_headers(here: Field, header: str) -> None:
    login = () if header.startswith("Authorization") else (f"Authorization: {here.at.login('scientist')}",)
    for path in ("/", f"{API}/registered-models/search", "/twinops/", "/api/2.0/mlflow-artifacts/artifacts/1/x"):
        for more in {(), login}:
            here.at.raw(f"GET {path} HTTP/1.1", header, *more)
    here.at.raw("POST /v1/traces HTTP/1.1", header, *login, "Content-Length: 1", body=b"x")
