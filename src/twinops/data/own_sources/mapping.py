"""Their cells as rows of our schema; a record with a cell that cannot be read is named with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE
from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import Unreadable
from twinops.data.own_sources.cells import MAX_CELL, TextCells
from twinops.data.own_sources.codes import whole
from twinops.data.reading.reading import Fault
from twinops.own_params import COLUMNS, DISCOUNTS, OwnSource

_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(("store_id", "basket_id", "product_id", "quantity", "sales_value", *DISCOUNTS, "seq"), pa.int64()),
    "time": pa.timestamp("s"),
}
_STAND_INS = {"store_id": 1, "product_id": 1, "quantity": 1, **dict.fromkeys(DISCOUNTS, 0)}
"""What transactions say where a file has no such column."""

_BAD = object()


@dataclass(frozen=True)
class Mapped:
    """Rows in our columns with their `place`, parallel to the cells.

    `unreadable` says per row why it cannot enter (null: it can), `filled` which columns the file does not have.
    """

    rows: pa.Table
    unreadable: pa.Array
    filled: tuple[str, ...]


def months(cells: TextCells, said: OwnSource) -> pa.Array:
    """Each row's month by the calendar that counts; null where there is no time, or none that is credible."""
    if "time" not in said.entering:
        return pa.nulls(cells.table.num_rows, pa.string())
    times, _ = _column(cells, said, "time")
    first, last = (pa.scalar(day, times.type) for day in CREDIBLE)
    credible = pc.and_(pc.greater_equal(times, first), pc.less_equal(times, last))
    return pc.if_else(credible, pc.strftime(times, format="%Y-%m"), None)


def mapped(cells: TextCells, said: OwnSource) -> Mapped:
    """Read every cell that enters, by its column's notation."""
    columns: dict[str, Any] = {}
    bad: dict[str, np.ndarray] = {}
    for ours in COLUMNS[said.kind]:
        if ours in said.entering or ours in said.constants:
            columns[ours], bad[f"{ours}_unreadable"] = _column(cells, said, ours)
    bad[Fault.OVERSIZED.value] = _oversized(cells)
    if "unit_price" in columns:
        columns["sales_value"] = _times(columns.pop("unit_price"), columns["quantity"], said)
    filled = _fill(columns, cells, said)
    order = [c for c in COLUMNS[said.kind] if c in columns]
    arrays = [
        columns[c] if isinstance(columns[c], pa.Array) else pa.array(columns[c], _TYPES.get(c, pa.string()))
        for c in order
    ]
    rows = pa.table([*arrays, cells.table["place"]], names=[*order, "place"])
    return Mapped(rows, _first(bad, cells.table.num_rows), filled)


def _column(cells: TextCells, said: OwnSource, ours: str) -> tuple[Any, np.ndarray]:
    """One of our columns, and which of its cells cannot be read. Every distinct text is read once."""
    read = _reader(said, ours, plain=said.columns.get(ours) in cells.plain)
    if ours in said.constants:
        value = _read(read, said.constants[ours])
        n = cells.table.num_rows
        return [None if value is _BAD else value] * n, np.full(n, value is _BAD)
    # each distinct text is read once: a column of a million shop numbers has forty
    coded = cells.table[said.columns[ours]].combine_chunks().dictionary_encode()
    absent = {"", *said.missing}
    codes = said.codes.get(ours, {})
    found = [
        None if (t := text.strip()) in absent else _read(read, codes.get(t, text))
        for text in coded.dictionary.to_pylist()
    ]
    bad = np.array([v is _BAD for v in found] or [False])
    at = np.asarray(pc.fill_null(coded.indices, 0))
    missing = np.asarray(coded.indices.is_null())
    values = pa.array(
        [None if v is _BAD else v for v in found],
        _TYPES.get(ours, pa.string()) if ours != "unit_price" else pa.decimal256(60, 30),
    )
    return values.take(coded.indices), bad[at] & ~missing if len(at) else np.zeros(0, bool)


def _reader(said: OwnSource, ours: str, *, plain: bool) -> Callable[[str], Any]:
    money = None if plain else said.money
    time = said.time
    if ours == "time" and time is not None:
        return lambda cell: notation.moment(cell, time, iso=plain)
    if ours in ("sales_value", *DISCOUNTS) and said.money is not None:
        currency = said.money
        return lambda cell: _fits(notation.hundredths(notation.number(cell, money), currency))
    readers: dict[str, Callable[[str], Any]] = {
        "household_id": notation.identity,
        **dict.fromkeys(("store_id", "basket_id", "product_id"), notation.code),
        **dict.fromkeys(("quantity", "seq"), lambda cell: _fits(notation.count(cell, money))),
        "unit_price": lambda cell: _price(notation.number(cell, money)),
    }
    return readers.get(ours, notation.words)


def _read(read: Callable[[str], Any], cell: str) -> Any:
    try:
        return read(cell)
    except Unreadable:
        return _BAD


def _fits(number: int) -> int:
    """What 64 bits cannot hold is a mistake."""
    if abs(number) >= 2**62:
        raise Unreadable
    return number


def _price(amount: Decimal) -> Decimal:
    if abs(amount) >= 10**12 or amount != round(amount, 20):
        raise Unreadable
    return amount


def _times(prices: pa.Array, quantities: Any, said: OwnSource) -> list[int | None]:
    """Unit price times quantity, exactly, then in whole hundredths of the currency's major unit."""
    if said.money is None:
        raise ValueError("transactions without money")
    counts = quantities.to_pylist() if isinstance(quantities, pa.Array | pa.ChunkedArray) else quantities
    memo: dict[tuple[Decimal, int], int] = {}
    out: list[int | None] = []
    for price, quantity in zip(prices.to_pylist(), counts, strict=True):
        if price is None or quantity is None:
            out.append(None)
            continue
        pair = (price, quantity)
        if pair not in memo:
            memo[pair] = max(-(2**62), min(2**62, notation.hundredths(price * quantity, said.money)))
        out.append(memo[pair])
    return out


def _fill(columns: dict[str, Any], cells: TextCells, said: OwnSource) -> tuple[str, ...]:
    """Give every column of the kind a value where the file has none, and name them."""
    n = cells.table.num_rows
    lost = [c for c in COLUMNS[said.kind] if c not in columns and c != "unit_price"]
    for ours in lost:
        if ours == "basket_id":
            columns[ours] = _baskets(columns)
        elif ours == "seq":
            columns[ours] = _order_of_day(columns["time"], cells.table["place"].to_pylist())
        else:
            columns[ours] = [_STAND_INS.get(ours)] * n
    return tuple(lost)


def _baskets(columns: dict[str, Any]) -> list[int | None]:
    """Without receipt numbers, what a household bought at one moment (a day, where no hour is told) is one basket."""
    return [
        None if who is None or when is None else whole(f"{who}\0{when.isoformat()}")
        for who, when in zip(columns["household_id"].to_pylist(), columns["time"].to_pylist(), strict=True)
    ]


def _order_of_day(times: pa.Array, places: list[int]) -> list[int | None]:
    """Seconds since midnight, then the place in the file."""
    return [
        None if t is None else (t.hour * 3600 + t.minute * 60 + t.second) * 10**10 + place
        for t, place in zip(times.to_pylist(), places, strict=True)
    ]


def _oversized(cells: TextCells) -> np.ndarray:
    long = np.zeros(cells.table.num_rows, bool)
    for name in cells.table.column_names[1:]:
        long |= np.asarray(pc.fill_null(pc.greater(pc.utf8_length(cells.table[name]), MAX_CELL), False))
    return long


def _first(bad: dict[str, np.ndarray], n: int) -> pa.Array:
    """Of every row the first reason, in column order."""
    found = np.full(n, None, dtype=object)
    for reason, rows in reversed(bad.items()):
        found[rows] = reason
    return pa.array(found, pa.string())
