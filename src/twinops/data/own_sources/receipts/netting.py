"""What came back is taken off what was bought: returns, cancellations, and discounts that are lines of their own.

A return is set against the same customer's latest purchases of the same product, and what is left of it against the
other lines of its receipt. No line falls below zero, and a line of which nothing is left was not bought.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.own_kinds import RETURNS_OF

APART = 2_000_000_000
"""Places of another file or source that is read together with one begin here."""
_SETTLED_BY = ["place", "household_id", "product_id", "basket_id", "time", "quantity", "sales_value"]
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
    receipt: int | None = None

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
    found = _settled(pa.concat_tables([concerned(rows, returns) for rows in parts]), returns)
    for i, rows in enumerate(parts):
        parts[i] = reduced(rows, found.touched)
    return found.left_out


@dataclass(frozen=True)
class Settlement:
    """What returns did: lines with what is left of them, and why places are left out.

    `met` are the places that each return looked at, its own among them.
    """

    touched: Mapping[int, Bought]
    left_out: dict[int, str]
    met: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True)
class MonthNet:
    """What a folder's months do to one of them, by the places of its own file, and with which others it is bound.

    `digest` tells it apart: another outcome has another one.
    """

    settlement: Settlement
    beside: tuple[str, ...]
    digest: str


NOTHING_BACK = MonthNet(Settlement({}, {}), (), "")
"""Of a month without a return, of which no later one took anything."""


def across(months: Mapping[str, Iterator[pa.Table]]) -> dict[str, MonthNet]:
    """Set returns against purchases across months that come in any order, each in some tables with signs and places.

    A return is never set against a later purchase. So months are read from the last to the first, and of each only what
    a return of it or of a later one may be set against is kept.
    """
    order = sorted(months)
    returns, bought = pa.table({}), []
    for n, month in reversed([*enumerate(order)]):
        rows = pa.concat_tables([_apart(part, n) for part in months[month]])
        back = rows.filter(takes_back(rows))
        returns = pa.concat_tables([back, returns]) if returns.num_columns else back
        bought.append(concerned(rows.filter(pc.invert(takes_back(rows))), returns))
    if not order or not returns.num_rows:
        return dict.fromkeys(order, NOTHING_BACK)
    lines = pa.concat_tables(bought)
    found = _settled(lines, returns.sort_by([("time", "ascending"), ("place", "ascending")]))
    bound = _bound(found.met)
    told = pa.concat_tables([lines, returns])
    told = told.filter(pc.is_in(told["place"], pa.array(sorted({*found.touched, *found.left_out}), pa.int64())))
    rows_of: dict[int, list[dict[str, Any]]] = {}
    for row in told.to_pylist():
        rows_of.setdefault(row["place"] // APART, []).append(row)
    return {
        month: _month_net(found, rows_of.get(n, []), tuple(order[k] for k in bound.get(n, ()) if k != n))
        for n, month in enumerate(order)
    }


def _apart(rows: pa.Table, n: int) -> pa.Table:
    """The columns that returns are settled by, with the places of one month told apart from those of all others."""
    return _settled_columns(rows).set_column(0, "place", pc.add(rows["place"], n * APART))


def _settled_columns(rows: pa.Table) -> pa.Table:
    return rows.select([*_SETTLED_BY, *(c for c in (RETURNS_OF,) if c in rows.column_names)])


def _bound(met: Iterable[frozenset[int]]) -> dict[int, range]:
    """From which month to which each is bound by returns that met its lines, and by returns that met lines of those.

    What lies outside has no say: whatever a return met before it came to these months lies between, and later returns
    come after all of theirs. Only what a return finds no purchase for in the months between, and takes off its own
    receipt instead, may end otherwise than it does in all of them; so whoever reads some months compares the digest.
    """
    linked: dict[int, int] = {}
    for first, *others in met:
        for place in others:
            linked[_end(linked, place)] = _end(linked, first)
    groups: dict[int, set[int]] = {}
    for place in {place for places in met for place in places}:
        groups.setdefault(_end(linked, place), set()).add(place // APART)
    bound: dict[int, range] = {}
    for months in groups.values():
        for month in months:
            known = bound.get(month, range(month, month + 1))
            bound[month] = range(min(known.start, *months), max(known.stop, max(months) + 1))
    return bound


def _end(linked: dict[int, int], place: int) -> int:
    """Where the links of a place end; the way there is made shorter."""
    while (further := linked.get(place, place)) != place:
        linked[place] = place = linked.get(further, further)
    return place


def _month_net(found: Settlement, rows: list[dict[str, Any]], beside: tuple[str, ...]) -> MonthNet:
    """One month's part of a settlement. Its digest is of whole lines: of their places alone it could be guessed."""
    own = {row["place"]: row["place"] % APART for row in rows}
    touched = {own[p]: found.touched[p] for p in own if p in found.touched}
    left_out = {own[p]: found.left_out[p] for p in own if p in found.left_out}
    return MonthNet(
        Settlement(touched, left_out), beside, _digest([(own[row["place"]], row) for row in rows], touched, left_out)
    )


def kept_net(rows: Iterable[pa.Table], settled: Settlement, beside: tuple[str, ...]) -> MonthNet:
    """What was kept of a month, told apart by the lines of the month's own file as they are now."""
    wanted = pa.array(sorted({*settled.touched, *settled.left_out}), pa.int64())
    told = (part.filter(pc.is_in(part["place"], wanted)).select(_SETTLED_BY).to_pylist() for part in rows)
    lines = [(row["place"], row) for part in told for row in part]
    return MonthNet(settled, beside, _digest(lines, settled.touched, settled.left_out))


def _digest(lines: list[tuple[int, dict[str, Any]]], touched: Mapping[int, Bought], left_out: Mapping[int, str]) -> str:
    """Of lines by their places in the month's own file, with what became of them; of none it is empty."""
    told = [
        (*(str(row[c]) for c in _SETTLED_BY[1:]), place, left_out.get(place), *_left_of(touched.get(place)))
        for place, row in sorted(lines, key=lambda line: line[0])
    ]
    return sha256(repr(told).encode()).hexdigest() if told else ""


def _left_of(line: Bought | None) -> tuple[int, int] | tuple[()]:
    return () if line is None else (line.quantity, line.amount)


def _settled(bought: pa.Table, returns: pa.Table) -> Settlement:
    """Set returns, the earliest first, against the lines that they may be set against."""
    lines, by_product, by_receipt = _shelved(bought)
    told, met = {}, []
    for row in returns.to_pylist():
        told[row["place"]], places = _settle(row, by_product, by_receipt)
        met.append(frozenset({row["place"], *places}))
    touched = {b.place: b for b in lines if b.touched}
    gone = {p: SENT_BACK for p, b in touched.items() if not b.quantity and not b.amount}
    return Settlement(touched, told | gone, tuple(met))


def concerned(bought: pa.Table, returns: pa.Table) -> pa.Table:
    """Lines that a return may be set against: its customer's, of its product or on its receipt."""
    who, what, receipt = (
        pc.is_in(bought[c], pc.unique(returns[c])) for c in ("household_id", "product_id", "basket_id")
    )
    if RETURNS_OF in returns.column_names:
        receipt = pc.or_(receipt, pc.is_in(bought["basket_id"], pc.unique(pc.drop_null(returns[RETURNS_OF]))))
    return bought.filter(pc.and_(who, pc.or_(what, receipt)))


def counted(left_out: dict[int, str]) -> dict[str, int]:
    """How many lines, by reason."""
    return dict(sorted(Counter(left_out.values()).items()))


Shelf = dict[tuple[str, int], list[Bought]]


def _shelved(rows: pa.Table) -> tuple[list[Bought], Shelf, Shelf]:
    """Lines that returns may be set against, by product and by receipt, the latest last."""
    lines, by_product, by_receipt = [], Shelf(), Shelf()
    for r in rows.select(_SETTLED_BY).sort_by([("time", "ascending"), ("place", "ascending")]).to_pylist():
        line = Bought(r["place"], r["time"], r["quantity"], r["sales_value"], receipt=r["basket_id"])
        lines.append(line)
        by_product.setdefault((r["household_id"], r["product_id"]), []).append(line)
        by_receipt.setdefault((r["household_id"], r["basket_id"]), []).append(line)
    return lines, by_product, by_receipt


def _settle(back: dict[str, Any], by_product: Shelf, by_receipt: Shelf) -> tuple[str, set[int]]:
    """Take one return off; what became of it, and the places of the lines that had a say in that."""
    who, asked = back["household_id"], (abs(back["quantity"]), abs(back["sales_value"]))
    (quantity, amount), met = asked, set()
    named = back.get(RETURNS_OF)
    # what was bought on the receipt that it names goes before all that was bought later
    latest = reversed(by_product.get((who, back["product_id"]), []))
    for line in sorted(latest, key=lambda bought: bool(named) and bought.receipt != named):
        if line.when <= back["time"] and (quantity or amount):
            met.add(line.place)
            quantity, amount = line.take(quantity, amount)
    for line in reversed(by_receipt.get((who, named or back["basket_id"]), [])):
        # the number of a receipt of a later month is used again; nobody sends back what she has not bought yet
        if amount and f"{line.when:%Y-%m}" <= f"{back['time']:%Y-%m}":
            # a discount or a voucher as a line of its own is money off the receipt, and no piece
            met.add(line.place)
            _, amount = line.take(0, amount)
    if not amount and asked[1]:
        return NETTED, met
    return UNMATCHED if (quantity, amount) == asked else NETTED if not quantity and not amount else IN_PART, met


def reduced(bought: pa.Table, touched: Mapping[int, Bought]) -> pa.Table:
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
