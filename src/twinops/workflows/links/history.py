"""What happened to persons, settlement by settlement: joined, merged, split, left, and why; nobody is named."""

from __future__ import annotations

from dataclasses import dataclass

from twinops.ports import Persons
from twinops.workflows.links.settle import Happened, happened


@dataclass(frozen=True)
class Settlement:
    """One settlement: when (UTC), by whom, and what happened."""

    at: str
    by: str
    happened: tuple[Happened, ...]

    def __str__(self) -> str:
        """A few lines."""
        return "\n".join([f"{self.at} {self.by}", *(f"  {h}" for h in self.happened)])


def history(*, persons: Persons) -> tuple[Settlement, ...]:
    """Every settlement, oldest first."""
    return tuple(
        Settlement(entry.at.isoformat(timespec="seconds"), entry.act.person, happened(made))
        for entry, made in persons.history()
    )
