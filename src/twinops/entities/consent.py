"""Consent as a ledger: who allowed or refused which purpose, when, on which basis; read as of a date."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Purpose(StrEnum):
    """What personal data may be used for. Each is declared with its DPV term in `compliance/intended_use.yaml`."""

    TRAINING = "twin_training"
    SCORING = "twin_scoring"
    OFFERS = "offers"
    BIAS_ASSESSMENT = "bias_assessment"


TWIN_SERVES = (Purpose.SCORING, Purpose.OFFERS)
"""What a single twin may be opened for; the other purposes need no one's portrait."""


class LegalBasis(StrEnum):
    """GDPR art. 6(1) bases that we can act on; `open` is none: nobody has said yet, and it serves a trial only."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGITIMATE_INTEREST = "legitimate_interest"
    OPEN = "open"


class Event(StrEnum):
    """What may be written in the ledger."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    ASKED = "open_request"


SAID = tuple(e for e in Event if e is not Event.ASKED)
"""What a source may tell; that a request is open is told by the ledger of rights alone."""


class Reason(StrEnum):
    """Why a subject is left out; published as counts."""

    UNKNOWN = "consent_unknown"
    REFUSED = "consent_refused"
    WITHDRAWN = "consent_withdrawn"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    OPEN_REQUEST = "open_request"
    NO_ASSESSMENT = "legitimate_interest_not_assessed"
    ERASED = "erased"
    UNDER_AGE = "under_age"
    AGE_UNKNOWN = "age_unknown"


REFUSALS: Mapping[Event | None, Reason] = MappingProxyType(
    {
        Event.REFUSED: Reason.REFUSED,
        Event.WITHDRAWN: Reason.WITHDRAWN,
        Event.OBJECTED: Reason.OBJECTED,
        Event.RESTRICTED: Reason.RESTRICTED,
        Event.ASKED: Reason.OPEN_REQUEST,
    }
)
"""What refuses whatever the basis."""


def exclusion(event: Event | None, basis: LegalBasis, *, assessed: bool = False) -> Reason | None:
    """Why the latest event (None: no event) does not allow the purpose, or None when it does.

    Consent that is unknown refuses (GDPR art. 7(1)). Under legitimate interest an objection refuses (art. 21) and a
    signed assessment must exist (art. 6(1)(f)). Under contract (art. 6(1)(b)), and in a trial, whoever refused or
    objected is out all the same, and whoever had processing restricted (art. 18) is out of every use. So is, for what a
    request is about, whoever waits for it to be decided (art. 18(1)(d), 21(3)).

    >>> exclusion(None, LegalBasis.CONSENT).value
    'consent_unknown'
    >>> exclusion(Event.GRANTED, LegalBasis.CONSENT) is None
    True
    """
    if event in REFUSALS:
        return REFUSALS[event]
    if basis is LegalBasis.CONSENT:
        return None if event is Event.GRANTED else Reason.UNKNOWN
    needs_assessment = basis is LegalBasis.LEGITIMATE_INTEREST and not assessed
    return Reason.NO_ASSESSMENT if needs_assessment else None
