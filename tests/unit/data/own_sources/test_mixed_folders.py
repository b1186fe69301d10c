"""Files of one folder that are written in several ways are all read, whichever way most of them are written in."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from make_sheet import write_sheet

from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.look import SourceLook
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.own_params import OwnParams

HEAD = ["Bonnr", "Datum", "Klantnr", "Artikelnr", "Aantal", "Bedrag"]


def lines(year: int) -> list[tuple[str, datetime, int, int, int, float]]:
    """Thirty customers, a line on each of some days."""
    return [
        (f"{year}-{month:02}{day:02}{k:02}", datetime(year, month, day), 7000 + k, k % 5 + 10, 2, k + 0.5)  # noqa: DTZ001
        for month in (3, 9)
        for day in (1, 14, 27)
        for k in range(1, 31)
    ]


def as_text(year: int, *, day: str = "%d-%m-%Y", separator: str = ";", decimal: str = ",") -> str:
    rows = [
        [r, when.strftime(day), f"{card:08}", str(p), str(n), f"{a:.2f}".replace(".", decimal)]
        for r, when, card, p, n, a in lines(year)
    ]
    return "\n".join(separator.join(row) for row in [HEAD, *rows]) + "\n"


def source(proposal: Proposal, root: Path) -> DeclaredSource:
    parsed = OwnParams.model_validate_json(json.dumps({"sales": proposal.own["sales"]}, default=str))
    return declared(parsed, "sales", root=root, max_rows=10_000_000)


def looked(folder: Path) -> tuple[dict[str, Any], SourceLook]:
    found = look(ShopFiles(folder), Said(synthetic=True))
    return found.own["sales"], look_at(source(found, folder))


@pytest.fixture
def till(tmp_path: Path) -> Path:
    folder = tmp_path / "till"
    folder.mkdir()
    return folder


def test_spreadsheets_beside_one_text_are_all_read_each_as_what_it_is(till: Path) -> None:
    for year in (2023, 2024, 2025):
        write_sheet(till / f"till_{year}.xlsx", [HEAD, *map(list, lines(year))])
    (till / "till_2026_to_august.csv").write_text(as_text(2026))
    declared_as, found = looked(till)
    assert (declared_as["time"]["format"], declared_as["money"]["decimal"]) == ("%d-%m-%Y", ",")
    assert (found.files, found.taken, found.quarantined) == (4, 4 * 180, {})
    assert found.households == 30, "a typed number has no zeros before it, and is the customer's all the same"


def test_a_text_that_lies_among_spreadsheets_under_reads_excel_is_read_as_a_text(till: Path) -> None:
    for year in (2023, 2024):
        write_sheet(till / f"till_{year}.xlsx", [HEAD, *map(list, lines(year))])
    found = look(ShopFiles(till), Said(synthetic=True))
    assert found.own["sales"]["reads"] == "excel"
    found.own["sales"]["time"]["also"] = ["%d-%m-%Y"]
    (till / "till_2026.csv").write_text(as_text(2026, decimal="."))
    assert look_at(source(found, till)).taken == 3 * 180


def test_days_that_one_spreadsheet_of_several_holds_as_text_are_read(till: Path) -> None:
    write_sheet(till / "till_2023.xlsx", [HEAD, *map(list, lines(2023))])
    part = [[r, when.strftime("%d-%m-%Y") if when.month == 9 else when, *more] for r, when, *more in lines(2024)]
    write_sheet(till / "till_2024.xlsx", [HEAD, *part])
    declared_as, found = looked(till)
    assert {declared_as["time"]["format"], *declared_as["time"]["also"]} == {"iso", "%d-%m-%Y"}
    assert (found.taken, found.quarantined) == (2 * 180, {})


def test_days_that_one_text_of_many_writes_otherwise_are_read(till: Path) -> None:
    for month in range(1, 19):
        day = "%Y-%m-%d" if month == 5 else "%d.%m.%Y"
        (till / f"part_{month:02}.csv").write_text(as_text(2000 + month, day=day))
    declared_as, found = looked(till)
    assert declared_as["time"]["also"] == ["iso"], "the fifth is none of those that are looked at whole"
    assert (found.taken, found.quarantined) == (18 * 180, {})


def test_of_days_that_cannot_be_read_the_field_is_named_that_reads_them(till: Path) -> None:
    (till / "till_2023.csv").write_text(as_text(2023))
    found = look(ShopFiles(till), Said(synthetic=True))
    (till / "till_2024.csv").write_text(as_text(2024, day="%Y/%m/%d"))
    (wrong,) = look_at(source(found, till)).mistakes
    assert wrong.mend == '`also: ["%Y/%m/%d"]` under own.sales.time reads most of them'
    found.own["sales"]["time"]["also"] = ["%Y/%m/%d"]
    assert look_at(source(found, till)).quarantined == {}


def test_texts_of_one_folder_may_have_separators_of_their_own(till: Path) -> None:
    (till / "till_2023.csv").write_text(as_text(2023))
    (till / "till_2024.csv").write_text(as_text(2024, separator="\t"))
    declared_as, found = looked(till)
    assert declared_as["separator"] == "detect"
    assert (found.taken, found.quarantined) == (2 * 180, {})


def test_a_text_of_other_columns_does_not_say_how_spreadsheets_are_read(till: Path) -> None:
    for year in (2023, 2024):
        write_sheet(till / f"till_{year}.xlsx", [HEAD, *map(list, lines(year))])
    (till / "opening_hours.csv").write_text("shop;opens;closes\nLeusden;9;18\n")
    assert look(ShopFiles(till), Said(synthetic=True)).own["sales"]["reads"] == "excel"


def test_a_till_stands_for_a_shop_only_where_no_column_names_the_shop(tmp_path: Path) -> None:
    def store(head: str) -> str | None:
        rows = [f"2025-{m:02}-{d:02},R{m}{d}{k},C{k:03},11,1,{k}.50,{k % 3},{'AB'[k % 2]}"
                for m in range(1, 7) for d in (3, 17) for k in range(1, 41)]  # fmt: skip
        (tmp_path / "sales.csv").write_text("\n".join([head, *rows, ""]))
        found = look(ShopFiles(tmp_path / "sales.csv"), Said(synthetic=True)).own["sales"]["columns"]
        return str(found.get("store_id"))

    head = "date,receipt,customer,article,pieces,amount"
    assert store(f"{head},Kassa,Filiaal") == "Filiaal"
    assert store(f"{head},Kassa,colour") == "Kassa"
