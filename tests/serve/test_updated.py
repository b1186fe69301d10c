"""The project's files are made anew while the service answers: no half of them is read, and the whole is followed."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, replace
from datetime import date

import pyarrow as pa
import pytest
import serving
from living_world import natural
from serving import Asked, Shop, refusal, until

from twinops.adapters.one_at_a_time import at_work
from twinops.cli._erasure import erasing
from twinops.data.vault.seal import write_sealed
from twinops.entities.erasure import Erasing
from twinops.entities.rights import Right, RightsAct
from twinops.service.bodies import Ask
from twinops.service.opened import Serving, opened
from twinops.twin.answers.forecast import Forecasts, forecast
from twinops.workflows.receipts import TRANSACTIONS
from twinops.workflows.twin.open import Shipped

NEXT = "2017-08"


def month_comes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an update leaves: a month more, in which households bought for 7.77 on its third day, and a later day."""
    receipts = shop.ground.opener.receipts
    last = receipts.plane.places.raw_batches(TRANSACTIONS)[-1]
    lines = receipts.plane.tables.table(last, dataset=TRANSACTIONS)
    one = lines.slice(0, 1).to_pylist()[0]
    day = receipts.days.number(date(2017, 8, 3))
    sids = [shop.keys.known_sid(natural(n)) for n in range(0, 400, 2)]
    rows = [{**one, "sid": sid, "day": day, "basket_id": 10**9 + n, "sales_cents": 777} for n, sid in enumerate(sids)]
    path = last.with_name(f"{NEXT}.parquet")
    write_sealed(pa.Table.from_pylist(rows, lines.schema), path, dataset=TRANSACTIONS, keys=shop.keys, subject="sid")
    monkeypatch.setattr(serving, "AS_OF", date(2017, 9, 1))


def test_a_new_month_is_followed_without_a_restart_and_takes_the_place_of_its_events(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = shop.token("everything")
    with serving.running(shop) as (address, service):
        asked = Asked(address, token)
        assert asked.buy(40, "e1").json()["accepted"] == 1
        assert asked.predict(40).json()["as_of"] == "2017-08-03"
        month_comes(shop, monkeypatch)
        until(lambda: asked.predict(40).json()["as_of"] == "2017-09-01")
        sid, alone = shop.keys.known_sid(natural(40)), shop.ground.opener.consumer(natural(40))
        assert service.twins.states[sid].at(alone.day) == alone.state.at(alone.day)
        told = asked.buy(40, "e2", day="2017-08-30").json()["refused"]
        assert told[0]["type"].endswith("closed-month")
        assert asked.buy(40, "e3", day="2017-09-01").json()["accepted"] == 1
        assert asked.predict(40).json()["as_of"] == "2017-09-02"
        until(lambda: [r.event_id for r in service.watch.applied.journal.of(sid)] == ["e3"])
        told = asked.predict(40).json()["expected"]
    with serving.running(shop) as (address, _):
        assert Asked(address, token).predict(40).json()["expected"] == told


def test_an_erasure_that_is_not_over_keeps_nobody_on_the_files_of_before(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = shop.token("everything")
    with (
        serving.running(shop) as (address, _),
        erasing(shop.root, "`twinops subject erase`"),
    ):
        asked = Asked(address, token)
        assert asked.predict(40).json()["as_of"] != "2017-09-01"
        month_comes(shop, monkeypatch)
        shop.keys.erase(Erasing((shop.keys.known_sid(natural(42)),)))
        until(lambda: asked.predict(40).json()["as_of"] == "2017-09-01")
        assert refusal(asked.predict(42)) == "unknown-consumer"
        assert asked.post(f"/v1/twins/{natural(40)}/simulate", purpose="offers", action="silence:14").status_code == 200


def test_while_files_are_made_anew_nobody_is_read_from_half_of_them(shop: Shop) -> None:
    token = shop.token("everything")
    consent = shop.places.raw_batches("consent")[0]
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        before = asked.predict(42).json()["expected"]
        assert asked.post(f"/v1/twins/{natural(42)}/simulate", purpose="offers", action="silence:14").status_code == 200
        with at_work(shop.root, "`twinops update`"):
            kept = consent.rename(shop.root / "kept")
            sid = shop.keys.known_sid(natural(44))
            shop.ledger.append(RightsAct(Right.OBJECTED, sid, "dpo", "D", purpose="offers"))
            until(lambda: asked.predict(44).status_code != 200)
            time.sleep(1.0)
            assert refusal(asked.predict(44)) == "being-read"
            assert asked.predict(42).json()["expected"] == before
            simulated = asked.post(f"/v1/twins/{natural(42)}/simulate", purpose="offers", action="silence:14")
            assert refusal(simulated) == "being-read"
            given = {"notice": "n", "proof": "p", "given": serving.now(), "purpose": "offers"}
            assert asked.event("consent", 42, "c1", **given).json()["refused"][0]["type"].endswith("being-read")
            assert asked.buy(42, "e1").json()["accepted"] == 1
            kept.rename(consent)
        until(lambda: refusal(asked.predict(44)) == "objection")
        assert asked.predict(44, "twin_scoring").status_code == 200
        assert asked.post(f"/v1/twins/{natural(42)}/simulate", purpose="offers", action="silence:14").status_code == 200


def test_what_is_forbidden_or_comes_while_everybody_is_read_anew_holds_from_the_first_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.token("everything")
    service = opened(lambda: shop.ground, Serving(str(shop.bundle), serving.PUBLIC))
    watch, read = service.watch, service.watch.ahead
    sids = [shop.keys.known_sid(natural(n)) for n in (40, 42, 44)]

    def meanwhile(files):
        other = read(files)
        shop.ledger.append(RightsAct(Right.OBJECTED, sids[0], "dpo", "D", purpose="offers"))
        shop.keys.erase(Erasing((sids[1],)))
        return other

    watch.ahead = meanwhile
    month_comes(shop, monkeypatch)
    watch._look_at_files()
    assert not watch.applied.files.stand()
    watch._look_at_files()
    assert watch.applied.files.stand()
    assert service.twins.against(sids[0], "offers") is not None
    assert service.twins.sid(natural(42)) is None
    assert service.twins.against(sids[2], "offers") is None
    assert service.twins.day(sids[2]) == service.twins.ground.opener.receipts.days.number(date(2017, 9, 1))
    service.writer.stop()


def test_what_was_foretold_before_the_files_were_followed_is_not_remembered_after(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.token("everything")
    service = opened(lambda: shop.ground, Serving(str(shop.bundle), serving.PUBLIC))
    sid = shop.keys.known_sid(natural(41))  # buys nothing in the month that comes

    class Slow(Shipped):
        def forecasts(self, states: pa.Table) -> Forecasts:
            found = super().forecasts(states)
            if shop.places.raw_batches(TRANSACTIONS)[-1].stem != NEXT:
                month_comes(shop, monkeypatch)
                service.watch._look_at_files()
                service.watch._look_at_files()
            return found

    live = service.production.now
    assert live is not None
    service.production.now = replace(live, shipped=Slow(live.shipped.model, live.shipped.support))
    service.twins.spoken.clear()
    service.warm(service.production.now, [sid])
    (client,) = service.guards.clients.known.values()
    told = json.loads(service.predict(client, natural(41), Ask(purpose="offers")))
    assert told["as_of"] == "2017-09-01"
    alone = shop.ground.opener.open(natural(41))
    assert service.twins.day(sid) == alone.consumer.day
    assert told["expected"] == json.loads(json.dumps(asdict(forecast(alone.twin))))
    service.writer.stop()


def test_a_service_begins_when_an_update_ended(shop: Shop) -> None:
    token, begun = shop.token("everything"), threading.Event()

    def work() -> None:
        with at_work(shop.root, "`twinops update`"):
            kept = shop.places.raw_batches(TRANSACTIONS)[-1]
            away = kept.rename(shop.root / "kept")
            begun.set()
            time.sleep(3.0)
            away.rename(kept)

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait()
    since = time.monotonic()
    with serving.running(shop) as (address, service):
        assert time.monotonic() - since > 2.5
        assert Asked(address, token).predict(40).status_code == 200
        sid = shop.keys.known_sid(natural(40))
        assert service.twins.states[sid].baskets == shop.ground.opener.consumer(natural(40)).state.baskets
    worker.join()
