"""Read the risk officer's policy: which gates judge a candidate, how strictly, and who may resolve a doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from twinops import plugins
from twinops.entities.canonical import digest
from twinops.errors import ParamsError
from twinops.governance.influence import Influence
from twinops.governance.reading import Record, Text, checked, parse, sentences

SHELF = "twinops.governance.gates"
PROMISES = ("RULE", "QUESTION", "Limits", "check", "needs")
"""What every module on the shelf of gates has."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class Gate(Record):
    """One gate under the name the policy calls it by. `limits` are checked by the gate's own `Limits`."""

    id: Id
    gate: str
    severity: Literal["blocking", "advisory"] = "blocking"
    limits: dict[str, Any] = Field(default_factory=dict)
    may_resolve: tuple[Text, ...] = ()
    """Roles that may settle an inconclusive answer, in writing and for a time. Empty: nobody may."""

    @property
    def blocks(self) -> bool:
        """Any answer but passed keeps the candidate from promotion."""
        return self.severity == "blocking"

    def checked_limits(self) -> Any:
        """The limits as the gate's own record."""
        return plugins.load(SHELF, self.gate).Limits.model_validate(self.limits)


class Policy(Record):
    """The whole of `compliance/policy.yaml`. A policy without a blocking gate is invalid, not permissive."""

    version: Text
    valid_from: date
    valid_until: date | None = None
    gates: tuple[Gate, ...] = Field(min_length=1)
    influence: Influence | None = None
    """Limits of what a twin may be used to do to its consumer; none declared: nothing that acts is answered."""

    @property
    def digest(self) -> str:
        """SHA-256 over what the policy says, whatever its layout and comments."""
        return digest(self.model_dump(mode="json"))

    def valid_on(self, day: date) -> bool:
        """Is the policy in force on that day? Asked by whoever has a clock; deciding has none."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    @model_validator(mode="after")
    def _blocks_something(self) -> Self:
        if not any(gate.blocks for gate in self.gates):
            raise ValueError("no gate is blocking: such a policy would let everything pass")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not come before valid_from")
        return self


def read(text: str, *, name: str = "compliance/policy.yaml") -> Policy:
    """The policy of this text.

    Raises:
        ParamsError: not YAML, an unknown gate, limit or key, a gate's name given twice, or nothing that blocks;
            all mistakes together.

    """
    raw = parse(text, name=name)
    return checked(Policy, raw, name=name, more=_gate_mistakes(raw))


def _gate_mistakes(raw: Any) -> Iterator[str]:
    gates = [g for g in _listed(raw) if isinstance(g, dict)]
    ids = [str(g.get("id")) for g in gates]
    yield from (f"gates: {i!r} is given twice" for i in sorted({i for i in ids if ids.count(i) > 1}))
    for number, gate in enumerate(gates):
        yield from _limit_mistakes(gate, at=f"gates.{number}")


def _listed(raw: Any) -> tuple[Any, ...]:
    gates = raw.get("gates") if isinstance(raw, dict) else None
    return gates if isinstance(gates, tuple) else ()


def _limit_mistakes(gate: dict[Any, Any], *, at: str) -> Iterator[str]:
    if not isinstance(gate.get("gate"), str):
        return
    try:
        plugins.load(SHELF, gate["gate"]).Limits.model_validate(gate.get("limits", {}))
    except ParamsError as problem:
        yield f"{at}.gate: {problem}"
    except ValidationError as problem:
        yield from sentences(problem, at=f"{at}.limits")
