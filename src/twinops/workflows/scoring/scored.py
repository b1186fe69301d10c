"""What is asked of a batch of scores, and what is told of it: by which model, of how many, and who was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from twinops.entities.rights import Right, RightsAct, is_code
from twinops.workflows.scoring.offered import DecisionTold
from twinops.workflows.subject.desk import ActingOfficer

CANDIDATE, APPROVED = "candidate, not approved", "approved and live in the registry"


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a purpose, a place, the decision or not; sealed unless `opened`, which `by` answers for.

    `only` are ids of the source, which the table then has beside each row; None: everybody.
    """

    purpose: str
    out: str
    decide: bool = False
    opened: bool = False
    by: str = ""
    only: tuple[str, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ModelGiven:
    """A model that was verified elsewhere: its text, and what the registry says of it."""

    text: str
    name: str
    version: int
    digest: str


@dataclass(frozen=True)
class ModelTold:
    """Which model answered: SHA-256 of its file, how it stands, and of an approved one its version and digest."""

    file_sha256: str
    stands: str
    name: str | None = None
    version: int | None = None
    digest: str | None = None
    newcomers: str = "as earlier newcomers were seen to do"
    tastes: str = "as they were learned, without special categories"


@dataclass(frozen=True)
class Scored:
    """What was written, or why nothing was. `left_out` are counts by reason, null where not told.

    `nothing_known` of the rows have no basket yet and are told what newcomers do.
    """

    purpose: str
    as_of: str
    out: str
    sealed: bool
    horizon_days: int = 0
    rows: int = 0
    nothing_known: int | None = 0
    model: ModelTold | None = None
    left_out: Mapping[str, int | None] = field(default_factory=dict)
    decision: DecisionTold | None = None
    refused: tuple[str, ...] = ()

    def about(self, *, money: str) -> dict[str, Any]:
        """What stands beside the table."""
        told = {name: value for name, value in asdict(self).items() if name not in ("refused", "out")}
        return {**told, "money": money, "ranges_hold": 0.8}

    def act(self, form: str, by: ActingOfficer | None, *, of_all: bool) -> RightsAct:
        """As the ledger of rights keeps it, from where the audit log has it: digest and counts, nobody's data.

        The name of the file is kept for a table `of_all`: that of a list of some may name somebody.
        """
        model = self.model or ModelTold("", CANDIDATE)
        about = {
            "model": model.file_sha256,
            "stands": "approved" if model.stands == APPROVED else "candidate",
            "rows": str(self.rows),
            "as_of": self.as_of,
            "form": form,
            "sealed": "yes" if self.sealed else "no",
            "decided": "yes" if self.decision is not None else "no",
        }
        name = Path(self.out).name
        about |= {"file": name} if of_all and is_code(name) else {}
        office, person = (by.office, by.person) if by is not None else ("", "")
        return RightsAct(Right.SCORED, "", office, person, self.purpose, about=about)
