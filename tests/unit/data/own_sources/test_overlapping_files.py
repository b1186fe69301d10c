"""Exports of one folder that overlap in time: what stands in two files is taken once, true double scans stay."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from own_world import LEGAL, TWIN, Shop, but
from typer.testing import CliRunner

from twinops.cli._door import app
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.look import SourceLook
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.receipts.overlapping import IN_EARLIER, Overlap
from twinops.errors import ParamsError

COLUMNS = {"household_id": "who", "product_id": "item", "quantity": "n", "sales_value": "sum", "time": "day"}
TILL: dict[str, Any] = {
    "kind": "transactions",
    "reads": "csv",
    "path": "files/till",
    "columns": COLUMNS | {"basket_id": "receipt"},
    "time": {"format": "%Y-%m-%d", "zone": "UTC"},
    "money": {"currency": "EUR"},
    "legal": LEGAL | {"purposes": dict.fromkeys([*COLUMNS, "basket_id"], TWIN)},
}
NO_RECEIPTS = but(TILL, columns=COLUMNS, legal=LEGAL | {"purposes": dict.fromkeys(COLUMNS, TWIN)})
HEAD = "receipt,who,item,n,sum,day"


def sold(day: str, *, receipts: int = 5, scans: int = 1) -> list[str]:
    """So many receipts of two lines, the second of which was scanned so often."""
    lines = []
    for k in range(receipts):
        lines += [f"{k},{100 + k},11,1,2.50,{day}", *[f"{k},{100 + k},12,1,1.25,{day}"] * scans]
    return lines


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / "files" / "till").mkdir(parents=True)
    return Shop(tmp_path, till=TILL)


def comes(shop: Shop, name: str, *lines: str) -> None:
    shop.file(f"till/{name}").write_text("\n".join([HEAD, *lines, ""]))


def looked(shop: Shop, said: dict[str, Any] = TILL, **changed: Any) -> SourceLook:
    shop.declare(till=but(said, **changed))
    return look_at(declared(shop.params.own, "till", root=shop.places.root, max_rows=10_000))


def two_years(shop: Shop) -> None:
    """The last days of the first year stand in both files, and one line of each receipt was scanned twice."""
    comes(shop, "2023.csv", *sold("2023-12-20"), *sold("2023-12-30", scans=2), *sold("2023-12-31", scans=2))
    comes(shop, "2024.csv", *sold("2023-12-30", scans=2), *sold("2023-12-31", scans=2), *sold("2024-01-02"))


def test_what_two_files_hold_of_the_same_days_is_found_and_told_with_its_days(shop: Shop) -> None:
    two_years(shop)
    found = looked(shop)
    assert found.overlaps == (Overlap("2023.csv", "2024.csv", date(2023, 12, 30), date(2023, 12, 31), 30),)
    assert found.taken == 10 + 30 + 30 + 10, "nothing is done before it is declared"


@pytest.mark.parametrize("said", [TILL, NO_RECEIPTS])
def test_it_is_taken_once_and_a_double_scan_of_one_file_stays_two(shop: Shop, said: dict[str, Any]) -> None:
    two_years(shop)
    found = looked(shop, said, repeated="across_files")
    assert (found.taken, found.left_out) == (10 + 30 + 10, {IN_EARLIER: 30})
    assert found.months == {"2023-12": 40, "2024-01": 10}
    assert found.repeated == 10
    assert found.records == 80, "every line is told"


def test_the_file_that_has_a_line_more_often_says_how_often_it_was_scanned(shop: Shop) -> None:
    comes(shop, "a.csv", *sold("2024-01-01", scans=1))
    comes(shop, "b.csv", *sold("2024-01-01", scans=3))
    comes(shop, "c.csv", *sold("2024-01-01", scans=2))
    assert looked(shop, repeated="across_files").taken == 5 * (1 + 3)


def test_files_of_shops_that_have_days_in_common_do_not_overlap(shop: Shop) -> None:
    for n in range(3):
        lines = [f"{n}{k},{n}{k},{k},1,{k}.50,2024-01-02" for k in range(40)]
        comes(shop, f"shop_{n}.csv", *lines, "7,7,7,1,7.50,2024-01-02")
    found = looked(shop)
    assert (found.overlaps, found.repeated) == ((), 2)
    assert looked(shop, repeated="across_files").taken == 123


def test_a_later_file_whose_first_weeks_are_held_adds_its_new_lines_alone(shop: Shop) -> None:
    two_years(shop)
    before = looked(shop, repeated="across_files").taken
    comes(shop, "2024_more.csv", *sold("2024-01-02"), *sold("2024-02-01"))
    after = looked(shop, repeated="across_files")
    assert (after.taken, after.months["2024-01"]) == (before + 10, 10)


def test_drop_takes_equal_lines_once_though_they_stand_in_several_files(shop: Shop) -> None:
    two_years(shop)
    found = looked(shop, repeated="drop")
    assert (found.taken, found.repeated) == (4 * 10, 0)


def test_init_says_which_files_overlap_and_declares_that_they_are_taken_once(shop: Shop, tmp_path: Path) -> None:
    days = [f"2023-{m:02}-{d:02}" for m in range(1, 13) for d in (3, 13, 23)]
    comes(shop, "2023.csv", *(line for day in days for line in sold(day, receipts=9)))
    comes(shop, "2024.csv", *(line for day in [*days[-2:], "2024-01-02"] for line in sold(day, receipts=9)))
    given = ["--from", str(shop.file("till")), "--synthetic", "--yes", "--currency", "EUR"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    told = " ".join(made.output.split())
    assert made.exit_code == 0, made.output
    assert "repeated: across_files (2024.csv has 36 lines of 2023-12-13 to 2023-12-23 that stand in 2023.csv" in told
    assert (
        "files overlap: 2023.csv and 2024.csv: 36 lines of 2023-12-13 to 2023-12-23 stand in both, taken once" in told
    )
    own = yaml.safe_load((tmp_path / "project/params.yaml").read_text(encoding="utf-8"))["own"]
    assert own["sales"]["repeated"] == "across_files"


def test_months_in_files_of_their_own_and_lines_with_numbers_need_no_comparing(shop: Shop) -> None:
    with pytest.raises(ParamsError, match="across_files does not go with reads: folder"):
        shop.declare(till=but(TILL, reads="folder", files="{month}.csv", repeated="across_files"))
    numbered = TILL["columns"] | {"line_id": "n"}
    purposes = LEGAL | {"purposes": dict.fromkeys(numbered, TWIN)}
    with pytest.raises(ParamsError, match="without a number of their own"):
        shop.declare(till=but(TILL, columns=numbered, legal=purposes, repeated="across_files"))
