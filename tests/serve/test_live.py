"""Twins in memory are those that are opened one by one, whoever they are."""

from __future__ import annotations

import tracemalloc

import duckdb
import pyarrow as pa
import pytest
from living_world import natural
from serving import HOUSEHOLDS, Shop

from twinops.twin.state.streaming import Basket
from twinops.workflows.serving import live as serving_live
from twinops.workflows.serving.live import live


def test_everybody_in_memory_is_who_is_opened_from_the_files(shop: Shop) -> None:
    ground = shop.ground
    found = live(ground=ground)
    assert len(found.answers) == HOUSEHOLDS
    assert not any(state.empty for state in found.states.values())
    for number in range(0, HOUSEHOLDS, 30):
        sid = found.sid(natural(number))
        assert sid is not None
        alone = ground.opener.consumer(sid)
        assert found.answers[sid] == alone.answers
        assert found.states[sid].at(found.day(sid)) == alone.state.at(alone.day)


def test_reading_anew_changes_nothing_where_nothing_changed(shop: Shop) -> None:
    found = live(ground=shop.ground)
    sid = found.sid(natural(40))
    assert sid is not None
    before = found.stand(sid), dict(found.answers[sid])
    found.read_anew(sid, ())
    assert (found.stand(sid), found.answers[sid]) == before


def test_however_many_baskets_come_all_count_and_nothing_grows_with_them(shop: Shop) -> None:
    found = live(ground=shop.ground)
    sid = next(iter(found.states))
    before, day = found.states[sid].baskets, found.known_until
    for number in range(1_000):
        found.take(sid, Basket(10**12 + number, day, 100))
    tracemalloc.start()
    for number in range(1_000, 20_000):
        found.take(sid, Basket(10**12 + number, day + number % 2, 100))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.states[sid].baskets == before + 20_000
    assert held < 20_000  # bytes: one for each of them would be more


def test_however_many_are_opened_from_the_files_the_engine_holds_nothing_of_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_live, "OPENED_ANEW", 3)
    twins = live(ground=shop.ground)
    engine = twins.ground.opener.receipts.plane.engine
    sids = [shop.keys.known_sid(natural(n)) for n in (40, 41, 42, 43)]
    first = [twins.consumer(sid) for sid in sids]
    twins.opened = 2
    again = [twins.consumer(sid) for sid in sids]
    assert [(c.state, c.answers, c.day) for c in again] == [(c.state, c.answers, c.day) for c in first]
    twins.opened = 2
    engine.register("of_before", pa.table({"n": [1]}))
    twins.consumer(sids[0])
    with pytest.raises(duckdb.CatalogException):
        engine.query("SELECT n FROM of_before")
