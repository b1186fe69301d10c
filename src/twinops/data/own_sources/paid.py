"""What was paid for a line, in whole hundredths: an amount, or price times quantity, and without its discounts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources import cell_values as notation
from twinops.own_params import OwnSource
from twinops.own_sections import MoneyParams


def settle(columns: dict[str, Any], said: OwnSource) -> dict[str, np.ndarray]:
    """Fill `sales_value` and the discounts, in place; by reason, rows with more taken off than there was to pay.

    A discount is one whichever sign it is written with; what takes back (an amount below zero) takes back what was
    paid. An empty cell is no discount.
    """
    money = said.money
    if money is None or "sales_value" not in said.form.columns:
        return {}
    if "unit_price" in columns:
        price = columns.pop("unit_price")
        columns["sales_value"] = _each(price, columns["quantity"], lambda p, n: _hundredths(p * n, money))
    discounts = [ours for ours, kind in said.form.columns.items() if kind == "discount" and ours in columns]
    for ours in discounts:
        columns[ours] = pc.fill_null(_discount(columns[ours], columns, money), 0)
    return _taken_off(columns, discounts) if money.discount == "to_take_off" else {}


def _discount(written: pa.Array, columns: dict[str, Any], money: MoneyParams) -> pa.Array:
    """Each row's discount in hundredths, by how it is written."""
    if money.discount_as == "amount":
        return written
    if money.discount_as == "amount_per_piece":
        return _each(written, columns["quantity"], lambda d, n: abs(_hundredths(d * n, money)))
    before = money.discount == "to_take_off"
    return _each(written, columns["sales_value"], lambda share, paid: _part(share, abs(paid), before=before))


def _part(share: Decimal, amount: int, *, before: bool) -> int:
    """What a share took off: of the amount before it, or of what is left. What was given away tells no amount: 0.

    >>> _part(Decimal("0.1"), 1000, before=True), _part(Decimal("0.1"), 900, before=False)
    (100, 100)
    """
    off = share if before else share / (1 - share) if share < 1 else Decimal(0)
    return int((amount * off).quantize(Decimal(1), ROUND_HALF_EVEN))


def _taken_off(columns: dict[str, Any], discounts: list[str]) -> dict[str, np.ndarray]:
    amount = columns["sales_value"]
    known = np.asarray(amount.is_valid())
    before = np.asarray(pc.fill_null(amount, 0))
    left, bad = np.abs(before), {}
    for ours in discounts:
        off = np.asarray(columns[ours])
        bad[f"{ours}_above_amount"] = known & (off > left)
        left = np.maximum(left - off, 0)
    columns["sales_value"] = pa.array(np.sign(before) * left, pa.int64(), mask=~known)
    return bad


def _each(one: pa.Array, other: pa.Array, made: Callable[[Any, Any], int]) -> pa.Array:
    """What is made of two cells of a row, exactly; each pair once, and null where either is."""
    coded = [values.dictionary_encode() for values in (one, other)]
    first, second = (np.asarray(pc.fill_null(c.indices, 0)).astype(np.int64) for c in coded)
    known = np.asarray(pc.and_(one.is_valid(), other.is_valid()))
    left, right = (c.dictionary.to_pylist() for c in coded)
    pairs, at = np.unique(first * max(len(right), 1) + second, return_inverse=True)
    found = [
        made(left[p], right[q]) if left and right else 0
        for p, q in (divmod(k, max(len(right), 1)) for k in pairs.tolist())
    ]
    return pa.array(np.array(found, np.int64)[at], pa.int64(), mask=~known)


def _hundredths(amount: Decimal, money: MoneyParams) -> int:
    return max(-(2**62), min(2**62, notation.hundredths(amount, money)))
