"""Exports as web shops and tills write them: heads on first lines, states of orders, clicks, amounts of many names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from proposed_sales import SAID, Row, source, spend, written
from pydantic import ValidationError

from twinops.data.own_sources.files.carried_down import CarriedDown
from twinops.data.own_sources.files.cells import TextCells
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.own_params import OwnParams, OwnSource


def orders(state_of: dict[int, str]) -> Iterator[tuple[int, str, str, str]]:
    """Forty people with three orders each: number, who, moment, state."""
    for n in range(120):
        yield (
            1001 + n,
            f"c{n % 40}@mail.example",
            f"2025-0{1 + n // 20}-{1 + n % 20:02} 10:00:00 +0100",
            state_of.get(n, "paid"),
        )


def web_shop(path: Path, states: dict[int, str], *, customer_once: bool = False) -> Path:
    """Two lines an order; the state, and money given back, stand on the first alone."""
    rows: list[Row] = []
    for number, who, when, state in orders(states):
        head = {
            "Financial Status": state,
            "Paid at": when,
            "Currency": "EUR",
            "Total": "50.00",
            "Refunded Amount": "10.00" if "part" in state else "0.00",
            "Cancelled at": when if state == "voided" else "",
        }
        line = {"Name": f"#{number}", "Email": who, "Created at": when}
        first = line | head | {"Lineitem quantity": 1, "Lineitem name": "Shirt - M", "Lineitem price": "30.00"}
        later = {"Name": f"#{number}", "Lineitem quantity": 2, "Lineitem name": "Socks", "Lineitem price": "10.00"}
        rows += [first, later if customer_once else line | later]
    return written(path, rows)


@pytest.mark.parametrize("customer_once", [False, True])
def test_every_line_of_an_order_is_taken_and_no_line_of_one_that_was_given_back(
    customer_once: bool, tmp_path: Path
) -> None:
    states = {3: "refunded", 50: "refunded", 7: "partially_refunded", 9: "voided"}
    found = look(ShopFiles(web_shop(tmp_path / "orders.csv", states, customer_once=customer_once)), SAID)
    own = found.own["sales"]
    assert own["columns"]["basket_id"] == "Name"
    assert own["columns"]["household_id"] == "Email"
    assert own["only"]["Financial Status"] == ["paid", "partially_refunded"]
    assert "Financial Status" in own["carried_down"]
    assert ("Email" in own["carried_down"]) is customer_once
    looked = look_at(source(found, tmp_path))
    assert looked.taken == 2 * 117
    assert looked.quarantined == {}
    assert sum(looked.left_out.values()) == 2 * 3
    assert spend(found, tmp_path) == 117 * 50.0
    assert any("Refunded Amount" in note and "not taken off" in note for note in found.notes)


def test_a_click_is_no_purchase(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"event_time": f"2025-01-{1 + n % 28:02} 10:{k:02}:00 UTC", "event_type": kind, "product_id": 100 + k,
         "price": f"{k + 1}.50", "user_id": 500 + n % 40, "user_session": f"s-{n}"}
        for n in range(200) for k, kind in enumerate(("view", "view", "cart", "purchase"))
    ]  # fmt: skip
    found = look(ShopFiles(written(tmp_path / "events.csv", rows)), SAID)
    assert found.own["sales"]["only"] == {"event_type": ["purchase"]}
    assert look_at(source(found, tmp_path)).taken == 200


def test_returns_that_are_lines_are_set_against_their_purchase_whatever_their_state_is_called(tmp_path: Path) -> None:
    rows: list[Row] = []
    for n in range(120):
        line = {"date": f"2025-0{1 + n // 20}-{1 + n % 20:02}", "order": n, "customer": f"C{n % 40}", "item": "A1"}
        rows.append(line | {"qty": 1, "amount": "20.00", "state": "completed"})
        if n % 10 == 0:
            rows.append(line | {"order": 500 + n, "qty": -1, "amount": "-20.00", "state": "returned"})
    found = look(ShopFiles(written(tmp_path / "sales.csv", rows)), SAID)
    assert "only" not in found.own["sales"]
    assert spend(found, tmp_path) == 108 * 20.0


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("is_cancelled", "true", "false"),
        ("Storniert", "ja", ""),
        ("annulé", "1", "0"),
        ("cancelled_at", "2025-03-01", ""),
    ],
)
def test_a_line_that_a_column_calls_cancelled_is_left_out(name: str, yes: str, no: str, tmp_path: Path) -> None:
    rows: list[Row] = [
        {"date": f"2025-0{1 + n // 20}-{1 + n % 20:02}", "order": n, "customer": f"C{n % 40}", "item": "A1", "qty": 1,
         "amount": "20.00", name: yes if n % 12 == 0 else no}
        for n in range(120)
    ]  # fmt: skip
    found = look(ShopFiles(written(tmp_path / "sales.csv", rows)), SAID)
    assert found.own["sales"]["only"] == {name: [no]}
    assert look_at(source(found, tmp_path)).left_out == {f"not counted by {name}": 10}
    assert spend(found, tmp_path) == 110 * 20.0


def test_of_gross_and_net_the_one_without_the_discount_was_paid(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"Date": f"2025-0{1 + n // 20}-{1 + n % 20:02}", "Transaction ID": f"t{n}", "Customer ID": f"C{n % 40}",
         "Item": "Tea", "Qty": "1.0", "Gross Sales": "$10.00", "Discounts": f"(${n % 3}.00)" if n % 3 else "$0.00",
         "Net Sales": f"${10 - n % 3}.00"}
        for n in range(120)
    ]  # fmt: skip
    found = look(ShopFiles(written(tmp_path / "items.csv", rows)), Said(synthetic=True, zone="UTC"))
    assert found.own["sales"]["columns"]["sales_value"] == "Net Sales"
    assert spend(found, tmp_path) == 40 * (10 + 9 + 8)


@pytest.mark.parametrize(("per_piece", "ours"), [(True, "unit_price"), (False, "sales_value")])
def test_an_amount_of_pieces_is_no_money_and_the_price_is_held_against_it(
    per_piece: bool, ours: str, tmp_path: Path
) -> None:
    rows: list[Row] = []
    for n in range(600):
        pieces, price = 1 + n % 3, 40 + 13 * (n % 20)
        rows.append(
            {"DT": f"2025-0{1 + n // 100}-{1 + n % 20:02}", "CUSTOMER_ID": f"C{n % 40}", "PRODUCT_ID": 4000 + n % 20,
             "AMOUNT": pieces, "SALES_PRICE": price if per_piece else pieces * price}
        )  # fmt: skip
    found = look(ShopFiles(written(tmp_path / "lines.csv", rows)), SAID)
    columns = found.own["sales"]["columns"]
    assert (columns["quantity"], columns[ours]) == ("AMOUNT", "SALES_PRICE")
    assert spend(found, tmp_path) == sum((1 + n % 3) * (40 + 13 * (n % 20)) for n in range(600))


def test_where_nothing_tells_a_price_of_one_from_one_of_the_line_it_is_said(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"DT": f"2025-0{1 + n // 100}-{1 + n % 20:02}", "CUSTOMER_ID": f"C{n % 40}", "PRODUCT_ID": n,
         "AMOUNT": 1 + n % 3, "SALES_PRICE": 60 + n}
        for n in range(600)
    ]  # fmt: skip
    found = look(ShopFiles(written(tmp_path / "lines.csv", rows)), SAID)
    assert any("--column sales.unit_price=SALES_PRICE" in note for note in found.notes)


def cells(first: int, *rows: tuple[str | None, str | None]) -> TextCells:
    receipts, people = zip(*rows, strict=True)
    table = {"place": range(first, first + len(rows)), "receipt": receipts, "who": people}
    return TextCells(pa.table({k: pa.array(v, pa.int64() if k == "place" else pa.string()) for k, v in table.items()}))


def own(folder: Path, carried: list[str]) -> OwnSource:
    """Sales with a receipt and a customer, and what is carried down."""
    rows: list[Row] = [
        {"day": f"2025-01-{1 + n % 20:02}", "receipt": f"R{n}", "who": f"C{n % 7}", "amount": "1.50"} for n in range(60)
    ]
    body = look(ShopFiles(written(folder / "sales.csv", rows)), SAID).own["sales"] | {"carried_down": carried}
    return OwnParams.model_validate_json(json.dumps({"sales": body}, default=str)).root["sales"]


def test_a_head_is_carried_down_within_its_receipt_over_parts_of_a_file_and_no_further(tmp_path: Path) -> None:
    heads = CarriedDown(own(tmp_path, ["who"]))
    parts = [
        cells(1, ("R1", "ann"), ("R1", None), ("R2", None), ("R2", None), ("R3", "eve")),
        cells(6, ("R3", ""), ("R4", None), (None, None), (None, None)),
        cells(10, ("R5", "bob"), ("R5", "cy"), ("R5", None)),
    ]
    found = [who for part in parts for who in heads.onto(part).table["who"].to_pylist()]
    assert found == ["ann", "ann", None, None, "eve", "eve", None, None, None, "bob", "cy", "cy"]


@pytest.mark.parametrize("carried", [["receipt"], ["another"]])
def test_what_is_no_head_cannot_be_carried_down(carried: list[str], tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="is the receipt itself, or a column that is not read"):
        own(tmp_path, carried)
