"""States kept by their sums are those that a rebuild makes, byte for byte, whatever came, left, or was corrected."""

from __future__ import annotations

from pathlib import Path

import pytest
from arriving import Monthly, month_of

from twinops.data.vault.seal import write_sealed
from twinops.errors import DataError, IntegrityError
from twinops.twin.state.streaming import Basket, replay

JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


@pytest.fixture
def shop(tmp_path: Path) -> Monthly:
    """January and February are in the states."""
    made = Monthly(tmp_path, [JANUARY, FEBRUARY])
    for month in (JANUARY, FEBRUARY):
        made.comes(month, month_of(month))
    made.take()
    refresh(made)
    return made


def refresh(shop: Monthly, without: frozenset[str] = frozenset()):
    return shop.store.refresh(frozenset(shop.store.subjects()) - without)[1]


def updated(shop: Monthly, without: frozenset[str] = frozenset()):
    """As an update does it: what will be replaced is kept, then collected anew."""
    shop.store.keep_before(p.stem for p in shop.places.raw_batches("transactions"))
    shop.take()
    return refresh(shop, without)


def bytes_of(shop: Monthly) -> bytes:
    return shop.places.states.read_bytes()


def rebuilt(shop: Monthly, without: frozenset[str] = frozenset()) -> bytes:
    kept = bytes_of(shop)
    shop.places.states.unlink()
    shop.places.live("states.json").unlink()
    assert refresh(shop, without).rebuilt
    found = bytes_of(shop)
    shop.places.states.write_bytes(kept)
    return found


def test_a_new_month_adds_its_baskets_alone(shop: Monthly) -> None:
    shop.comes(MARCH, month_of(MARCH, visits=2))
    found = updated(shop)
    assert (found.added, found.taken_out, found.rebuilt) == (60, 0, False)
    assert found.proved == 25
    assert bytes_of(shop) == rebuilt(shop)


def test_a_corrected_month_is_taken_out_by_subtraction(shop: Monthly) -> None:
    rows = month_of(JANUARY)
    shop.comes(JANUARY, [(*row[:3], "9", *row[4:]) for row in rows[:20]] + rows[20:])
    found = updated(shop)
    assert found.added == found.taken_out == 10
    assert not found.rebuilt
    assert bytes_of(shop) == rebuilt(shop)


def test_late_rows_of_a_basket_that_was_known_change_its_amount_and_not_their_number(shop: Monthly) -> None:
    rows = month_of(JANUARY)
    shop.comes(JANUARY, [*rows, (*rows[0][:1], "99", *rows[0][2:])])
    found = updated(shop)
    assert found.added == found.taken_out == 1
    assert bytes_of(shop) == rebuilt(shop)


def test_who_withdraws_has_no_state_and_who_comes_back_has_a_whole_one(shop: Monthly) -> None:
    whole, one = bytes_of(shop), frozenset([shop.store.subjects()[3]])
    assert refresh(shop, one).subjects == len(shop.store.subjects()) - 1
    assert next(iter(one)) not in shop.receipts.plane.tables.table(shop.places.states)["sid"].to_pylist()
    assert bytes_of(shop) == rebuilt(shop, one)
    refresh(shop)
    assert bytes_of(shop) == whole


def test_who_is_forgotten_is_in_no_state(shop: Monthly) -> None:
    gone = shop.store.subjects()[0]
    shop.keys._keys.pop(gone)
    refresh(shop)
    assert gone not in shop.store.subjects()
    assert bytes.fromhex(gone) not in bytes_of(shop)


def test_batches_that_others_replaced_meanwhile_lead_to_a_rebuild_that_says_so(shop: Monthly) -> None:
    shop.comes(JANUARY, month_of(JANUARY, customers=20))
    shop.take()
    assert refresh(shop).rebuilt


def test_nothing_new_writes_nothing(shop: Monthly) -> None:
    before = bytes_of(shop)
    found = refresh(shop)
    assert (found.added, found.taken_out, found.rebuilt, bytes_of(shop)) == (0, 0, False, before)


def test_a_state_that_is_not_what_its_receipts_make_is_refused(shop: Monthly) -> None:
    table = shop.receipts.plane.tables.table(shop.places.states)
    column = [text.replace('"sums":[6,', '"sums":[7,') for text in table["record"].to_pylist()]
    other = table.set_column(1, "record", [column])
    write_sealed(other, shop.places.states, dataset="states", keys=shop.keys, subject="sid")
    with pytest.raises((DataError, IntegrityError)):
        refresh(shop)


def test_what_is_taken_out_leaves_what_was_there_before() -> None:
    first, second = [Basket(1, 3, 250), Basket(2, 9, 999)], [Basket(3, 9, 40), Basket(4, 31, 5)]
    both = replay([*first, *second], decay_days=(10, 30, 90)).summed()
    part = replay(second, decay_days=(10, 30, 90)).summed()
    assert both.less(part) == replay(first, decay_days=(10, 30, 90)).summed()
    with pytest.raises(DataError, match="More would be taken out"):
        part.less(both)
