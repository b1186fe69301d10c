"""What all released tables together have spent: privacy loss adds up, whatever became of the tables."""

from __future__ import annotations

import fcntl
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twinops.data.release.synthetic import epsilon_of
from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError
from twinops.whole_files import write


@dataclass(frozen=True)
class Entry:
    """One release: its day, kind, how many households it was made from, and the loss it spent.

    A loss of 0 with kind *generalised* means that none is bounded: real rows, only wider.
    """

    day: str
    kind: str
    households: int
    rho: float
    outcome: str


@dataclass
class ReleaseLedger:
    """All entries, in order."""

    path: Path
    entries: list[Entry]

    @property
    def rho(self) -> float:
        """Zero-concentrated loss of all releases so far; it adds up (Bun and Steinke 2016, lemma 2.3)."""
        return math.fsum(entry.rho for entry in self.entries)

    def written(self, kind: str) -> int:
        """How many tables of a kind left."""
        return sum(entry.kind == kind and entry.outcome == "written" for entry in self.entries)

    def epsilon(self, delta: float, *, more: float = 0.0) -> float:
        """Epsilon of everything so far and `more`."""
        rho = self.rho + more
        return epsilon_of(rho, delta) if rho > 0 else 0.0

    def add(self, entry: Entry) -> None:
        """Write an entry before the table is made: what may have been seen is spent."""
        self.entries.append(entry)
        write(self.path, to_json({"releases": [asdict(e) for e in self.entries]}, indent=1) + "\n")


@contextmanager
def opened(path: Path) -> Iterator[ReleaseLedger]:
    """The ledger, for this process alone until it is closed.

    Raises:
        IntegrityError: the file is no ledger; a budget that cannot be read must not be taken for unspent.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        # two releases at once must not spend the same budget
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield ReleaseLedger(path, _read(path) if path.is_file() else [])


def _read(path: Path) -> list[Entry]:
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        entries = [Entry(**entry) for entry in raw["releases"]]
        if not all(math.isfinite(e.rho) and e.rho >= 0 for e in entries):
            raise ValueError("a loss is negative or not a number")
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"{path.name} is no ledger of releases.",
            hint="Restore it from git: without it nobody knows how much of the privacy budget is left.",
        ) from None
    return entries
