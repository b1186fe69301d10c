"""Yen have no minor unit and dinars three digits of it: tables hold hundredths, so heads and pictures are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_world import RETAIL, Shop, but, line, write_csv


@pytest.mark.parametrize(
    ("currency", "digits", "price", "cents"),
    [("JPY", 0, "1500", 300_000), ("EUR", 2, "2.55", 510), ("KWD", 3, "1.234", 247), ("CLF", 4, "0.0251", 5)],
)
def test_two_pieces_cost_what_they_cost_in_any_currency(
    tmp_path: Path, currency: str, digits: int, price: str, cents: int
) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, money={"currency": currency, "minor_units": digits}))
    write_csv(shop.file("retail.csv"), [line(Quantity="2", UnitPrice=price)])
    shop.collect()
    assert shop.open()["sales_cents"].to_pylist() == [cents]
