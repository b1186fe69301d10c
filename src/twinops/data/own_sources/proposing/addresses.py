"""A file that names customers by their address, where the sales have numbers: the customers' file says whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.known_by import addresses_in, spelled
from twinops.data.own_sources.proposing.drafting import Choice, Draft
from twinops.data.own_sources.proposing.sampling import every_cell, sampled
from twinops.errors import DataError

CUSTOMERS = "customers"
_MOSTLY, _KNOWN = 0.5, 0.1
"""So many of a column's cells look like addresses; so many of those are customers'."""


@dataclass(frozen=True)
class Addresses:
    """The column of the customers' file that holds them, and all that stand there, as they are compared."""

    theirs: str = ""
    known: frozenset[str] = frozenset()

    def share(self, cells: Sequence[str]) -> float:
        """Of these cells, if most are addresses, the share that customers have; else 0."""
        told = {spelled(c) for c in cells if c.strip()}
        if not self.known or not told or sum("@" in c for c in told) < _MOSTLY * len(told):
            return 0.0
        found = len(told & self.known) / len(told)
        return found if found >= _KNOWN else 0.0

    def take(self, draft: Draft, theirs: str) -> None:
        """Whose a row is, is told by that column."""
        draft.known_by = {CUSTOMERS: self.theirs}
        share, called = self.share(draft.file.cells[theirs]), printable(self.theirs)
        draft.take("household_id", theirs, f"{share:.0%} of its addresses stand in {called} of the customers' file")
        draft.choices.append(Choice(draft.name, "known_by", f"{CUSTOMERS}: {called}", "it says whose address it is"))

    def beside(self, draft: Draft) -> None:
        """Where some rows have no number, an address may tell whose they are; it is then no account to be found out."""
        numbers = draft.file.cells[draft.columns["household_id"]]
        without = [n for n, cell in enumerate(numbers) if is_nothing(cell)]
        if draft.known_by or not without:
            return
        account = [draft.columns["account"]] if "account" in draft.columns else []
        cells = {
            c: [of[n] for n in without if n < len(of)] for c in (*draft.free, *account) if (of := draft.file.cells[c])
        }
        shares = {c: self.share(of) for c, of in cells.items()}
        best = max(shares, key=lambda c: shares[c], default=None)
        if best is not None and shares[best]:
            draft.known_by, draft.addresses = {CUSTOMERS: self.theirs}, best
            draft.columns = {ours: theirs for ours, theirs in draft.columns.items() if theirs != best}
            why = f"where no number stands; the customers' file says by {printable(self.theirs)} whose it is"
            draft.choices.append(Choice(draft.name, "addresses", printable(best), why))


NO_ADDRESSES = Addresses()


def addresses_of(path: Path | None) -> Addresses:
    """The addresses of a file of customers, of the column with most of them; none where it has none."""
    if path is None:
        return NO_ADDRESSES
    try:
        file = sampled(path)
    except DataError:
        return NO_ADDRESSES
    among = {name: [c for c in cells if c.strip()] for name, cells in file.cells.items()}
    mails = {name: cells for name, cells in among.items() if sum("@" in c for c in cells) > _MOSTLY * len(cells) > 0}
    if not mails:
        return NO_ADDRESSES
    best = max(mails, key=lambda name: len(mails[name]))
    return Addresses(best, frozenset(a for cell in every_cell(file, best) for a in addresses_in(cell)))
