"""Whether discounts are off the amounts already: told by a total beside them, else proposed and asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, pstdev

from twinops.data.own_sources.cell_values import NO_CURRENCY
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Choice, Draft, Said, column_option
from twinops.data.own_sources.recognising import NumberNotation, number_notation, numbers, parts_of, words
from twinops.data.reading.plain_letters import plain
from twinops.own_sections import MoneyParams

TAKEN_OFF, TO_TAKE_OFF = "taken_off", "to_take_off"
PER_CENT = frozenset({"percent", "prozent", "procent", "pct", "rate"})
"""Words of a column's name that tell a share of the amount."""
_OFF: dict[str, Callable[[float, float, float], float]] = {
    "amount": lambda _price, _pieces, off: off,
    "amount_per_piece": lambda _price, pieces, off: off * pieces,
    "percent": lambda price, pieces, off: price * pieces * off / 100,
    "fraction": lambda price, pieces, off: price * pieces * off,
}
"""What is taken off a line, by how a discount is written: of price, pieces and its cell."""
WAYS = tuple(_OFF)
_ROWS, _LEAST, _NEARLY, _CENT = 5_000, 10, 0.95, 0.011
_FEW = 12
"""So many rates a shop has; amounts that were taken off are more."""


@dataclass(frozen=True)
class Told:
    """What the data tell: how discounts are written (None: nothing does), and whether an amount is before them."""

    written: str | None = None
    whole: bool = False


def is_share(cells: Collection[str]) -> bool:
    """Nearly all are numbers with the sign for per cent."""
    told = [c for c in cells if c.strip()]
    return bool(told) and sum("%" in c for c in told) > 0.9 * len(told) and number_notation(bare(told)) is not None


def bare(cells: Collection[str]) -> list[str]:
    """Numbers without the sign for per cent."""
    return [c.replace("%", "") for c in cells]


def told_by_total(draft: Draft, amounts: Collection[str]) -> Told:
    """Look for the column that is price times quantity without the discount, and map it: that is what was paid."""
    if not {"unit_price", "quantity", "retail_disc"} <= set(draft.columns):
        return Told()
    mine = draft.columns.get("sales_value")
    among = [*([mine] if mine else []), *(c for c in draft.free if c in amounts)]
    for written, off in _OFF.items():
        for theirs in among:
            if _is_what_is_left(draft, theirs, off):
                draft.choices[:] = [c for c in draft.choices if c.what != "sales_value"]
                draft.take("sales_value", theirs, "it is price times quantity without the discount")
                return Told(written)
    return Told(whole=mine is not None and _is_what_is_left(draft, mine, lambda *_: 0.0))


def without_discount(draft: Draft, amounts: Collection[str]) -> None:
    """Where another column is the amount without the discount, that one is what was paid."""
    if not {"sales_value", "retail_disc"} <= set(draft.columns):
        return
    whole, off = (as_numbers(draft, draft.columns[c]) for c in ("sales_value", "retail_disc"))
    for theirs in [c for c in draft.free if c in amounts]:
        lines = [(abs(w), abs(d), abs(n)) for w, d, n in zip(whole, off, as_numbers(draft, theirs), strict=True)
                 if w is not None and d and n is not None]  # fmt: skip
        fits = sum(abs(w - d - n) <= _CENT for w, d, n in lines)
        if len(lines) >= _LEAST and fits > _NEARLY * len(lines):
            before = printable(draft.columns.pop("sales_value"))
            draft.choices[:] = [c for c in draft.choices if c.what != "sales_value"]
            draft.take("sales_value", theirs, f"it is {before} without {printable(draft.columns['retail_disc'])}")
            return


def per_piece_or_line(draft: Draft, theirs: str) -> tuple[str, str]:
    """Whether money beside pieces is of one piece (`unit_price`) or of the line (`sales_value`), and why.

    Of goods that were bought in several numbers, the one that differs less from line to line is what does not grow.
    """
    if "product_id" in draft.columns:
        goods = draft.file.cells[draft.columns["product_id"]][:_ROWS]
        cells = (goods, as_numbers(draft, draft.columns["quantity"]), as_numbers(draft, theirs))
        of: dict[str, list[tuple[float, float]]] = {}
        for article, pieces, money in zip(*cells, strict=True):
            if pieces and money:
                of.setdefault(article, []).append((abs(pieces), abs(money)))
        several = [lines for lines in of.values() if len({n for n, _ in lines}) > 1]
        apart = [(_spread([m for _, m in lines]), _spread([m / n for n, m in lines])) for lines in several]
        if len(apart) >= _LEAST:
            for ours, closer in (("unit_price", 0), ("sales_value", 1)):
                if sum(a[closer] < a[1 - closer] for a in apart) > 0.8 * len(apart):
                    why = "stays the same" if ours == "unit_price" else "grows with how many there are"
                    return ours, f"for one article it {why}"
    shown = printable(theirs)
    draft.notes.append(
        f"{shown} is taken for what the whole line costs, and nothing in the file tells. Where it is the price of one "
        f"piece, say {column_option('sales', 'unit_price', theirs)}."
    )
    return "sales_value", "its name says money, and nothing tells whether of one piece"


def _spread(values: Sequence[float]) -> float:
    """How far values lie from their mean, as a share of it."""
    return pstdev(values) / fmean(values)


def decide(draft: Draft, said: Said, told: Told) -> None:
    """Say under `money` whether discounts are off already and how they are written; what is in doubt is to be asked."""
    if "retail_disc" not in draft.columns:
        return
    theirs = printable(draft.columns["retail_disc"])
    by_price = "unit_price" in draft.columns
    off, why = TAKEN_OFF, "the amount of the line is what was paid"
    if by_price:
        off, why = TO_TAKE_OFF, "a unit price is before the discount, where nothing tells otherwise"
        draft.notes.append(
            f"What was paid is {printable(draft.columns['unit_price'])} times quantity without {theirs}: the unit "
            "price is taken to be before the discount, and nothing in the file tells. Say `money.discount: taken_off` "
            "if it is after it."
        )
    elif told.whole:
        why = "an amount is what was paid, where nothing tells otherwise"
        draft.notes.append(
            f"{printable(draft.columns['sales_value'])} is price times quantity, and is taken for what was paid, after "
            f"{theirs}. Say `money.discount: to_take_off` if it is before the discount."
        )
    if (by_price or told.whole) and not said.discount:
        draft.asks.append("discount")
    draft.money["discount"] = said.discount or off
    draft.choices.append(Choice(draft.name, "discount", said.discount or off, "you said so" if said.discount else why))
    written, why = (said.discount_as, "you said so") if said.discount_as else _written(draft, told)
    if written != "amount":
        draft.money["discount_as"] = written
    draft.choices.append(Choice(draft.name, "discount_as", written, why))


def _written(draft: Draft, told: Told) -> tuple[str, str]:
    if told.written:
        return told.written, "so it is what lies between price times quantity and the amount"
    theirs = draft.columns["retail_disc"]
    if is_share(draft.file.cells[theirs]):
        return "percent", "its cells say %"
    found = [abs(n) for n in as_numbers(draft, theirs) if n]
    below_one = bool(found) and max(found) < 1
    if set(parts_of(theirs)) & PER_CENT or "%" in theirs:
        return ("fraction" if below_one else "percent"), "its name says a share"
    if len(found) >= _LEAST and len(set(found)) <= _FEW and max(found) <= 100:
        whole = all(n == int(n) for n in found)
        if whole and (above := _above(draft)):
            return "percent", f"as an amount it would be more than {above:.0%} of the lines cost"
        if below_one or whole:
            draft.asks.append("discount_as")
            return ("fraction" if below_one else "amount"), "few numbers that may be rates or amounts: nothing tells"
    return "amount", "its cells are amounts of many sizes"


def _above(draft: Draft) -> float:
    """Of which share of the lines with a discount it is more than they cost, if of many."""
    priced = {"unit_price", "quantity"} <= set(draft.columns)
    columns = ("unit_price", "quantity") if priced else ("sales_value",)
    if not set(columns) <= set(draft.columns):
        return 0.0
    cells = [as_numbers(draft, draft.columns[c]) for c in (*columns, "retail_disc")]
    lines = [row for row in zip(*cells, strict=True) if None not in row and row[-1]]
    cost = [abs(row[0] * (row[1] if priced else 1)) for row in lines]
    above = sum(abs(row[-1] or 0) > c for row, c in zip(lines, cost, strict=True)) / max(len(lines), 1)
    return above if above > 1 - _NEARLY else 0.0


def _is_what_is_left(draft: Draft, theirs: str, off: Callable[[float, float, float], float]) -> bool:
    """Of nearly all lines with a discount it is price times pieces without it."""
    columns = [draft.columns[c] for c in ("unit_price", "quantity", "retail_disc")]
    cells = [as_numbers(draft, c) for c in (*columns, theirs)]
    lines = [(abs(p), abs(n), abs(d), abs(a)) for p, n, d, a in zip(*cells, strict=True)
             if p is not None and n is not None and d and a is not None]  # fmt: skip
    fits = sum(abs(p * n - off(p, n, d) - a) <= _CENT for p, n, d, a in lines)
    return len(lines) >= _LEAST and fits > _NEARLY * len(lines)


def may_be_money(theirs: str) -> bool:
    """Its name says no tax, freight or share."""
    return not set(parts_of(theirs)) & untaken()


@cache
def untaken() -> frozenset[str]:
    """Words of names that tell taxes, freight and shares: no amount that a line costs."""
    return frozenset(map(plain, words()["not_amounts"]))


def as_numbers(draft: Draft, theirs: str) -> list[float | None]:
    """Its first cells as numbers; None: it is none."""
    cells = bare(draft.file.cells[theirs][:_ROWS])
    found = None if theirs in draft.file.typed else number_notation(cells)
    signs = found or NumberNotation(".", "")
    money = MoneyParams(decimal=signs.decimal, thousands=signs.thousands, currency=NO_CURRENCY)  # type: ignore[arg-type]
    return [next(iter(numbers([cell], money)), None) for cell in cells]
