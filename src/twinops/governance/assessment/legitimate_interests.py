"""Read `compliance/interests.yaml`: who signed that an interest outweighs the household's, and for what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from twinops.entities.consent import Purpose
from twinops.governance.reading import Record, Text, checked, parse

SOURCE = "compliance/interests.yaml"


class InterestAssessment(Record):
    """One signed assessment (GDPR art. 6(1)(f)): interest, necessity and balance, by whom and until when."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    purpose: Annotated[Purpose, Field(strict=False)]
    interest: Text
    necessity: Text
    balance: Text
    signed_by: Text
    signed_on: date
    valid_until: date


class Interests(Record):
    """The whole file."""

    version: Text
    assessments: tuple[InterestAssessment, ...]


def read(text: str) -> Interests:
    """The checked file.

    Raises:
        ParamsError: it holds mistakes; all are told together.
    """
    raw = parse(text, name=SOURCE)
    return checked(Interests, raw, name=SOURCE, more=_mistakes(raw))


def standing(interests: Interests, *, on: date) -> frozenset[tuple[str, Purpose]]:
    """Sources and purposes with a signed assessment whose time is not over on this day, the last that the data tell of.

    What is signed is that data are used from now on: the signature may be younger than they are, and no one has to
    date it back.
    """
    return frozenset((a.source, a.purpose) for a in interests.assessments if on <= a.valid_until)


def not_signed_yet(interests: Interests, *, today: date) -> tuple[str, ...]:
    """Assessments that say they were signed on a day that has not come: nobody has signed them."""
    return tuple(
        f"{a.source}, {a.purpose}: signed_on {a.signed_on}" for a in interests.assessments if a.signed_on > today
    )


def _mistakes(raw: Any) -> Iterator[str]:
    """What no single field shows."""
    found = raw.get("assessments") if isinstance(raw, dict) else None
    for place, one in enumerate(found if isinstance(found, tuple) else ()):
        first, last = (one.get(c) for c in ("signed_on", "valid_until")) if isinstance(one, dict) else (None, None)
        if isinstance(first, date) and isinstance(last, date) and last < first:
            yield f"assessments.{place}: valid_until lies before signed_on"
