"""Look at a shop's files and propose how to declare them: each choice with its reason, and what only people know asked.

Nothing is guessed of the law: what is not said stays `open`. Of cells only shapes and aggregates are told, never ids.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources import counted_rows, line_numbers, more_files, pricing
from twinops.data.own_sources.addressing import addressed, unlike
from twinops.data.own_sources.answers import purposes_in
from twinops.data.own_sources.asking import Question, questions
from twinops.data.own_sources.cell_values import NO_CURRENCY
from twinops.data.own_sources.cells import printable
from twinops.data.own_sources.customer_numbers import digits_of, of_any_length
from twinops.data.own_sources.days_beside import begins_as, day_of
from twinops.data.own_sources.drafting import (
    NOTHING_SAID,
    TWIN,
    Choice,
    Draft,
    Said,
    Trouble,
    Troubled,
    code_option,
    column_option,
    draft_of,
    legal_facts,
    must_exist,
    read_as,
    refusal,
    take_said,
    trouble,
)
from twinops.data.own_sources.recognising import (
    DateFormat,
    NumberNotation,
    born,
    currency_in,
    date_format,
    fit,
    is_number,
    is_said,
    number_notation,
    numbers,
    parts_of,
    speaks_of,
    words,
)
from twinops.data.own_sources.sampling import FIRST, beside_months, every_cell, months_in
from twinops.data.reading.plain_letters import plain
from twinops.entities.consent import Event, LegalBasis, Purpose
from twinops.errors import DataError
from twinops.own_params import CLOCKS, OPEN, MoneyParams, TimeParams

_NUMBERS = ("quantity", "unit_price", "sales_value", "retail_disc")
_IDS = ("household_id", "basket_id", "product_id", "store_id")


@dataclass(frozen=True)
class ShopFiles:
    """What a shop hands over."""

    sales: Path
    customers: Path | None = None
    opt_ins: Path | None = None
    opt_outs: Path | None = None
    more: tuple[str, ...] = field(default=(), kw_only=True)
    """Files around them, told apart by their columns, or said as KIND=FILE; see `more_files`."""


@dataclass(frozen=True)
class Proposal:
    """The section `own` of `params.yaml`, why it is so, what is to be asked, and what should be known beside it."""

    own: dict[str, dict[str, Any]]
    choices: tuple[Choice, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    left_out: tuple[Trouble, ...] = ()
    """Files around the sales that cannot be declared: all else goes on without them."""
    open: dict[str, str] = field(default_factory=dict)
    """What only people can look after, by source."""


def look(files: ShopFiles, said: Said = NOTHING_SAID) -> Proposal:
    """Propose declarations for the files. The same files and answers give the same proposal.

    Raises:
        DataError: a file cannot be read, or holds no customers, days or amounts that can be told.
        ParamsError: a column that was named is not there.
    """
    said, wrong = addressed(said, [*_named_sources(files), *more_files.kinds_of(files.more)])
    sales, troubles = _attempt(files.sales, lambda: _sales(files.sales, said))
    troubles = [*wrong, *unlike(said), *troubles]
    if sales is None:
        raise refusal([*troubles, *_unopened(files, said)])
    told = [c.strip() for c in sales.file.told(sales.columns["household_id"])]
    digits = digits_of(told)
    ids = frozenset(of_any_length(c, digits) for c in told)
    others = _Others(said, ids, _last_day(sales, said), digits)
    made, found = _around(files, others)
    troubles += [*found, *_unnamed(files, others)]
    opt_ins = made.get("optins")
    bases = _bases(said, opt_ins[0].answered if opt_ins else ())
    drafts, own = [sales], {"sales": _transactions(sales, said)}
    own["sales"]["legal"] = legal_facts(sales, said, bases, _sales_purposes(sales, bases))
    for draft, body in made.values():
        drafts.append(draft)
        own[draft.name] = body | {"legal": legal_facts(draft, said, bases, _own_purposes(draft, bases))}
    if len(digits) == 1:
        shown = f"{digits[0]}: blanks, dashes and lost zeros make no other customer"
        sales.choices.append(Choice("sales", "digits", shown, "customer numbers are digits, and zeros stand before"))
    more, found = _more(files, sales, said, own["sales"]["money"]["currency"], others.last)
    troubles += found
    for draft, body in more:
        if draft.name in own:
            around = _shop(sales, said, own["sales"]["money"]["currency"], others.last)
            troubles.append(_second(draft, next(d for d in drafts if d.name == draft.name), around))
            continue
        drafts.append(draft)
        mine = more_files.bases_of(draft, bases, said)
        own[draft.name] = body | {"legal": legal_facts(draft, said, mine, more_files.purposes(draft, bases))}
    for body in own.values():
        several = body["kind"] == "optouts"
        if digits and (len(digits) == 1 or several) and "household_id" in body.get("columns", {}):
            body["digits"] = list(digits)
    said_no = {path.name for path in (files.opt_ins, files.opt_outs) if path is not None}
    if any(t.mine or t.file in said_no for t in troubles):  # without them somebody who said no would be learned from
        raise refusal(troubles)
    return Proposal(
        own,
        tuple(c for d in drafts for c in d.choices),
        tuple(questions(sales, own, said, _dates_of(sales))),
        (
            *(n for d in drafts for n in d.notes),
            *_asked_for(opt_ins[0].answered if opt_ins else (), bases),
            *_without_answers(opt_ins[0].answered if opt_ins else (), bases),
            *_unlike_encodings(drafts),
        ),
        tuple(troubles),
        {d.name: " ".join(d.open) for d in drafts if d.open},
    )


Declared = tuple[Draft, dict[str, Any]]


def _unlike_encodings(drafts: Sequence[Draft]) -> Iterator[str]:
    """Files of one shop mostly come from one tool: where their encodings were told otherwise, a person should look."""
    told = {d.file.path.name: d.file.encoding for d in drafts if d.file.encoding.startswith(("windows-", "iso-"))}
    if len({*told.values()}) > 1:
        listed = ", ".join(f"{name} {encoding}" for name, encoding in told.items())
        yield f"The files look differently encoded: {listed}. Say the right one as `encoding` where letters look wrong."


def _named_sources(files: ShopFiles) -> list[str]:
    there = {"customers": files.customers, "optins": files.opt_ins, "optouts": files.opt_outs}
    return ["sales", *(name for name, path in there.items() if path is not None)]


_T = TypeVar("_T")


def _attempt(path: Path, make: Callable[[], _T]) -> tuple[_T | None, list[Trouble]]:
    """What is made of a file, or what stands in its way."""
    try:
        return make(), []
    except Troubled as found:
        return None, list(found.found)
    except DataError as found:
        return None, [Trouble(path.name, f"{found.what} {found.hint}")]


def _unnamed(files: ShopFiles, others: _Others) -> Iterator[Trouble]:
    """Files beside the months that are about their customers, and that nobody named: one may say who objected."""
    months = months_in(files.sales) if files.sales.is_dir() else None
    named = {p.resolve() for p in (files.customers, files.opt_ins, files.opt_outs) if p is not None}
    named |= {more_files.path_of(told).resolve() for told in files.more}
    for path in beside_months(files.sales, months) if months else ():
        if path.parent == files.sales and path.resolve() not in named and (option := others.option_for(path)):
            what = "it lies beside the months and is about their customers. Say what it is, or move it elsewhere."
            yield Trouble(path.name, what, (), (f"{option} {quote(str(path))}",), mine=True)


def _unopened(files: ShopFiles, said: Said) -> Iterator[Trouble]:
    """What is wrong with the files around, as far as it can be told without the sales."""
    for name, path in (("customers", files.customers), ("optins", files.opt_ins), ("optouts", files.opt_outs)):
        if path is not None:
            yield from _attempt(path, partial(lambda n, p: take_said(draft_of(n, p), said), name, path))[1]
    for told in files.more:
        path = more_files.path_of(told)
        if not path.is_dir():
            yield from _attempt(path, partial(draft_of, "file", path))[1]


def _around(files: ShopFiles, others: _Others) -> tuple[dict[str, Declared], list[Trouble]]:
    """The files with options of their own, by source."""
    made: dict[str, Declared] = {}
    troubles: list[Trouble] = []
    readers = {"customers": others.customers, "optins": others.opt_ins, "optouts": others.opt_outs}
    paths = {"customers": files.customers, "optins": files.opt_ins, "optouts": files.opt_outs}
    for name, path in paths.items():
        if path is not None:
            declared, found = _attempt(path, partial(readers[name], path))
            made |= {name: declared} if declared else {}
            troubles += found
    return made, troubles


def _more(
    files: ShopFiles, sales: Draft, said: Said, currency: str, last: date
) -> tuple[list[Declared], list[Trouble]]:
    """The files around, in the light of the sales."""
    shop = _shop(sales, said, currency, last)
    made: list[Declared] = []
    troubles: list[Trouble] = []
    for name in more_files.once(files.more):
        declared, found = _attempt(more_files.path_of(name), partial(more_files.proposed, name, shop))
        accounts = more_files.beside(declared[0], shop) if declared else None
        made += [one for one in (declared, accounts) if one]
        troubles += found
    names = {draft.name for draft, _ in made}
    if "accounts" in names and "registrations" not in names and files.customers is not None:
        again = more_files.found_again(files.customers, shop)
        made += [again] if again else []
    return made, troubles


def _shop(sales: Draft, said: Said, currency: str, last: date) -> more_files.Shop:
    """What files around the sales are looked at by."""
    customers, articles = (
        frozenset(c.strip() for c in sales.file.told(sales.columns[ours])) if ours in sales.columns else frozenset()
        for ours in ("household_id", "product_id")
    )
    return more_files.Shop(said, customers, articles, currency, last)


def _second(draft: Draft, first: Draft, shop: more_files.Shop) -> Trouble:
    """Two files of one kind: alike they go into one; otherwise one of them is likely something else."""
    if set(draft.file.names) == set(first.file.names):
        return trouble(draft, f"two of the files hold {draft.name.replace('_', ' ')}; put them into one.")
    return more_files.second_of(draft, first, shop)


# Sales.


def _sales(path: Path, said: Said) -> Draft:
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
            ):
                draft.take(ours, theirs, why)
    line_numbers.take(draft)
    _by_content(draft, looks)
    told = pricing.told_by_total(draft, looks.amounts)
    _one_amount(draft)
    pricing.decide(draft, said, told)
    _must_be_there(draft, looks)
    _last_day(draft, said)
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
            if (found := date_format(cells[c])) is not None
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
    fits = {"time": looks.dates, **dict.fromkeys(_NUMBERS, looks.amounts), "retail_disc": looks.amounts | looks.shares}
    found = [
        (-score, n, theirs, ours)
        for n, ours in enumerate(roles)
        for theirs in draft.free
        if theirs in fits.get(ours, draft.file.cells) and draft.file.told(theirs)
        and (score := _named(theirs, ours)) > 0 and not (ours in _IDS and theirs in looks.dates | looks.broken)
    ]  # fmt: skip
    return [(-score, theirs, ours) for score, _, theirs, ours in sorted(found, key=lambda f: f[:2])]


def _named(theirs: str, ours: str) -> int:
    found = parts_of(theirs)
    if ours == "quantity" and found[:2] in (["number", "of"], ["no", "of"], ["num", "of"], ["nombre", "de"]):
        return 3
    if ours in _NUMBERS and set(found) & (_untaken() - (pricing.PER_CENT if ours == "retail_disc" else set())):
        return 0
    score = fit(theirs, words()["columns"][ours], an_id=ours in _IDS)
    # the name of a product is one, and its number is the better one
    called = ours == "product_id" and fit(theirs, words()["files"]["products"]["product_type"], an_id=False)
    return min(score, 2) if called or (score and set(found[:1]) & _titles()) else score


@cache
def _untaken() -> frozenset[str]:
    return frozenset(map(plain, words()["not_amounts"]))


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
        if small:
            draft.take("quantity", small[0], "by values: its cells are small whole numbers")
    if (
        not priced
        and "sales_value" not in draft.columns
        and (rest := [c for c in plain if c in draft.free and not _counts_up(cells[c])])
    ):
        draft.take("sales_value", rest[-1], "by values: it is the last column of numbers")
    if "household_id" not in draft.columns:
        _customers_by_values(draft, [c for c in draft.free if c not in dates and c not in broken])
    if "basket_id" not in draft.columns and {"time", "household_id"} <= set(draft.columns):
        found = [c for c in draft.free if c not in dates and c not in broken and _is_receipt(draft, c)]
        if found:
            why = "by values: neighbouring lines of one customer and moment share it, and nobody else's do"
            draft.take("basket_id", found[0], why)
    if "product_id" not in draft.columns and (found := [c for c in draft.free if _has_check_digits(cells[c])]):
        draft.take("product_id", found[0], "by values: its cells are article numbers with check digits (EAN, ISBN)")


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
    if len(likely) > 1:
        options = " or ".join(column_option("sales", "household_id", c) for c in likely[1:6])
        draft.notes.append(f"Customers may be in another column: say `{options}` then.")


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
            whose.setdefault(cell, set()).add((moment, customer))
            shared[cell] += 1
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
    people = [c for c in free if c not in looks.dates | looks.broken]
    people.sort(key=lambda c: (-_named(c, ours), len(set(draft.file.cells[c])) == len(draft.file.cells[c])))
    return [column_option("sales", ours, c) for c in people[:1]]


def _numbers_share(cells: list[str]) -> float:
    return sum(map(is_number, cells[:500])) / max(len(cells[:500]), 1)


def _transactions(draft: Draft, said: Said) -> dict[str, Any]:
    rows = counted_rows.proposed(draft, said)
    body = read_as(draft) | _by_month(draft) | {"columns": dict(draft.columns)} | rows
    nobody = _placeholders(draft)
    if nobody:
        body["missing"] = nobody
        why = "one digit over and over, on far more lines than any customer has: it stands for nobody"
        draft.choices.append(Choice("sales", "missing", ", ".join(nobody), why))
    body["time"] = _time(draft, said)
    body["money"] = _money(draft, said)
    body |= line_numbers.corrections(draft, body["reads"])
    prefix = _cancelling(draft)
    if prefix:
        body["cancelled"] = prefix
        draft.choices.append(
            Choice("sales", "cancelled", prefix, "some receipts begin so, and take back what others sold")
        )
    _tell_returns(draft)
    return {"kind": "transactions"} | body


def _placeholders(draft: Draft) -> list[str]:
    """Ids of one digit over and over (00000000, 9999) that have far more lines than the middle customer."""
    found = Counter(c.strip() for c in draft.file.told(draft.columns["household_id"]) if not notation.is_nothing(c))
    middle = sorted(found.values())[len(found) // 2] if found else 0
    alike = (w for w in found if re.fullmatch(r"([0-9])\1{2,}", w))
    return sorted(w for w in alike if found[w] >= _FAR_MORE * middle)


_FAR_MORE = 5


def _time(draft: Draft, said: Said) -> dict[str, Any]:
    found = _dates_of(draft)
    chosen = said.date or found.format
    draft.choices.append(Choice(draft.name, "time.format", chosen, _why_format(found, said), ()))
    return {"format": chosen, "zone": said.zone or "UTC"}


def _why_format(found: DateFormat, said: Said) -> str:
    if said.date:
        return "you said so"
    if found.or_else:
        return f"{found.or_else} fits as well: nothing in the file tells day from month for sure"
    return "it reads the days, and no other does"


def _dates_of(draft: Draft) -> DateFormat:
    return date_format(draft.file.cells[draft.columns["time"]]) or DateFormat("iso")


def _money(draft: Draft, said: Said) -> dict[str, Any]:
    theirs = [draft.columns[c] for c in _NUMBERS if c in draft.columns]
    typed = [c for c in theirs if c in draft.file.typed]
    found = number_notation([x for c in theirs if c not in typed for x in pricing.bare(draft.file.cells[c][:20_000])])
    sample = [x for c in theirs for x in draft.file.cells[c][:500]]
    called = set(map(plain, words()["currency_columns"]))
    named = [c for c in draft.file.cells if set(parts_of(c)) & called]
    sample += [x for c in named for x in draft.file.cells[c][:500]]
    hinted = currency_in(theirs, sample)
    currency = (said.currency or hinted or NO_CURRENCY).upper()
    if found is not None and found.doubtful and currency in words()["with_three_minor_units"]:
        found = NumberNotation(found.thousands, "")
    why = "you said so" if said.currency else "a name or a sign beside the amounts says so"
    draft.choices.append(Choice("sales", "currency", currency, why if said.currency or hinted else "nothing tells it"))
    money: dict[str, Any] = {"currency": currency}
    if found is not None and (found.decimal, found.thousands) != (".", ""):
        money |= {"decimal": found.decimal, "thousands": found.thousands}
        doubt = "; a sign before three digits may be either" if found.doubtful else ""
        told = f"decimal {found.decimal!r}, thousands {found.thousands!r}"
        draft.choices.append(
            Choice("sales", "numbers", told, f"it reads all amounts{doubt}", draft.file.shapes(theirs[-1]))
        )
    if currency in words()["without_minor_units"]:
        money["minor_units"] = 0
    if currency in words()["with_three_minor_units"]:
        money |= {"minor_units": 3, "rounded_to": "hundredths"}
        draft.notes.append(
            f"Amounts in {currency} have three digits, and tables keep two: of each the last is rounded (half to "
            "even), as `rounded_to: hundredths` says. If that will not do, do not go on."
        )
    if any(set(parts_of(c)) & set(words()["minor_words"]) for c in theirs):
        money["written_in"] = "minor"
        draft.choices.append(Choice("sales", "amounts", "in minor units", "the column's name says so"))
    return money | draft.money


def _cancelling(draft: Draft) -> str | None:
    """The letters that some receipts begin with, where those lines take back or name another receipt."""
    if "basket_id" not in draft.columns:
        return None
    receipts = [c.strip() for c in draft.file.cells[draft.columns["basket_id"]]]
    bare = {r for r in receipts if r.isdigit()}
    found = Counter(m[1] for r in receipts if (m := re.fullmatch(r"([A-Za-z]{1,2})-?(\d+)", r)))
    for prefix, n in found.most_common(3):
        rows = [i for i, r in enumerate(receipts) if r.startswith(prefix)]
        named = sum(receipts[i][len(prefix) :].lstrip("-") in bare for i in rows)
        back = sum(line_numbers.is_below(draft, i) for i in rows)
        if bare and n < 0.4 * len(receipts) and max(named, back) > 0.5 * len(rows):
            return prefix
    return None


def _tell_returns(draft: Draft) -> None:
    rows = len(draft.file.cells[draft.columns["household_id"]])
    back = sum(line_numbers.is_below(draft, i) for i in range(rows))
    if back:
        draft.notes.append(
            f"About {back / rows:.1%} of the lines take something back: each is set against its purchase."
        )
    nobody = sum(notation.is_nothing(c) for c in draft.file.cells[draft.columns["household_id"]])
    if nobody:
        draft.notes.append(f"About {nobody / rows:.1%} of the lines name no customer: they are quarantined.")
    if "basket_id" not in draft.columns:
        draft.notes.append("There is no receipt number: what a customer buys at one moment counts as one basket.")


def _last_day(draft: Draft, said: Said) -> date:
    time = TimeParams(format=said.date or _dates_of(draft).format, zone="UTC")
    typed = draft.columns["time"] in draft.file.typed
    found = []
    for cell in set(draft.file.told(draft.columns["time"])):
        try:
            found.append(notation.moment(cell, time, iso=typed).date())
        except notation.Unreadable:
            continue
    if not found:
        other = [o for c in draft.free if c != draft.columns["time"] for o in _readable_days(draft, c)]
        same = _readable_days(draft, draft.columns["time"])
        what = f"the column {printable(draft.columns['time'])} holds no day that can be read."
        raise Troubled(trouble(draft, what, *(same or other[:2])))
    return max(found)


def _readable_days(draft: Draft, theirs: str) -> list[str]:
    found = date_format(draft.file.cells[theirs], enough=0.5)
    return [column_option("sales", "time", theirs), f"--date {quote(found.format)}"] if found else []


# The files around the sales.


@dataclass(frozen=True)
class _Others:
    """Files about the same customers, whose ids are known from the sales."""

    said: Said
    ids: frozenset[str]
    last: date
    digits: tuple[int, ...] = ()

    def option_for(self, path: Path) -> str | None:
        """The option that a file likely goes with; None: it is about no customer of the sales, or no table."""
        try:
            draft = draft_of("file", path)
        except DataError:
            return None
        cells = draft.file.cells
        shares = (
            (len(own & self.ids), len(own))
            for c in draft.free
            if (own := {of_any_length(x.strip(), self.digits) for x in cells[c]} - {""})
        )
        if not any(known > 1 and known * _ONE_OF >= of for known, of in shares):
            return None
        if len(draft.free) == 1:
            return "--opt-outs"
        if any(is_said(cells[c]) for c in draft.free):
            return "--opt-ins"
        profiles = words()["profiles"]
        return "--customers" if any(born(c, profiles[r]) for c in draft.free for r in _BORN) else "--also"

    def opt_ins(self, path: Path) -> tuple[Draft, dict[str, Any]]:
        """A table with a column a purpose, or a ledger with a row an answer."""
        draft = self._about_customers("optins", path)
        codes = self._event_codes(draft)
        asked = [c for c in draft.free if is_said([codes.get(x.strip(), x) for x in draft.file.cells[c]])]
        asked = [c for c in (draft.columns.get("event"),) if c] or asked
        purpose = draft.columns.get("purpose") or next(
            (c for c in draft.free if fit(c, words()["ledger"]["purpose"], an_id=False) > 1), None
        )
        if purpose is not None and len(asked) == 1:
            body = self._ledger(draft, purpose, asked[0], codes)
            mine = {**body.get("codes", {}), **({"event": codes} if codes else {})}
            return draft, body | ({"codes": mine} if mine else {})
        answers = self._answers(draft, asked, codes)
        draft.answered += answers
        more: dict[str, Any] = {"codes": {"event": codes}} if codes else {}
        times = self._days_beside(draft, answers)
        if times:
            first = next(iter(times.values()))
            if "time" in draft.columns and len(set(times.values())) == 1 and draft.columns["time"] != first:
                times = {}  # a person said another day
            else:
                draft.columns["time"] = first
                more["times"] = times
        return draft, {"kind": "consent"} | self._dated(draft, "consent") | {"answers": answers} | more

    def _days_beside(self, draft: Draft, answers: Mapping[str, str]) -> dict[str, str]:
        """The day of each purpose, where each has a column of its own: called as the answers are, and something more.

        Nothing where one day is for all of them.
        """
        days = [c for c in draft.file.names if c and date_format(draft.file.cells[c]) is not None]
        days = [c for c in days if not is_said(draft.file.cells[c])]
        found = {p: day for p, theirs in answers.items() if (day := day_of(theirs, days, draft.file.names))}
        if not found:
            return {}
        one = next((c for c in days if not any(begins_as(c, n) for n in draft.file.names if n != c)), None)
        without = [theirs for p, theirs in answers.items() if p not in found]
        if without and one is None:
            what = f"no column is known to hold the day of {', '.join(map(printable, without))}."
            raise Troubled(trouble(draft, what, *(column_option("optins", "time", c) for c in days[:1])))
        times = {p: found.get(p) or str(one) for p in answers}
        for purpose, theirs in times.items():
            draft.choices.append(
                Choice(draft.name, f"day of {purpose}", printable(theirs), "it is called as the answers are")
            )
        return times

    def _event_codes(self, draft: Draft) -> dict[str, str]:
        """Words of theirs for a yes and a no: those that were said, and letters that go together in one language."""
        told = {ours: pairs for ours, pairs in self.said.words_of("optins").items() if ours != "purpose"}
        found = {w: m for pairs in told.values() for w, m in pairs.items()}
        for theirs in draft.free:
            levels = {c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c)}
            pair = notation.PAIRS.get(frozenset(map(plain, levels)))
            if pair and not is_said(draft.file.cells[theirs]) and not levels & set(found):
                found |= {level: "yes" if plain(level) == pair else "no" for level in levels}
                draft.choices.append(
                    Choice(draft.name, "codes", f"{', '.join(sorted(levels))}", "letters for yes and no")
                )
        return found

    def opt_outs(self, path: Path) -> tuple[Draft, dict[str, Any]]:
        """A list of who objected, or of who did and who did not."""
        draft = self._about_customers("optouts", path)
        codes = self.said.words_of("optouts")
        means = codes.get("event", {})
        told = [c for c in draft.free if is_said([means.get(x.strip(), x) for x in draft.file.cells[c]])]
        if len(told) == 1 and "event" not in draft.columns:
            draft.take("event", told[0], "its cells say yes or no: a yes is an objection")
        draft.notes.append("Whoever objected is out of every purpose, unless a column of purposes is mapped.")
        return draft, {"kind": "optouts"} | self._dated(draft, "optouts") | ({"codes": codes} if codes else {})

    def customers(self, path: Path) -> tuple[Draft, dict[str, Any]]:
        """Attributes for the assessment of groups; names and addresses are not read."""
        draft = self._about_customers("customers", path)
        for ours, role in words()["profiles"].items():
            for theirs in draft.free:
                if ours not in draft.columns and born(theirs, role) and self._answers_it(draft, ours, theirs):
                    draft.take(ours, theirs, "its name says so, and its cells fit")
        if "age" in draft.columns and "birth_year" not in self.said.of("customers"):
            draft.columns.pop("birth_year", None)
        if len(draft.columns) == 1:
            few = [c for c in draft.free if 1 < len(set(draft.file.told(c))) <= 20]
            says = f"; {column_option('customers', 'gender', few[0])} says one" if few else ""
            draft.notes.append(
                f"{path.name} holds no attribute that is known by its name: groups cannot be assessed{says}."
            )
        self._tell_twice(draft)
        codes = self.said.words_of("customers")
        body = {"kind": "profiles"} | read_as(draft) | {"columns": dict(draft.columns)}
        body |= {"codes": codes} if codes else {}
        return draft, body | ({"ages_in": self.last.year} if "birth_year" in draft.columns else {})

    def _about_customers(self, name: str, path: Path) -> Draft:
        """The column of customers is the one that shares most ids with the sales, unless a person says which."""
        draft = draft_of(name, path)
        columns = {f"{name}.{c}": t for c, t in self.said.of(name).items() if c not in set(Purpose)}
        take_said(draft, replace(self.said, columns=columns))
        if "household_id" in draft.columns:
            return draft
        shared = {
            c: len({of_any_length(x.strip(), self.digits) for x in draft.file.cells[c]} & self.ids) for c in draft.free
        }
        best = max(
            shared, key=lambda c: (shared[c], fit(c, words()["columns"]["household_id"], an_id=True)), default=None
        )
        if best is None or not shared[best]:
            what = "no column holds ids of customers in the sales; export the same customer number into both files."
            called = [c for c in draft.free if fit(c, words()["columns"]["household_id"], an_id=True) > 1]
            raise Troubled(trouble(draft, what, *(column_option(name, "household_id", c) for c in called[:1])))
        known = len({of_any_length(x.strip(), self.digits) for x in draft.file.told(best)})
        draft.take(
            "household_id", best, f"{shared[best] / known:.0%} of its ids stand in the sales that were looked at"
        )
        return draft

    def _answers(self, draft: Draft, asked: list[str], codes: Mapping[str, str]) -> dict[str, str]:
        answers: dict[str, str] = {}
        unknown: dict[str, str] = {}
        for purpose, role in words()["purposes"].items():
            named = self.said.of("optins").get(purpose)
            theirs = named or next((c for c in asked if speaks_of(c, role)), None)
            if theirs is not None:
                must_exist(draft, purpose, theirs)
                why = "you said so" if named else "its cells say yes or no, and its name tells the purpose"
                answers[purpose] = theirs
                draft.choices.append(Choice(draft.name, purpose, printable(theirs), why, _levels(draft, theirs, codes)))
            else:
                more = (c for c in draft.free if speaks_of(c, role) and _few_words(draft, c))
                found = next(more, None)
                unknown |= {purpose: found} if found else {}
        told = [self._unknown_words(draft, p, c, codes) for p, c in (unknown | answers).items()]
        mends = tuple(o for options in told for o in options)
        if mends and (
            not answers or set(answers) & {p for p, c in answers.items() if self._unknown_words(draft, p, c, codes)}
        ):
            levels = "words that are not known for a yes or a no; say which is which, as below."
            raise Troubled(trouble(draft, f"its answers are {levels}", *dict.fromkeys(mends)))
        if mends:
            draft.notes.append(
                f"Some answers of {draft.file.path.name} are in words that are not known: {' '.join(mends)}"
            )
        self._tell_asked(draft, answers, [c for c in asked if c not in answers.values()])
        return answers

    def _unknown_words(self, draft: Draft, purpose: str, theirs: str, codes: Mapping[str, str]) -> list[str]:
        """How to say what the words of a column mean, where none is known; which is the yes only people know."""
        levels = sorted({c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c)})
        if any(notation.event_of(codes.get(level, level)) for level in levels) or len(levels) > _MOST_WORDS:
            return []
        return [code_option(f"optins.{purpose}", w, m) for w, m in zip(levels, ("yes", "no", "no", "no"), strict=False)]

    def _tell_asked(self, draft: Draft, answers: Mapping[str, str], unused: list[str]) -> None:
        options = " ".join(column_option("optins", "offers", c) for c in unused[:3])
        if answers and unused:
            named = ", ".join(map(printable, unused))
            draft.notes.append(
                f"What {named} ask for is not known, and not read; `--column optins.PURPOSE=NAME` says it ({options})."
            )
        if answers:
            return
        few = unused or [c for c in draft.free if _few_words(draft, c)]
        what = f"no column says what people agreed to; purposes are {', '.join(words()['purposes'])}."
        raise Troubled(trouble(draft, what, *(column_option("optins", "twin_training", c) for c in few[:1])))

    def _ledger(self, draft: Draft, purpose: str, event: str, words_said: Mapping[str, str]) -> dict[str, Any]:
        for ours, theirs, why in (
            ("purpose", purpose, "its name says so"),
            ("event", event, "its cells say yes, no or withdrawn"),
        ):
            if ours not in draft.columns:
                draft.take(ours, theirs, why)
        _all_events_known(draft, words_said)
        codes = self._purposes(draft)
        listed = {p for told in (*codes.values(), *draft.file.told(purpose)) for p in purposes_in(told)}
        draft.answered += [p.value for p in Purpose if p in listed]
        notice = next((c for c in draft.free if fit(c, words()["ledger"]["notice_version"], an_id=False) > 1), None)
        if notice is not None:
            draft.take("notice_version", notice, "its name says so")
        return {"kind": "consent"} | self._dated(draft, "consent") | ({"codes": {"purpose": codes}} if codes else {})

    def _purposes(self, draft: Draft) -> dict[str, str]:
        """What each of their words for purposes stands for, by what was said or by the word itself."""
        said = self.said.words_of("optins").get("purpose", {})
        there = {c.strip() for c in every_cell(draft.file, draft.columns["purpose"])} - {""}
        lost = [theirs for theirs in said if theirs not in there]
        if lost:
            near = [(n, said[w]) for w in lost for n in get_close_matches(w, sorted(there), 1, 0.6)]
            what = f"{printable(draft.columns['purpose'])} does not hold {', '.join(map(repr, lost))}."
            raise Troubled(trouble(draft, what, *(code_option("optins.purpose", *one) for one in near), mine=True))
        levels = sorted(there - set(Purpose) - set(said))
        roles = words()["purposes"].items()
        told = {level: [p for p, role in roles if fit(level, role, an_id=False) > 0] for level in levels}
        unknown = [level for level, purposes in told.items() if not purposes]
        if unknown:
            named = ", ".join(map(printable, unknown[:10]))
            way = code_option("optins.purpose", unknown[0], "PURPOSE")
            draft.notes.append(
                f"Purposes that are not ours are quarantined: {named}. If one is, `{way}` says it, with commas between "
                f"several; ours are {', '.join(Purpose)}."
            )
        found = {level: ", ".join(purposes) for level, purposes in told.items() if purposes}
        return found | {theirs: ", ".join(purposes_in(means)) for theirs, means in said.items()}

    def _dated(self, draft: Draft, kind: str) -> dict[str, Any]:
        """How the file is read, and since when what it says holds."""
        dates = [
            c for c in draft.free if date_format(draft.file.cells[c]) is not None and not is_said(draft.file.cells[c])
        ]
        dates = [c for c in (draft.columns.get("time"),) if c] or dates
        if dates:
            if "time" not in draft.columns:
                draft.take("time", dates[0], "it holds days")
            found = date_format(draft.file.cells[dates[0]]) or DateFormat("iso")
            time: dict[str, Any] = {"time": {"format": found.format, "zone": self.said.zone or "UTC"}}
        elif kind == "consent":
            time = {"undated_from": self.last.isoformat()}
            draft.notes.append(
                f"The answers have no day: they hold from {self.last} on, the last day of the sales. If it is known "
                "since when they held, `undated_from` says it."
            )
        else:
            time = {}
        return read_as(draft) | {"columns": dict(draft.columns)} | time

    def _answers_it(self, draft: Draft, ours: str, theirs: str) -> bool:
        told = [c for c in draft.file.told(theirs) if not notation.is_nothing(c)]
        if ours == "birth_year":
            readable = sum(_has_year(c) for c in told)
            return bool(told) and readable > 0.8 * len(told)
        if ours == "age" and not any(c.isdigit() for cell in told for c in cell):
            return False  # a `cidade` is a town, though it ends like `idade`
        return 1 < len(set(told)) <= 20

    def _tell_twice(self, draft: Draft) -> None:
        cells = [c.strip() for c in draft.file.told(draft.columns["household_id"])]
        twice = len(cells) - len(set(cells))
        if twice:
            draft.notes.append(
                f"{twice:,} rows of {len(cells):,} name a customer that stood above: the first row is taken."
            )


_BORN = ("birth_year", "gender")
_ONE_OF = 5
"""A column holds customers where one of so many of its ids stands in the sales."""


def _asked_for(answered: Iterable[str], bases: Mapping[str, str]) -> Iterator[str]:
    """What rests on people's answers, and what was asked and rests on another basis by the owner's word."""
    by: dict[str, list[str]] = {}
    for purpose in answered:
        by.setdefault(bases.get(purpose, OPEN), []).append(purpose.replace("_", " "))
    for basis, purposes in by.items():
        asked = f"People were asked for {', '.join(purposes)}"
        if basis == LegalBasis.CONSENT.value:
            yield f"{asked}: that rests on their consent, and who did not answer is out."
        elif basis == OPEN:
            yield f"{asked}, and what that rests on is left open: who refused is out all the same."
        else:
            yield f"{asked}, and it is said to rest on {basis.replace('_', ' ')}."


def _without_answers(answered: Iterable[str], bases: Mapping[str, str]) -> Iterator[str]:
    """What is said to rest on consent, and no file tells who gave it."""
    unasked = [p.replace("_", " ") for p, b in bases.items() if b == LegalBasis.CONSENT.value and p not in {*answered}]
    if unasked:
        yield (
            f"No file tells who agreed to {', '.join(unasked)}, said to rest on consent: nobody is in until one does "
            "(--opt-ins)."
        )


def _has_year(cell: str) -> bool:
    try:
        return bool(notation.year(cell))
    except notation.Unreadable:
        return False


def _all_events_known(draft: Draft, codes: Mapping[str, str]) -> None:
    """Refuse a ledger with a word that nobody knows: it may take back a yes.

    Raises:
        Troubled: with how to say what such words mean.
    """
    theirs = draft.columns["event"]
    there = {c.strip() for c in every_cell(draft.file, theirs) if not notation.is_nothing(c)}
    unknown = sorted(w for w in there if notation.event_of(codes.get(w, w)) is None and w not in set(Event))
    if unknown:
        what = f"{printable(theirs)} has words that are not known for a yes, a no or a withdrawal: {len(unknown)}."
        few = unknown if len(unknown) <= _MOST_WORDS else []  # more of them may be about somebody
        raise Troubled(trouble(draft, what, *(code_option("optins.event", w, Event.WITHDRAWN) for w in few)))


_MOST_WORDS = 4
"""So many words an answer may have that are told; more of them may be about somebody."""


def _few_words(draft: Draft, theirs: str) -> bool:
    """Its cells are few words, each of them many people's."""
    found = Counter(c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c))
    return 1 < len(found) <= _MOST_WORDS and date_format(draft.file.cells[theirs]) is None


def _levels(draft: Draft, theirs: str, codes: Mapping[str, str]) -> tuple[str, ...]:
    """Shares of yes and no: aggregates, where they are large enough to name nobody."""
    found = Counter(notation.event_of(codes.get(c.strip(), c)) or "other" for c in draft.file.told(theirs))
    return tuple(f"{event} {n / found.total():.0%}" for event, n in found.most_common(2) if n >= 10)


# All files.


_MOST_NAMED = 12


def _by_month(draft: Draft) -> dict[str, Any]:
    """A folder in which every file is named after its month is read month by month: only the new one is read again.

    Where lines have numbers, and nothing lies beside the months, it is read as one: a later file may correct any month.
    """
    path = draft.file.path
    files = months_in(path) if path.is_dir() and draft.file.reads in ("csv", "parquet", "excel") else None
    if files is None:
        return {}
    why, others = "each file is named after its month", beside_months(path, files)
    if "line_id" in draft.columns and not others:
        return {}
    if others:
        named = ", ".join(printable(p.name) for p in others[:_MOST_NAMED])
        why += f"; beside them lie {named}{' and more' if len(others) > _MOST_NAMED else ''}, with other columns"
        draft.notes.append(
            f"NOT read as sales, as their columns are others, or they lie deeper: {named}. Say what they are: "
            "--customers, --opt-ins, --opt-outs, or --also FILE; a file that is named so is read."
        )
    draft.choices.append(Choice(draft.name, "files", files, why))
    return {"reads": "folder", "files": files}


def _bases(said: Said, answers: Iterable[str]) -> dict[str, str]:
    """What people were asked rests on their consent, unless the owner says otherwise; for the rest it is open."""
    asked = dict.fromkeys(answers, LegalBasis.CONSENT.value)
    twin = {p: said.basis or asked.get(p, OPEN) for p in TWIN}
    told = {Purpose.OFFERS.value: said.offers_basis, Purpose.BIAS_ASSESSMENT.value: said.groups_basis}
    others = asked | {p: basis for p, basis in told.items() if basis and (basis != OPEN or p in asked)}
    return twin | {p: basis for p, basis in others.items() if p not in TWIN}


def _sales_purposes(draft: Draft, bases: Mapping[str, str]) -> dict[str, list[str]]:
    serves = {ours: list(TWIN) for ours in draft.columns}
    return serves | {"household_id": _served(bases)}


def _own_purposes(draft: Draft, bases: Mapping[str, str]) -> dict[str, list[str]]:
    """Profiles are for assessing groups; what people answered is for all that they were asked about."""
    if draft.name == "customers":
        return {ours: [Purpose.BIAS_ASSESSMENT.value] for ours in draft.columns}
    return {ours: _served(bases) for ours in draft.columns}


def _served(bases: Mapping[str, str]) -> list[str]:
    return [*TWIN, *(p for p in bases if p not in TWIN)]
