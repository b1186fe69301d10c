"""Find the number of a line on its receipt, and the receipt that a return names: by name, and by what stands there."""

from __future__ import annotations

import re
from typing import Any

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.proposing.drafting import Choice, Draft
from twinops.data.own_sources.recognising import fit, speaks_of, words
from twinops.own_kinds import RETURNS_OF

_MOSTLY, _NEARLY_ALL = 0.8, 0.98
_HIGHEST = 9_999


def take(draft: Draft) -> None:
    """Map them, where there are receipts and nobody named them."""
    if "basket_id" not in draft.columns:
        return
    roles, free = words()["lines"], [c for c in draft.free if draft.file.told(c)]
    numbered = [c for c in free if fit(c, roles["line_id"], an_id=True) > 1 and numbers_lines(draft, c)]
    if "line_id" not in draft.columns and numbered:
        draft.take("line_id", numbered[0], "its name says so, and it tells the lines of each receipt apart")
    named = [c for c in draft.free if c in free and speaks_of(c, roles[RETURNS_OF]) and _names_receipts(draft, c)]
    if RETURNS_OF not in draft.columns and named:
        draft.take(RETURNS_OF, named[0], "its name says so, and it is filled with a receipt where something comes back")


def corrections(draft: Draft, reads: str) -> dict[str, Any]:
    """What the declaration says of lines that come again; nothing where they have no numbers."""
    if "line_id" not in draft.columns:
        return {}
    if reads == "folder":
        draft.notes.append(
            "Lines have numbers: those that were delivered twice count once. Corrections in files of their own are "
            "taken in where the sales are alone in their folder; here put the corrected month in place of the first."
        )
        return {}
    why = (
        "lines have numbers: a later file's line of the same receipt and number replaces the earlier one, and "
        "cancels it where there are no pieces; equal ones count once. If such lines come on top, write add"
    )
    draft.choices.append(Choice("sales", "corrections", "replace", why))
    return {"corrections": "replace"}


def numbers_lines(draft: Draft, theirs: str) -> bool:
    """Of known receipts whole numbers from one on, others for each line but for those that are sent twice."""
    cells, asked = draft.file.cells, [c for c in ("store_id", "basket_id") if c in draft.columns]
    numbers = [re.sub(r"[.,]0+$", "", c.strip()) for c in cells[theirs]]
    if "basket_id" not in draft.columns or theirs == draft.columns["basket_id"]:
        return False
    if not all(n.isascii() and n.isdigit() and int(n) <= _HIGHEST for n in numbers if n):
        return False
    receipts = [*zip(*(cells[draft.columns[c]] for c in asked), strict=True)]
    lines = {*zip(receipts, numbers, *(cells[c] for c in cells), strict=True)}
    known = {(receipt, number) for receipt, number, *_ in lines}
    several = len(lines) > len({receipt for receipt, *_ in lines})
    first = sum(int(n or 0) == 1 for _, n in known)
    return several and len(known) >= _NEARLY_ALL * len(lines) and 2 * first >= len({r for r, _ in known})


def _names_receipts(draft: Draft, theirs: str) -> bool:
    """It is written as receipts are, is not the line's own, and stands mostly where something is taken back."""
    own = draft.file.cells[draft.columns["basket_id"]]
    rows = [i for i, c in enumerate(draft.file.cells[theirs]) if not notation.is_nothing(c)]
    shapes = {notation.shape(c.strip()) for c in own}
    if not rows:
        return False
    alike = sum(notation.shape(draft.file.cells[theirs][i].strip()) in shapes for i in rows)
    others = sum(draft.file.cells[theirs][i].strip() != own[i].strip() for i in rows)
    back = sum(is_below(draft, i) for i in rows)
    return min(alike, others, back) >= _MOSTLY * len(rows)


def is_below(draft: Draft, row: int) -> bool:
    """A quantity or an amount of a row is below zero."""
    return any(
        draft.file.cells[draft.columns[c]][row].strip()[:1] in ("-", "(", "\N{MINUS SIGN}")
        for c in ("quantity", "sales_value", "unit_price")
        if c in draft.columns
    )
