"""What a contact may never do, as the risk officer declares it: pressure, vulnerability, special categories, purposes.

GDPR arts. 5(1)(b), 9 and 21; Directive 2005/29/EC art. 5(3) on groups that are easily swayed; AI Act art. 5(1)(b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from twinops.entities.consent import Purpose
from twinops.governance.reading import Record, Text

Sign = Literal["under_age", "open_complaint"]
ActionKind = Literal["campaign", "basket", "silence"]


class ContactLimits(Record):
    """The section `influence` of `compliance/policy.yaml`."""

    window_days: Annotated[int, Field(ge=1, le=366)]
    most_contacts: Annotated[int, Field(ge=0, le=100)]
    purposes: Annotated[
        dict[ActionKind, Annotated[tuple[Annotated[Purpose, Field(strict=False)], ...], Field(min_length=1)]],
        Field(min_length=1),
    ]
    vulnerable: tuple[Sign, ...]
    never_keyed_on: Annotated[tuple[Text, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Contact:
    """What is asked: an action under a purpose, on somebody with these signs, or on segments by these keys.

    `contacts` counts how often the consumer was contacted in the last `window_days`; None where it is about segments.
    """

    kind: str
    purpose: str
    contacts: int | None = None
    signs: frozenset[str] = frozenset()
    keyed_on: tuple[str, ...] = ()


def refusals(limits: ContactLimits | None, asked: Contact) -> tuple[str, ...]:
    """Every reason against it, as sentences; none: it may be simulated or planned.

    >>> refusals(None, Contact("campaign", "offers"))
    ('The policy declares no limits of influence, so nothing that acts on consumers is answered.',)
    """
    if limits is None:
        return ("The policy declares no limits of influence, so nothing that acts on consumers is answered.",)
    return (*_purpose(limits, asked), *_pressure(limits, asked), *_vulnerable(limits, asked), *_keys(limits, asked))


PROTECTED, TOO_OFTEN = "protected_by_policy", "contacted_too_often"


def kept_back(limits: ContactLimits, asked: Contact) -> str | None:
    """Why somebody who was selected is not contacted, as a code to count; None: nothing speaks against it."""
    if _vulnerable(limits, asked):
        return PROTECTED
    return TOO_OFTEN if _pressure(limits, asked) else None


def _purpose(limits: ContactLimits, asked: Contact) -> tuple[str, ...]:
    declared = {kind: [p.value for p in purposes] for kind, purposes in limits.purposes.items()}
    allowed = next((purposes for kind, purposes in declared.items() if kind == asked.kind), [])
    if asked.purpose in allowed:
        return ()
    return (f"A {asked.kind} is declared for {' or '.join(allowed) or 'no purpose'}, not for {asked.purpose}.",)


def _pressure(limits: ContactLimits, asked: Contact) -> tuple[str, ...]:
    if asked.kind != "campaign" or asked.contacts is None or asked.contacts < limits.most_contacts:
        return ()
    return (
        f"The consumer had {asked.contacts} contact(s) in the last {limits.window_days} days; "
        f"the policy allows {limits.most_contacts}.",
    )


def _vulnerable(limits: ContactLimits, asked: Contact) -> tuple[str, ...]:
    if asked.kind != "campaign":
        return ()
    found = sorted(asked.signs & set(limits.vulnerable))
    return (f"The policy protects who shows {', '.join(found).replace('_', ' ')}.",) if found else ()


def _keys(limits: ContactLimits, asked: Contact) -> tuple[str, ...]:
    found = sorted(set(asked.keyed_on) & set(limits.never_keyed_on))
    return (f"Nothing may be keyed on {', '.join(found)}.",) if found else ()
