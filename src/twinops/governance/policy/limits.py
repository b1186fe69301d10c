"""Read the risk officer's policy: which gates judge a candidate, how strictly, and who may resolve a doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

from twinops import plugins
from twinops.entities.canonical import digest
from twinops.errors import ParamsError
from twinops.governance.gates._shelf import SHELF
from twinops.governance.law.contact_limits import ContactLimits
from twinops.governance.people.offices import DPO, OfficeName
from twinops.governance.reading import Record, Text, checked, parse, sentences

NAMESPACE = "twinops-policy"
"""What an ssh key signs a new policy for."""
ALWAYS = ("consent", "documents", "dpia", "lineage")
"""The law and the trail leave no choice here: these are judged, and they block."""

HARD = (*ALWAYS, "use", "accuracy")
"""Where there is nothing to judge here, a person must look, unless the policy says otherwise."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class Gate(Record):
    """One gate under the name the policy calls it by. `limits` are checked by the gate's own `Limits`."""

    id: Id
    gate: str
    severity: Literal["blocking", "advisory"] = "blocking"
    limits: dict[str, Any] = Field(default_factory=dict)
    may_resolve: tuple[OfficeName, ...] = ()
    """Offices that may resolve an inconclusive answer, in writing and for a time. Empty: nobody may."""
    not_applicable: Literal["passes", "blocks"] | None = None
    """What follows where there is nothing to judge; unsaid: the law's gates, use and accuracy block."""

    @property
    def blocks(self) -> bool:
        """Any answer but passed keeps the candidate from promotion."""
        return self.severity == "blocking"

    @property
    def lets_absent_pass(self) -> bool:
        """Whether a candidate may be promoted that has nothing of what the gate judges."""
        return (self.not_applicable or ("blocks" if self.gate in HARD else "passes")) == "passes"

    @model_serializer(mode="wrap")
    def _as_before(self, made: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Policies that do not say it keep the digest they had."""
        told: dict[str, Any] = made(self)
        return {name: value for name, value in told.items() if (name, value) != ("not_applicable", None)}

    def checked_limits(self) -> Any:
        """The limits as the gate's own record."""
        return plugins.load(SHELF, self.gate).Limits.model_validate(self.limits)


class Resolving(Record):
    """How long a person's written answer to an inconclusive gate holds; who may give it stands at the gate."""

    at_most_days: Annotated[int, Field(ge=1, le=366)] = 90


class Overriding(Record):
    """Who may let a *failed* gate pass for a while, how long, and where nobody may. Missing is never overridden."""

    by: tuple[OfficeName, ...] = ()
    at_most_days: Annotated[int, Field(ge=1, le=92)] = 30
    never: tuple[Id, ...] = ()


class Releases(Record):
    """What may leave: how much privacy loss all synthetic tables may spend, and how far an attack may succeed.

    What generalised tables tell together no epsilon bounds, so their number is bounded.
    """

    epsilon_at_most: Annotated[float, Field(gt=0, le=20)]
    delta: Annotated[float, Field(gt=0, le=0.001)]
    risk_at_most: Annotated[float, Field(gt=0, lt=1)]
    generalised_at_most: Annotated[int, Field(ge=0, le=1_000)] = 1


class ErasurePolicy(Record):
    """What becomes of a version that learned from somebody who was erased, unless a person decides otherwise."""

    models: Literal["retrain", "keep", "retire"] = "retrain"
    within_days: Annotated[int, Field(ge=1, le=92)] = 30


class Policy(Record):
    """The whole of `compliance/policy.yaml`. A policy without a blocking gate is invalid, not permissive."""

    version: Text
    valid_from: date
    valid_until: date | None = None
    gates: tuple[Gate, ...] = Field(min_length=1)
    influence: ContactLimits | None = None
    """Limits of what a twin may be used to do to its consumer; none declared: nothing that acts is answered."""
    releases: Releases | None = None
    """Limits of tables that may leave; none declared: none may."""
    resolve: Resolving = Resolving()
    override: Overriding = Overriding()
    after_expiry: Literal["state", "refuse"] = "state"
    """What is served once its approval has ended: with that said beside it, or not at all."""
    erasure: ErasurePolicy = ErasurePolicy()
    not_judged: dict[Id, Text] = Field(default_factory=dict)
    """Gates of this house that this policy leaves out, each with the reason. Forgetting one is a mistake."""

    @property
    def digest(self) -> str:
        """SHA-256 over what the policy says, whatever its layout and comments."""
        unsaid = {"after_expiry"} if self.after_expiry == "state" else set()  # older policies keep their digest
        unsaid |= {"erasure"} if self.erasure == ErasurePolicy() else set()
        return digest(self.model_dump(mode="json", exclude=unsaid))

    @property
    def refuses_ended(self) -> bool:
        """Nothing is served whose approval has ended."""
        return self.after_expiry == "refuse"

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
    return made(parse(text, name=name), name=name)


def made(raw: Any, *, name: str) -> Policy:
    """The policy of parsed YAML, lists as tuples; see `read`."""
    return checked(Policy, raw, name=name, more=_gate_mistakes(raw))


def _gate_mistakes(raw: Any) -> Iterator[str]:
    gates = [g for g in _tuple(raw.get("gates") if isinstance(raw, dict) else None) if isinstance(g, dict)]
    ids = [str(g.get("id")) for g in gates]
    yield from (f"gates: {i!r} is given twice" for i in sorted({i for i in ids if ids.count(i) > 1}))
    if "policy" in ids:
        yield "gates: the id 'policy' is kept for the policy's own time in force"
    for number, gate in enumerate(gates):
        yield from _limit_mistakes(gate, at=f"gates.{number}")
        if gate.get("gate") in ALWAYS and gate.get("severity", "blocking") != "blocking":
            yield f"gates.{number}.severity: {gate['gate']} always blocks"
        if gate.get("gate") in ALWAYS and gate.get("not_applicable") == "passes":
            yield f"gates.{number}.not_applicable: {gate['gate']} always blocks"
        if DPO in _tuple(gate.get("may_resolve")):
            yield f"gates.{number}.may_resolve: {_ADVISES}"
    override = raw.get("override") if isinstance(raw, dict) else None
    if isinstance(override, dict):
        if DPO in _tuple(override.get("by")):
            yield f"override.by: {_ADVISES}"
        yield from (
            f"override.never: no gate has the id {i!r}" for i in _tuple(override.get("never")) if str(i) not in ids
        )
    yield from _forgotten(raw, {name for g in gates for name in _judged(g)})


_ADVISES = "the data protection officer advises and does not decide (art. 38(6))"


@cache
def _all_gates() -> frozenset[str]:
    """Every gate on the shelf; one that judges several quantities once for each."""
    each = {name: getattr(plugins.load(SHELF, name), "EACH", ()) for name in plugins.names(SHELF)}
    return frozenset(one for name, many in each.items() for one in [f"{name}_{m}" for m in many] or [name])


def _judged(gate: dict[Any, Any]) -> tuple[str, ...]:
    """What one entry of the policy judges, by the names above."""
    name = str(gate.get("gate"))
    try:
        module = plugins.load(SHELF, name)
    except ParamsError:
        return ()  # told already
    if not hasattr(module, "EACH"):
        return (name,)
    try:
        return (f"{name}_{module.covers(module.Limits.model_validate(gate.get('limits', {})))}",)
    except ValidationError:
        return ()  # told already


def _forgotten(raw: Any, listed: set[str]) -> Iterator[str]:
    """A gate that nobody mentions would let everything past it, so each is listed or left out with a reason."""
    excused = raw.get("not_judged") if isinstance(raw, dict) else None
    out = {str(name) for name in excused} if isinstance(excused, dict) else set()
    known = _all_gates()
    for name in sorted(known - listed - out):
        yield f"gates: {name} is not judged; list it, or say under not_judged why it is left out"
    for name in sorted(out):
        if name not in known:
            yield f"not_judged.{name}: no gate is called so"
        elif name in ALWAYS:
            yield f"not_judged.{name}: {name} is always judged"
        elif name in listed:
            yield f"not_judged.{name}: it is listed among the gates"


def _tuple(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else ()


def _limit_mistakes(gate: dict[Any, Any], *, at: str) -> Iterator[str]:
    if not isinstance(gate.get("gate"), str):
        return
    try:
        plugins.load(SHELF, gate["gate"]).Limits.model_validate(gate.get("limits", {}))
    except ParamsError as problem:
        yield f"{at}.gate: {problem}"
    except ValidationError as problem:
        yield from sentences(problem, at=f"{at}.limits")
