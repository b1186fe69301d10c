"""What came back is taken off what was bought: returns, cancellations, and discounts that are lines of their own.

A return is set against the same customer's latest purchases of the same product, and what is left of it against the
other lines of its receipt. No line falls below zero, and a line of which nothing is left was not bought.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

DISCOUNTS = ("retail_disc", "coupon_disc", "coupon_match_disc")
NETTED = "return_netted"
UNMATCHED = "return_without_purchase"
IN_PART = "return_netted_in_part"
SENT_BACK = "bought_and_sent_back"


@dataclass
class Bought:
    """What is left of one purchased line."""

    place: int
    when: Any
    quantity: int
    amount: int
    touched: bool = field(default=False)

    def take(self, quantity: int, amount: int) -> tuple[int, int]:
        """Take off so much as there is; what remains to be taken elsewhere."""
        pieces, money = min(self.quantity, quantity), min(self.amount, amount)
        self.touched = self.touched or pieces > 0 or money > 0
        self.quantity, self.amount = self.quantity - pieces, self.amount - money
        return quantity - pieces, amount - money


def takes_back(rows: pa.Table) -> pa.Array:
    """Which lines are returns: a quantity or an amount below zero."""
    return pc.fill_null(pc.or_(pc.less(rows["quantity"], 0), pc.less(rows["sales_value"], 0)), False)


def net(parts: list[pa.Table]) -> dict[int, str]:
    """Set every return against its purchases, in place: `parts` have signs still and a `place` each, and hold purchases
    alone afterwards. Which places are left out as returns or as sent back, and why.

    Never more than a part is copied at a time: a shop's whole history may be in them.
    """
    back = [rows.filter(takes_back(rows)) for rows in parts]
    returns = pa.concat_tables(back).sort_by([("time", "ascending"), ("place", "ascending")])
    if not returns.num_rows:
        return {}
    for i, rows in enumerate(parts):
        parts[i] = rows.filter(pc.invert(takes_back(rows)))
    lines, by_product, by_receipt = _shelved(pa.concat_tables([concerned(rows, returns) for rows in parts]))
    told = {r["place"]: _settle(r, by_product, by_receipt) for r in returns.to_pylist()}
    touched = {b.place: b for b in lines if b.touched}
    gone = {p: SENT_BACK for p, b in touched.items() if not b.quantity and not b.amount}
    for i, rows in enumerate(parts):
        parts[i] = _reduced(rows, touched)
    return told | gone


def concerned(bought: pa.Table, returns: pa.Table) -> pa.Table:
    """Lines that a return may be set against: its customer's, of its product or on its receipt."""
    who, what, receipt = (
        pc.is_in(bought[c], pc.unique(returns[c])) for c in ("household_id", "product_id", "basket_id")
    )
    return bought.filter(pc.and_(who, pc.or_(what, receipt)))


def counted(left_out: dict[int, str]) -> dict[str, int]:
    """How many lines, by reason."""
    return dict(sorted(Counter(left_out.values()).items()))


Shelf = dict[tuple[str, int], list[Bought]]


def _shelved(rows: pa.Table) -> tuple[list[Bought], Shelf, Shelf]:
    """Lines that returns may be set against, by product and by receipt, the latest last."""
    names = ["household_id", "product_id", "basket_id", "place", "time", "quantity", "sales_value"]
    lines, by_product, by_receipt = [], Shelf(), Shelf()
    for r in rows.select(names).sort_by([("time", "ascending"), ("place", "ascending")]).to_pylist():
        line = Bought(r["place"], r["time"], r["quantity"], r["sales_value"])
        lines.append(line)
        by_product.setdefault((r["household_id"], r["product_id"]), []).append(line)
        by_receipt.setdefault((r["household_id"], r["basket_id"]), []).append(line)
    return lines, by_product, by_receipt


def _settle(back: dict[str, Any], by_product: Shelf, by_receipt: Shelf) -> str:
    """Take one return off; what became of it."""
    who, asked = back["household_id"], (abs(back["quantity"]), abs(back["sales_value"]))
    quantity, amount = asked
    for line in reversed(by_product.get((who, back["product_id"]), [])):
        if line.when <= back["time"] and (quantity or amount):
            quantity, amount = line.take(quantity, amount)
    for line in reversed(by_receipt.get((who, back["basket_id"]), [])):
        # a discount or a voucher as a line of its own is money off the receipt, and no piece
        _, amount = line.take(0, amount)
    if not amount and asked[1]:
        return NETTED
    return UNMATCHED if (quantity, amount) == asked else NETTED if not quantity and not amount else IN_PART


def _reduced(bought: pa.Table, touched: dict[int, Bought]) -> pa.Table:
    """The lines with what is left of them, if anything; a discount falls with the amount it stands beside."""
    hit = pc.is_in(bought["place"], pa.array(sorted(touched), pa.int64()))
    rows = [_left(row, touched[row["place"]]) for row in bought.filter(hit).to_pylist()]
    if not rows:
        return bought
    some = [row for row in rows if row["quantity"] or row["sales_value"]]
    return pa.concat_tables([bought.filter(pc.invert(hit)), pa.Table.from_pylist(some, bought.schema)])


def _left(row: dict[str, Any], line: Bought) -> dict[str, Any]:
    before = row["sales_value"]
    discounts = {name: row[name] * line.amount // before if before else row[name] for name in DISCOUNTS}
    return row | discounts | {"quantity": line.quantity, "sales_value": line.amount}
