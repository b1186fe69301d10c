"""The commit up to which history is upstream's: accepted by an officer, so that a first release has known authors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from twinops.entities.canonical import digest
from twinops.governance.policy.changes import Change
from twinops.governance.reading import Record, Text, checked, parse

NAMESPACE = "twinops-base"
"""What an ssh key signs an adopted base for."""
Oid = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]


class AdoptedBase(Record):
    """Whom the registry does not know and who wrote only up to `commit` is upstream; whom it knows counts always."""

    model: Text
    commit: Oid
    commits: Annotated[int, Field(ge=1)]
    """How many commits lie up to it, as whoever proposes it counted them."""
    people: Annotated[int, Field(ge=1)]
    """How many e-mails they name."""

    @property
    def digest(self) -> str:
        """SHA-256 over what it says."""
        return digest(self.model_dump(mode="json"))

    @property
    def sentence(self) -> str:
        """What is adopted."""
        one = self.commits == 1
        commits, people = "commit" if one else "commits", "e-mail" if self.people == 1 else "e-mails"
        counted = f"{self.commits} {commits} of {self.people} {people}"
        return f"{counted} up to {self.commit[:12]} {'counts' if one else 'count'} as upstream's"


def read(text: str, *, name: str = "the adopted base") -> AdoptedBase:
    """The checked record.

    Raises:
        ParamsError: not YAML, or not a model and a whole commit id.
    """
    return checked(AdoptedBase, parse(text, name=name), name=name)


def change(old: AdoptedBase | None, new: AdoptedBase) -> tuple[Change, ...]:
    """A first base is one officer's to accept; moving it could hide whoever wrote in between."""
    if old == new:
        return ()
    if old is None:
        return (Change(f"Of {new.model}, {new.sentence}."),)
    moved = f"Of {new.model}, {new.sentence}, no longer {old.commits} up to {old.commit[:12]}."
    return (Change(moved, loosens=True),)
