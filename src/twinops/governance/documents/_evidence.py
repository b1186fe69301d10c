"""What templates of documents may ask evidence for: facts in words, each with its citation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.governance.citations import cite, said
from twinops.governance.law.consumer_law import asked
from twinops.governance.markdown import code, escape
from twinops.governance.open_fields import MARK, is_said
from twinops.governance.policy.decide import Decision
from twinops.governance.words import words


def opened(text: str, evidence: Evidence, told: str) -> str:
    """A document in which what nobody has said yet stands as `told`."""
    owed = {leaf for fact in evidence.facts for leaf in _texts(fact.value) if leaf.startswith(MARK)}
    for leaf in sorted(owed, key=len, reverse=True):
        text = text.replace(str(escape(leaf)), told)
    return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


@dataclass(frozen=True)
class CitedEvidence:
    """Evidence and decision as a template reads them. Nothing comes out of it without its citation."""

    evidence: Evidence
    decision: Decision
    UNKNOWN: ClassVar[Markup] = Markup("**not declared**")
    OPEN: ClassVar[Markup] = Markup("**not said yet**")

    def policy_version(self) -> Markup:
        """The policy's name, if somebody has given it one."""
        version = self.decision.policy_version
        return code(version) if is_said(version) else Markup("*not named yet*")

    def value(self, name: str, *path: str) -> Any:
        """The bare value of a fact, or of the part of it at `path`; None when there is none."""
        return self.evidence.value(name, *path)

    def told(self, name: str, *path: str) -> Markup:
        """A fact, or the part of it at `path`, in words and cited; or that it is not known."""
        fact, value = self.evidence.fact(name), self.value(name, *path)
        if fact is None or value is None:
            return self.UNKNOWN
        told = words(value)
        return said(told, fact) if is_said(told) else self.OPEN

    def sentence(self, what: str, name: str, *path: str) -> Markup:
        """The same as a sentence of its own: where nobody has said it, `what` is not said."""
        told = self.told(name, *path)
        return Markup("{} is {}.").format(what, told) if told in (self.OPEN, self.UNKNOWN) else told

    def is_said(self, name: str, *path: str) -> bool:
        """Whether somebody has said the fact, or the part of it at `path`."""
        value = self.value(name, *path)
        return value is not None and is_said(words(value))

    def cited(self, name: str) -> Markup:
        """The citation of the fact and the measure of this name, as far as they are there."""
        found = [item for item in (self.evidence.fact(name), self.evidence.measure(name)) if item]
        return cite(*found) if found else Markup("")

    def asks(self, duty: dict[str, Any]) -> str:
        """What a duty of consumer law asks for, in words."""
        return asked(duty)

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

    def cite(self, *found: Measure | Fact) -> Markup:
        """The citation of these items."""
        return cite(*found)

    def sources(self) -> tuple[Fact, ...]:
        """Every declared source."""
        return self.evidence.sources
