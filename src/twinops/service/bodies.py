"""What may be asked, and what is answered: bounded, strict, and nothing that is not named here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

LONGEST_ID = 100
MOST_CONSUMERS = 2_000
MOST_EVENTS = 1_000
MOST_BYTES = 1024**2
MOST_S = 20.0
"""Seconds in which the whole body is there."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID)]
Purpose = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Body(BaseModel):
    """A record in which unknown keys and wrong types are mistakes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Ask(Body):
    """What for."""

    purpose: Purpose


class SimulateAsk(Ask):
    """What for, and what if: `campaign:A`, `basket:25` (money) or `silence:14` (days)."""

    action: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class ScoreAsk(Ask):
    """What for, and whom."""

    consumers: Annotated[list[Id], Field(min_length=1, max_length=MOST_CONSUMERS)]


class EventBody(Body):
    """A basket (`day`, `cents`), or what a consumer says to a `purpose`; a consent names its notice and proof.

    `event_id` is the client's own: the same event sent twice counts once.
    """

    event_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    kind: Literal["purchase", "consent", "withdraw", "object"]
    consumer: Id
    day: date | None = None
    cents: Annotated[int, Field(strict=True, ge=0, le=10**9)] | None = None
    purpose: Purpose | None = None
    notice: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None
    proof: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    given: datetime | None = None

    @model_validator(mode="after")
    def _whole(self) -> EventBody:
        needed = {"purchase": {"day", "cents"}, "consent": {"purpose", "notice", "proof", "given"}}
        asked = needed.get(self.kind, {"purpose"})
        said = {n for n in ("day", "cents", "purpose", "notice", "proof", "given") if getattr(self, n) is not None}
        if said != asked:
            raise ValueError(f"a {self.kind} has {', '.join(sorted(asked))} and nothing else")
        if self.given is not None and self.given.tzinfo is None:
            raise ValueError("a moment has an offset, such as 2026-11-28T09:30:00Z")
        return self


class EventsAsk(Body):
    """Events, in any order."""

    events: Annotated[list[EventBody], Field(min_length=1, max_length=MOST_EVENTS)]


class ProblemBody(BaseModel):
    """Why not (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class ModelBody(BaseModel):
    """Which version answered."""

    name: str
    version: int
    digest: str


class Answer(BaseModel):
    """What every answer about one consumer says beside its figures."""

    model: ModelBody
    purpose: str
    as_of: date


class PredictAnswer(Answer):
    """The forecast of the horizon."""

    expected: dict[str, Any]


class ExplainAnswer(PredictAnswer):
    """What multiplies the spend of the average to the expected spend, and what would change it."""

    average_spend: float
    reasons: list[dict[str, Any]]
    changes: list[str]


class SimulateAnswer(Answer):
    """Without and with the action: response, not uplift."""

    simulated: dict[str, Any]


class ScoreAnswer(BaseModel):
    """One result for each consumer, in order: a forecast, or the problem."""

    model: ModelBody
    purpose: str
    results: list[dict[str, Any]]


class EventsAnswer(BaseModel):
    """What became of the events; those in `refused` were not taken."""

    accepted: int
    duplicates: int
    refused: list[dict[str, Any]]
