"""Read `compliance/people.yaml`: who holds which office, so that answers come from whoever may give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from twinops.governance.reading import Record, Text, checked, parse

SOURCE = "compliance/people.yaml"
DPO = "data protection officer"
Role = Literal["data owner", "risk officer", "data protection officer"]
ROLES = ("data owner", "risk officer", DPO)
Email = Annotated[str, Field(pattern=r"^[^\s,*?!<>()\[\]`|&]{1,60}@[^\s,*?!<>()\[\]`|&]{1,60}$")]


class Person(Record):
    """A person with the key that `compliance/allowed_signers` holds under the e-mail."""

    name: Text
    email: Email
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]


class People(Record):
    """The whole file."""

    version: Text
    people: tuple[Person, ...]

    def by_email(self, email: str) -> Person | None:
        """The person of this address."""
        return next((p for p in self.people if p.email == email), None)

    def holding(self, role: str) -> tuple[Person, ...]:
        """Everyone who holds the office."""
        return tuple(p for p in self.people if role in p.roles)


def read(text: str) -> People:
    """The checked file.

    Raises:
        ParamsError: it holds mistakes; all are told together.

    """
    raw = parse(text, name=SOURCE)
    return checked(People, raw, name=SOURCE, more=_mistakes(raw))


def role_of(who: str) -> str:
    """The office that a question is asked of: the one its `who` begins with.

    >>> role_of("data owner with the data protection officer's advice")
    'data owner'
    """
    return next((role for role in ROLES if who.startswith(role)), "data owner")


def _mistakes(raw: Any) -> Iterator[str]:
    """What no single field shows."""
    found = raw.get("people") if isinstance(raw, dict) else None
    people = [p for p in (found if isinstance(found, tuple) else ()) if isinstance(p, dict)]
    for field in ("email", "name"):
        given = [str(p.get(field)) for p in people]
        yield from (f"people: {field} {one!r} stands twice" for one in sorted({o for o in given if given.count(o) > 1}))
    for place, person in enumerate(people):
        roles = person.get("roles")
        if isinstance(roles, tuple) and DPO in roles and len(set(roles)) > 1:
            yield f"people.{place}.roles: the data protection officer advises and holds no other office (art. 38(6))"
