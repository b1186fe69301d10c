"""List pairs of records that wait for a person, or that were joined, the least certain first; nobody is named."""

from __future__ import annotations

from dataclasses import dataclass

from twinops.errors import ParamsError
from twinops.workflows.links.pairs import DECIDED, JOINED, UNSURE, Linkage, RecordPair
from twinops.workflows.subject.desk import Desk


@dataclass(frozen=True)
class ListedPair:
    """One pair: its code, of which sources, how probable, and why a person must look (empty: it was joined)."""

    code: str
    sources: tuple[str, str]
    probability: float | None
    doubt: str

    def __str__(self) -> str:
        """One line."""
        of, doubt = " and ".join(self.sources), self.doubt.replace("_", " ")
        sure = "     –" if self.probability is None else f"{self.probability:.4f}"
        return f"{self.code}  {sure}  {of}  {doubt}".rstrip()


@dataclass(frozen=True)
class PairsListed:
    """Some of the pairs, and how many there are."""

    pairs: tuple[ListedPair, ...]
    all: int

    def text(self) -> str:
        """In words."""
        if not self.pairs:
            return "No pair of records."
        return "\n".join([*map(str, self.pairs), f"{len(self.pairs):,} of {self.all:,} pairs"])


def listed(which: str, *, desk: Desk, most: int = 20) -> PairsListed:
    """Pairs of the review list (`review`), of the links (`joined`), or those that somebody decided (`decided`).

    Raises:
        ParamsError: there is no such list.
    """
    linkage = Linkage(desk)
    lists = {UNSURE: linkage.unsure, JOINED: linkage.joined, DECIDED: linkage.decided}
    if which not in lists:
        raise ParamsError(f"{which!r:.30} is no list of pairs.", hint=f"Choose one of {', '.join(lists)}.")
    found = sorted(lists[which](), key=lambda p: (abs(p.tie.get("probability", 1.0) - 0.5), p.code))
    return PairsListed(tuple(_shown(p) for p in found[:most]), len(found))


def _shown(pair: RecordPair) -> ListedPair:
    return ListedPair(pair.code, pair.sources, pair.tie.get("probability"), str(pair.tie.get("doubt", "")))
