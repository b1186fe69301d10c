"""Sales of shops that nobody has seen: totals, kinds of rows, currencies, titles, folders."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.errors import DataError
from twinops.own_params import OwnParams

SAID = Said(synthetic=True, currency="EUR", zone="UTC")
Row = dict[str, Any]


def written(path: Path, rows: list[Row], *, above: str = "", separator: str = ",") -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(above)
        writer = csv.DictWriter(file, names, restval="", delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def source(found: Proposal, root: Path) -> DeclaredSource:
    own = OwnParams.model_validate_json(json.dumps({"sales": found.own["sales"]}, default=str))
    return declared(own, "sales", root=root, max_rows=1_000_000)


def spend(found: Proposal, root: Path) -> float:
    """What all lines that are taken cost."""
    rows = read(source(found, root), WHOLE).rows
    return float(sum(rows["sales_value"].to_pylist())) / 100


def lines(of: int = 150) -> list[tuple[int, Row]]:
    """One to four lines a receipt of forty people; each with its number on the receipt."""
    return [
        (k, {"Date": f"2025-0{1 + n // 20}-{1 + n % 20:02}", "Order ID": 5000 + n, "Customer": f"C{n % 40}"})
        for n in range(of)
        for k in range(1 + n % 4)
    ]


def price(row: Row, k: int) -> float:
    return 5.5 + (row["Order ID"] % 7) * (k + 1)


def with_totals(*, item: bool) -> tuple[list[Row], float]:
    """Each line with its receipt's total, freight on top; and what the lines cost after a tenth was taken off."""
    rows = [
        row | {"Order Total": "", "Item Subtotal": f"{price(row, k):.2f}", "Item Total": f"{price(row, k) * 0.9:.2f}"}
        for k, row in lines()
    ]
    paid = {}
    for row in rows:
        paid[row["Order ID"]] = paid.get(row["Order ID"], 4.9) + float(row["Item Total"])
    for row in rows:
        row["Order Total"] = f"{paid[row['Order ID']]:.2f}"
    total = sum(float(row["Item Total"]) for row in rows)
    kept = [row if item else {k: v for k, v in row.items() if "Item" not in k} for row in rows]
    return kept, round(total, 2)


def test_the_total_of_a_receipt_on_each_of_its_lines_is_no_lines_amount(tmp_path: Path) -> None:
    rows, total = with_totals(item=True)
    found = look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)
    assert found.own["sales"]["columns"]["sales_value"] == "Item Total"
    assert spend(found, tmp_path) == pytest.approx(total, abs=0.01)
    assert any("Order Total is the receipt's total on each of its lines" in note for note in found.notes)


def test_where_a_receipts_total_is_all_there_is_the_file_is_refused(tmp_path: Path) -> None:
    rows, _ = with_totals(item=False)
    with pytest.raises(DataError, match=r"Order Total is the receipt's total .* Hand over one line a receipt"):
        look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)


def test_a_total_that_only_the_price_of_a_piece_adds_up_to_gives_way_to_price_and_pieces(tmp_path: Path) -> None:
    rows = [row | {"Qty": 1 + k % 3, "Cost": f"{price(row, k):.2f}"} for k, row in lines()]
    paid: dict[int, float] = {}
    for row in rows:
        paid[row["Order ID"]] = paid.get(row["Order ID"], 0.0) + row["Qty"] * float(row["Cost"])
    rows = [row | {"Total": f"{paid[row['Order ID']]:.2f}"} for row in rows]
    found = look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)
    assert found.own["sales"]["columns"]["unit_price"] == "Cost"
    assert spend(found, tmp_path) == pytest.approx(sum(paid.values()), abs=0.01)


def test_a_shop_with_one_price_has_amounts_of_lines(tmp_path: Path) -> None:
    rows = [row | {"Amount": "5.50"} for _, row in lines()]
    found = look(ShopFiles(written(tmp_path / "sales.csv", rows)), SAID)
    assert spend(found, tmp_path) == pytest.approx(5.5 * len(rows))


def test_seats_of_one_price_on_each_receipt_are_amounts_of_lines(tmp_path: Path) -> None:
    rows = [row | {"Amount": f"{10 + row['Order ID'] * 7 % 11}.50"} for _, row in lines()]
    found = look(ShopFiles(written(tmp_path / "seats.csv", rows)), SAID)
    assert spend(found, tmp_path) == pytest.approx(sum(float(row["Amount"]) for row in rows))


def test_a_discount_of_the_whole_receipt_goes_off_no_line(tmp_path: Path) -> None:
    rows = [
        row | {"Qty": 1, "Price": f"{price(row, k):.2f}", "Discount": f"{row['Order ID'] % 37}.15"}
        for k, row in lines()
    ]
    found = look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)
    assert "retail_disc" not in found.own["sales"]["columns"]
    assert spend(found, tmp_path) == pytest.approx(sum(float(row["Price"]) for row in rows))
