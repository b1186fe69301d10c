"""What arrives is told for what it is: new, late, corrected, doubled, gone, missing; nothing is written by looking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from arriving import FIVE, Monthly, month_of
from own_world import CONSENT, RETAIL, but, line, write_csv

from shops.shops import five
from twinops.data.arrivals import Arrived, in_order
from twinops.data.own_sources import reading
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.lock import netted_since

JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


@pytest.fixture
def shop(tmp_path: Path) -> Monthly:
    """January and February were taken in."""
    made = Monthly(tmp_path, [JANUARY, FEBRUARY])
    for month in (JANUARY, FEBRUARY):
        made.comes(month, month_of(month))
    made.take()
    return made


def told(shop: Monthly) -> dict[str, Arrived]:
    return {a.period: a.what for a in shop.look().arrivals}


def test_nothing_new_is_nothing_and_no_file_is_parsed_again(shop: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinops.workflows.update.look.read", lambda *_: pytest.fail("it was read again"))
    assert shop.look().arrivals == ()
    assert shop.look().months == (JANUARY, FEBRUARY)


def test_looking_writes_nothing_and_enrols_nobody(shop: Monthly) -> None:
    shop.comes(MARCH, [*month_of(MARCH), line(**{"Customer ID": "99999", "InvoiceDate": "03/03/2024 08:26"})])
    before = {p: p.read_bytes() for p in shop.places.root.rglob("*") if p.is_file()}
    shop.look()
    assert {p: p.read_bytes() for p in shop.places.root.rglob("*") if p.is_file()} == before
    assert shop.keys.known_sid("99999") is None


def test_the_store_is_asked_for_all_names_of_a_month_at_once(shop: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    of = type(shop.keys).known_sids
    monkeypatch.setattr(type(shop.keys), "known_sids", lambda keys, names: asked.append(1) or of(keys, names))
    shop.comes(MARCH, month_of(MARCH))
    assert told(shop) == {MARCH: Arrived.NEW}
    assert asked == [1]


def test_a_month_that_follows_is_new(shop: Monthly) -> None:
    shop.comes(MARCH, month_of(MARCH))
    assert told(shop) == {MARCH: Arrived.NEW}
    assert shop.look().months == (JANUARY, FEBRUARY, MARCH)


def test_rows_that_come_behind_those_held_are_late(shop: Monthly) -> None:
    shop.comes(JANUARY, [*month_of(JANUARY), *month_of(JANUARY, customers=42)[-72:]])
    seen = shop.look()
    assert {a.period: a.what for a in seen.arrivals} == {JANUARY: Arrived.LATE}
    assert seen.arrivals[0].added == 72
    assert seen.arrivals[0].gone == 0


def test_rows_that_are_others_now_are_corrected(shop: Monthly) -> None:
    rows = month_of(FEBRUARY)
    rows[:20] = [(*row[:3], "9", *row[4:]) for row in rows[:20]]
    shop.comes(FEBRUARY, rows)
    (found,) = shop.look().arrivals
    assert (found.what, found.added, found.gone) == (Arrived.CORRECTED, 20, 20)


def test_another_order_and_other_spelling_of_the_same_rows_are_no_change(shop: Monthly) -> None:
    shop.comes(FEBRUARY, month_of(FEBRUARY)[::-1])
    assert told(shop) == {}


@pytest.mark.parametrize("how", ["twice in its file", "under another month's name", "again behind what is held"])
def test_what_is_sent_twice_is_doubled_and_refused(shop: Monthly, how: str) -> None:
    if how == "twice in its file":
        shop.comes(MARCH, [*month_of(MARCH), *month_of(MARCH)])
    elif how == "under another month's name":
        shop.comes(MARCH, month_of(FEBRUARY))
    else:
        shop.comes(FEBRUARY, [*month_of(FEBRUARY), *month_of(FEBRUARY)[:40]])
    (found,) = shop.look().refused
    assert found.what is Arrived.DOUBLED
    assert "twice" in found.note


def test_two_equal_scans_are_no_doubling(shop: Monthly) -> None:
    rows = month_of(MARCH)
    shop.comes(MARCH, [*rows, *rows[:12]])
    assert told(shop) == {MARCH: Arrived.NEW}


def test_a_month_that_went_away_is_refused(shop: Monthly) -> None:
    shop.goes(JANUARY)
    assert [(a.period, a.what) for a in shop.look().refused] == [(JANUARY, Arrived.GONE)]


def test_what_lies_behind_a_missing_month_waits_and_comes_in_with_it(shop: Monthly) -> None:
    shop.comes("2024-04", month_of("2024-04"))
    assert told(shop) == {MARCH: Arrived.MISSING, "2024-04": Arrived.WAITS}
    assert shop.take().months == (JANUARY, FEBRUARY)
    assert told(shop) == {MARCH: Arrived.MISSING, "2024-04": Arrived.WAITS}, "it still waits"
    shop.comes(MARCH, month_of(MARCH))
    assert told(shop) == {MARCH: Arrived.NEW, "2024-04": Arrived.NEW}


def test_a_month_can_be_asked_for_by_name_and_later_ones_wait_unseen(shop: Monthly) -> None:
    shop.comes(MARCH, month_of(MARCH))
    shop.comes("2024-04", month_of("2024-04"))
    assert shop.look(until=MARCH).months[-1] == MARCH
    assert [a.period for a in shop.look(until=MARCH).arrivals] == [MARCH]


def test_any_order_of_arrival_ends_the_same(tmp_path: Path) -> None:
    ends = []
    for number, order in enumerate(((MARCH, "2024-04", "2024-05"), ("2024-05", "2024-04", MARCH))):
        shop = Monthly(tmp_path / str(number), [JANUARY])
        shop.comes(JANUARY, month_of(JANUARY))
        shop.comes(FEBRUARY, month_of(FEBRUARY))
        for month in order:
            shop.comes(month, month_of(month))
            shop.take()
        ends.append((shop.months, {p.name: p.read_bytes() for p in shop.places.raw_batches("transactions")}))
    assert ends[0] == ends[1]


def test_one_file_that_grows_tells_new_days_from_late_ones(tmp_path: Path) -> None:
    shop = Monthly(tmp_path, ["all"], whole=True)
    rows = [*month_of(JANUARY), *month_of(FEBRUARY)]

    def comes(more: list) -> dict[str, Arrived]:
        write_csv(shop.file("retail.csv"), more)
        return told(shop)

    assert comes(rows) == {JANUARY: Arrived.NEW, FEBRUARY: Arrived.NEW}
    shop.take()
    assert comes([*rows, *month_of(MARCH)]) == {MARCH: Arrived.NEW}
    assert comes([*rows, *month_of(JANUARY, customers=42)[-72:]]) == {JANUARY: Arrived.LATE}
    assert comes([*rows, *rows[:50]]) == {JANUARY: Arrived.DOUBLED}
    assert comes(rows[30:]) == {JANUARY: Arrived.CORRECTED}


def test_a_later_export_that_begins_with_weeks_that_are_held_adds_its_new_days_alone(tmp_path: Path) -> None:
    shop = Monthly(tmp_path, ["all"], whole=True, columns=but(RETAIL, path="files/till", repeated="across_files"))
    shop.file("till").mkdir()
    write_csv(shop.file("till/a.csv"), [*month_of(JANUARY), *month_of(FEBRUARY)])
    shop.take()
    write_csv(shop.file("till/b.csv"), [*month_of(FEBRUARY), *month_of(MARCH)])
    assert told(shop) == {MARCH: Arrived.NEW}
    shop.declare(retail=but(RETAIL, path="files/till"))
    assert told(shop) == {FEBRUARY: Arrived.DOUBLED, MARCH: Arrived.NEW}
    assert "across_files" in next(a.note for a in shop.look().arrivals if a.what is Arrived.DOUBLED)


def test_a_month_behind_one_without_a_file_is_refused_in_a_folder_that_is_read_whole_too(tmp_path: Path) -> None:
    shop = Monthly(tmp_path, ["all"], whole=True, columns=but(RETAIL, path="files/till"))
    shop.file("till").mkdir()
    for month in (JANUARY, FEBRUARY):
        write_csv(shop.file(f"till/sales_{month}.csv"), month_of(month))
    shop.take()
    april = "2024-04"
    write_csv(shop.file(f"till/sales_{april}.csv"), month_of(april))
    (found,) = shop.look().refused
    assert (found.period, found.what) == (april, Arrived.BEHIND_A_GAP)
    assert "there is no file of 2024-03" in found.note
    assert shop.look(accepted={april: "A. Silva"}).refused == ()
    write_csv(shop.file(f"till/sales_{MARCH}.csv"), month_of(MARCH))
    assert told(shop) == {MARCH: Arrived.NEW, april: Arrived.NEW}
    shop.file(f"till/sales_{MARCH}.csv").unlink()
    write_csv(shop.file("till/sales_2024-03.csv"), [])
    assert told(shop) == {april: Arrived.NEW}, "an empty file says that nothing was sold"


@pytest.mark.parametrize("months", [["all"], [JANUARY, FEBRUARY]])
def test_a_sole_growing_file_of_five_columns_tells_each_batch_for_what_it_is(tmp_path: Path, months: list[str]) -> None:
    shop = Monthly(tmp_path, months, whole=True, columns=FIVE)
    shop.months, shop.whole = months, months == ["all"]
    head, *rows = five(tmp_path / "all", members=120).joinpath("sales.csv").read_text().splitlines(keepends=True)

    def comes(until: str, *, more: list[str] | None = None, without: int = 0) -> dict[str, Arrived]:
        known = [r for r in rows if r.split(",")[1] < until]
        shop.file("retail.csv").write_text("".join([head, *known[without:], *(more or [])]))
        return told(shop)

    assert comes(MARCH) == {JANUARY: Arrived.NEW, FEBRUARY: Arrived.NEW}
    shop.take()
    assert comes(MARCH) == {}
    assert comes("2024-04") == {MARCH: Arrived.NEW}
    assert comes("2024-03-15") == {MARCH: Arrived.NEW}, "half a month is taken in as it comes"
    assert comes(MARCH, more=["M0001,2024-01-07,A59,1,59\n"]) == {JANUARY: Arrived.LATE}
    assert comes(MARCH, more=rows[:50]) == {JANUARY: Arrived.DOUBLED}
    assert comes(MARCH, without=20) == {JANUARY: Arrived.CORRECTED}
    later = [r for r in rows if "2024-04" <= r.split(",")[1] < "2024-05"]
    comes(MARCH, more=later)
    assert "2024-04" in told(shop)
    comes("2024-05")
    shop.take()
    assert comes("2024-05") == {}


def test_months_up_to_the_first_gap_are_ready() -> None:
    assert in_order(["2024-01"], ["2024-01", "2024-03"]) == (("2024-01",), ("2024-02",), ("2024-03",))


def test_an_update_that_broke_off_is_told_by_the_next_as_it_began(shop: Monthly) -> None:
    from twinops.params import FeaturesParams
    from twinops.workflows.update.begin import begin

    grid: FeaturesParams = shop.params.features
    shop.comes(JANUARY, month_of(JANUARY)[20:])
    began = begin(shop.look(), receipts=shop.receipts, grid=grid)
    assert [a.what for a in began.arrivals] == [Arrived.CORRECTED]
    shop.places.raw("transactions", JANUARY).unlink()  # as DVC does before a stage that is then killed
    assert [a.what for a in shop.look().arrivals] == [Arrived.LATE]
    assert begin(shop.look(), receipts=shop.receipts, grid=grid).arrivals == began.arrivals
    shop.comes(MARCH, month_of(MARCH))
    assert {a.period for a in begin(shop.look(), receipts=shop.receipts, grid=grid).arrivals} == {JANUARY, MARCH}


SOLD = {"InvoiceNo": "700001", "StockCode": "81", "Quantity": "2", "Customer ID": "17001"}
BACK = {**SOLD, "InvoiceNo": "C700002", "Quantity": "-1"}
APRIL = "2024-04"


def settled(shop: Monthly, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which months were read to settle returns; what was found is what reading all of them finds."""
    read, rows_of = [], reading.signed_rows
    source = declared(shop.params.own, "retail", root=shop.places.root, max_rows=shop.params.sources.max_rows)
    every = reading.netted(source)
    with monkeypatch.context() as counting:
        counting.setattr(reading, "signed_rows", lambda s, month: read.append(month) or rows_of(s, month))
        found = netted_since(shop.places.sources_lock, source)
    assert found == every
    assert list(found) == list(every)
    return read


def test_months_without_a_return_are_not_read_again_to_settle_returns(
    shop: Monthly, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settled(shop, monkeypatch) == []
    shop.comes(MARCH, [*month_of(MARCH), line(**SOLD, InvoiceDate="05/03/2024 08:26")])
    assert settled(shop, monkeypatch) == [MARCH]
    shop.take()
    # a return reaches back: every month is read, now and whenever another one comes
    shop.comes(APRIL, [*month_of(APRIL), line(**BACK, InvoiceDate="05/04/2024 08:26")])
    assert sorted(settled(shop, monkeypatch)) == [JANUARY, FEBRUARY, MARCH, APRIL, APRIL]
    shop.take()
    shop.comes("2024-05", month_of("2024-05"))
    assert sorted(settled(shop, monkeypatch)) == [JANUARY, FEBRUARY, MARCH, APRIL, "2024-05"]


def test_a_return_that_comes_late_or_other_rules_read_every_month(
    shop: Monthly, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.comes(JANUARY, [*month_of(JANUARY), line(**BACK, InvoiceDate="28/01/2024 08:26")])
    assert sorted(settled(shop, monkeypatch)) == [JANUARY, JANUARY, FEBRUARY]
    shop.comes(JANUARY, month_of(JANUARY))
    assert settled(shop, monkeypatch) == []
    monkeypatch.setattr("twinops.data.own_sources.lock.rules", lambda _: "others")
    assert sorted(settled(shop, monkeypatch)) == [JANUARY, FEBRUARY]
    shop.places.sources_lock.write_text("{")
    assert sorted(settled(shop, monkeypatch)) == [JANUARY, FEBRUARY]


def answers(many: int) -> str:
    return "\n".join(["id,what,at", *(f"{17_000 + n},yes,2024-01-{1 + n % 28:02}" for n in range(many)), ""])


def test_answers_that_came_since_the_first_run_get_a_line_with_how_many_they_are(shop: Monthly) -> None:
    shop.file("consent.csv").write_text(answers(60), encoding="utf-8")
    shop.declare(retail=shop.params.own.root["retail"].model_dump(mode="json", exclude_unset=True), consent=CONSENT)
    shop.lock()
    shop.places.arrivals.unlink()  # `make run` was, and no update yet
    held = shop.places.counts("consent", "all")
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_text(json.dumps({"in_file": 60}), encoding="utf-8")
    assert "consent" not in {a.source for a in shop.look().arrivals}
    shop.file("consent.csv").write_text(answers(85), encoding="utf-8")
    (found,) = [a for a in shop.look().arrivals if a.source == "consent"]
    assert (found.what, found.rows, found.added) == (Arrived.CHANGED, 85, 25)
