"""One line of the data map: a column that is held, why, how long, from where, and what is made of it (GDPR art. 30)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Held:
    """A column of a sealed table.

    `purposes` maps each purpose to its legal basis; empty: nobody declared one. `made_from` are source columns
    (`transactions.sales_cents`), `derived` the columns made of this one. `subjects` is None where fewer than ten are
    held, or where rows are not filed by subject.
    """

    table: str
    column: str
    kind: str
    purposes: tuple[tuple[str, str], ...]
    personal_data: str
    retention_days: int | None
    controller: str
    collected_from: str
    notice: str
    provenance: str
    synthetic: bool
    subjects: int | None
    made_from: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

    @property
    def declared(self) -> bool:
        """Somebody said what it is for."""
        return bool(self.purposes)

    def to_dict(self) -> dict[str, Any]:
        """All fields, purposes as a mapping."""
        return {
            **asdict(self),
            "purposes": dict(self.purposes),
            "made_from": list(self.made_from),
            "derived": list(self.derived),
        }
