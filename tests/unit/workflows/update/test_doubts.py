"""What looks broken is not taken in until a person says that it is right; what only changes is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from arriving import Monthly, month_of
from own_world import HEAD, Line, line, write_csv

from twinops.data.arrivals import Arrived, PeriodLines
from twinops.params import parse
from twinops.workflows.sources.check import check
from twinops.workflows.update.arrival import Arrival
from twinops.workflows.update.begin import begin
from twinops.workflows.update.move import move

JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"


@pytest.fixture
def shop(tmp_path: Path) -> Monthly:
    """January and February were taken in."""
    made = Monthly(tmp_path, [JANUARY, FEBRUARY])
    for month in (JANUARY, FEBRUARY):
        made.comes(month, month_of(month))
    made.take()
    return made


def only(shop: Monthly, **asked: object) -> Arrival:
    (found,) = shop.look(**asked).arrivals
    return found


def swapped(rows: list[Line]) -> list[Line]:
    """The header says of two columns what the other holds."""
    return [(row[0], row[3], row[2], row[1], *row[4:]) for row in rows]


def with_returns(month: str) -> list[Line]:
    """Every fourth line of more than one is sent back in part."""
    rows = month_of(month)
    back = [("C" + r[0], r[1], r[2], "-1", f"28{r[4][2:]}", *r[5:]) for r in rows if r[3] == "3"]
    return [*rows, *back]


def test_a_month_pasted_twice_is_doubled_though_returns_stand_there_twice_too(tmp_path: Path) -> None:
    shop = Monthly(tmp_path, [JANUARY])
    rows = with_returns(JANUARY)
    shop.comes(JANUARY, rows)
    shop.take()
    # of lines that stand there twice, some are sent back as a whole now
    more = [("C9" + r[0], r[1], r[2], "-1", f"28{r[4][2:]}", *r[5:]) for r in rows[:8] if r[3] == "1"]
    shop.comes(JANUARY, [*rows, *rows, *more])
    found = only(shop)
    assert found.what is Arrived.DOUBLED
    assert found.again is not None


def test_rows_beside_doubled_ones_that_are_gone_do_not_make_it_a_correction() -> None:
    assert PeriodLines(held=4_709, came=9_404, added=17, again=4_692, gone=5).arrived is Arrived.DOUBLED
    assert PeriodLines(held=100, came=100, added=20, again=1, gone=20).arrived is Arrived.CORRECTED


def test_a_month_of_which_a_large_share_went_away_waits_for_a_person(shop: Monthly) -> None:
    shop.comes(FEBRUARY, month_of(FEBRUARY)[:100])
    (found,) = shop.look().refused
    assert found.what is Arrived.SHRUNKEN
    assert "it is shorter by 44% than what is held" in found.note
    assert "--accept 2024-02" in found.note
    right = only(shop, accepted={FEBRUARY: "ana"})
    assert right.what is Arrived.CORRECTED
    assert right.to_dict()["accepted_by"] == "ana"
    assert "ana says it is right" in right.note


def test_as_many_other_rows_are_a_correction_and_a_few_gone_too(shop: Monthly) -> None:
    shop.comes(FEBRUARY, [(*r[:3], "9", *r[4:]) for r in month_of(FEBRUARY)[:-4]])
    assert only(shop).what is Arrived.CORRECTED
    shop.comes(FEBRUARY, month_of(FEBRUARY)[30:])
    assert only(shop).what is Arrived.CORRECTED


def test_what_a_person_said_holds_for_the_same_file_when_the_update_broke_off(shop: Monthly) -> None:
    shop.comes(FEBRUARY, month_of(FEBRUARY)[:100])
    begin(shop.look(accepted={FEBRUARY: "ana"}), receipts=shop.receipts, grid=shop.params.features)
    assert only(shop).accepted_by == "ana"
    shop.comes(FEBRUARY, month_of(FEBRUARY)[:90])
    assert only(shop).what is Arrived.SHRUNKEN, "another file is another question"


@pytest.mark.parametrize("lost", [20, 30, 45])
def test_a_new_month_that_ends_in_the_middle_of_a_line_is_refused(shop: Monthly, lost: int) -> None:
    shop.comes(MARCH, month_of(MARCH))
    path = shop.file(f"retail-{MARCH}.csv")
    path.write_bytes(path.read_bytes()[:-lost])
    assert only(shop).what is Arrived.CUT
    assert only(shop, accepted={MARCH: "ana"}).what is Arrived.NEW


def test_a_last_line_without_its_end_is_whole_and_one_without_a_buyer_no_cut(shop: Monthly) -> None:
    for rows in (month_of(MARCH), [*month_of(MARCH), line(**{"Customer ID": "", "InvoiceDate": "03/03/2024 08:26"})]):
        shop.comes(MARCH, rows)
        path = shop.file(f"retail-{MARCH}.csv")
        path.write_bytes(path.read_bytes().rstrip(b"\r\n"))
        assert only(shop).what is Arrived.NEW


def test_a_month_with_two_columns_exchanged_is_refused_and_says_which(shop: Monthly) -> None:
    shop.comes(MARCH, swapped(month_of(MARCH)))
    found = only(shop)
    assert found.what is Arrived.UNLIKE
    assert "column Quantity (quantity): its middle is" in found.note
    assert "column StockCode (product_id): 0% of lines name a known product, 100% did" in found.note
    assert only(shop, accepted={MARCH: "ana"}).what is Arrived.NEW


def test_a_month_that_is_held_and_comes_again_with_columns_exchanged_is_refused(shop: Monthly) -> None:
    shop.comes(FEBRUARY, swapped(month_of(FEBRUARY)))
    assert only(shop).what is Arrived.UNLIKE


def test_amounts_in_another_unit_are_refused(shop: Monthly) -> None:
    price = HEAD.index("UnitPrice")
    shop.comes(MARCH, [(*r[:price], f"{float(r[price]) * 100:.2f}", *r[price + 1 :]) for r in month_of(MARCH)])
    assert "column UnitPrice (sales_cents): its middle is 100 times what it was" in only(shop).note


def test_a_month_of_which_nothing_can_be_read_is_not_taken_for_one_without_sales(shop: Monthly) -> None:
    shop.comes(MARCH, [(*r[:4], "yesterday", *r[5:]) for r in month_of(MARCH)])
    assert only(shop).what is Arrived.UNLIKE
    write_csv(shop.file(f"retail-{MARCH}.csv"), [])
    assert shop.look().refused == ()


@pytest.mark.parametrize("month", ["a new range", "a busy December", "new customers", "few lines", "some large orders"])
def test_what_a_shop_lives_through_is_no_doubt(shop: Monthly, month: str) -> None:
    rows = month_of(MARCH)
    shop.comes(
        MARCH,
        {
            "a new range": [(r[0], "9" + r[1], *r[2:]) if n % 10 < 9 else r for n, r in enumerate(rows)],
            "a busy December": month_of(MARCH, customers=150, visits=6),
            "new customers": [(*r[:6], "2" + r[6], *r[7:]) if n % 10 else r for n, r in enumerate(rows)],
            "few lines": rows[:6],
            "some large orders": [(*r[:3], "400", *r[4:]) if n % 40 == 0 else r for n, r in enumerate(rows)],
        }[month],
    )
    assert only(shop).what is Arrived.NEW


def test_one_growing_file_is_doubted_by_its_months(tmp_path: Path) -> None:
    shop = Monthly(tmp_path, ["all"], whole=True)
    rows = [*month_of(JANUARY), *month_of(FEBRUARY)]
    write_csv(shop.file("retail.csv"), rows)
    shop.take()
    write_csv(shop.file("retail.csv"), [*rows, *swapped(month_of(MARCH))])
    assert {a.period: a.what for a in shop.look().arrivals} == {MARCH: Arrived.UNLIKE}
    write_csv(shop.file("retail.csv"), rows[100:])
    assert {a.period: a.what for a in shop.look().arrivals} == {JANUARY: Arrived.SHRUNKEN}


def test_receipts_of_days_to_come_are_refused_and_a_day_ahead_is_another_time_zone(shop: Monthly) -> None:
    shop.comes(MARCH, month_of(MARCH))
    newest = max(r[4][:2] for r in month_of(MARCH))
    late = only(shop, today=date(2024, 3, 10))
    assert late.what is Arrived.FUTURE
    assert "days after 2024-03-10" in late.note
    assert only(shop, today=date(2024, 3, int(newest) - 1)).what is Arrived.NEW


def test_the_clock_of_the_pipeline_never_lies_after_today(shop: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    said = shop.params.model_dump(mode="json", by_alias=True, exclude_unset=True)
    params = parse({**said, "as_of": "2024-03-01"})
    shop.comes(MARCH, month_of(MARCH))
    seen = shop.look()
    monkeypatch.setattr("twinops.workflows.update.move.put_sections", lambda *_: None)
    for today, as_of in ((date(2024, 3, 28), "2024-03-28"), (date(2024, 5, 1), "2024-04-01")):
        assert move(seen, places=shop.places, params=params, today=today).changed["as_of"] == as_of


def test_a_file_that_is_called_nearly_as_a_month_is_named_and_nothing_else_in_the_folder(shop: Monthly) -> None:
    for name in ("retail-2024-03 (1).csv", "Retail_2024-04.csv", "products.csv", ".retail-2024-05.csv"):
        write_csv(shop.file(name), month_of(MARCH))
    names = ("Retail_2024-04.csv", "retail-2024-03 (1).csv")
    assert shop.look().ignored == names
    assert check("retail", places=shop.places, params=shop.params, own=shop.params.own).ignored == names
