"""Tell exports with one head a receipt: what stands on its first line is true of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Choice, Draft
from twinops.data.own_sources.recognising import fit, is_number, words

_HEADS = ("household_id", "time", "store_id")
_LEAST, _NEARLY = 20, 0.98


def carried_down(draft: Draft, only: Iterable[str]) -> dict[str, list[str]]:
    """Columns that only the first line of a receipt fills."""
    if "basket_id" not in draft.columns:
        return {}
    receipts = [c.strip() for c in draft.file.cells[draft.columns["basket_id"]]]
    later = [i for i in range(1, len(receipts)) if receipts[i] and receipts[i] == receipts[i - 1]]
    if len(later) < _LEAST:
        return {}
    mine = [c for ours, c in draft.columns.items() if ours in _HEADS] + list(only)
    found = [c for c in mine if _on_first_lines(draft.file.cells[c], later)]
    if not found:
        return {}
    named = ", ".join(map(printable, found))
    draft.choices.append(Choice(draft.name, "carried down", named, "only the first line of a receipt has them"))
    return {"carried_down": found}


def _on_first_lines(cells: list[str], later: list[int]) -> bool:
    return any(c.strip() for c in cells) and sum(not cells[i].strip() for i in later) > _NEARLY * len(later)


def not_taken_off(draft: Draft) -> Iterator[str]:
    """Amounts that were given back, which stand beside a receipt and are no line of it."""
    called = words()["rows"]["sales"]["out"]
    for theirs in draft.free:
        cells = draft.file.told(theirs)
        given = [c for c in cells if any(d in "123456789" for d in c)]
        if given and all(map(is_number, cells[:500])) and fit(theirs, called, an_id=False) and "." in "".join(given):
            yield (
                f"{printable(theirs)} tells money that was given back for a receipt as a whole: it is not taken off, "
                "as no line says what of. Lines of their own, with a quantity or an amount below zero, would be."
            )
