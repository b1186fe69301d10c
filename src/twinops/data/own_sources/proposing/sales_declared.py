"""Declare a file of sales whose columns are known: days, money, months, and what takes back."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from shlex import quote
from typing import Any

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import NO_CURRENCY
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing import currencies, line_numbers, pricing, receipt_heads, rows_that_count
from twinops.data.own_sources.proposing.days_beside import tell_ways
from twinops.data.own_sources.proposing.drafting import (
    Choice,
    Draft,
    Said,
    Troubled,
    column_option,
    read_as,
    trouble,
)
from twinops.data.own_sources.proposing.sampling import beside_months, months_in
from twinops.data.own_sources.recognising import (
    DateFormat,
    NumberNotation,
    currency_in,
    date_format,
    number_notation,
    parts_of,
    words,
)
from twinops.data.reading.plain_letters import plain
from twinops.entities.coins import WITH_THREE_MINOR_UNITS, WITHOUT_MINOR_UNITS
from twinops.own_sections import TimeParams

NUMBERS = ("quantity", "unit_price", "sales_value", "retail_disc")
"""Columns of ours that hold amounts and counts."""


def transactions(draft: Draft, said: Said) -> dict[str, Any]:
    """The declaration of the sales, without its law."""
    one = currencies.proposed(draft, said)
    rows: dict[str, Any] = rows_that_count.proposed(draft, said, besides=one)
    if one:
        rows = {"only": rows.get("only", {}) | one}
    rows |= receipt_heads.carried_down(draft, rows.get("only", ()))
    draft.notes += receipt_heads.not_taken_off(draft)
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
    found = dates_of(draft)
    chosen = said.date or found.format
    draft.choices.append(Choice(draft.name, "time.format", chosen, _why_format(found, said), ()))
    if said.date is None:
        tell_ways(draft, draft.columns["time"], found)
    return replace(found, format=chosen, also=() if said.date else found.also).declared(said.zone)


def _why_format(found: DateFormat, said: Said) -> str:
    if said.date:
        return "you said so"
    if found.or_else:
        return f"{found.or_else} fits as well: nothing in the file tells day from month for sure"
    return "it reads the days, and no other does"


def dates_of(draft: Draft) -> DateFormat:
    """How its days are written; as ISO 8601 where nothing tells."""
    return date_format(draft.file.cells[draft.columns["time"]]) or DateFormat("iso")


def _money(draft: Draft, said: Said) -> dict[str, Any]:
    theirs = [draft.columns[c] for c in NUMBERS if c in draft.columns]
    typed = [c for c in theirs if c in draft.file.typed]
    found = number_notation([x for c in theirs if c not in typed for x in pricing.bare(draft.file.cells[c][:20_000])])
    sample = [x for c in theirs for x in draft.file.cells[c][:500]]
    called = set(map(plain, words()["currency_columns"]))
    named = [c for c in draft.file.cells if set(parts_of(c)) & called]
    sample += [x for c in named for x in draft.file.cells[c][:500]]
    hinted = currencies.chosen(draft, said) or currency_in(theirs, sample)
    currency = (said.currency or hinted or NO_CURRENCY).upper()
    if found is not None and found.doubtful and currency in WITH_THREE_MINOR_UNITS:
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
    if currency in WITHOUT_MINOR_UNITS:
        money["minor_units"] = 0
    if currency in WITH_THREE_MINOR_UNITS:
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


def last_day(draft: Draft, said: Said) -> date:
    """The newest day that was looked at.

    Raises:
        Troubled: no cell of the column is a day.
    """
    ways = dates_of(draft)
    time = TimeParams(format=said.date or ways.format, also=() if said.date else ways.also, zone="UTC")
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
