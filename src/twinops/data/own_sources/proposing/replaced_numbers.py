"""Two customer numbers of one person: a column that says which replaces which, and who may stand in a file twice."""

from __future__ import annotations

from collections.abc import Sequence, Set

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.customer_number import NumberForm
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.people.doubles import doubles, told_doubles
from twinops.data.own_sources.people.replaced import has_words, named_in
from twinops.data.own_sources.proposing.drafting import Draft, column_option
from twinops.data.own_sources.proposing.sampling import every_cell
from twinops.data.own_sources.recognising import date_format, words
from twinops.data.reading.plain_letters import plain
from twinops.own_kinds import REPLACES

_ONE_OF = 5
"""A column holds numbers of customers where one of so many of them is a number of the same file or of the sales."""


def propose(draft: Draft, ids: Set[str], numbers: NumberForm) -> None:
    """Take the column that says it by its name and holds other customers' numbers; point at one that only does the
    latter, for a number may be somebody else's who recommended the shop.
    """
    own = draft.columns["household_id"]
    rows = [numbers.alike(cell.strip()) for cell in draft.file.cells[own]]
    known = {*ids, *rows} - {""}
    if REPLACES in draft.columns:
        _tell_remarks(draft, draft.file.cells[draft.columns[REPLACES]], known, numbers)
    for theirs in draft.free if REPLACES not in draft.columns else ():
        cells = [numbers.alike(cell.strip()) for cell in draft.file.cells[theirs]]
        told = [(n, c) for n, c in zip(rows, cells, strict=True) if not notation.is_nothing(c)]
        others = {c for n, c in told if c != n}
        if not others or len(others) < len(told) / 2 or len(others & known) * _ONE_OF < len(others):
            continue
        if _says_so(theirs):
            draft.take(REPLACES, theirs, "its name says so, and it holds numbers of customers: both are one person's")
            return
        draft.notes.append(
            f"A column of {draft.file.path.name} holds numbers of other customers. If it says which number a row's own "
            f"number replaced, {column_option(draft.name, REPLACES, theirs)} makes both one person's."
        )


def _tell_remarks(draft: Draft, cells: Sequence[str], known: Set[str], numbers: NumberForm) -> None:
    """Cells with words join where one known number stands in them, and how many those are."""
    remarks = [cell for cell in cells if has_words(cell, numbers.prefixes)]
    told = [{numbers.alike(n) for n in named_in(cell, numbers)} & known for cell in remarks]
    if remarks:
        one = sum(len(found) == 1 for found in told)
        draft.notes.append(
            f"{len(remarks):,} cells of {printable(draft.columns[REPLACES])} have words. In {one:,} of them stands one "
            f"customer's number that is known: both are one person's. The other {len(remarks) - one:,} join nobody."
        )


def _says_so(name: str) -> bool:
    whole = plain(name)
    known = [plain(w) for w in words()[REPLACES]]
    return any(whole.startswith(w) or f" {w}" in whole or (len(w) > 5 and w in whole) for w in known)


def tell_doubles(draft: Draft) -> None:
    """How many customers may stand in the file twice, under two numbers; nothing is joined by guess."""
    e_mail = next((c for c in draft.file.cells if _holds_addresses(draft.file.told(c))), None)
    born = draft.columns.get("birth_year")
    if e_mail is None or born is None or date_format(draft.file.cells[born]) is None:
        return
    told = [every_cell(draft.file, c) for c in (draft.columns["household_id"], e_mail, born)]
    joined = every_cell(draft.file, draft.columns[REPLACES]) if REPLACES in draft.columns else ()
    found = doubles(zip(*told, strict=False), {number.strip() for number in joined})
    if found:
        draft.notes.append(told_doubles(found, draft.file.path.name, column_option(draft.name, REPLACES, "NAME")))


def _holds_addresses(cells: Sequence[str]) -> bool:
    return bool(cells) and sum("@" in c for c in cells) > len(cells) / 2
