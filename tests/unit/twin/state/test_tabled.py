"""Everybody's state from all baskets at once: what the streaming twin holds of each, and nothing of the day itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.errors import DataError
from twinops.twin.state.features import STATE
from twinops.twin.state.streaming import Basket, replay
from twinops.twin.state.tabled import Visits, tabled

DECAYS, TODAY = (10, 30, 90), 400
EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-300, TODAY + 20), st.integers(0, 200_000)), min_size=1, max_size=60
)


def visits(events: list[tuple[int, int, int]]) -> Visits:
    return Visits(*(np.array(column, dtype=np.int64) for column in zip(*events, strict=True)))


def alone(events: list[tuple[int, int, int]], who: int) -> dict[str, int]:
    mine = [Basket(i, day, cents) for i, (w, day, cents) in enumerate(events) if w == who and day < TODAY]
    return replay(mine, decay_days=DECAYS).at(TODAY)


@given(EVENTS)
def test_each_twin_has_the_sums_it_has_alone(events):
    made = tabled(visits(events), today=TODAY, decay_days=DECAYS)
    assert made.who.tolist() == sorted({who for who, day, _ in events if day < TODAY})
    for place, who in enumerate(made.who.tolist()):
        found, told = made.table.slice(place, 1).to_pylist()[0], alone(events, who)
        for name in STATE:
            # sums of doubles: their last bits, which for cents may be a few billionths of one
            off = 1e-12 * told[name] + 1 if name.startswith(("baskets_q", "baskets_s", "cents_q", "cents_s")) else 0
            assert abs(found[name] - told[name]) <= off, name


def test_nobody_with_a_basket_gives_no_row():
    assert len(tabled(visits([(0, TODAY, 100)]), today=TODAY, decay_days=DECAYS).who) == 0


def test_an_amount_below_nothing_is_refused():
    with pytest.raises(DataError, match="amount that cannot be"):
        tabled(visits([(0, 1, -1)]), today=TODAY, decay_days=DECAYS)
