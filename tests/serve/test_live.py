"""Twins in memory are those that are opened one by one, whoever they are."""

from __future__ import annotations

import tracemalloc

from living_world import natural
from serving import HOUSEHOLDS, Shop

from twinops.twin.state.streaming import Basket
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
