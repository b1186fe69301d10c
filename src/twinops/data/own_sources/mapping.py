"""Their cells as rows of our schema; a record with a cell that cannot be read is named with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from decimal import ROUND_UP, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE
from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources import paid, rules
from twinops.data.own_sources.cell_values import Unreadable
from twinops.data.own_sources.codes import whole
from twinops.data.own_sources.consents import undated, unread_noes
from twinops.data.own_sources.customer_number import form_of
from twinops.data.own_sources.files.cells import MAX_CELL, TextCells
from twinops.data.reading.activitypub import event_id
from twinops.data.reading.reading import Fault
from twinops.entities.consent import Event
from twinops.own_kinds import BESIDE, CHANNEL, REPLACES, RETURNS_OF
from twinops.own_params import OwnSource

_EXACT = pa.decimal256(60, 30)
_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(("code", "amount", "discount", "count", "year", "figure", "scale"), pa.int64()),
    **dict.fromkeys(("price", "quantity", "percent", "fraction"), _EXACT),
    **dict.fromkeys(("moment", "until"), pa.timestamp("s")),
}
_STAND_INS: dict[str, Any] = {
    **dict.fromkeys(("store_id", "product_id", "quantity", "coupon_upc"), 1),
    **dict.fromkeys(("retail_disc", "coupon_disc", "coupon_match_disc"), 0),
    "verb": "Create",
    "brand": 1,
    "reply": 0,
    "basis": "consent",
}
"""What rows say where a file has no such column."""
FORGIVEN = ("answer", "year", "born", "until", "link", "figure", "scale", "contact")
"""What cannot be read of these is lost, and the row stays."""
_MAY_BE_NOTHING = ("identity", "code", "handle", *FORGIVEN)
"""Cells of these that hold a word for nothing hold nothing."""

READ_IN = "en"
"""The language that texts are read in (see `texts.signals`)."""
OTHER_LANGUAGE = "declared_language"
UNKNOWN_ANSWER = "unknown_answer_taken_for_no"

_DISCOUNTS = {"amount": "discount", "amount_per_piece": "price", "percent": "percent", "fraction": "fraction"}
"""How cells of a discount are read, by how it is written."""

_BAD = object()


@dataclass(frozen=True)
class Mapped:
    """Rows in our columns with their `place`, parallel to the cells.

    `unreadable` says per row why it cannot enter (null: it can), `filled` which columns the file does not have, `lost`
    how many answers could not be read.
    """

    rows: pa.Table
    unreadable: pa.Array
    filled: tuple[str, ...]
    lost: dict[str, int]


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
    lost: dict[str, int] = dict(cells.lost)
    for ours in said.ours:
        if not said.fills(ours) and ours not in said.constants:
            continue
        columns[ours], wrong = _column(cells, said, ours)
        if _kind(said, ours) == "said" and wrong.any():
            # whoever said something else than yes may have said no, and an earlier yes must not stand
            columns[ours] = pc.if_else(pa.array(wrong), str(Event.REFUSED), columns[ours])
            lost |= {UNKNOWN_ANSWER: int(wrong.sum())}
        elif _kind(said, ours) in FORGIVEN:
            lost |= {f"{ours}_unreadable": int(wrong.sum())} if wrong.any() and ours not in BESIDE else {}
        else:
            bad[f"{ours}_unreadable"] = wrong
    lost |= undated.keep_noes(columns, bad, said)
    bad |= rules.broken(cells, said)
    bad[Fault.OVERSIZED.value] = _oversized(cells)
    bad |= paid.settle(columns, said)
    if "quantity" in columns:
        columns["quantity"] = _pieces(columns["quantity"])
    if said.cancelled is not None and "basket_id" in said.entering:
        _cancel(columns, cells, said)
    filled = _fill(columns, cells, said)
    lost |= _unread_language(columns, said) | unread_noes.keep(columns, bad, cells, said)
    order = [c for c in said.ours if c in columns]
    arrays = [_as_array(columns[c], said, c) for c in order]
    for ours in (c for c in (RETURNS_OF, CHANNEL) if c in said.entering and c in said.form.settled_by):
        order, arrays = [*order, ours], [*arrays, values_of(cells, said, ours)]
    rows = pa.table([*arrays, cells.table["place"]], names=[*order, "place"])
    return Mapped(rows, _first(bad, cells.table.num_rows), filled, lost)


def values_of(cells: TextCells, said: OwnSource, ours: str) -> pa.Array:
    """One of our columns that is read from the file, alone; a cell that cannot be read is null."""
    return _as_array(_column(cells, said, ours)[0], said, ours)


def _kind(said: OwnSource, ours: str) -> str:
    """How cells of a column are read; whatever a kind does not know is an answer, in words or on a scale."""
    otherwise = "born" if ours in BESIDE else "scale" if ours in said.scales else "answer"
    kind = {**said.form.columns, **said.form.settled_by}.get(ours, otherwise)
    read = said.money is not None and (said.fills(ours) or ours in said.constants)
    return _DISCOUNTS[said.money.discount_as] if kind == "discount" and read and said.money else kind


def _as_array(values: Any, said: OwnSource, ours: str) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    kind = _kind(said, ours)
    return pa.array(values, pa.int64() if kind == "quantity" else _TYPES.get(kind, pa.string()))


Column = tuple[Any, np.ndarray]
_times: list[tuple[TextCells, OwnSource, Column]] = []
"""Of the cells that were read last: what part they are of is asked before, and there are more moments than all else."""


def _column(cells: TextCells, said: OwnSource, ours: str) -> Column:
    """One of our columns, and which of its cells cannot be read."""
    if ours != "time":
        return _read_column(cells, said, ours)
    for known, by, found in _times[:1]:
        if known is cells and by is said:
            return found
    _times[:] = [(cells, said, found := _read_column(cells, said, ours))]
    return found


def _read_column(cells: TextCells, said: OwnSource, ours: str) -> Column:
    """The same from its texts; every distinct one is read once."""
    kind = _kind(said, ours)
    if ours in said.constants:
        value, n = _read(_reader(said, ours, plain=False), said.constants[ours]), cells.table.num_rows
        found = pa.array([None if value is _BAD else value] * n, _TYPES.get(kind, pa.string()))
        return found, np.full(n, value is _BAD)
    theirs = said.theirs(ours)
    read, absent = _reader(said, ours, plain=theirs in cells.plain), {"", *said.missing}
    # each distinct text is read once: a column of a million shop numbers has forty
    coded = cells.table[theirs].combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    codes = said.codes.get(ours, {})
    found = [
        None if _is_absent(t := text.strip(), absent, kind) and t not in codes else _read(read, codes.get(t, text))
        for text in coded.dictionary.to_pylist()
    ]
    bad = np.array([v is _BAD for v in found] or [False])
    at = np.asarray(pc.fill_null(coded.indices, 0))
    missing = np.asarray(coded.indices.is_null())
    values = pa.array([None if v is _BAD else v for v in found], _TYPES.get(kind, pa.string()))
    return values.take(coded.indices), bad[at] & ~missing if len(at) else np.zeros(0, bool)


def _is_absent(text: str, absent: set[str], kind: str) -> bool:
    return text in absent or (kind in _MAY_BE_NOTHING and notation.is_nothing(text))


def _reader(said: OwnSource, ours: str, *, plain: bool) -> Callable[[str], Any]:
    money, kind = None if plain else said.money, _kind(said, ours)
    readers: dict[str, Callable[[str], Any]] = {
        "identity": _whose(said) if ours in ("household_id", REPLACES) and said.digits else notation.identity,
        "link": notation.identity,
        "handle": notation.handle,
        "contact": notation.contact,
        "text": notation.text,
        "figure": lambda cell: _fits(notation.rounded(notation.number(cell, money))),
        "scale": lambda cell: notation.points(notation.number(cell, money), said.scales[ours]),
        "code": notation.code,
        "count": lambda cell: _fits(notation.count(cell, money)),
        "quantity": lambda cell: _price(notation.number(cell, money)),
        "price": lambda cell: _price(notation.number(cell, money)),
        "percent": lambda cell: notation.share(cell, money, of=100),
        "fraction": lambda cell: notation.share(cell, money, of=1),
        "answer": notation.answer,
        "year": notation.year,
        "born": notation.born,
        "said": notation.said,
    }
    if kind in ("moment", "until") and said.time is not None:
        time, moment = said.time, notation.moment if kind == "moment" else notation.until
        return lambda cell: moment(cell, time, iso=plain)
    if kind in ("amount", "discount") and said.money is not None:
        currency = said.money
        sign = abs if kind == "discount" else int
        # a discount is one whichever sign it is written with
        return lambda cell: _fits(sign(notation.hundredths(notation.number(cell, money), currency)))
    return readers.get(kind, notation.words)


def _whose(said: OwnSource) -> Callable[[str], Any]:
    """A customer number in the one form it has here; what stands for nobody does so however it is written."""
    form = form_of(said)
    if said.form.lists and form.several > 1:  # the list was turned into each form before
        return notation.identity
    absent = {form.one(m) for m in said.missing}
    in_form = (lambda who: form.every(who)[0]) if said.form.lists else form.one

    def read(cell: str) -> str | None:
        found = in_form(notation.identity(cell))
        return None if found in absent else found

    return read


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


def _pieces(quantities: pa.Array) -> pa.Array:
    """Whole pieces; a weight counts as so many as it has begun, as no receipt counts less than one."""
    coded = quantities.dictionary_encode()
    whole_ones = (int(q.to_integral_value(ROUND_UP)) for q in coded.dictionary.to_pylist())
    return pa.array(whole_ones, pa.int64()).take(coded.indices)


def _cancel(columns: dict[str, Any], cells: TextCells, said: OwnSource) -> None:
    """Lines of a cancelled receipt take back, whatever signs they are written with."""
    receipts = pc.utf8_ltrim_whitespace(cells.table[said.theirs("basket_id")])
    back = np.asarray(pc.fill_null(pc.starts_with(receipts, said.cancelled), False))
    for ours in ("quantity", "sales_value"):
        values = columns.get(ours)
        if values is not None:
            listed = zip(_listed(values), back, strict=True)
            columns[ours] = [-abs(v) if b and v is not None else v for v, b in listed]


def _listed(values: Any) -> list[Any]:
    return list(values.to_pylist() if isinstance(values, pa.Array | pa.ChunkedArray) else values)


def _fill(columns: dict[str, Any], cells: TextCells, said: OwnSource) -> tuple[str, ...]:
    """Give every column of the kind a value where the file has none, and name them."""
    n = cells.table.num_rows
    lost = [c for c in said.ours if c not in columns and c not in ("unit_price", "birth_year", *BESIDE)]
    for ours in lost:
        columns[ours] = [_STAND_INS.get(ours)] * n
    if "time" in columns and (said.undated_from is not None or said.form.lists):
        # an objection without a day holds on every day
        midnight = datetime.combine(said.undated_from, time()) if said.undated_from else CREDIBLE[0]
        columns["time"] = pc.fill_null(_as_array(columns["time"], said, "time"), pa.scalar(midnight, pa.timestamp("s")))
    if said.form.or_else:
        accounts = _as_array(columns[said.form.or_else], said, said.form.or_else)
        columns["household_id"] = pc.coalesce(_as_array(columns["household_id"], said, "household_id"), accounts)
    if said.form.event:
        columns["event_id"] = _events(columns, said)
    if "basket_id" in lost:
        columns["basket_id"] = _baskets(columns)
    if "notice_version" in lost:
        columns["notice_version"] = [said.legal.notice] * n
    if "seq" in lost:
        columns["seq"] = _order_of_day(_listed(columns["time"]), cells.table["place"].to_pylist())
    if "birth_year" in columns and "age" in lost:
        columns["age"] = _ages(columns["birth_year"], said)
    return tuple(lost)


def _ages(years: pa.Array, said: OwnSource) -> list[str | None]:
    return [
        None if y is None or said.ages_in is None else notation.age_band(said.ages_in - y) for y in years.to_pylist()
    ]


def _baskets(columns: dict[str, Any]) -> list[int | None]:
    """Without receipt numbers, what a household bought at one moment (a day, where no hour is told) is one basket."""
    known: dict[tuple[str, datetime], int] = {}
    found: list[int | None] = []
    for one in zip(columns["household_id"].to_pylist(), columns["time"].to_pylist(), strict=True):
        if None in one:
            found.append(None)
            continue
        if one not in known:
            known[one] = whole(f"{one[0]}\0{one[1].isoformat()}")
        found.append(known[one])
    return found


def _events(columns: dict[str, Any], said: OwnSource) -> list[str | None]:
    """An event's number of its own; without one the same words of one account at one moment are one event."""
    own, who, when, text = (_listed(columns[c]) for c in ("event_id", "household_id", "time", "text"))
    return [
        event_id(said.form.event or "", *((str(i),) if i else (str(w), str(t), x or ""))) if w and t else None
        for i, w, t, x in zip(own, who, when, text, strict=True)
    ]


def _unread_language(columns: dict[str, Any], said: OwnSource) -> dict[str, int]:
    """Texts that are declared to be of a language that nobody here reads go no further; how many is told."""
    if said.language in (None, READ_IN) or "text" not in columns:
        return {}
    unread = sum(text is not None for text in _listed(columns["text"]))
    columns["text"] = [None] * len(columns["text"])
    return {OTHER_LANGUAGE: unread} if unread else {}


def _order_of_day(times: list[Any], places: list[int]) -> list[int | None]:
    """Seconds since midnight, then the place in the file."""
    return [
        None if t is None else (t.hour * 3600 + t.minute * 60 + t.second) * 10**10 + place
        for t, place in zip(
            times.to_pylist() if isinstance(times, pa.Array | pa.ChunkedArray) else times, places, strict=True
        )
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


def stood_in(said: OwnSource) -> frozenset[str]:
    """Columns of ours that the file does not have, and in which a value stands that nobody told."""
    # one declared notice stands on every row, on those from before it was written, too
    made_up = {*_STAND_INS, "notice_version"}
    return frozenset(c for c in said.ours if c in made_up and c not in said.columns and c not in said.constants)
