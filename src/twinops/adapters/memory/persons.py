"""A register of persons that lives as long as the object; for tests and for who tries things out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from twinops.entities.persons import PairDecision, PersonMove, PersonRegister, folded
from twinops.entities.rights import Right, RightsAct, RightsEntry

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class MemoryPersons:
    """Settlements in order; `decided` is what a person said of pairs."""

    decided: tuple[PairDecision, ...] = ()
    settlements: list[tuple[RightsEntry, tuple[PersonMove, ...]]] = field(default_factory=list)

    model: str = ""

    def known(self) -> PersonRegister:
        """As of the last settlement."""
        return replace(folded(self.settlements, self.decided), model=self.model)

    def settle(self, moves: Sequence[PersonMove], model: str, *, office: str, person: str) -> None:
        """Keep moves and weights."""
        self.model = model
        act = RightsAct(Right.SETTLED, "", office, person)
        self.settlements.append((RightsEntry(len(self.settlements) + 1, NOON, act, ""), tuple(moves)))

    def history(self) -> tuple[tuple[RightsEntry, tuple[PersonMove, ...]], ...]:
        """Every settlement with its moves."""
        return tuple(self.settlements)
