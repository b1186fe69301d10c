"""Tell the columns of a file of sales apart, by their names and by what is in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from shlex import quote

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import NO_CURRENCY
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing import currencies, line_numbers, pricing, receipt_totals, rows_that_count
from twinops.data.own_sources.proposing.drafting import (
    Draft,
    Said,
    Troubled,
    column_option,
    draft_of,
    take_said,
    trouble,
)
from twinops.data.own_sources.proposing.sales_declared import NUMBERS, last_day
from twinops.data.own_sources.proposing.sampling import FIRST
from twinops.data.own_sources.recognising import (
    closest,
    date_format,
    fit,
    is_number,
    number_notation,
    numbers,
    of_birth,
    parts_of,
    words,
)
from twinops.data.reading.plain_letters import plain
from twinops.own_sections import CLOCKS, MoneyParams

_IDS = ("household_id", "basket_id", "product_id", "store_id")


# Sales.


def sales_draft(path: Path, said: Said) -> Draft:
    """The file of sales with its columns told apart.

    Raises:
        Troubled: it is no table of sales, or a column that must be there is not.
    """
    draft = draft_of("sales", path)
    take_said(draft, said)
    looks = _Looks.of(draft)
    for least, why in (
        (2, "its name says so, and its cells fit"),
        (1, "a word of its name says so, and its cells fit"),
    ):
        for score, theirs, ours in _by_name(draft, looks):
            if (
                ours not in draft.columns
                and theirs in draft.free
                and score >= least
                and (score > 1 or _fits(draft, ours, theirs))
                and not (ours == "product_id" and line_numbers.numbers_lines(draft, theirs))
            ):
                draft.take(ours, theirs, why)
    line_numbers.take(draft)
    _by_content(draft, looks)
    told = pricing.told_by_total(draft, looks.amounts)
    pricing.without_discount(draft, looks.amounts)
    _pieces_called_amount(draft)
    receipt_totals.take_the_lines(draft, looks.amounts, said=said.of("sales"))
    _one_amount(draft)
    pricing.decide(draft, said, told)
    _must_be_there(draft, looks)
    rows_that_count.words_known(draft, said)
    currencies.look(draft, said)
    last_day(draft, said)
    return draft


@dataclass(frozen=True)
class _Looks:
    """Columns by how their cells look: moments, numbers, numbers with decimals, and numbers with a %."""

    dates: frozenset[str]
    amounts: frozenset[str]
    broken: frozenset[str]
    shares: frozenset[str]

    @classmethod
    def of(cls, draft: Draft) -> _Looks:
        cells = draft.file.cells
        roles = words()["columns"]
        dates = frozenset(
            c
            for c in cells
            if not of_birth(c)
            and (found := date_format(cells[c])) is not None
            # a running number of nine digits may be seconds since 1970, and is not where its name says whose number
            and not (found.format in CLOCKS[1:] and any(fit(c, roles[r], an_id=True) > 0 for r in _IDS))
        )
        amounts = frozenset(c for c in draft.free if c not in dates and number_notation(cells[c]) is not None)
        shares = frozenset(c for c in draft.free if c not in dates and pricing.is_share(cells[c]))
        return cls(dates, amounts, frozenset(c for c in amounts if _broken(cells[c])), shares)


def _broken(cells: Sequence[str]) -> bool:
    """Some numbers have decimals: no id has."""
    return any(re.search(r"\d[.,]\d{1,2}\D*$", x.strip()) for x in cells[:2_000])


def _by_name(draft: Draft, looks: _Looks) -> list[tuple[int, str, str]]:
    """How well each column goes by the words of each of ours: score, theirs, ours; the best first."""
    roles = words()["columns"]
    fits = {"time": looks.dates, **dict.fromkeys(NUMBERS, looks.amounts), "retail_disc": looks.amounts | looks.shares}
    found = [
        (-score, n, _blanks(draft, theirs) if ours == "time" else 0.0, theirs, ours)
        for n, ours in enumerate(roles)
        for theirs in draft.free
        if theirs in fits.get(ours, draft.file.cells) and draft.file.told(theirs)
        and (score := _named(theirs, ours)) > 0 and not (ours in _IDS and theirs in looks.dates | looks.broken)
    ]  # fmt: skip
    return [(-score, theirs, ours) for score, _, _, theirs, ours in sorted(found, key=lambda f: f[:3])]


def _blanks(draft: Draft, theirs: str) -> float:
    """Which share of its cells holds nothing, to a tenth: of several days the one that all lines have."""
    cells = draft.file.cells[theirs]
    return round(1 - len(draft.file.told(theirs)) / len(cells), 1)


def _named(theirs: str, ours: str) -> int:
    found = parts_of(theirs)
    if ours == "quantity" and found[:2] in (["number", "of"], ["no", "of"], ["num", "of"], ["nombre", "de"]):
        return 3
    if ours in NUMBERS and set(found) & (pricing.untaken() - (pricing.PER_CENT if ours == "retail_disc" else set())):
        return 0
    score = fit(theirs, words()["columns"][ours], an_id=ours in _IDS)
    if score and _is_closer_to_another(theirs, ours):
        return 0
    if ours == "basket_id" and score < 4 and "piece" in found:
        return 0  # a piece has a number where it is a document
    # a shop has several tills; a subtotal is before what comes off
    till = ours == "store_id" and set(found) & set(words()["tills"])
    if till or (ours == "sales_value" and "subtotal" in "".join(found)):
        return min(score, 1 if till else 2)
    # the name of a product is one, and its number is the better one
    called = ours == "product_id" and fit(theirs, words()["files"]["products"]["product_type"], an_id=False)
    return min(score, 2) if called or (score and set(found[:1]) & _titles()) else score


def _is_closer_to_another(theirs: str, ours: str) -> bool:
    """Each of its words that is one of ours is, as a whole or by a longer end, one of another column's."""
    roles = {**words()["columns"], **words()["lines"]}
    mine = {part: long for part in parts_of(theirs) if (long := closest(part, roles[ours]))}
    others = [roles[r] for r in roles if r != ours]
    return bool(mine) and all(max(closest(part, o) for o in others) > long for part, long in mine.items())


@cache
def _titles() -> frozenset[str]:
    return frozenset(map(plain, words()["files"]["products"]["product_type"]))


def _fits(draft: Draft, ours: str, theirs: str) -> bool:
    """A word of the name alone tells little: its cells must behave like ours."""
    if ours == "household_id":
        return _comes_back(draft, theirs)
    if ours == "basket_id":
        return _is_receipt(draft, theirs)
    return ours not in _IDS or (ours == "store_id" and len(set(draft.file.told(theirs))) <= 500)


def _by_content(draft: Draft, looks: _Looks) -> None:
    """What no name told, by what stands in the columns; that it was by values is told."""
    cells, dates, amounts = draft.file.cells, looks.dates, looks.amounts
    if "time" not in draft.columns and (found := [c for c in draft.free if c in dates]):
        draft.take("time", found[0], "by values: it is the first column that holds days")
    padded = {c for c in amounts if any(re.fullmatch(r"0\d+", x.strip()) for x in cells[c][:500])}
    plain = [c for c in draft.free if c in amounts and c not in padded]
    broken = [c for c in plain if any(re.search(r"\d[.,]\d{1,4}$", x.strip()) for x in cells[c][:2_000])]
    broken += [c for c in plain if c in looks.broken and c not in broken]
    priced = {"sales_value", "unit_price"} & set(draft.columns)
    if not priced and broken:
        draft.take("sales_value", broken[-1], "by values: its cells are numbers with decimals")
    if "quantity" not in draft.columns:
        small = [c for c in plain if c in draft.free and c not in broken and _small(cells[c])]
        small = [c for c in small if not line_numbers.numbers_lines(draft, c)]
        if small:
            draft.take("quantity", small[0], "by values: its cells are small whole numbers")
    if (
        not priced
        and "sales_value" not in draft.columns
        and (rest := [c for c in plain if c in draft.free and not _counts_up(cells[c])])
    ):
        draft.take("sales_value", rest[-1], "by values: it is the last column of numbers")
    if "household_id" not in draft.columns:
        _customers_by_values(draft, [c for c in draft.free if c not in dates and c not in broken and _may_be_people(c)])
    if "basket_id" not in draft.columns and {"time", "household_id"} <= set(draft.columns):
        found = [c for c in draft.free if c not in dates and c not in broken and _is_receipt(draft, c)]
        if found:
            why = "by values: neighbouring lines of one customer and moment share it, and nobody else's do"
            draft.take("basket_id", found[0], why)
    if "product_id" not in draft.columns and (found := [c for c in draft.free if _has_check_digits(cells[c])]):
        draft.take("product_id", found[0], "by values: its cells are article numbers with check digits (EAN, ISBN)")


def _may_be_people(theirs: str) -> bool:
    """Its name says no article, shop, receipt or line, and nobody of the staff."""
    roles = {**words()["columns"], **words()["lines"], "staff": words()["staff"]}
    others = ("product_id", "store_id", "basket_id", "line_id", "staff")
    ours = fit(theirs, roles["household_id"], an_id=True)
    return not any(fit(theirs, roles[r], an_id=True) > max(ours, 1) for r in others)


def _customers_by_values(draft: Draft, among: list[str]) -> None:
    """Of columns that come back on several days the one that stays for a receipt, and of those the finest."""
    likely = [c for c in among if _comes_back(draft, c)]
    if not likely:
        return
    steady = {c: _steady(draft, c) for c in likely}
    if any(share is not None for share in steady.values()):
        distinct = {c: len(set(draft.file.cells[c])) for c in likely}
        likely.sort(key=lambda c: (-((steady[c] or 0) > 0.95), -distinct[c]))
    why = "by values: its cells come back on several days, as customers do"
    draft.take("household_id", likely[0], why if len(likely) == 1 else f"{why}; so do those of {len(likely) - 1} more")
    held = {c: set(map(str.strip, draft.file.told(c))) for c in likely}
    others = [c for c in likely[1:] if len(held[c]) * _MANY > len(held[likely[0]]) and not all(map(_is_hour, held[c]))]
    if others:
        options = " or ".join(column_option("sales", "household_id", c) for c in others[:5])
        draft.notes.append(f"Customers may be in another column: say `{options}` then.")


_MANY = 20
"""A column with so many times fewer values than another tells kinds, goods or shops."""


def _is_hour(cell: str) -> bool:
    return re.fullmatch(r"\d{1,2}[:.h]\d\d([:.]\d\d)?", cell) is not None


def _steady(draft: Draft, theirs: str) -> float | None:
    """How often two lines that follow each other at one moment have the same cell; None: no two do."""
    if "time" not in draft.columns:
        return None
    when, cells = draft.file.cells[draft.columns["time"]][:FIRST], draft.file.cells[theirs][:FIRST]
    pairs = [a == b for (t, a), (u, b) in pairwise(zip(when, cells, strict=True)) if t == u]
    return sum(pairs) / len(pairs) if len(pairs) > 20 else None


def _is_receipt(draft: Draft, theirs: str) -> bool:
    """Lines that share it stand together, at one moment and of one customer, and some do share it."""
    if not {"time", "household_id"} <= set(draft.columns):
        return False
    when, who, cells = (
        draft.file.cells[c][:FIRST] for c in (draft.columns["time"], draft.columns["household_id"], theirs)
    )
    whose: dict[str, set[tuple[str, str]]] = {}
    shared = Counter[str]()
    for cell, moment, customer in zip(cells, when, who, strict=True):
        if not notation.is_nothing(cell):
            shared[cell] += 1
            if moment.strip() and customer.strip():  # a receipt's later lines may leave out what its first one says
                whose.setdefault(cell, set()).add((moment, customer))
    several = sum(n > 1 for n in shared.values())
    return (
        len(whose) > 20 and several * 10 > len(whose) and sum(len(w) == 1 for w in whose.values()) > 0.98 * len(whose)
    )


def _has_check_digits(cells: Sequence[str]) -> bool:
    """They are article numbers of 8, 12, 13 or 14 digits, or ISBN of ten (GS1 General Specifications 7.9; ISO 2108)."""
    told = [c.strip().replace("-", "") for c in cells[:2_000] if not notation.is_nothing(c)]
    return len(set(told)) > 5 and sum(map(_checked, told)) > 0.9 * len(told)


def _checked(code: str) -> bool:
    if len(code) == 10 and code[:9].isdecimal() and code[9] in "0123456789Xx":
        return (
            sum((10 - i) * int(d) for i, d in enumerate(code[:9])) + (10 if code[9] in "Xx" else int(code[9]))
        ) % 11 == 0
    if len(code) not in (8, 12, 13, 14) or not code.isdecimal():
        return False
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(code))) % 10 == 0


def _counts_up(cells: Sequence[str]) -> bool:
    """Every cell is another one, and each is above the one before: a running number, and no amount."""
    found = numbers(cells[:2_000], MoneyParams(currency=NO_CURRENCY))
    return len(found) > 1 and all(a < b for a, b in pairwise(found))


def _small(cells: Sequence[str]) -> bool:
    found = numbers(cells[:2_000], MoneyParams(currency=NO_CURRENCY))
    return bool(found) and all(n == int(n) for n in found) and sorted(map(abs, found))[len(found) // 2] <= 50


def _comes_back(draft: Draft, theirs: str) -> bool:
    """Some of its cells stand beside several moments, and most of them stand more than once or are few."""
    when = draft.file.cells[draft.columns["time"]] if "time" in draft.columns else []
    days: dict[str, set[str]] = {}
    for cell, moment in zip(draft.file.cells[theirs], when, strict=False):
        if not notation.is_nothing(cell):
            days.setdefault(cell.strip(), set()).add(moment)
    return len(days) > 1 and sum(len(d) > 1 for d in days.values()) * 20 > len(days)


def _pieces_called_amount(draft: Draft) -> None:
    """An `amount` of few whole numbers beside a price, and no other quantity, is how many pieces there were."""
    columns = draft.columns
    if not {"sales_value", "unit_price"} <= set(columns) or "quantity" in columns:
        return
    pieces, price = columns["sales_value"], columns["unit_price"]
    cells = draft.file.cells
    if not _small(cells[pieces]) or _small(cells[price]) or parts_of(pieces)[-1:] in (["paid"], ["total"]):
        return
    draft.choices[:] = [c for c in draft.choices if c.what not in ("sales_value", "unit_price")]
    del columns["sales_value"], columns["unit_price"]
    draft.take("quantity", pieces, f"its cells are few whole numbers, and {printable(price)} holds money")
    ours, why = pricing.per_piece_or_line(draft, price)
    draft.take(ours, price, why)


def _one_amount(draft: Draft) -> None:
    """The amount of a line, or price and pieces; a total that stands on every line of a receipt is neither."""
    columns = draft.columns
    if {"sales_value", "unit_price", "quantity"} <= set(columns) and _is_total(draft):
        draft.notes.append(
            f"{printable(columns.pop('sales_value'))} is the receipt's total on each of its lines: left out."
        )
    elif "sales_value" in columns and "unit_price" in columns:
        draft.notes.append(f"{printable(columns.pop('unit_price'))} is not read: the amount of the line is there.")
    elif "unit_price" in columns and "quantity" not in columns:
        columns["sales_value"] = columns.pop("unit_price")
        draft.notes.append("There is a price and no quantity: the price is taken for the amount of the line.")
    draft.choices[:] = [c for c in draft.choices if c.what in columns or c.what not in words()["columns"]]


def _is_total(draft: Draft) -> bool:
    if _beyond_price(draft):
        return True
    if "basket_id" not in draft.columns:
        return False
    seen: dict[str, set[str]] = {}
    lines: Counter[str] = Counter()
    cells = draft.file.cells
    for receipt, amount in zip(cells[draft.columns["basket_id"]], cells[draft.columns["sales_value"]], strict=True):
        seen.setdefault(receipt, set()).add(amount)
        lines[receipt] += 1
    several = [r for r, n in lines.items() if n > 2]
    return len(several) >= 10 and sum(len(seen[r]) == 1 for r in several) > 0.95 * len(several)


def _beyond_price(draft: Draft) -> bool:
    """It is often more than price times pieces, which no line's amount is."""
    columns = [draft.file.cells[draft.columns[c]][:5_000] for c in ("unit_price", "quantity", "sales_value")]
    found = number_notation([x for c in columns for x in c])
    if found is None:
        return False
    money = MoneyParams(decimal=found.decimal, thousands=found.thousands, currency=NO_CURRENCY)  # type: ignore[arg-type]
    rows = [[numbers([x], money) for x in row] for row in zip(*columns, strict=True)]
    whole = [(p[0] * q[0], a[0]) for p, q, a in rows if p and q and a]
    return bool(whole) and sum(abs(a) > 1.01 * abs(pq) for pq, a in whole) > 0.05 * len(whole)


def _must_be_there(draft: Draft, looks: _Looks) -> None:
    lost = [ours for ours in ("household_id", "time", "sales_value") if ours not in draft.columns]
    if "unit_price" in draft.columns:
        lost = [ours for ours in lost if ours != "sales_value"]
    if lost:
        options = [o for ours in lost for o in _ways(draft, looks, ours)]
        raise Troubled(trouble(draft, f"no column was found for {', '.join(lost)}.", *options))


def _ways(draft: Draft, looks: _Looks, ours: str) -> list[str]:
    """Options that let a column of the file be read as one of ours, where any can: at least half of its cells fit."""
    free = [c for c in draft.free if draft.file.told(c)]
    if ours == "time":
        found = next(((c, f) for c in free if (f := date_format(draft.file.cells[c], enough=0.5))), None)
        return [column_option("sales", "time", found[0]), f"--date {quote(found[1].format)}"] if found else []
    if ours == "sales_value":
        counted = [c for c in free if c not in looks.dates and _numbers_share(draft.file.told(c)) >= 0.5]
        return [column_option("sales", ours, c) for c in counted[-1:]]
    people = [c for c in free if c not in looks.dates | looks.broken and _may_be_people(c)]
    people.sort(key=lambda c: (-_named(c, ours), len(set(draft.file.cells[c])) == len(draft.file.cells[c])))
    return [column_option("sales", ours, c) for c in people[:1]]


def _numbers_share(cells: list[str]) -> float:
    return sum(map(is_number, cells[:500])) / max(len(cells[:500]), 1)
