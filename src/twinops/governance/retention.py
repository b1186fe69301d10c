"""Read `compliance/retention.yaml`: whether a person accepts what the evidence proposes to hold, and for how long."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.governance.reading import Record, Text, checked, parse

SOURCE = "compliance/retention.yaml"
PROPOSAL = "retention_proposal"
FACT = "retention_decision"


class Decided(Record):
    """One unit's answer. Null: nobody has answered."""

    accepted: bool | None
    reason: Text | None
    by: Text | None
    dated: date | None

    @property
    def complete(self) -> bool:
        """Every part is filled."""
        return all(value is not None for _, value in self)


class Retention(Record):
    """Which proposal was looked at, and the answer for every unit of it."""

    version: Text
    proposal: Annotated[str, StringConstraints(pattern=r"^ev-[0-9a-f]{12}$")] | None
    decisions: Annotated[dict[Text, Decided], Field(min_length=1)]


def read(text: str) -> Retention:
    """The checked file.

    Raises:
        ParamsError: it says something we cannot act on; all mistakes together.
    """
    return checked(Retention, parse(text, name="retention.yaml"), name="retention.yaml")


def facts(retention: Retention) -> tuple[Fact, ...]:
    """One human fact, empty parts included."""
    done = sum(d.complete for d in retention.decisions.values())
    value = {
        "decided": f"{done} of {len(retention.decisions)} units",
        "proposal": retention.proposal,
        "decisions": {unit: d.model_dump(mode="json") for unit, d in sorted(retention.decisions.items())},
    }
    return (Fact(FACT, value, Kind.HUMAN, SOURCE),)


def open_units(retention: Retention, evidence: Evidence) -> tuple[str, ...]:
    """Units of the proposal that nobody has decided; all of them when another proposal was looked at."""
    proposal = evidence.fact(PROPOSAL)
    items = proposal.value.get("items", ()) if proposal and isinstance(proposal.value, dict) else ()
    units = [str(item["unit"]) for item in items]
    if proposal is None or retention.proposal != proposal.id:
        return tuple(units)
    return tuple(u for u in units if u not in retention.decisions or not retention.decisions[u].complete)
