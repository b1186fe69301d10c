"""Tell a receipt's total, which stands on each of its lines, from what a line costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing import pricing
from twinops.data.own_sources.proposing.drafting import Draft, Troubled, column_option, trouble
from twinops.data.own_sources.proposing.sampling import FIRST
from twinops.data.own_sources.recognising import fit, words

_LEAST, _MOSTLY, _NEARLY = 10, 0.9, 0.95
_ABOUT = (0.4, 1.6)
"""What all lines cost is about the total: tax and freight come on top, discounts go off."""
_FEW_RATES = 12


def take_the_lines(draft: Draft, amounts: Collection[str], *, said: Collection[str]) -> None:
    """Where the amount is the receipt's total, map what a line costs; the smaller of two is after the discount.

    Raises:
        Troubled: no other column holds what a line costs.
    """
    receipts = _receipts(draft)
    if len([r for r in receipts if len(r) > 1]) < _LEAST:
        return
    if "retail_disc" not in said:
        _leave_out_discount(draft, receipts)
    mine = draft.columns.get("sales_value")
    if mine is None or "sales_value" in said or {"unit_price", "quantity"} <= set(draft.columns):
        return
    totals = pricing.as_numbers(draft, mine)[:FIRST]
    if not _same_on_all(receipts, draft.file.cells[mine]) or not _grows(receipts, totals):
        return
    found = _of_lines(draft, amounts, receipts, totals)
    if found is None:
        free = [c for c in draft.free if c in amounts and pricing.may_be_money(c)]
        options = [column_option("sales", "sales_value", c) for c in free[-1:]]
        what = (
            f"{printable(mine)} is the receipt's total on each of its lines, and no other column was found for what a "
            "line costs. Hand over one line a receipt, or a file with the amount of each line."
        )
        raise Troubled(trouble(draft, what, *options))
    ours, theirs = found
    before = printable(draft.columns.pop("sales_value"))
    draft.choices[:] = [c for c in draft.choices if c.what not in ("sales_value", ours)]
    draft.columns.pop(ours, None)
    draft.take(ours, theirs, f"{before} is the receipt's total, and this is what its lines add up to")
    draft.notes.append(f"{before} is the receipt's total on each of its lines: left out.")


def _receipts(draft: Draft) -> list[list[int]]:
    """The rows of each receipt, of the first ones that stand together."""
    of: dict[str, list[int]] = {}
    if "basket_id" in draft.columns:
        for row, receipt in enumerate(draft.file.cells[draft.columns["basket_id"]][:FIRST]):
            if not is_nothing(receipt):
                of.setdefault(receipt.strip(), []).append(row)
    return list(of.values())


def _same_on_all(receipts: Sequence[Sequence[int]], cells: Sequence[str]) -> bool:
    several = [r for r in receipts if len(r) > 1]
    return sum(len({cells[i].strip() for i in r} - {""}) == 1 for r in several) > _NEARLY * len(several)


def _grows(receipts: Sequence[Sequence[int]], totals: Sequence[float | None]) -> bool:
    """The more lines, the more it is: where each article costs the same, or a receipt holds one price, it does not."""
    paid = [(len(r), abs(t)) for r in receipts if (t := _first(totals, r)) is not None]
    middle = median(n for n, _ in paid) if paid else 0
    few, many = ([p for p in paid if (p[0] > middle) is above] for above in (False, True))
    if min(len(few), len(many)) < _LEAST:
        return len({n for n, _ in paid}) == 1 and len({t for _, t in paid}) > _LEAST
    lines, money = (fmean(p[k] for p in many) / (fmean(p[k] for p in few) or 1) for k in (0, 1))
    return money * money > lines


def _first(found: Sequence[float | None], rows: Sequence[int]) -> float | None:
    return next((n for i in rows if (n := found[i]) is not None), None)


@dataclass(frozen=True)
class _Lines:
    """A column whose cells, taken so, add up to about the total; `share` of it."""

    ours: str
    theirs: str
    share: float


def _of_lines(
    draft: Draft, amounts: Collection[str], receipts: Sequence[Sequence[int]], totals: Sequence[float | None]
) -> tuple[str, str] | None:
    several = [r for r in receipts if len(r) > 1 and _first(totals, r)]
    pieces = pricing.as_numbers(draft, draft.columns["quantity"]) if "quantity" in draft.columns else []
    priced = [draft.columns["unit_price"]] if "unit_price" in draft.columns else []
    among = [c for c in draft.free if c in amounts and pricing.may_be_money(c)]
    found = []
    for theirs in dict.fromkeys([*priced, *among]):
        if _same_on_all(receipts, draft.file.cells[theirs]):
            continue
        cells = pricing.as_numbers(draft, theirs)
        ways = {"sales_value": cells}
        if pieces:
            ways["unit_price"] = [c * p if c and p else c for c, p in zip(cells, pieces, strict=True)]
        shares = {ours: [_added(way, r) / (_first(totals, r) or 1) for r in several] for ours, way in ways.items()}
        fits = {ours: fmean(_ABOUT[0] <= s <= _ABOUT[1] for s in some) for ours, some in shares.items()}
        ours = max(shares, key=lambda o: (round(fits[o], 1), -median(abs(s - 1) for s in shares[o])))
        if fits[ours] > _MOSTLY:
            found.append(_Lines(ours, theirs, median(shares[ours])))
    # an amount that is named so goes before a price that has to be multiplied; of two the smaller is after the discount
    named = words()["columns"]["sales_value"]
    found.sort(key=lambda f: (f.ours != "sales_value", not fit(f.theirs, named, an_id=False), f.share))
    return (found[0].ours, found[0].theirs) if found else None


def _added(cells: Sequence[float | None], rows: Sequence[int]) -> float:
    return sum(abs(cells[i] or 0) for i in rows)


def _leave_out_discount(draft: Draft, receipts: Sequence[Sequence[int]]) -> None:
    """A discount of the whole receipt on each of its lines is not the line's: it would go off as often as there are."""
    theirs = draft.columns.get("retail_disc")
    if theirs is None or pricing.is_share(draft.file.cells[theirs]):
        return
    off = pricing.as_numbers(draft, theirs)[:FIRST]
    several = [r for r in receipts if len(r) > 1 and any(off[i] for i in r)]
    if len(several) < _LEAST or len({off[i] for r in several for i in r}) <= _FEW_RATES:
        return
    if _same_on_all(several, draft.file.cells[theirs]):
        draft.columns.pop("retail_disc")
        draft.choices[:] = [c for c in draft.choices if c.what != "retail_disc"]
        draft.notes.append(f"{printable(theirs)} is the discount of a whole receipt on each of its lines: left out.")
