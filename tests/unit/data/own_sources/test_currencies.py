"""Yen have no minor unit and dinars three digits of it: tables hold hundredths, and nothing is rounded unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_world import RETAIL, Shop, but, line, params, write_csv

from twinops.data.own_sources.declared_law import legal_of
from twinops.errors import ParamsError


@pytest.mark.parametrize(
    ("currency", "digits", "price", "cents"),
    [("JPY", 0, "1500", 300_000), ("EUR", 2, "2.55", 510), ("KWD", 3, "1.234", 247), ("CLF", 4, "0.0251", 5)],
)
def test_two_pieces_cost_what_they_cost_in_any_currency(
    tmp_path: Path, currency: str, digits: int, price: str, cents: int
) -> None:
    agreed = {"rounded_to": "hundredths"} if digits > 2 else {}
    shop = Shop(tmp_path, shop=but(RETAIL, money={"currency": currency, "minor_units": digits} | agreed))
    write_csv(shop.file("retail.csv"), [line(Quantity="2", UnitPrice=price)])
    shop.collect()
    assert shop.open()["sales_cents"].to_pylist() == [cents]


def test_a_third_digit_is_never_rounded_away_unsaid(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="amounts in KWD have 3 digits behind the sign, and tables keep 2"):
        params(shop=but(RETAIL, money={"currency": "KWD", "minor_units": 3}))
    agreed = params(shop=but(RETAIL, money={"currency": "KWD", "minor_units": 3, "rounded_to": "hundredths"}))
    sheet = legal_of(agreed.own)["transactions"].sheet
    assert any("rounded to hundredths of KWD" in caveat for caveat in sheet.caveats), "the documents say it"
    assert not any("rounded" in c for c in legal_of(params(shop=RETAIL).own)["transactions"].sheet.caveats)
