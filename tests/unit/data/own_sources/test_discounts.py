"""What was paid is what is kept: a discount is off the price already or is taken off, and is told as an amount."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from own_world import LEGAL, RETAIL, TWIN, Shop, but

from twinops.errors import ParamsError

COLUMNS = {"household_id": "id", "time": "day", "quantity": "n", "unit_price": "price", "retail_disc": "off"}


def sales(columns: dict[str, str] = COLUMNS, **money: Any) -> dict[str, Any]:
    said = but(RETAIL, columns=columns, time={"format": "%Y-%m-%d", "zone": "UTC"})
    money = {"currency": "EUR", "decimal": ",", "thousands": ""} | money
    return said | {"separator": ";", "money": money, "legal": LEGAL | {"purposes": dict.fromkeys(columns, TWIN)}}


def kept(root: Path, said: dict[str, Any], *rows: str, head: str = "id;day;n;price;off") -> list[tuple[int, int]]:
    """Paid and reduced by, in hundredths, line for line."""
    shop = Shop(root, sales=said)
    shop.file("retail.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    shop.collect()
    return [(r["sales_cents"], r["retail_discount_cents"]) for r in shop.open().to_pylist()]


@pytest.mark.parametrize(
    ("money", "cell", "paid", "reduced"),
    [
        ({"discount": "to_take_off"}, "1,77", 1594, 177),
        ({"discount": "to_take_off"}, "-1,77", 1594, 177),
        ({"discount": "taken_off"}, "1,77", 1771, 177),
        ({"discount": "to_take_off"}, "", 1771, 0),
        ({"discount": "to_take_off", "discount_as": "percent"}, "10", 1594, 177),
        ({"discount": "to_take_off", "discount_as": "percent"}, "10%", 1594, 177),
        ({"discount": "to_take_off", "discount_as": "fraction"}, "0,10", 1594, 177),
        ({"discount": "taken_off", "discount_as": "percent"}, "50 %", 1771, 1771),
    ],
)
def test_a_discount_is_taken_off_once_however_it_is_written(
    tmp_path: Path, money: dict[str, str], cell: str, paid: int, reduced: int
) -> None:
    assert kept(tmp_path, sales(**money), f"7;2024-03-02;1;17,71;{cell}") == [(paid, reduced)]


def test_a_discount_of_a_piece_counts_for_every_piece(tmp_path: Path) -> None:
    said = sales(discount="to_take_off", discount_as="amount_per_piece")
    assert kept(tmp_path, said, "7;2024-03-02;3;10,00;1,50") == [(2550, 450)]


def test_what_comes_back_takes_back_what_was_paid_for_it(tmp_path: Path) -> None:
    said = sales(COLUMNS | {"product_id": "what"}, discount="to_take_off")
    rows = ["7;2024-03-02;2;10,00;2,00;A", "7;2024-03-05;-1;10,00;1,00;A"]
    assert kept(tmp_path, said, *rows, head="id;day;n;price;off;what") == [(900, 100)]


def test_the_amount_of_a_line_is_what_was_paid(tmp_path: Path) -> None:
    columns = {"household_id": "id", "time": "day", "sales_value": "price", "retail_disc": "off"}
    assert kept(tmp_path, sales(columns), "7;2024-03-02;1;15,94;1,77") == [(1594, 177)]


def test_a_line_that_was_reduced_by_more_than_it_costs_is_quarantined(tmp_path: Path) -> None:
    shop = Shop(tmp_path, sales=sales(discount="to_take_off"))
    lines = ["id;day;n;price;off", "7;2024-03-02;1;1,00;1,77", "8;2024-03-02;1;1,77;1,77", ""]
    shop.file("retail.csv").write_text("\n".join(lines), encoding="utf-8")
    found = shop.collect()
    assert (found.taken, found.quarantined) == (1, {"retail_disc_above_amount": 1})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (sales(), "say whether unit_price is before the discount"),
        (sales({k: v for k, v in COLUMNS.items() if k != "retail_disc"}, discount="to_take_off"), "a column of disc"),
    ],
)
def test_nobody_is_left_to_guess_whether_a_price_is_before_the_discount(
    tmp_path: Path, said: dict[str, Any], told: str
) -> None:
    with pytest.raises(ParamsError, match=told):
        Shop(tmp_path, sales=said)


def test_a_discount_that_is_taken_off_serves_what_the_price_serves(tmp_path: Path) -> None:
    said = sales(discount="to_take_off")
    said["legal"]["purposes"]["retail_disc"] = TWIN[:1]
    with pytest.raises(ParamsError, match="retail_disc is part of what was paid"):
        Shop(tmp_path, sales=said)
