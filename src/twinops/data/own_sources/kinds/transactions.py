"""Receipt lines of your own: schema after mapping, and how good rows are sealed."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data.days import CREDIBLE, local_day
from twinops.data.own_sources.codes import HIGHEST
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.own_kinds import RETURNS_OF, Form
from twinops.own_params import OwnSource

DAY = "day"
_MONEY = {
    "sales_value": "sales_cents",
    "retail_disc": "retail_discount_cents",
    "coupon_disc": "coupon_discount_cents",
    "coupon_match_disc": "coupon_match_discount_cents",
}
FORM = Form(
    staged_as="transactions",
    columns={
        "household_id": "identity",
        **dict.fromkeys(("store_id", "basket_id", "product_id"), "code"),
        "quantity": "quantity",
        "unit_price": "price",
        "sales_value": "amount",
        **dict.fromkeys(("retail_disc", "coupon_disc", "coupon_match_disc"), "discount"),
        "time": "moment",
    },
    needed=("household_id", "time"),
    fields=frozenset({"only", "carried_down", "cancelled", "repeated", "corrections"}),
    settled_by={"line_id": "code", RETURNS_OF: "code"},
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("store_id", "whole", 1, HIGHEST),
        Column("basket_id", "whole", 1, HIGHEST),
        Column("product_id", "whole", 1, HIGHEST),
        Column("quantity", "whole", 0, 1_000_000),
        *(Column(amount, "whole", 0, 10**9) for amount in _MONEY),
        Column("time", "time", *CREDIBLE),
    )
)
"""Amounts are whole hundredths of the currency's major unit already: every head and picture divides them by 100."""


def schema(said: OwnSource) -> Schema:
    """Two equal lines are two scans, unless their numbers or a declaration say that they are one line twice."""
    return replace(SCHEMA, repeats=said.repeated != "drop" or "line_id" in said.entering)


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped transactions' columns: local `day`, codes, quantity, money in hundredths of the major unit."""
    codes = {c: rows[c] for c in ("basket_id", "store_id", "product_id", "quantity")}
    money = {ours: rows[amount] for amount, ours in _MONEY.items()}
    return in_total_order(
        pa.table({"household_id": rows["household_id"], "day": local_day(rows["time"]), **codes, **money})
    )
