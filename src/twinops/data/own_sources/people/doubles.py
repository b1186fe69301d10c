"""Who may stand in your sources twice, under two customer numbers; nothing is joined by guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.mapping import values_of
from twinops.data.own_sources.reading import cells_of
from twinops.entities.small_cells import shown

_YEAR = 4


def told_doubles(found: int, where: str, option: str) -> str:
    """What is said of them."""
    return (
        f"{shown(found) or 'Fewer than ten'} customers of {where} may stand in it under two numbers: the same e-mail "
        f"and day of birth. What one of them refuses does not hold for the other. A column that says which number a "
        f"row's own number replaced makes both one person's ({option}); nobody is joined by guess."
    )


def doubles_in(sources: Iterable[DeclaredSource], joined: Set[str]) -> int:
    """The same of declared sources: e-mails from one, days of birth from the same one or another, by number.

    `joined` are numbers that are known to be another's.
    """
    found: dict[str, dict[str, str]] = {"email": {}, "birth_year": {}}
    for source in sources:
        columns = {c: t for c, t in source.said.entering.items() if c in found}
        if not columns or not source.said.by_customer:
            continue
        for cells in cells_of(source, WHOLE):
            numbers = values_of(cells, source.said, "household_id").to_pylist()
            for ours, theirs in columns.items():
                told = zip(numbers, cells.table[theirs].to_pylist(), strict=True)
                found[ours] |= {number: cell for number, cell in told if number and cell}
    both = found["email"].keys() & found["birth_year"].keys()
    e_mail, born = found["email"], found["birth_year"]
    # a year alone is no day
    return doubles(((n, e_mail[n], born[n]) for n in both if len(born[n].strip()) > _YEAR), joined)


def doubles(rows: Iterable[tuple[str, str, str]], joined: Set[str] = frozenset()) -> int:
    """How many share e-mail and day of birth with another number, of rows of number, e-mail and day.

    >>> doubles([("1", "a@b.eu", "1990-01-02"), ("2", "A@b.eu ", "1990-01-02"), ("3", "c@b.eu", "1990-01-02")])
    1
    """
    who: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, address, born in rows:
        if number.strip() not in joined and "@" in address and not notation.is_nothing(born):
            who[address.strip().casefold(), born.strip()].add(number.strip())
    return sum(len(numbers) - 1 for numbers in who.values())
