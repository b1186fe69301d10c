"""What the service answers is what the command line answers, and every refusal is typed and told in its order."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import serving
from living_world import natural
from serving import Asked, Shop, refusal, until
from shoppers import everyone_agrees
from starlette.types import Receive, Scope, Send

from twinops.data.vault.seal import write_sealed
from twinops.service.app import Door
from twinops.twin.answers.forecast import forecast
from twinops.workflows.twin.open import Opened, shipped
from twinops.workflows.twin.simulate import simulate


def test_a_prediction_is_the_one_of_the_command_line(shop: Shop, asked: Asked) -> None:
    opener = shop.ground.opener
    for number in (3, 40, 200):
        found = asked.predict(number)
        assert found.status_code == 200, found.text
        expected = json.loads(json.dumps(asdict(forecast(opener.open(natural(number)).twin))))
        assert found.json()["expected"] == expected
        assert found.json()["model"]["version"] == 3


def test_a_batch_answers_what_single_questions_answer(asked: Asked) -> None:
    found = asked.post("/v1/score", purpose="offers", consumers=[natural(n) for n in range(5)] + ["nobody"])
    assert found.status_code == 200
    results = found.json()["results"]
    assert [r["expected"] for r in results[:5]] == [asked.predict(n).json()["expected"] for n in range(5)]
    assert results[5]["refused"]["type"].endswith("unknown-consumer")


def test_a_basket_changes_the_forecast_as_it_changes_the_twin(shop: Shop, asked: Asked) -> None:
    before = asked.predict(40).json()
    assert asked.buy(40, "b1", cents=5000).json() == {"accepted": 1, "duplicates": 0, "refused": []}
    after = asked.predict(40).json()
    opener = shop.ground.opener
    consumer = opener.consumer(natural(40))
    from twinops.twin.state.streaming import Basket

    day = opener.receipts.days.number(opener.receipts.days.date_of(0).fromisoformat("2017-08-02"))
    consumer.state.update(Basket(10**9, day, 5000))
    twin = shipped(shop.places).twin(consumer)
    moved = Opened(consumer, type(twin)(twin.model, twin.support, consumer.state, day + 1))
    assert after["expected"] == json.loads(json.dumps(asdict(forecast(moved.twin))))
    assert after["as_of"] == "2017-08-03"
    assert before["as_of"] == "2017-07-20"
    assert after["expected"] != before["expected"]
    assert asked.buy(40, "b1", cents=5000).json()["duplicates"] == 1
    assert asked.predict(40).json() == after
    assert asked.buy(40, "b1", cents=5001).json()["refused"][0]["type"].endswith("event-id-used")


def test_explanations_and_what_ifs_are_those_of_the_command_line(shop: Shop, asked: Asked) -> None:
    told = asked.post(f"/v1/twins/{natural(40)}/explain", purpose="offers")
    assert told.status_code == 200, told.text
    assert told.json()["reasons"]
    what = asked.post(f"/v1/twins/{natural(40)}/simulate", purpose="offers", action="silence:14")
    assert what.status_code == 200, what.text
    by_command = simulate(natural(40), "silence:14", "offers", opener=shop.ground.opener)
    shown = json.loads(json.dumps(asdict(by_command)))
    assert shown.pop("refused") == []
    assert what.json()["simulated"] == shown


REFUSED = [
    ("unauthenticated", 401, "nobody", "predict", {"purpose": "offers"}),
    ("purpose-not-declared", 400, "all", "predict", {"purpose": "credit"}),
    ("purpose-not-yours", 403, "offers", "predict", {"purpose": "twin_scoring"}),
    ("not-yours", 403, "offers", "simulate", {"purpose": "offers", "action": "basket:25"}),
    (
        "special-category",
        403,
        "all",
        "simulate",
        {"purpose": "offers", "action": "campaign:Pregnancy test kits, week 3"},
    ),
    ("influence", 403, "all", "simulate", {"purpose": "twin_scoring", "action": "campaign:A"}),
    ("malformed", 400, "all", "simulate", {"purpose": "offers", "action": "bribe:25"}),
    ("malformed", 400, "all", "predict", {"purpose": "offers", "more": 1}),
    ("malformed", 400, "all", "predict", {}),
    ("no-answer", 422, "all", "simulate", {"purpose": "offers", "action": "basket:99999"}),
]


@pytest.fixture(scope="module")
def _doors(built: Shop, tmp_path_factory: pytest.TempPathFactory):
    shop = serving.copied(built, tmp_path_factory.mktemp("door") / "shop")
    tokens = {"all": shop.token("all"), "offers": shop.token("offers", purposes=("offers",), acts=("predict",)),
              "nobody": "all." + "A" * 43, "slow": shop.token("slow", rate=0.5)}  # fmt: skip
    with serving.running(shop) as (address, _):
        yield address, tokens


@pytest.fixture
def door(_doors):
    return {name: Asked(_doors[0], token) for name, token in _doors[1].items()}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]}-{case[3]}")
def test_each_refusal_has_its_type(door, case: tuple[str, int, str, str, dict[str, str]]) -> None:
    kind, status, who, act, body = case
    found = door[who].post(f"/v1/twins/{natural(40)}/{act}", **body)
    assert (refusal(found), found.status_code) == (kind, status)
    assert natural(40) not in found.text


def test_whoever_asks_too_often_waits(door) -> None:
    answers = [door["slow"].predict(40) for _ in range(4)]
    assert refusal(answers[-1]) == "rate"
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_purpose_comes_before_consumer_and_consent_before_rate(door) -> None:
    assert refusal(door["offers"].predict("nobody", "twin_scoring")) == "purpose-not-yours"
    assert refusal(door["all"].predict("nobody")) == "unknown-consumer"


def test_a_consumers_word_holds_at_once_and_reaches_the_ledger(shop: Shop, asked: Asked) -> None:
    assert asked.predict(7).status_code == 200
    assert asked.event("object", 7, "o1", purpose="offers").status_code == 202
    assert refusal(asked.predict(7)) == "objection"
    assert asked.predict(7, "twin_scoring").status_code == 200
    assert asked.event("withdraw", 8, "w1", purpose="twin_scoring").status_code == 202
    assert refusal(asked.predict(8)) == "consent"
    until(lambda: len(shop.ledger.entries()) == 2)
    until(lambda: refusal(asked.predict(7)) == "objection")
    assert [e.act.office for e in shop.ledger.entries()] == ["service", "service"]
    until(lambda: refusal(asked.predict(8)) == "consent")
    assert asked.buy(8, "b8").json()["refused"][0]["type"].endswith("consent")
    form = {"purpose": "offers", "notice": "2026-11", "proof": "form 1"}
    early = asked.event("consent", 7, "c0", **form, given="2026-01-01T00:00:00Z")
    assert early.json()["refused"][0]["type"].endswith(("objection", "being-read"))
    again = asked.event("consent", 7, "c1", **form, given=serving.now())
    assert again.json()["accepted"] == 1, again.text
    until(lambda: asked.predict(7).status_code == 200)


def test_who_registered_and_never_bought_is_heard_and_buys_first_by_an_event(shop: Shop) -> None:
    agreed = everyone_agrees([natural(n) for n in (5_000, 5_001)]).rename_columns({"sid": "household_id"})
    write_sealed(
        agreed, shop.places.raw("consent", "registered"), dataset="consent", keys=shop.keys, subject="household_id"
    )
    silent = shop.keys.subject_ids([natural(5_002)])[0]  # a source holds them, and they never answered
    token = shop.token("everything")
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        assert refusal(asked.predict(5_000)) == "no-answer"  # too few newcomers were seen here to tell of anybody
        assert asked.buy(5_000, "first").json()["accepted"] == 1
        assert asked.predict(5_000).json()["expected"]["active_probability"] > 0
        for number in (5_001, 5_002):
            assert asked.event("object", number, f"o{number}", purpose="offers").json()["accepted"] == 1
        assert refusal(asked.predict(5_001)) == "objection"
        until(lambda: len(shop.ledger.entries()) == 2)
        assert {e.sid for e in shop.ledger.entries()} == {shop.keys.known_sid(natural(5_001)), silent}
        nobody = asked.event("object", 6_000, "o6000", purpose="offers").json()
        assert nobody["refused"][0]["type"].endswith("unknown-consumer")


def test_what_is_declared_of_the_decision_while_it_answers_holds_within_a_second(shop: Shop, asked: Asked) -> None:
    use = shop.places.compliance / "intended_use.yaml"
    text = use.read_text(encoding="utf-8")
    assert asked.predict(40).status_code == 200
    for said in (text.replace("significant_effect: false", "significant_effect: true"), "decision: ["):
        use.write_text(said, encoding="utf-8")
        assert until(lambda: asked.predict(40).status_code != 200) < 2.0
        assert refusal(asked.predict(40)) == "automated-decision"
        use.write_text(text, encoding="utf-8")
        until(lambda: asked.predict(40).status_code == 200)


def test_art_22_bars_answers_where_it_is_declared_or_open(shop: Shop) -> None:
    use = shop.places.compliance / "intended_use.yaml"
    text = use.read_text(encoding="utf-8")
    assert "legal_or_similarly_significant_effect: false" in text
    for said in ("true", "unknown"):
        use.write_text(text.replace("significant_effect: false", f"significant_effect: {said}"), encoding="utf-8")
        token = shop.token("everything")
        with serving.running(shop) as (address, _):
            assert refusal(Asked(address, token).predict(40)) == "automated-decision"


def test_a_question_that_is_answered_at_once_is_answered_as_the_framework_would(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = (
        (natural(40), b'{"purpose": "offers"}', "application/json"),
        (natural(40), b'{"purpose": "credit"}', "application/json"),
        (natural(40), b'{"purpose": "offers", "more": 1}', "application/json"),
        (natural(40), b'{"purpose": 1}', "application/json"),
        (natural(40), b'{"purpose": "offers"', "application/json"),
        (natural(40), b"", "application/json"),
        (natural(40), b'{"purpose": "offers"}', "text/plain"),
        (natural(40), b'{"purpose": "offers"}', "application/json; charset=utf-8"),
        ("nobody", b'{"purpose": "offers"}', "application/json"),
        ("x" * 150, b'{"purpose": "offers"}', "application/json"),
        ("a%2Fb", b'{"purpose": "offers"}', "application/json"),
        ("%0A", b'{"purpose": "offers"}', "application/json"),
    )

    def answers() -> list[tuple[int, str, str]]:
        found = [
            asked.http.post(f"/v1/twins/{who}/predict", content=body, headers={"Content-Type": kind})
            for who, body, kind in ways
        ]
        return [(f.status_code, f.headers["content-type"], f.text) for f in found]

    at_once = answers()

    async def never(_self: Door, _scope: Scope, receive: Receive, _send: Send) -> Receive:
        return receive

    monkeypatch.setattr(Door, "_at_once", never)
    assert at_once == answers()
    assert [status for status, _, _ in at_once][:2] == [200, 400]
