from __future__ import annotations

import pyarrow as pa
import pytest

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.holdout import FEWEST, apart, parted
from twinops.params import HoldoutParams

KEYS, FIFTH = MemoryKeys(), HoldoutParams()
SIDS = [f"{number:032x}" for number in range(2_000)]


def test_a_fifth_stands_apart_and_each_households_fate_hangs_on_its_own_sid():
    found = apart(SIDS, FIFTH, keys=KEYS).sids
    assert 330 < len(found) < 470, "2,000 draws of a fifth, within four standard deviations"
    assert apart(SIDS[:1_500], FIFTH, keys=KEYS).sids == found & set(SIDS[:1_500])
    assert apart(SIDS[::-1], FIFTH, keys=KEYS).sids == found


def test_another_salt_or_another_shops_keys_draw_others():
    found = apart(SIDS, FIFTH, keys=KEYS).sids
    for other in (apart(SIDS, HoldoutParams(salt=2), keys=KEYS), apart(SIDS, FIFTH, keys=MemoryKeys("other"))):
        assert len(found & other.sids) < 0.35 * len(found), "by chance a fifth of them are drawn again"


def test_a_larger_share_keeps_whoever_stood_apart():
    assert apart(SIDS, FIFTH, keys=KEYS).sids < apart(SIDS, HoldoutParams(share=0.3), keys=KEYS).sids


def test_a_small_shop_has_no_hold_out_and_is_told_why():
    small = apart(SIDS[:300], FIFTH, keys=KEYS)
    assert small.sids == frozenset()
    assert small.told()["households"] == 0
    assert f"fewer than {FEWEST}" in small.why_not
    assert apart(SIDS, FIFTH, keys=KEYS).why_not == ""
    assert apart([], FIFTH, keys=KEYS).sids == frozenset()


@pytest.mark.parametrize("sids", [SIDS[:3], []])
def test_a_table_is_parted_without_losing_a_row(sids):
    table = pa.table({"sid": SIDS[:5] * 2, "day": range(10)})
    others, theirs = parted(table, frozenset(sids))
    assert set(theirs["sid"].to_pylist()) == set(sids)
    assert sorted(others["day"].to_pylist() + theirs["day"].to_pylist()) == list(range(10))
