"""Asked by its own OpenAPI (schemathesis): nothing fails, every answer is one that it declares, whatever is sent."""

from __future__ import annotations

from itertools import product
from typing import Any

import httpx
import pytest
import schemathesis
import serving
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from living_world import natural
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import Asked, Shop, refusal

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [*(f"/v1/twins/{{who}}/{act}" for act in ("predict", "explain", "simulate")), "/v1/score", "/v1/events"]
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
ASK_AGAIN = ("being-read",)
"""A typed answer that says when to ask again is none of the failures that are looked for."""


@pytest.fixture(scope="module")
def door(built: Shop, tmp_path_factory: pytest.TempPathFactory):
    shop = serving.copied(built, tmp_path_factory.mktemp("openapi") / "shop")
    all_of_it, scoring = shop.token("all", rate=1e6), shop.token("scoring", purposes=("twin_scoring",), rate=1e6)
    with serving.running(shop) as (address, _):
        told = schemathesis.openapi.from_dict(httpx.get(f"{address}/openapi.json").json())
        yield address, told, all_of_it, scoring


@pytest.mark.parametrize(("path", "mode"), list(product(OPERATIONS, (POSITIVE, NEGATIVE))), ids=str)
@settings(max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(data=st.data())
def test_every_answer_is_one_that_the_openapi_declares(door, path: str, mode: Any, data: st.DataObject) -> None:
    address, told, token, _ = door
    case = data.draw(told[path]["POST"].as_strategy(generation_mode=mode))
    if data.draw(st.booleans()) and "who" in (case.path_parameters or {}):
        case.path_parameters["who"] = natural(41)
    for given_token in (token, None):
        headers = {"Authorization": f"Bearer {given_token}" if given_token else "Bearer nobody"}
        found = case.call(base_url=address, headers=headers)
        if found.status_code >= 500:
            assert found.json()["type"].rpartition(":")[2] in ASK_AGAIN, found.text
        elif given_token is None:
            assert found.status_code in (401, 404, 413), found.text
        else:
            assert mode is POSITIVE or found.status_code != 200 or _understood(case), (case.body, found.text)
            case.validate_response(found, checks=CHECKS)


def _understood(case: Any) -> bool:
    """A wrong id is nobody's and a wrong header nothing to us: only a wrong body must never be answered."""
    return isinstance(case.body, dict) and set(case.body) == {"purpose"}


@pytest.mark.parametrize("act", ["predict", "explain", "simulate", "score"])
def test_a_token_for_one_purpose_asks_for_no_other(door, act: str) -> None:
    address, _, _, scoring = door
    asked, more = Asked(address, scoring), {"action": "silence:14"} if act == "simulate" else {}
    path = "/v1/score" if act == "score" else f"/v1/twins/{natural(41)}/{act}"
    more |= {"consumers": [natural(41)]} if act == "score" else {}
    assert asked.post(path, purpose="twin_scoring", **more).status_code == 200
    for other in ("offers", "OFFERS", " offers", "offers\u0000", "bias_assessment", "research", "credit"):
        found = asked.post(path, purpose=other, **more)
        assert refusal(found) in ("purpose-not-yours", "purpose-not-declared"), (other, found.text)


def test_what_is_wrong_with_an_event_is_said_in_words_and_quotes_nothing(door) -> None:
    address, told, token, _ = door
    asked = Asked(address, token)
    whole = {"event_id": "e", "consumer": natural(41)}
    for kind, more, sentence in (
        ("purchase", {"cents": 5}, "a purchase has cents, day and nothing else"),
        ("object", {}, "a object has purpose and nothing else"),
        (
            "consent",
            {"purpose": "offers", "notice": "n", "proof": "p", "given": "2026-11-28T09:30:00"},
            "has an offset",
        ),
    ):
        found = asked.post("/v1/events", events=[{**whole, "kind": kind, **more}])
        assert (refusal(found), natural(41) in found.text) == ("malformed", False)
        assert sentence in found.json()["detail"], found.text
    assert asked.http.get("/v1/score").headers["allow"] == "POST"
    plain = told.raw_schema["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert list(plain) == [asked.http.get("/metrics").headers["content-type"].partition(";")[0]]
