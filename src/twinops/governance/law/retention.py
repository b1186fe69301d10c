"""Read `compliance/retention.yaml`: whether a person accepts what the evidence proposes to hold, and for how long."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from twinops.entities.canonical import to_json
from twinops.entities.fact import Fact, Kind
from twinops.governance.assessment.approval import Signature
from twinops.governance.reading import Record, Text, checked, parse

SOURCE = "compliance/retention.yaml"
PROPOSAL = "retention_proposal"
FACT = "retention_decision"
REVIEW = "retention_review"
ROLE = "data owner"
NAMESPACE = "twinops-retention"
EMPTY = {"accepted": None, "reason": None, "by": None, "dated": None}


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


def proposed(fact: Fact | None) -> dict[str, str]:
    """The text of the proposal for each unit; nothing where none was made."""
    items = fact.value.get("items", ()) if fact and isinstance(fact.value, dict) else ()
    return {str(item["unit"]): str(item["text"]) for item in items}


def open_units(retention: Retention, proposal: Fact | None) -> tuple[str, ...]:
    """Units of the proposal that nobody has decided; all of them when another proposal was looked at."""
    units = tuple(proposed(proposal))
    if proposal is None or retention.proposal != proposal.id:
        return units
    return tuple(u for u in units if u not in retention.decisions or not retention.decisions[u].complete)


def author(retention: Retention) -> str:
    """Whose decisions they are, and who signs; nobody's while none is taken, or where several took some."""
    names = {d.by for d in retention.decisions.values() if d.by}
    return names.pop() if len(names) == 1 else ""


def last_day(retention: Retention) -> date:
    """When the newest decision was taken; long ago while none is."""
    return max((d.dated for d in retention.decisions.values() if d.dated), default=date.min)


def review(retention: Retention, proposal: Fact | None, signed: Signature) -> Fact:
    """Which decisions stand: taken for this proposal, whole, and signed by the data owner who took them."""
    still, units = open_units(retention, proposal), proposed(proposal)
    taken = {u: retention.decisions[u].accepted for u in units if u not in still}
    stands = bool(taken) and signed.counts
    value = {
        "proposal": None if proposal is None else proposal.id,
        "open": list(still),
        "accepted": [u for u, yes in taken.items() if yes and stands],
        "refused": [u for u, yes in taken.items() if not yes and stands],
        "unsigned": [] if stands else list(taken),
        "problem": signed.problem if taken else "",
    }
    told = f"{len(taken)} of {len(units)} units decided for this proposal, {'signed' if stands else 'none signed'}"
    return Fact(REVIEW, {**value, "told": told}, Kind.MEASURED, f"{SOURCE} and its signature, beside {PROPOSAL}")


def decided(retention: Retention, proposal: Fact, unit: str, answer: Decided) -> Retention:
    """The same with one answer more; answers that were given to another proposal are open again."""
    kept = dict(retention.decisions) if retention.proposal == proposal.id else {}
    empty = Decided.model_validate(EMPTY)
    made = {u: kept.get(u, empty) for u in dict.fromkeys((*retention.decisions, *proposed(proposal)))}
    return Retention(version=retention.version, proposal=proposal.id, decisions={**made, unit: answer})


def written(retention: Retention, *, head: str) -> str:
    """As the file stands, under its comment."""
    lines = [f"  {u}: {_flow(d)}" for u, d in retention.decisions.items()]
    proposal = retention.proposal or "null"
    return f"{head}version: {to_json(retention.version)}\nproposal: {proposal}\ndecisions:\n" + "\n".join(lines) + "\n"


def _flow(answer: Decided) -> str:
    """One line of YAML; a day is no text."""
    parts = answer.model_dump()
    said = {k: v.isoformat() if isinstance(v, date) else to_json(v) for k, v in parts.items()}
    return "{" + ", ".join(f"{k}: {said[k]}" for k in EMPTY) + "}"
