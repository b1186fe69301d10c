"""What templates of documents may ask evidence for: facts in words, each with its citation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.citations import cite, said
from twinops.governance.decide import Decision
from twinops.governance.words import words


@dataclass(frozen=True)
class Told:
    """Evidence and decision as a template reads them. Nothing comes out of it without its citation."""

    evidence: Evidence
    decision: Decision

    def value(self, name: str, *path: str) -> Any:
        """The bare value of a fact, or of the part of it at `path`; None when there is none."""
        fact = self.evidence.fact(name)
        found = fact.value if fact else None
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def told(self, name: str, *path: str) -> Markup:
        """A fact, or the part of it at `path`, in words and cited; or that it is not known."""
        fact, value = self.evidence.fact(name), self.value(name, *path)
        return Markup("**not declared**") if fact is None or value is None else said(words(value), fact)

    def cited(self, name: str) -> Markup:
        """The citation of a fact, if there is one."""
        fact = self.evidence.fact(name)
        return cite(fact) if fact else Markup("")

    def measured(self, name: str) -> Markup:
        """A measure with its interval, cited; or that it is not measured."""
        measure = self.evidence.measure(name)
        return said(str(measure), measure) if measure else Markup("**not measured**")

    def of(self, fact: Fact, *path: str) -> Markup:
        """A part of this fact in words, cited."""
        value = fact.value
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return Markup("**not declared**") if value is None else said(words(value), fact)

    def cite(self, *found: Fact) -> Markup:
        """The citation of these facts."""
        return cite(*found)

    def sources(self) -> tuple[Fact, ...]:
        """Every declared source."""
        return tuple(f for f in self.evidence.facts if f.name.startswith("source.") and isinstance(f.value, dict))
