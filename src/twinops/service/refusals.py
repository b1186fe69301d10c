"""Every way in which the service says no: a type, a status and a title; never a word about whom it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from twinops.entities.consent import Reason
from twinops.errors import TwinopsError

TYPES = "urn:twinops:refusal:"
"""What a `type` begins with (RFC 9457)."""


class Refusal(Enum):
    """Status and title by type."""

    MALFORMED = (400, "The request is not understood.")
    PURPOSE_NOT_DECLARED = (400, "No such purpose is declared.")
    UNAUTHENTICATED = (401, "Nobody known is asking.")
    NOT_YOURS = (403, "This client may not do this.")
    PURPOSE_NOT_YOURS = (403, "This client may not ask for this purpose.")
    CONSENT = (403, "The consumer does not allow it.")
    OBJECTION = (403, "The consumer objected.")
    RESTRICTION = (403, "The consumer's data may be stored and nothing else.")
    AGE = (403, "The consumer is under age, or may be.")
    NOT_ASSESSED = (403, "No signed assessment allows it.")
    SPECIAL_CATEGORY = (403, "It touches a special category of personal data.")
    INFLUENCE = (403, "The policy limits contacts.")
    AUTOMATED_DECISION = (403, "The law bars the automated decision this would feed.")
    UNKNOWN_CONSUMER = (404, "No such consumer is held.")
    NOT_FOUND = (404, "There is nothing here.")
    NO_SUCH_METHOD = (405, "This cannot be done here.")
    TOO_SLOW = (408, "The body came too slowly.")
    EVENT_ID_USED = (409, "Another event came under this id.")
    TOO_LARGE = (413, "The body is too large.")
    NO_ANSWER = (422, "The data cannot answer.")
    CLOSED_MONTH = (422, "That day is in a month that was collected already.")
    RATE = (429, "Too many questions.")
    UNEXPECTED = (500, "The service met something that it did not expect.")
    ISSUER_SILENT = (503, "The issuer of the token was not heard for too long.")
    MODEL_CUT = (503, "No model is vouched for now.")
    BEING_READ = (503, "Permissions are being read anew; ask again.")
    STOPPING = (503, "The service is stopping.")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[0])

    @property
    def title(self) -> str:
        """In plain words."""
        return str(self.value[1])

    @property
    def code(self) -> str:
        """The end of the type, as the log and the metrics have it."""
        return self.name.lower().replace("_", "-")


BY_REASON = {
    Reason.OBJECTED.value: Refusal.OBJECTION,
    Reason.RESTRICTED.value: Refusal.RESTRICTION,
    Reason.UNDER_AGE.value: Refusal.AGE,
    Reason.AGE_UNKNOWN.value: Refusal.AGE,
    Reason.NO_ASSESSMENT.value: Refusal.NOT_ASSESSED,
}
"""Reasons of the ledger that have a type of their own; every other is `CONSENT`."""


@dataclass(frozen=True)
class Problem:
    """One refusal as it is answered."""

    refusal: Refusal
    detail: str
    retry_s: int | None = None

    def body(self) -> dict[str, Any]:
        """Problem details (RFC 9457)."""
        r = self.refusal
        return {"type": f"{TYPES}{r.code}", "title": r.title, "status": r.status, "detail": self.detail}


class AskRefusedError(TwinopsError):
    """What a guard raises."""

    exit_code = 10

    def __init__(self, refusal: Refusal, detail: str = "", *, retry_s: int | None = None) -> None:
        super().__init__(detail or refusal.title, hint="")
        self.problem = Problem(refusal, detail or refusal.title, retry_s)
