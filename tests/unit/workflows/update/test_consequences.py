"""Of one growing file each change is told where it is: what follows from it elsewhere is told as that, and once."""

from __future__ import annotations

from pathlib import Path

import pytest
from arriving import Monthly, month_of
from own_world import Line, write_csv

from twinops.cli.update import table_of
from twinops.data.arrivals import Arrived

JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


@pytest.fixture
def shop(tmp_path: Path) -> Monthly:
    shop = Monthly(tmp_path, ["all"], whole=True)
    write_csv(shop.file("retail.csv"), BEFORE)
    shop.take()
    return shop


BEFORE = [*month_of(JANUARY), *month_of(FEBRUARY)]


def sent_back(rows: list[Line], *, times: int) -> list[Line]:
    """In March, so many pieces of each line."""
    return [("C" + r[0], r[1], r[2], f"-{times}", f"28/03/2024{r[4][10:]}", *r[5:]) for r in rows]


def test_months_that_only_returns_of_a_newer_one_changed_are_told_as_a_consequence(shop: Monthly) -> None:
    back = sent_back(BEFORE[::60], times=30)
    write_csv(shop.file("retail.csv"), [*BEFORE, *month_of(MARCH), *back])
    seen = shop.look()
    found = {a.period: a for a in seen.arrivals}
    assert {JANUARY, FEBRUARY, MARCH} == set(found)
    assert (found[JANUARY].follows, found[FEBRUARY].follows, found[MARCH].follows) == (MARCH, MARCH, "")
    told = [line for line in table_of(seen).splitlines() if "as a consequence of 2024-03" in line]
    assert told == [f"{JANUARY}, {FEBRUARY}: {found[JANUARY].note}"]


def test_a_month_of_which_newer_returns_leave_little_says_whose_doing_that_is(shop: Monthly) -> None:
    write_csv(shop.file("retail.csv"), [*BEFORE, *month_of(MARCH), *sent_back(month_of(JANUARY)[::2], times=30)])
    (found,) = (a for a in shop.look().arrivals if a.period == JANUARY)
    assert found.what is Arrived.SHRUNKEN
    assert "(as a consequence of 2024-03)" in found.note


def test_a_month_whose_own_rows_are_others_is_no_consequence(shop: Monthly) -> None:
    mended = [(*r[:5], "9.99", *r[6:]) if n < 9 else r for n, r in enumerate(BEFORE)]
    write_csv(shop.file("retail.csv"), [*mended, *month_of(MARCH), *sent_back(BEFORE[200::60], times=30)])
    found = {a.period: a for a in shop.look().arrivals}
    assert (found[JANUARY].what, found[JANUARY].follows) == (Arrived.CORRECTED, "")
    assert found[FEBRUARY].follows == MARCH


def test_a_broken_last_line_is_told_once_with_the_newest_month_that_came(shop: Monthly) -> None:
    write_csv(shop.file("retail.csv"), [*BEFORE, *month_of(MARCH), *sent_back(BEFORE[::60], times=30)])
    path = shop.file("retail.csv")
    path.write_bytes(path.read_bytes()[:-31])
    seen = shop.look()
    assert [a.period for a in seen.arrivals if a.what is Arrived.CUT] == [MARCH]
    assert len(seen.arrivals) == 3
    assert table_of(seen).count("last line is broken") == 1
    assert [a.period for a in shop.look(accepted={MARCH: "ana"}).refused] == []


def test_whoever_was_erased_makes_no_month_late(shop: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = BEFORE[0][6]
    monkeypatch.setattr(type(shop.keys), "suppressed", lambda _keys, names: frozenset({gone}) & set(names))
    known = type(shop.keys).known_sid
    monkeypatch.setattr(type(shop.keys), "known_sid", lambda keys, n: None if n == gone else known(keys, n))
    write_csv(shop.file("retail.csv"), [*BEFORE, *month_of(MARCH)])
    found = {a.period: a for a in shop.look().arrivals}
    assert found[MARCH].what is Arrived.NEW
    assert all(a.added in (None, 0) for p, a in found.items() if p != MARCH)
    assert not any(a.what is Arrived.LATE for a in found.values())
