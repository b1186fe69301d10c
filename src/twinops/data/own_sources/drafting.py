"""A declaration in the making: what was chosen and why, how a file is read, and its legal facts, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinops.data.own_sources.cells import printable
from twinops.data.own_sources.sampling import Sampled, sampled
from twinops.entities.consent import Purpose
from twinops.errors import ParamsError
from twinops.own_params import OPEN

NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency."""
TWIN = (Purpose.TRAINING.value, Purpose.SCORING.value)


@dataclass(frozen=True)
class Said:
    """What the owner says; None: nothing. `columns` maps ours (or a purpose of the opt-ins) to theirs."""

    currency: str | None = None
    zone: str | None = None
    date: str | None = None
    controller: str | None = None
    basis: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    texts_basis: str | None = None
    """On which basis what people wrote, and by what they are found again, may be read."""


@dataclass(frozen=True)
class Choice:
    """One thing that was decided: of which source, what, why, and how cells look that it was decided by."""

    source: str
    what: str
    value: str
    why: str
    sample: tuple[str, ...] = ()


@dataclass
class Draft:
    """A source in the making."""

    name: str
    file: Sampled
    columns: dict[str, str] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, ours: str, theirs: str, why: str) -> None:
        """Map a column."""
        self.columns[ours] = theirs
        self.choices.append(Choice(self.name, ours, printable(theirs), why, self.file.shapes(theirs)))

    @property
    def free(self) -> list[str]:
        """Columns that nothing was found for yet."""
        return [c for c in self.file.cells if c not in self.columns.values()]


def draft_of(name: str, path: Path) -> Draft:
    """Look at a file; nothing is mapped yet."""
    draft = Draft(name, sampled(path))
    draft.choices += [Choice(name, "file", path.name, " ".join(draft.file.why))]
    return draft


def must_exist(draft: Draft, theirs: str) -> None:
    """Refuse a column that the file does not have.

    Raises:
        ParamsError: it does not have it.
    """
    if theirs not in draft.file.cells:
        there = ", ".join(printable(c) for c in draft.file.cells)
        raise ParamsError(f"{draft.file.path.name} has no column {theirs!r}.", hint=f"The columns are {there}.")


def read_as(draft: Draft) -> dict[str, Any]:
    """How the file is opened, as the declaration says it."""
    file = draft.file
    body: dict[str, Any] = {"reads": file.reads, "path": str(file.path)}
    if file.reads == "csv":
        body |= {"separator": file.separator} | ({} if file.encoding == "detect" else {"encoding": file.encoding})
        body |= {} if file.header else {"header": False}
    return body


def legal_facts(draft: Draft, said: Said, bases: dict[str, str], purposes: dict[str, list[str]]) -> dict[str, Any]:
    """What is known of the law of a source; what only a person can say is open."""
    used = {p for listed in purposes.values() for p in listed}
    own = {p: basis for p, basis in bases.items() if p in used}
    return {
        "controller": said.controller or OPEN,
        "provenance": f"The file {draft.file.path.name}, as it was handed over.",
        "collected_from": OPEN,
        "bases": OPEN if set(own.values()) <= {OPEN} else own,
        "purposes": purposes,
        "retention_days": OPEN,
        "notice": OPEN,
        "synthetic": said.synthetic,
    }


NOTHING_SAID = Said()
